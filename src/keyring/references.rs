//! References: their bodies, the codes under which they are found, and the ids they stand for, sealed.

use super::derive::{join, keyed, subkey};
use super::suites::Key;
use super::{KeyError, KeyRole, Keyring, aead, place};
use crate::model::ids::{CallerId, RecordKind, TicketId};
use crate::model::reference::DepartmentCode;
use crate::model::reference_versions::{ReferenceKeys, ReferenceVersions};
use crate::store::rows::{ReferenceRow, TicketRow};

/// The subkey under which references hold their ids, and tickets their callers'.
const MAP: &[u8] = b"callervault/reference-map/1";

/// One version of a department's references to one kind of record.
#[derive(Clone, Copy)]
pub struct Version {
    /// Whose references.
    pub department: DepartmentCode,
    /// To what.
    pub kind: RecordKind,
    /// Which version of them.
    pub version: u8,
}

impl Keyring {
    /// The version of the reference key that new references use.
    ///
    /// # Errors
    /// When locked.
    pub fn reference_version(&self) -> Result<u8, KeyError> {
        self.active(KeyRole::Reference)
    }

    /// The log's own references: a version for each version of the key.
    ///
    /// # Errors
    /// When locked.
    pub fn references_of_log(&self) -> Result<ReferenceVersions, KeyError> {
        let keys: Vec<u8> = (1..=self.reference_version()?).collect();
        let keys = ReferenceKeys::from_bytes(&keys).ok_or(KeyError::Broken)?;
        Ok(ReferenceVersions::of_log(keys))
    }

    /// The first 55 bits of HMAC(subkey of department, kind and version; id ‖ counter): REFERENCES §2.1. `key` is the version of the reference
    /// key.
    ///
    /// # Errors
    /// When locked, or for a version the keyring does not hold.
    pub fn reference_body(
        &self,
        key: u8,
        Version {
            department,
            kind,
            version,
        }: Version,
        id: &[u8; 16],
        counter: u32,
    ) -> Result<u64, KeyError> {
        let label: [&[u8]; 5] = [
            b"callervault/reference/1",
            self.origin.as_bytes(),
            department.as_bytes(),
            kind.as_str().as_bytes(),
            &[version],
        ];
        let message = join(&[id, &counter.to_be_bytes()]);
        let code = self.with_codes(|keys| keyed(keys.key(KeyRole::Reference, key)?, &label, &message))?;
        let first = code.first_chunk().copied().ok_or(KeyError::Broken)?;
        Ok(u64::from_be_bytes(first) >> 9)
    }

    /// The code under which a reference's row is found: whoever has the database does not have the reference.
    ///
    /// # Errors
    /// When locked, or for a version the keyring does not hold.
    pub fn reference_code(&self, key: u8, of: Version, body: u64) -> Result<[u8; 16], KeyError> {
        let label: [&[u8]; 5] = [
            b"callervault/reference-code/1",
            self.origin.as_bytes(),
            of.department.as_bytes(),
            of.kind.as_str().as_bytes(),
            &[of.version],
        ];
        let code = self.with_codes(|keys| {
            let key = keys.key(KeyRole::Reference, key)?;
            keyed(key, &label, &body.to_be_bytes())
        })?;
        code.first_chunk().copied().ok_or(KeyError::Broken)
    }

    /// A reference's row: the id sealed, with every other column as associated data.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_reference(
        &self,
        key: u8,
        of: Version,
        body: [u8; 16],
        id: &[u8; 16],
    ) -> Result<ReferenceRow, KeyError> {
        let Version {
            department,
            kind,
            version,
        } = of;
        let aad = place::reference(&self.origin, department, kind, version, &body);
        let sealed_id = self.seal_id(key, &aad, id)?;
        Ok(ReferenceRow {
            department,
            kind,
            version,
            body,
            sealed_id,
        })
    }

    /// The id behind a reference.
    ///
    /// # Errors
    /// When locked, or when the row was changed or moved.
    pub fn open_reference(&self, row: &ReferenceRow) -> Result<[u8; 16], KeyError> {
        let aad = place::reference(&self.origin, row.department, row.kind, row.version, &row.body);
        self.open_id(&aad, &row.sealed_id)
    }

    /// The version of the reference key that a row was made with.
    ///
    /// # Errors
    /// When the row was changed.
    pub fn key_of_reference(&self, row: &ReferenceRow) -> Result<u8, KeyError> {
        aead::generation(&row.sealed_id)
    }

    /// A ticket's caller, sealed for the ticket's row.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_caller(&self, ticket: TicketId, caller: CallerId) -> Result<Vec<u8>, KeyError> {
        let version = self.reference_version()?;
        self.seal_id(version, &place::ticket_caller(&self.origin, ticket), caller.as_bytes())
    }

    /// Whose ticket it is; nobody's once the caller is erased.
    ///
    /// # Errors
    /// When locked, or when what the row holds was not sealed for this ticket.
    pub fn caller_in(&self, ticket: &TicketRow) -> Result<Option<CallerId>, KeyError> {
        if ticket.is_erased() {
            return Ok(None);
        }
        let aad = place::ticket_caller(&self.origin, ticket.id);
        Ok(Some(self.open_id(&aad, &ticket.caller).map(CallerId::from_bytes)?))
    }

    fn seal_id(&self, version: u8, aad: &[u8], id: &[u8; 16]) -> Result<Vec<u8>, KeyError> {
        self.with_subkey(KeyRole::Reference, version, MAP, |key| {
            aead::seal(&*self.randomness, key, version, aad, id)
        })
    }

    fn open_id(&self, aad: &[u8], sealed: &[u8]) -> Result<[u8; 16], KeyError> {
        let version = aead::generation(sealed)?;
        let id = self.with_subkey(KeyRole::Reference, version, MAP, |key| {
            aead::open(key, version, aad, sealed)
        })?;
        id.as_slice().try_into().map_err(|_| KeyError::Broken)
    }

    /// Lends a subkey that seals, on a key stack.
    pub(super) fn with_subkey<T>(
        &self,
        role: KeyRole,
        version: u8,
        label: &[u8],
        work: impl FnOnce(Key<'_>) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        self.with(|keys| {
            let key = keys.key(role, version)?;
            let subkey = subkey(key, &[label])?;
            work(Key::of(key.suite, &subkey))
        })
    }
}
