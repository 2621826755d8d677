//! How many tickets are about each record of a caller.

use super::{Protected, table};
use crate::model::reference::Reference;

table! {
    /// How many tickets are about a record: one that cannot be found by its row is missed. It is not in the caller's row, whose version is
    /// the `ETag` of the caller's page: a call that states nothing new would make it stale, and each read of the caller under way.
    pub struct TicketCountRow in "ticket_count", key 1, put Versioned, coded, version version {
        /// What the log calls the record.
        pub subject: Reference,
        /// How many.
        pub tickets: u32,
        /// 1 when made, one more at each change.
        pub version: u64,
    }
    reads [
        /// One record's.
        BY_SUBJECT = "WHERE subject = ?1";
    ]
}

/// It follows from the tickets, by which `fsck` checks it.
impl Protected for TicketCountRow {
    fn place(&self) -> Option<String> {
        None
    }
}
