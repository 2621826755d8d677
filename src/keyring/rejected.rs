//! Lines that an import rejected: sealed for mending, each for its number.

use zeroize::Zeroizing;

use super::derive::join;
use super::{KeyError, KeyRole, Keyring, aead, padding};

const SUBKEY: &[u8] = b"callervault/rejected-line/1";

impl Keyring {
    /// A line sealed for its number.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_rejected(&self, line: u64, text: &[u8]) -> Result<Vec<u8>, KeyError> {
        let aad = self.rejected_place(line);
        let version = self.active(KeyRole::Row)?;
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            aead::seal(&*self.randomness, key, version, &aad, &padding::pad(text))
        })
    }

    /// The line of that number.
    ///
    /// # Errors
    /// When locked, or when it was changed, is of another number or of another vault.
    pub fn open_rejected(&self, line: u64, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let aad = self.rejected_place(line);
        let version = aead::generation(sealed)?;
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            padding::unpad(aead::open(key, version, &aad, sealed)?)
        })
    }

    fn rejected_place(&self, line: u64) -> Vec<u8> {
        join(&[SUBKEY, self.origin.as_bytes(), &line.to_be_bytes()])
    }
}
