//! Signing checkpoints with the log key.

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
        let verifier = |version| self.with_signer(log, Some(version), |signer| signer.verifier());
        self.versions(KeyRole::Log)?.into_iter().map(verifier).collect()
    }

    // The expanded private key exists only for the length of this call, on a key stack: the library that holds it does not
    // wipe it.
    fn with_signer<T>(&self, log: &str, version: Option<u8>, work: impl FnOnce(&Signer) -> T) -> Result<T, KeyError> {
        let version = version.map_or_else(|| self.active(KeyRole::Log), Ok)?;
        self.with(|keys| {
            let seed = keys.key(KeyRole::Log, version)?;
            let signer = Signer::from_seed(log, seed).map_err(|_| KeyError::Broken)?;
            Ok(work(&signer))
        })
    }
}

impl CheckpointSigner for Keyring {
    fn sign(&self, checkpoint: &Checkpoint) -> Option<String> {
        self.with_signer(&checkpoint.origin, None, |signer| signer.sign(&checkpoint.to_string()))
            .ok()
    }
}
