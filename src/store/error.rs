//! What a database may report. No value of any row is ever in it.

use std::fmt;
use std::path::PathBuf;

/// A store cannot do its work. `Display` says what happened and, on a line of its own, what to do.
#[derive(Debug)]
pub enum StoreError {
    /// No room left on the device; nothing was written.
    Full,
    /// Somebody else holds the database's lock; nothing was written.
    Busy,
    /// There is no store there.
    Missing(PathBuf),
    /// There is one already.
    Exists(PathBuf),
    /// Others than the owner may read or write the file or its directory.
    Readable(PathBuf),
    /// Another process has it open.
    InUse(PathBuf),
    /// This file of an open store was deleted, moved or replaced: what is written goes where nobody finds it again.
    Displaced(PathBuf),
    /// A newer version of the program has migrated it.
    Newer(PathBuf),
    /// Its tables, indexes or migration history are not those of this program.
    Schema(PathBuf, String),
    /// A column holds something no version of the vault writes: the row was edited.
    Corrupt(&'static str),
    /// The database's own words for a fault. They name no values.
    Database(String),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str(
                "no space is left on the device; nothing was written\n  free some space; the vault goes on by itself",
            ),
            Self::Busy => f.write_str(
                "another process holds the database's lock; nothing was written\n  end what has it open; the vault goes on by itself",
            ),
            Self::Missing(path) => write!(
                f,
                "there is no store at {}\n  make one with `callervault init`, or name the right directory",
                path.display()
            ),
            Self::Exists(path) => write!(
                f,
                "there is a store at {} already\n  choose another directory; nothing was changed",
                path.display()
            ),
            Self::Readable(path) => write!(
                f,
                "{} is open to others than its owner\n  chmod 0600 the store's files and 0700 its directory",
                path.display()
            ),
            Self::InUse(path) => write!(
                f,
                "another process has {} open\n  stop it first; two writers would fork the log",
                path.display()
            ),
            Self::Displaced(path) => write!(
                f,
                "{} was deleted, moved or replaced while the vault had it open\n  if the store's files were moved, put all of \
                 them back before the next start; otherwise restore from a backup",
                path.display()
            ),
            Self::Newer(path) => write!(
                f,
                "{} was written by a newer version\n  run that version, or restore an older backup",
                path.display()
            ),
            Self::Schema(path, what) => write!(
                f,
                "the schema of {} was changed: {what}\n  run `callervault fsck`, keep this copy as evidence, restore from a backup",
                path.display()
            ),
            Self::Corrupt(what) => write!(
                f,
                "{what} in the database cannot be read\n  run `callervault fsck`; somebody may have edited rows"
            ),
            Self::Database(words) => write!(
                f,
                "the database reports: {words}\n  check the disk, then run `callervault fsck`"
            ),
        }
    }
}

impl std::error::Error for StoreError {}
