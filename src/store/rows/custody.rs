//! Custody: who handed a ticket to whom.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{PrincipalId, TicketId};
use crate::model::reference::DepartmentCode;
use crate::model::tickets::TicketState;

table! {
    /// One step in a ticket's custody.
    pub struct CustodyRow in "custody", key 2, put Once, coded {
        /// Which ticket.
        pub ticket: TicketId,
        /// The ticket's version after this step.
        pub version: u64,
        /// The state it came to.
        pub state: TicketState,
        /// The department that holds it from then on.
        pub holder: DepartmentCode,
        /// Who did it.
        pub actor: PrincipalId,
        /// When.
        pub at: Timestamp,
    }
    reads [
        /// A ticket's first steps, oldest first.
        OF_TICKET = "WHERE ticket = ?1 ORDER BY version LIMIT ?2";
    ]
}

/// The ticket's row, which the log follows, counts its steps.
impl Protected for CustodyRow {
    fn place(&self) -> Option<String> {
        None
    }
}
