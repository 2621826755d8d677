//! An entry whose bytes have the hash they were logged with. There is no other way to read what an entry says.

use super::leaf::Leaf;
use crate::merkle::{Hash, leaf_hash};
use crate::store::rows::EntryRow;

/// An entry of the log whose bytes were hashed and compared.
#[derive(Clone, Debug)]
pub struct ProvedEntry {
    index: u64,
    hash: Hash,
    body: Vec<u8>,
}

/// The bytes of the entry at this index do not have the hash they were logged with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("log entry {0} no longer has the hash it was logged with\n  run `callervault fsck`; rows may have been edited")]
pub struct NotProved(pub u64);

impl ProvedEntry {
    /// Hashes the bytes (RFC 6962 §2.1) and compares.
    ///
    /// # Errors
    /// [`NotProved`] if the hash is another, also of an empty body.
    pub fn new(row: EntryRow) -> Result<Self, NotProved> {
        if leaf_hash(&row.body) == row.leaf_hash {
            Ok(Self {
                index: row.idx,
                hash: row.leaf_hash,
                body: row.body,
            })
        } else {
            Err(NotProved(row.idx))
        }
    }

    /// What it says. Nothing if it is not an entry that this program writes.
    #[must_use]
    pub fn leaf(&self) -> Option<Leaf> {
        Leaf::parse(&self.body)
    }

    /// Position from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// RFC 6962 leaf hash.
    #[must_use]
    pub const fn hash(&self) -> &Hash {
        &self.hash
    }

    /// The bytes that were hashed.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}
