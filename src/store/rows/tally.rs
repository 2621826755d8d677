//! How many entries of the log are about each caller.

use super::{Protected, table};
use crate::model::reference::Reference;

table! {
    /// How many entries of the log in force are about a caller, as of one of the last entries about them: the later ones are among the
    /// newest of the log.
    pub struct TallyRow in "tally", key 1, put Over, coded {
        /// What the log calls the caller.
        pub subject: Reference,
        /// How many.
        pub count: u64,
    }
    reads [
        /// One caller's.
        BY_SUBJECT = "WHERE subject = ?1";
    ]
}

/// It follows from the entries, by which `fsck` checks it.
impl Protected for TallyRow {
    fn place(&self) -> Option<String> {
        None
    }
}
