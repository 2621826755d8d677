//! Remembered answers: each is sealed into its row.

use zeroize::Zeroizing;

use super::derive::join;
use super::{KeyError, KeyRole, Keyring, aead, padding};
use crate::model::code::Code;
use crate::model::ids::PrincipalId;
use crate::store::rows::ReplayRow;

const SUBKEY: &[u8] = b"callervault/replay-answer/1";

impl Keyring {
    /// An answer sealed for the row of this principal, key and request: it names a ticket and a department's references to
    /// callers.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_answer(
        &self,
        principal: PrincipalId,
        key: &Code,
        request: &Code,
        answer: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let aad = self.answer_place(principal, key, request);
        let version = self.active(KeyRole::Row)?;
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            aead::seal(&*self.randomness, key, version, &aad, &padding::pad(answer))
        })
    }

    /// The answer in a row.
    ///
    /// # Errors
    /// When locked, or when the row was changed or moved.
    pub fn open_answer(&self, row: &ReplayRow) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let aad = self.answer_place(row.principal, &row.key, &row.request);
        let version = aead::generation(&row.answer)?;
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            padding::unpad(aead::open(key, version, &aad, &row.answer)?)
        })
    }

    fn answer_place(&self, principal: PrincipalId, key: &Code, request: &Code) -> Vec<u8> {
        let (key, request) = (key.as_bytes(), request.as_bytes());
        join(&[SUBKEY, self.origin.as_bytes(), principal.as_bytes(), key, request])
    }
}
