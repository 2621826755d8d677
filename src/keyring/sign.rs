//! Signing checkpoints with the log key.

use super::{KeyError, KeyRole, Keyring};
use crate::log::LogKeys;
use crate::model::code::Code;
use crate::note::{BackupManifest, Checkpoint, ErasureReceipt, Signer, Verifier};
use crate::store::rows::{Cell, Coded, Genuine, KeyringRow, NewRow, Table, TallyRow};

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
            let seed = keys.key(KeyRole::Log, version)?.bytes;
            let signer = Signer::from_seed(log, seed).map_err(|_| KeyError::Broken)?;
            Ok(work(&signer))
        })
    }
}

impl Keyring {
    /// Signs with the newest version and with the one before it, so that those who know only the older key can go on until they have been
    /// given the newer one.
    fn signed(&self, log: &str, text: &str) -> Result<String, KeyError> {
        let mut note = String::new();
        for version in self.versions(KeyRole::Log)?.into_iter().take(2) {
            let one = self.with_signer(log, Some(version), |signer| signer.sign(text))?;
            let lines = one.strip_prefix(text).ok_or(KeyError::Broken)?;
            note.push_str(if note.is_empty() {
                &one
            } else {
                lines.trim_start_matches('\n')
            });
        }
        Ok(note)
    }

    /// The signed receipt of an erasure.
    ///
    /// # Errors
    /// When locked.
    pub fn sign_erasure(&self, receipt: &ErasureReceipt) -> Result<String, KeyError> {
        self.signed(&receipt.log, &receipt.to_string())
    }

    /// The signed manifest of a backup.
    ///
    /// # Errors
    /// When locked.
    pub fn sign_backup(&self, manifest: &BackupManifest) -> Result<String, KeyError> {
        self.signed(&manifest.log, &manifest.to_string())
    }
}

impl LogKeys for Keyring {
    fn sign(&self, checkpoint: &Checkpoint) -> Option<String> {
        self.signed(&checkpoint.origin, &checkpoint.to_string()).ok()
    }

    fn activate(&self, key: &KeyringRow) -> bool {
        Self::activate(self, key).is_ok()
    }

    fn forget(&self, role: KeyRole, version: u8) {
        Self::forget(self, role, version);
    }

    fn is_code(&self, table: &'static Table, columns: &[Cell], code: &Code) -> bool {
        Self::is_code(self, table, columns, code) == Ok(true)
    }

    fn tally_row(&self, row: TallyRow) -> Option<NewRow> {
        self.protect(row).ok().map(NewRow::from)
    }

    fn tally_of(&self, row: Coded<TallyRow>) -> Option<TallyRow> {
        self.genuine(row).ok().map(Genuine::into_row)
    }
}
