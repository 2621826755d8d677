//! When tickets ended.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::TicketId;
use crate::model::tickets::MatterKind;

table! {
    /// When a ticket ended, by being closed or otherwise: what its period of retention is counted from. It goes with the ticket's caller.
    pub struct ClosedRow in "closed", key 1, put Once, coded {
        /// Which ticket.
        pub ticket: TicketId,
        /// Its kind.
        pub kind: MatterKind,
        /// When.
        pub closed_at: Timestamp,
    }
    reads [
        /// That of one ticket.
        BY_TICKET = "WHERE ticket = ?1";
        /// Those of a kind that were closed before a time, oldest first, from after a time and a ticket.
        DUE = "WHERE kind = ?1 AND closed_at <= ?2 AND (closed_at, ticket) > (?3, ?4) ORDER BY closed_at, ticket LIMIT ?5";
    ]
}

/// It follows from the ticket's steps of custody.
impl Protected for ClosedRow {
    fn place(&self) -> Option<String> {
        None
    }
}
