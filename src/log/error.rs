//! Why something does not stand in the log.

use std::sync::Arc;

use crate::randomness::NoRandomness;
use crate::store::StoreError;

/// Why something is not acknowledged: nothing may be shown. Unless said otherwise here, nothing was changed either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The queue is full or the deadline passed.
    #[error("the log did not take the entry in time")]
    Unavailable,
    /// The log's thread has ended after a fault of a store.
    #[error("the log has stopped after a fault of a store")]
    Dead,
    /// No space on the device.
    #[error("no space is left for the log")]
    Full,
    /// The entry is in the log, and the key store had no space to put down that the log has come so far. Nothing more is
    /// written until it has.
    #[error("no space is left in the key store to put down how far the log has come")]
    Unfenced,
    /// The vault is locked.
    #[error("the vault is locked")]
    Locked,
    /// What was decided on has changed meanwhile.
    #[error("what this was decided on has changed meanwhile")]
    Stale,
    /// Something that must be unique is there already.
    #[error("something that must be unique is there already")]
    Duplicate,
    /// The row that counts the entries about this caller is not as the vault wrote it: nothing is logged of the caller.
    #[error("the count of the entries about this caller was changed\n  run `callervault fsck`: it names the row")]
    Miscounted,
    /// The leaf would be longer than 2 KB.
    #[error("the entry would be longer than 2 KB")]
    LeafTooLarge,
    /// There are no random bits for the entry's id.
    #[error("there are no random bits for the entry's id")]
    NoRandomness(#[from] NoRandomness),
}

/// Why the log's thread has ended.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogStopped {
    /// After this fault nobody knows what a store holds.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// It has panicked, and the program log says where.
    #[error("a fault in the program")]
    Panicked,
}
