//! Remembered answers: codes of the key and of the request they came with, and the answer sealed under both.

use zeroize::Zeroizing;

use super::derive::join;
use super::{KeyError, KeyRole, Keyring, aead, padding};
use crate::model::ids::PrincipalId;
use crate::store::rows::ReplayRow;

/// The codes of one write with an `Idempotency-Key`.
pub struct ReplayCodes {
    /// Of the client's key.
    pub key: [u8; 16],
    /// Of the request it came with.
    pub request: [u8; 16],
}

const SUBKEY: &[u8] = b"callervault/replay-answer/1";

impl Keyring {
    /// Codes of an `Idempotency-Key` and of the request it came with: both may hold personal values.
    ///
    /// # Errors
    /// When locked.
    pub fn replay_codes(&self, key: &str, request: &[u8]) -> Result<ReplayCodes, KeyError> {
        Ok(ReplayCodes {
            key: self.keyed16(&[b"callervault/replay-key/1"], key.as_bytes())?,
            request: self.keyed16(&[b"callervault/replay-request/1"], request)?,
        })
    }

    /// An answer sealed into its row: it names a ticket and a department's references to callers.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_answer(&self, principal: PrincipalId, codes: &ReplayCodes, answer: &[u8]) -> Result<Vec<u8>, KeyError> {
        let aad = self.answer_place(principal, &codes.key, &codes.request);
        let version = self.with(|keys| keys.active(KeyRole::Index))?;
        self.with_subkey(KeyRole::Index, version, SUBKEY, |key| {
            aead::seal(key, version, &aad, &padding::pad(answer))
        })
    }

    /// The answer in a row.
    ///
    /// # Errors
    /// When locked, or when the row was changed or moved.
    pub fn open_answer(&self, row: &ReplayRow) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let aad = self.answer_place(row.principal, &row.key, &row.request);
        let version = self.with(|keys| keys.active(KeyRole::Index))?;
        self.with_subkey(KeyRole::Index, version, SUBKEY, |key| {
            padding::unpad(aead::open(key, version, &aad, &row.answer)?)
        })
    }

    fn answer_place(&self, principal: PrincipalId, key: &[u8], request: &[u8]) -> Vec<u8> {
        join(&[SUBKEY, self.origin.as_bytes(), principal.as_bytes(), key, request])
    }
}
