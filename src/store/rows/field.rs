//! Sealed fields.

use ring::digest::{SHA256, digest};

use super::{NewRow, Row, table};
use crate::model::ids::{RecordId, RecordKind};

table! {
    /// A sealed field. Its own associated data names its place, so it needs no code.
    pub struct FieldRow in "sealed_field", key 3, put Over, plain {
        /// Whose field: a caller's or a ticket's.
        pub record_kind: RecordKind,
        /// Whose field: the record's id.
        pub record: [u8; 16],
        /// Which field.
        pub field: String,
        /// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag`.
        pub sealed: Vec<u8>,
    }
    reads [
        /// One field of a record.
        ONE = "WHERE record_kind = ?1 AND record = ?2 AND field = ?3";
        /// Fields of any record, by record and name, behind one of them.
        AFTER = "WHERE (record_kind, record, field) > (?1, ?2, ?3) ORDER BY record_kind, record, field LIMIT ?4";
        /// A record's fields, by name. A record has no more of them than are declared.
        OF_RECORD = "WHERE record_kind = ?1 AND record = ?2 ORDER BY field";
    ]
}

impl FieldRow {
    /// A sealed field of a record.
    #[must_use]
    pub fn new(record: RecordId, field: String, sealed: Vec<u8>) -> Self {
        Self {
            record_kind: record.kind(),
            record: *record.as_bytes(),
            field,
            sealed,
        }
    }

    /// Whose field it is.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        RecordId::new(self.record_kind, self.record)
    }

    /// SHA-256 of the ciphertext.
    #[must_use]
    pub fn sealed_digest(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, &self.sealed).as_ref());
        hash
    }
}

impl From<FieldRow> for NewRow {
    fn from(row: FieldRow) -> Self {
        Self {
            table: FieldRow::table(),
            cells: row.cells(),
            version: None,
            digest: Some((row.field.clone(), row.sealed_digest())),
        }
    }
}
