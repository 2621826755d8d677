//! Why something does not stand in the log.

use std::fmt;

/// Why something is not acknowledged: nothing may be shown. Unless said otherwise here, nothing was changed either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// The queue is full or the deadline passed.
    Unavailable,
    /// The log's thread has ended after a fault of a store.
    Dead,
    /// No space on the device.
    Full,
    /// The entry is in the log, and the key store had no space to put down that the log has come so far. Nothing more is
    /// written until it has.
    Unfenced,
    /// The vault is locked.
    Locked,
    /// What was decided on has changed meanwhile.
    Stale,
    /// Something that must be unique is there already.
    Duplicate,
    /// The leaf would be longer than 2 KB.
    LeafTooLarge,
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unavailable => "the log did not take the entry in time",
            Self::Dead => "the log has stopped after a fault of a store",
            Self::Full => "no space is left for the log",
            Self::Unfenced => "no space is left in the key store to put down how far the log has come",
            Self::Locked => "the vault is locked",
            Self::Stale => "what this was decided on has changed meanwhile",
            Self::Duplicate => "something that must be unique is there already",
            Self::LeafTooLarge => "the entry would be longer than 2 KB",
        })
    }
}

impl std::error::Error for CommitError {}
