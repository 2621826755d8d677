//! Files: made with mode 0600 below directories of mode 0700, locked, and refused when others can get at them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::store::StoreError;

const OTHERS: u32 = 0o077;
/// What SQLite puts beside a database.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// A store that is being made. Its lock is held; unless it is [kept](Self::keep), its files are gone again afterwards.
pub struct NewStore {
    path: PathBuf,
    kept: bool,
    _lock: File,
}

impl NewStore {
    /// Locks the place and makes an empty file there that only its owner may read.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Exists`], [`StoreError::Readable`] for the directory. Nothing that was
    /// there is touched.
    pub fn claim(path: &Path) -> Result<Self, StoreError> {
        let directory = directory(path);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|error| not_made(path, &error))?;
        private(directory)?;
        let lock = lock(path)?;
        create(path)?;
        Ok(Self {
            path: path.to_owned(),
            kept: false,
            _lock: lock,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The store is whole: its files stay.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for NewStore {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // Half a store would only be in the way of the next try. This file was made here, and nobody else has the lock.
        for file in companions(&self.path).chain([self.path.clone()]) {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Makes an empty file that only its owner may read.
pub(super) fn create(path: &Path) -> Result<(), StoreError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.map(drop).map_err(|error| not_made(path, &error))
}

fn not_made(path: &Path, error: &std::io::Error) -> StoreError {
    match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists(path.to_owned()),
        ErrorKind::StorageFull => StoreError::Full,
        _ => reported(path, error),
    }
}

/// What the system says of a file.
pub(super) fn reported(path: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Database(format!("{}: {error}", path.display()))
}

/// Deletes a database and what SQLite keeps beside it, as far as they are there.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    for file in companions(path).chain([path.to_owned()]) {
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(reported(&file, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether there is a file, and only its owner can get at it, at its directory, and at what SQLite keeps beside it.
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    private(path)?;
    private(directory(path))?;
    companions(path)
        .filter(|file| file.exists())
        .try_for_each(|file| private(&file))
}

fn private(path: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => StoreError::Missing(path.to_owned()),
        _ => reported(path, &error),
    })?;
    if metadata.mode() & OTHERS != 0 {
        Err(StoreError::Readable(path.to_owned()))
    } else {
        Ok(())
    }
}

fn directory(path: &Path) -> &Path {
    path.parent()
        .filter(|directory| !directory.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

/// What SQLite keeps beside a database while it is open.
pub(super) fn companions(path: &Path) -> impl Iterator<Item = PathBuf> {
    COMPANIONS.into_iter().map(|suffix| {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    })
}

/// The lock file of a store.
pub(super) fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Held for as long as a store is open: two writers would fork the log.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let path = lock_of(path);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|error| reported(&path, &error))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(StoreError::InUse(path)),
        // A file system without locks, for instance.
        Err(error) => Err(reported(&path, &error.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_from_what_cannot_be_reached() {
        let directory = tempfile::tempdir().unwrap();
        let missing = directory.path().join("store.db");
        assert!(matches!(check(&missing), Err(StoreError::Missing(path)) if path == missing));
        create(&missing).unwrap();
        let fault = check(&missing.join("below a file")).unwrap_err().to_string();
        assert!(fault.contains("below a file: Not a directory"), "{fault}");
    }

    #[test]
    fn a_lock_that_is_held_is_told_from_one_that_cannot_be_had() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("store.db");
        let held = lock(&path).unwrap();
        assert!(matches!(lock(&path), Err(StoreError::InUse(_))));
        drop(held);
        assert!(lock(&path).is_ok());
        let fault = lock(&directory.path().join("missing/store.db")).unwrap_err();
        assert!(matches!(fault, StoreError::Database(_)), "{fault}");
    }
}
