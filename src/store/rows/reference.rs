//! What departments' references stand for.

use super::{NewRow, Row, table};
use crate::model::ids::RecordKind;
use crate::model::reference::DepartmentCode;

table! {
    /// What a department's reference stands for. The reference itself is not here, only a keyed code of its body: who has the
    /// database cannot tell which row is which reference, nor join two departments' references by when their rows came. The
    /// record's id is sealed, with the other columns as associated data.
    pub struct ReferenceRow in "reference", key 4, put Unless, plain {
        /// Whose reference.
        pub department: DepartmentCode,
        /// Caller or ticket.
        pub kind: RecordKind,
        /// Version of the department's subkey.
        pub version: u8,
        /// First 16 bytes of an HMAC of the body.
        pub body: [u8; 16],
        /// The record's id, sealed.
        pub sealed_id: Vec<u8>,
    }
    reads [
        /// What one reference stands for.
        ONE = "WHERE department = ?1 AND kind = ?2 AND version = ?3 AND body = ?4";
    ]
}

/// Where what one reference stands for is found, whether it was given out or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferenceKey {
    /// Whose reference.
    pub department: DepartmentCode,
    /// Caller or ticket.
    pub kind: RecordKind,
    /// Version of the department's subkey.
    pub version: u8,
    /// The code of the reference's body, as [`ReferenceRow::body`].
    pub body: [u8; 16],
}

/// It is computed again from the record, so that no leaf needs to follow it.
impl From<ReferenceRow> for NewRow {
    fn from(row: ReferenceRow) -> Self {
        Self {
            table: ReferenceRow::table(),
            cells: row.cells(),
            version: None,
            digest: None,
        }
    }
}
