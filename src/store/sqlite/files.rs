//! Files: made with mode 0600 below directories of mode 0700, locked, and refused when others can get at them.

use std::ffi::{CStr, OsString};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, flock, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;

use crate::atomic_file::{overwrite, overwrite_at};
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

/// What the name of a copy begins with.
const COPY: &str = "copy-";
/// Copies that this process has begun.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// A copy of a store, in the same directory and for its owner only. It is deleted when this is dropped, or by the next start.
pub struct CopyFile {
    path: PathBuf,
    /// It holds wrapped keys, of which nothing may be left on the disk.
    wiped: bool,
}

impl CopyFile {
    /// An empty file beside a store, for a copy of it.
    pub(super) fn beside(path: &Path, wiped: bool) -> Result<Self, StoreError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        loop {
            // Never the name of an earlier copy, which may be deleted at any time.
            let number = COPIES.fetch_add(1, Ordering::Relaxed);
            let path = path.with_file_name(format!("{COPY}{number}.{name}"));
            match create(&path) {
                Ok(()) => return Ok(Self { path, wiped }),
                Err(StoreError::Exists(_)) => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens it for reading.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(&self) -> std::io::Result<File> {
        File::open(&self.path)
    }
}

impl Drop for CopyFile {
    fn drop(&mut self) {
        let gone = remove_copy(&self.path, self.wiped);
        if let Err(fault) = gone {
            tracing::warn!(%fault, "a copy of a store is left for the next start to delete");
        }
    }
}

/// Deletes copies of this store that a process has left which ended before its time.
///
/// # Errors
/// Those of the file system.
pub(crate) fn remove_copies(path: &Path, wiped: bool) -> Result<(), StoreError> {
    let (beside, name) = (directory(path), path.file_name().unwrap_or_default().to_string_lossy());
    let entries = std::fs::read_dir(beside).map_err(|error| reported(beside, &error))?;
    for entry in entries {
        let entry = entry.map_err(|error| reported(beside, &error))?.file_name();
        let number = entry
            .to_str()
            .and_then(|entry| entry.strip_prefix(COPY)?.strip_suffix(&*name)?.strip_suffix('.'));
        if number.is_some_and(|number| number.parse::<u64>().is_ok()) {
            remove_copy(&beside.join(&entry), wiped)?;
        }
    }
    Ok(())
}

/// Deletes a copy and what lies beside it; overwrites its bytes before, where they are keys.
fn remove_copy(path: &Path, wiped: bool) -> Result<(), StoreError> {
    if wiped
        && let Err(error) = overwrite_at(path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(reported(path, &error));
    }
    let _ = std::fs::remove_file(lock_of(path));
    remove(path)
}

/// The directory in which a restore puts a store together that is to go into this one: beside it, until it gets its name.
pub(crate) fn restoring(directory: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(directory.file_name().unwrap_or_default());
    name.push(".restoring");
    directory.with_file_name(name)
}

/// Opens such a directory, if it is this user's and for nobody else. A link is not followed.
///
/// # Errors
/// Those of the file system.
pub(crate) fn open_restoring(restoring: &Path) -> Result<Option<File>, StoreError> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(held) = rustix::fs::open(restoring, flags, Mode::empty()).map(File::from) else {
        return Ok(None);
    };
    // Somebody else's is no restore's of ours, and may name any file.
    let made = held.metadata().map_err(|error| reported(restoring, &error))?;
    let own = made.uid() == geteuid().as_raw() && made.mode() & OTHERS == 0;
    Ok(own.then_some(held))
}

/// Deletes every file in such a directory; overwrites them before, where they are of a key store. It is the directory that was opened, whatever
/// has its name by now.
///
/// # Errors
/// Those of the file system.
pub(crate) fn clear_restoring(held: &File, restoring: &Path, wiped: bool) -> Result<(), StoreError> {
    let told = |error: std::io::Error| reported(restoring, &error);
    for entry in Dir::read_from(held).map_err(|error| told(error.into()))? {
        let entry = entry.map_err(|error| told(error.into()))?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let gone = if wiped { overwrite_in(held, name) } else { Ok(()) };
        gone.and_then(|()| Ok(unlinkat(held, name, AtFlags::empty())?))
            .map_err(told)?;
    }
    Ok(())
}

/// Overwrites a file of a directory. A link is not followed: it is deleted, as is what is no file.
fn overwrite_in(directory: &File, name: &CStr) -> std::io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match openat(directory, name, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP | Errno::NXIO | Errno::ISDIR) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.is_file() {
        overwrite(file)
    } else {
        Ok(())
    }
}

/// Deletes what a restore into this store's directory has left that was killed.
///
/// # Errors
/// Those of the file system.
pub(crate) fn remove_restoring(path: &Path, wiped: bool) -> Result<(), StoreError> {
    let restoring = restoring(directory(path));
    let Some(held) = open_restoring(&restoring)? else {
        return Ok(());
    };
    // A restore that is under way has it.
    if flock(&held, FlockOperation::NonBlockingLockExclusive).is_err() {
        return Ok(());
    }
    clear_restoring(&held, &restoring, wiped)?;
    std::fs::remove_dir(&restoring).map_err(|error| reported(&restoring, &error))
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

    /// Somebody who may write beside the stores puts another directory in the place of the one that was looked at.
    #[test]
    fn the_directory_that_was_opened_is_cleared_and_no_other() {
        let directory = tempfile::tempdir().unwrap();
        let [restoring, aside, other] = ["restoring", "aside", "other"].map(|name| directory.path().join(name));
        for made in [&restoring, &other] {
            DirBuilder::new().mode(0o700).create(made).unwrap();
            std::fs::write(made.join("keystore.db"), "keys").unwrap();
        }
        let kept = directory.path().join("kept");
        std::fs::hard_link(restoring.join("keystore.db"), &kept).unwrap();
        std::os::unix::fs::symlink(other.join("keystore.db"), restoring.join("link")).unwrap();
        let held = open_restoring(&restoring).unwrap().unwrap();
        std::fs::rename(&restoring, &aside).unwrap();
        std::os::unix::fs::symlink(&other, &restoring).unwrap();
        assert!(open_restoring(&restoring).unwrap().is_none(), "a link is not followed");
        clear_restoring(&held, &restoring, true).unwrap();
        assert_eq!(std::fs::read(other.join("keystore.db")).unwrap(), b"keys");
        assert_eq!(std::fs::read_dir(&aside).unwrap().count(), 0);
        assert_eq!(std::fs::read(&kept).unwrap(), [0; 4]);
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
