//! Callers who were erased.

use jiff::Timestamp;
use ring::digest::{Context, SHA256};

use super::coded::row_digest;
use super::{Protected, TicketRow, table};
use crate::model::reference::Reference;

table! {
    /// A caller who was erased: what the log calls them, and what has become of their tickets. Nothing leads from here to a person.
    pub struct ErasedRow in "erased", key 1, put Once, coded_at_leaf {
        /// What the log calls the record that was in force.
        pub subject: Reference,
        /// What it calls those that were merged into it.
        pub others: Vec<String>,
        /// How many tickets were about them.
        pub tickets: u32,
        /// [`tickets_digest`] of these tickets.
        pub tickets_digest: [u8; 32],
        /// Versions of the key-encryption key that had wrapped their record keys, in order.
        pub keks: Vec<String>,
        /// The log that has the entry: its origin.
        pub log: String,
        /// When.
        pub erased_at: Timestamp,
    }
    reads [
        /// One by what the log calls the record that was in force.
        BY_SUBJECT = "WHERE subject = ?1";
    ]
}

impl Protected for ErasedRow {
    fn place(&self) -> Option<String> {
        Some(format!("@erased/{}", self.subject))
    }
}

impl ErasedRow {
    /// What the log calls every record that was erased.
    pub fn subjects(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.subject.to_string()).chain(self.others.iter().cloned())
    }
}

/// SHA-256 over the digests of tickets' rows, in the order in which they are given: that of their numbers. An entry has no room for the
/// digest of each.
#[must_use]
pub fn tickets_digest<'t>(tickets: impl IntoIterator<Item = &'t TicketRow>) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for ticket in tickets {
        context.update(&row_digest(ticket));
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
