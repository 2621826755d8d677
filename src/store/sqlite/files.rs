//! Files and migrations: made with mode 0600, migrated, and refused when a newer program has been there.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use refinery::Runner;
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};

use crate::store::StoreError;

const OTHERS: u32 = 0o077;

/// Makes an empty file that only its owner may read, and the directory above it.
pub(crate) fn create(path: &Path) -> Result<(), StoreError> {
    let io = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => StoreError::Exists(path.to_owned()),
        ErrorKind::StorageFull => StoreError::Full,
        _ => StoreError::Database(format!("{}: {error}", path.display())),
    };
    if let Some(directory) = path.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(io)?;
    }
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(io)?;
    Ok(())
}

/// Whether there is a file, and only its owner may read it.
pub(crate) fn check(path: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(path).map_err(|_| StoreError::Missing(path.to_owned()))?;
    if metadata.mode() & OTHERS != 0 {
        Err(StoreError::Readable(path.to_owned()))
    } else {
        Ok(())
    }
}

/// Brings the schema up to date.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, runner: &Runner) -> Result<(), StoreError> {
    let fault = |error: refinery::Error| StoreError::Database(error.to_string());
    let known = runner.get_migrations().iter().map(refinery::Migration::version).max();
    let history = "SELECT 1 FROM sqlite_master WHERE name = 'refinery_schema_history'";
    let applied = if connection.prepare(history)?.exists([])? {
        runner
            .get_last_applied_migration(connection)
            .map_err(fault)?
            .map(|last| last.version())
    } else {
        None
    };
    if applied > known {
        return Err(StoreError::Newer(path.to_owned()));
    }
    if applied < known {
        runner.run(connection).map_err(fault)?;
    }
    Ok(())
}

/// Held for as long as a store is open: two writers would fork the log.
pub(super) fn lock(path: &Path) -> Result<File, StoreError> {
    let path = path.with_extension("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path);
    let file = file.map_err(|error| StoreError::Database(format!("{}: {error}", path.display())))?;
    flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(|_| StoreError::InUse(path))?;
    Ok(file)
}
