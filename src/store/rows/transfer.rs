//! Transfers of a caller's reference to another department.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{PrincipalId, TicketId, TransferId};
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};

table! {
    /// A transfer (REFERENCES §2.5): what one department hands to another so that it gets a reference of its own to a ticket's caller.
    pub struct TransferRow in "transfer", key 1, put Versioned, coded, version version {
        /// Random. The log calls it so.
        pub id: TransferId,
        /// SHA-256 of its text, which has 256 random bits.
        pub hash: [u8; 32],
        /// The department that has made it.
        pub sender: DepartmentCode,
        /// The one department that it is for.
        pub receiver: DepartmentCode,
        /// The ticket whose caller it is about.
        pub ticket: TicketId,
        /// What the log called that caller when it was made.
        pub subject: Reference,
        /// What for.
        pub purpose: Purpose,
        /// Who has made it.
        pub made_by: PrincipalId,
        /// When.
        pub made_at: Timestamp,
        /// From when on it is worth nothing.
        pub expires_at: Timestamp,
        /// When it was accepted.
        pub accepted_at: Option<Timestamp>,
        /// 1 when made, 2 once accepted.
        pub version: u64,
    }
    reads [
        /// The one with this text.
        BY_HASH = "WHERE hash = ?1";
    ]
}

impl Protected for TransferRow {
    fn place(&self) -> Option<String> {
        Some(format!("@transfer/{}", self.id))
    }
}
