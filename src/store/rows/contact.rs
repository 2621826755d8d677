//! Codes by which a relay puts one call through to a caller.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::contacts::ContactOutcome;
use crate::model::ids::{ContactId, PrincipalId, TicketId};
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;

table! {
    /// A contact code: what a handler is given in place of a number, and a relay exchanges for it once.
    pub struct ContactRow in "contact", key 1, put Versioned, coded, version version {
        /// Random. The log calls it so.
        pub id: ContactId,
        /// SHA-256 of its text, which has 256 random bits.
        pub hash: [u8; 32],
        /// The ticket whose caller is to be called.
        pub ticket: TicketId,
        /// The caller's field that has the number.
        pub field: String,
        /// The department that asked for it.
        pub department: DepartmentCode,
        /// Who asked for it.
        pub made_by: PrincipalId,
        /// What for.
        pub purpose: Purpose,
        /// When.
        pub made_at: Timestamp,
        /// From when on it is worth nothing.
        pub expires_at: Timestamp,
        /// The relay that has exchanged it.
        pub exchanged_by: Option<PrincipalId>,
        /// When.
        pub exchanged_at: Option<Timestamp>,
        /// What became of the call, as that relay says.
        pub outcome: Option<ContactOutcome>,
        /// When it said so.
        pub ended_at: Option<Timestamp>,
        /// 1 when made, one more once exchanged, one more once the call has ended.
        pub version: u64,
    }
    reads [
        /// The one with this text.
        BY_HASH = "WHERE hash = ?1";
        /// One by its id.
        BY_ID = "WHERE id = ?1";
        /// Those of a ticket, newest first.
        OF_TICKET = "WHERE ticket = ?1 ORDER BY made_at DESC, id DESC LIMIT ?2";
    ]
}

impl Protected for ContactRow {
    fn place(&self) -> Option<String> {
        Some(format!("@contact/{}", self.id))
    }
}
