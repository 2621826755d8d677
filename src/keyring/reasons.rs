//! Reasons of those who ask for an approval and of those who give it: each is sealed into the approval's row. Reasons of a legal hold are
//! sealed under the caller's record key ([`Keyring::seal_for`]), so that they go with the caller.

use zeroize::Zeroizing;

use super::derive::join;
use super::{KeyError, KeyRole, Keyring, aead, padding};
use crate::model::approvals::{Giver, Reason};
use crate::model::ids::ApprovalId;

const SUBKEY: &[u8] = b"callervault/approval-reason/1";

impl Keyring {
    /// A reason sealed for its giver's place in the row of this approval.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_reason(&self, approval: ApprovalId, giver: Giver, reason: &Reason) -> Result<Vec<u8>, KeyError> {
        let aad = self.reason_place(approval, giver);
        let version = self.active(KeyRole::Row)?;
        self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            aead::seal(
                &*self.randomness,
                key,
                version,
                &aad,
                &padding::pad(reason.expose().as_bytes()),
            )
        })
    }

    /// The reason in a row.
    ///
    /// # Errors
    /// When locked, or when it was changed or moved.
    pub fn open_reason(&self, approval: ApprovalId, giver: Giver, sealed: &[u8]) -> Result<Reason, KeyError> {
        let aad = self.reason_place(approval, giver);
        let version = aead::generation(sealed)?;
        let plain = self.with_subkey(KeyRole::Row, version, SUBKEY, |key| {
            padding::unpad(aead::open(key, version, &aad, sealed)?)
        })?;
        let text = std::str::from_utf8(&plain).map_err(|_| KeyError::Broken)?;
        Reason::new(Zeroizing::new(text.to_owned())).ok_or(KeyError::Broken)
    }

    fn reason_place(&self, approval: ApprovalId, giver: Giver) -> Vec<u8> {
        let giver = giver.as_str().as_bytes();
        join(&[SUBKEY, self.origin.as_bytes(), approval.as_bytes(), giver])
    }
}
