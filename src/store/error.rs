//! What a database may report. No value of any row is ever in it.

use std::path::PathBuf;

/// A store cannot do its work. `Display` says what happened and, on a line of its own, what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room left on the device; nothing was written.
    #[error("no space is left on the device; nothing was written\n  free some space; the vault goes on by itself")]
    Full,
    /// Somebody else holds the database's lock; nothing was written.
    #[error(
        "another process holds the database's lock; nothing was written\n  end what has it open; the vault goes on by itself"
    )]
    Busy,
    /// There is no store there.
    #[error("there is no store at {0}\n  make one with `callervault init`, or name the right directory")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a store at {0} already\n  choose another directory; nothing was changed")]
    Exists(PathBuf),
    /// Others than the owner may read or write the file or its directory.
    #[error("{0} is open to others than its owner\n  chmod 0600 the store's files and 0700 its directory")]
    Readable(PathBuf),
    /// Another process has it open.
    #[error("another process has {0} open\n  stop it first; two writers would fork the log")]
    InUse(PathBuf),
    /// This file of an open store was deleted, moved or replaced: what is written goes where nobody finds it again.
    #[error(
        "{0} was deleted, moved or replaced while the vault had it open\n  if the store's files were moved, put all of \
                 them back before the next start; otherwise restore from a backup"
    )]
    Displaced(PathBuf),
    /// A newer version of the program has migrated it.
    #[error("{0} was written by a newer version\n  run that version, or restore an older backup")]
    Newer(PathBuf),
    /// Its tables, indexes or migration history are not those of this program.
    #[error(
        "the schema of {0} was changed: {1}\n  run `callervault fsck`, keep this copy as evidence, restore from a backup"
    )]
    Schema(PathBuf, String),
    /// A column holds something no version of the vault writes: the row was edited.
    #[error("{0} in the database cannot be read\n  run `callervault fsck`; rows may have been edited")]
    Corrupt(&'static str),
    /// The database's own words for a fault. They name no values.
    #[error("the database reports: {0}\n  check the disk, then run `callervault fsck`")]
    Database(String),
}
