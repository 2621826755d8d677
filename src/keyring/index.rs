//! Keyed codes: blind indexes for equality, codes over rows, bodies of references.

use subtle::ConstantTimeEq;

use super::derive::{join, keyed};
use super::{KeyError, KeyRole, Keyring, aead, place};
use crate::model::ids::RecordKind;
use crate::model::reference::DepartmentCode;
use crate::model::submitted::Submitted;
use crate::store::rows::{Mac, Protected, ReferenceRow};

/// The subkey under which references hold their ids.
const MAP: &[u8] = b"callervault/reference-map/1";

impl Keyring {
    /// The blind index of a value in normal form: 16 bytes of HMAC-SHA-256 under the index's own subkey. Equal values
    /// give equal codes; nothing else can be learnt from one without the key.
    ///
    /// # Errors
    /// When locked.
    pub fn blind_index(&self, index: &str, value: &Submitted) -> Result<[u8; 16], KeyError> {
        self.index_code(index, value.expose().as_bytes())
    }

    pub(super) fn index_code(&self, index: &str, value: &[u8]) -> Result<[u8; 16], KeyError> {
        self.keyed16(&[b"callervault/blind-index/1", index.as_bytes()], value)
    }

    /// The row with its authentication code.
    ///
    /// # Errors
    /// When locked.
    pub fn protect<R: Protected>(&self, row: R) -> Result<R, KeyError> {
        let mac = self.row_code(&row)?;
        Ok(row.with_mac(mac))
    }

    /// Whether the row is as the vault last wrote it. An older row put back passes here and is found by `fsck`.
    ///
    /// # Errors
    /// [`KeyError::Broken`] when it is not; otherwise when locked.
    pub fn genuine<R: Protected>(&self, row: R) -> Result<R, KeyError> {
        let mac = self.row_code(&row)?;
        if bool::from(mac.ct_eq(row.mac())) {
            Ok(row)
        } else {
            Err(KeyError::Broken)
        }
    }

    fn row_code<R: Protected>(&self, row: &R) -> Result<Mac, KeyError> {
        let columns = row.columns();
        let columns: Vec<&[u8]> = columns.iter().map(Vec::as_slice).collect();
        self.keyed16(&[b"callervault/row/1", R::TABLE.as_bytes()], &join(&columns))
    }

    pub(super) fn keyed16(&self, label: &[&[u8]], message: &[u8]) -> Result<[u8; 16], KeyError> {
        let code = self.with(|keys| {
            let version = keys.active(KeyRole::Index)?;
            keyed(&self.pool, keys.key(KeyRole::Index, version)?, label, message)
        })?;
        code.first_chunk().copied().ok_or(KeyError::Broken)
    }

    /// The version of the reference key that new references use.
    ///
    /// # Errors
    /// When locked.
    pub fn reference_version(&self) -> Result<u8, KeyError> {
        self.with(|keys| keys.active(KeyRole::Reference))
    }

    /// The first 55 bits of HMAC(subkey of department, kind and version; id ‖ counter): REFERENCES §2.1.
    ///
    /// # Errors
    /// When locked, or for a version the keyring does not hold.
    pub fn reference_body(
        &self,
        department: DepartmentCode,
        kind: RecordKind,
        version: u8,
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
        let code = self.with(|keys| keyed(&self.pool, keys.key(KeyRole::Reference, version)?, &label, &message))?;
        let first = code.first_chunk().copied().ok_or(KeyError::Broken)?;
        Ok(u64::from_be_bytes(first) >> 9)
    }

    /// A reference's row: the id sealed, with every other column as associated data.
    ///
    /// # Errors
    /// When locked or without randomness.
    pub fn seal_reference(
        &self,
        department: DepartmentCode,
        kind: RecordKind,
        version: u8,
        body: u64,
        id: &[u8; 16],
    ) -> Result<ReferenceRow, KeyError> {
        let aad = place::reference(&self.origin, department, kind, version, body);
        let sealed_id = self.with_subkey(KeyRole::Reference, version, MAP, |key| {
            aead::seal(key, version, &aad, id)
        })?;
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
        let aad = place::reference(&self.origin, row.department, row.kind, row.version, row.body);
        let id = self.with_subkey(KeyRole::Reference, row.version, MAP, |key| {
            aead::open(key, row.version, &aad, &row.sealed_id)
        })?;
        id.as_slice().try_into().map_err(|_| KeyError::Broken)
    }

    /// Lends a subkey that seals, on a locked page.
    pub(super) fn with_subkey<T>(
        &self,
        role: KeyRole,
        version: u8,
        label: &[u8],
        work: impl FnOnce(&[u8; super::KEY_LEN]) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        self.with(|keys| {
            let root = keys.key(role, version)?;
            self.pool.borrow(|subkey| {
                super::derive::expand(root, &join(&[label]), subkey.bytes_mut())?;
                work(subkey.bytes())
            })
        })
    }
}
