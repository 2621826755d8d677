//! Signing checkpoints with the log key.

use super::memory::wipe_stack;
use super::{KeyError, KeyRole, Keyring};
use crate::log::CheckpointSigner;
use crate::note::{Checkpoint, Signer, Verifier};

impl Keyring {
    /// The public key of the log of that origin in the form verifiers take (vkey).
    ///
    /// # Errors
    /// When locked.
    pub fn verifier(&self, log: &str) -> Result<Verifier, KeyError> {
        self.with_signer(log, None, |signer| signer.verifier())
    }

    /// The public keys of every version of the log key, newest first: an older checkpoint is signed by an older one.
    ///
    /// # Errors
    /// When locked.
    pub fn verifiers(&self, log: &str) -> Result<Vec<Verifier>, KeyError> {
        let versions = self.with(|keys| Ok(keys.versions(KeyRole::Log)))?;
        let verifier = |version| self.with_signer(log, Some(version), |signer| signer.verifier());
        versions.into_iter().map(verifier).collect()
    }

    // The expanded private key exists only for the length of this call: the library that holds it does not wipe it.
    fn with_signer<T>(&self, log: &str, version: Option<u8>, work: impl FnOnce(&Signer) -> T) -> Result<T, KeyError> {
        let result = self.with(|keys| {
            let version = version.map_or_else(|| keys.active(KeyRole::Log), Ok)?;
            let seed = keys.key(KeyRole::Log, version)?;
            sign_with(log, seed, work)
        });
        wipe_stack();
        result
    }
}

#[inline(never)]
fn sign_with<T>(origin: &str, seed: &[u8; 32], work: impl FnOnce(&Signer) -> T) -> Result<T, KeyError> {
    let signer = Signer::from_seed(origin, seed).map_err(|_| KeyError::Broken)?;
    Ok(work(&signer))
}

impl CheckpointSigner for Keyring {
    fn sign(&self, checkpoint: &Checkpoint) -> Option<String> {
        self.with_signer(&checkpoint.origin, None, |signer| signer.sign(&checkpoint.to_string()))
            .ok()
    }
}
