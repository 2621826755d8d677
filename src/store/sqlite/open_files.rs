//! Whether the files that are open are still the ones under their names.
//!
//! A file that was deleted, moved or replaced goes on taking writes, and nobody finds them again. So each commit looks, after
//! it and before anybody is answered. A file that is overwritten in place keeps its inode: that is for the proof at the next
//! start and for `fsck` to find.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags, fstat, open, stat};
use rustix::io::Errno;

use super::files::{companions, lock_of, reported};
use crate::store::{Result, StoreError};

/// The files of one open store: database, lock, and what SQLite keeps beside the database.
pub(super) struct OpenFiles(Vec<OpenFile>);

struct OpenFile {
    path: PathBuf,
    // Opened as a place only: closing any other descriptor of a database would end SQLite's locks on it. As long as it is
    // open, no other file gets its inode.
    place: OwnedFd,
}

impl OpenFiles {
    /// The database at this path and its lock, before SQLite opens it.
    ///
    /// # Errors
    /// [`StoreError::Displaced`] when one is not there.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let files = [path.to_owned(), lock_of(path)].into_iter().map(OpenFile::open);
        Ok(Self(files.collect::<Result<_>>()?))
    }

    /// The same with what SQLite keeps beside the database, once a connection is open that keeps it there.
    ///
    /// # Errors
    /// [`StoreError::Displaced`] when one is not there, or the database is no longer the one that was opened.
    pub(super) fn with_companions(mut self, path: &Path) -> Result<Self> {
        for beside in companions(path) {
            self.0.push(OpenFile::open(beside)?);
        }
        self.check()?;
        Ok(self)
    }

    /// Whether each of them still stands under its name.
    ///
    /// # Errors
    /// [`StoreError::Displaced`].
    pub(super) fn check(&self) -> Result<()> {
        match self.0.iter().find(|file| !file.is_in_place()) {
            None => Ok(()),
            Some(file) => Err(StoreError::Displaced(file.path.clone())),
        }
    }

    /// Called before the connection that writes is closed: says what has been displaced, and saves what only an open
    /// write-ahead log still holds. Where the database itself has gone, SQLite leaves alone what stands under its name.
    pub(super) fn before_closing(&self, connection: &Connection) {
        let Err(fault) = self.check() else { return };
        tracing::error!(%fault, "closing a store whose files are not all in their places");
        if self.lacks_write_ahead() && put_into_database(connection).is_err() {
            tracing::error!("what the deleted write-ahead log held is lost");
        }
    }

    /// The database is in its place and no write-ahead log beside it. Beside one that was put there it stays as it is:
    /// SQLite would apply that one to it.
    fn lacks_write_ahead(&self) -> bool {
        let mut files = self.0.iter();
        let (database, write_ahead) = (
            files.next(),
            files.find(|file| file.path.to_string_lossy().ends_with("-wal")),
        );
        database.is_some_and(OpenFile::is_in_place)
            && write_ahead.is_some_and(|file| matches!(file.path.try_exists(), Ok(false)))
    }
}

/// How long it is waited for those who read what was there before. Whoever writes waits meanwhile, the log's thread too: a long read, such
/// as a backup, must not keep everybody from working.
const FOR_READERS: Duration = Duration::from_millis(200);

/// Moves all that the open write-ahead log holds to where it belongs, and empties it.
///
/// # Errors
/// [`StoreError::Busy`] while somebody reads what was there before.
pub(super) fn put_into_database(connection: &Connection) -> Result<()> {
    connection.busy_timeout(FOR_READERS)?;
    let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    connection.busy_timeout(super::BUSY)?;
    if busy? == 0 { Ok(()) } else { Err(StoreError::Busy) }
}

impl OpenFile {
    fn open(path: PathBuf) -> Result<Self> {
        match open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
            Ok(place) => Ok(Self { path, place }),
            Err(Errno::NOENT) => Err(StoreError::Displaced(path)),
            Err(error) => Err(reported(&path, &error.into())),
        }
    }

    fn is_in_place(&self) -> bool {
        let (Ok(opened), Ok(named)) = (fstat(&self.place), stat(&self.path)) else {
            return false;
        };
        opened.st_nlink > 0 && (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)
    }
}
