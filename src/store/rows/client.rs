//! The addresses that entries of the log came from. Each entry has the digest of its own; no code is needed.

use super::table;
use crate::model::client::SealedAddress;

table! {
    /// The address that the request of an entry came from, sealed for that request.
    pub struct ClientRow in "log_client", key 2, put Once, plain {
        /// The number of the log, from 1.
        pub log: u64,
        /// The entry's position in it, from 0.
        pub idx: u64,
        /// Sealed. The entry's `client` is SHA-256 of these bytes.
        pub sealed: Vec<u8>,
    }
    reads [
        /// That of one entry.
        AT = "WHERE log = ?1 AND idx = ?2";
        /// Those of a log's entries from a position on, in order.
        FROM = "WHERE log = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
    ]
}

impl ClientRow {
    /// Beside the entry at this position.
    #[must_use]
    pub fn beside(index: u64, client: &SealedAddress) -> Self {
        Self {
            log: client.log(),
            idx: index,
            sealed: client.as_bytes().to_vec(),
        }
    }
}
