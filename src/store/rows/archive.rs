//! How far the bodies of a log were archived and dropped.

use super::{Protected, table};

table! {
    /// Below which index the bodies of one log were dropped. A log of which nothing was dropped has no such row.
    pub struct ArchiveRow in "archive", key 1, put Versioned, coded, version version {
        /// The log's origin: indexes begin anew in one that follows.
        pub log: String,
        /// The first index whose body is still there.
        pub below: u64,
        /// 1 when made, one more each time bodies are dropped.
        pub version: u64,
    }
    reads [
        /// That of one log.
        BY_LOG = "WHERE log = ?1";
    ]
}

impl Protected for ArchiveRow {
    fn place(&self) -> Option<String> {
        Some(format!("@archive/{}", self.log))
    }
}
