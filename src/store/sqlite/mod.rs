//! Both stores on embedded SQLite: WAL, `synchronous=FULL`, many readers, one writer.

mod columns;
mod counted;
mod data;
pub(crate) mod files;
mod guards;
mod keys;
mod log_index;
mod open_files;
mod record_keys;
mod scan;
pub(crate) mod schema;
mod snapshot;
mod writer;

use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::data::SqliteData;
pub use self::files::{CopyFile, NewStore};
pub(crate) use self::files::{clear_restoring, open_restoring, remove_copies, remove_restoring, restoring};
pub use self::keys::SqliteKeys;
pub use self::log_index::SqliteLogIndex;
use super::error::StoreError;

/// How long a statement waits for another connection.
const BUSY: Duration = Duration::from_secs(5);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => Self::Full,
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DatabaseBusy => Self::Busy,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Corrupt("a column"),
            // SQLite's words name tables, columns and files, never what is in them.
            other => Self::Database(other.to_string()),
        }
    }
}

/// A connection as both stores use it; `write` for the one that may write.
pub(crate) fn open(path: &std::path::Path, write: bool) -> Result<Connection, StoreError> {
    let mode = if write {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Whoever edits the file must not run statements inside ours: no triggers, no views, no writing of the schema.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    // A statement's plan follows from its words alone. Else SQLite makes it anew for each limit that is bound to it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    if write {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "secure_delete", true)?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The database's own findings, and where its schema is not what the program's migrations make.
fn integrity(connection: &Connection, runner: &refinery::Runner) -> Result<Vec<String>, StoreError> {
    let mut found = schema::differences(connection, runner)?;
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let words = statement.query_map([], |row| row.get(0))?;
    let words: Vec<String> = words.collect::<Result<_, _>>()?;
    found.extend(words.into_iter().filter(|word| word != "ok"));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rusqlite::{Connection, StatementStatus};

    /// What an acknowledged write rests on, asked of the very connection that writes: a process killed in a test leaves
    /// what was written, flushed or not. `tests/store/power_cut.rs` shows what was flushed, where there is FUSE.
    pub(super) fn in_force(connection: &Connection) {
        let number = |pragma: &str| -> i64 { connection.pragma_query_value(None, pragma, |row| row.get(0)).unwrap() };
        let journal: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .unwrap();
        assert_eq!(journal, "wal");
        assert_eq!(number("synchronous"), 2, "FULL");
        assert_eq!(number("foreign_keys"), 1);
        assert_eq!(number("secure_delete"), 1);
        assert_eq!(number("temp_store"), 2, "MEMORY");
        assert_eq!(number("trusted_schema"), 0);
    }

    #[test]
    fn a_statement_is_planned_once_whatever_is_bound_to_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("rows.db");
        let rows = Connection::open(&path).unwrap();
        rows.execute_batch("CREATE TABLE row (n INTEGER PRIMARY KEY)").unwrap();
        let connection = super::open(&path, true).unwrap();
        let mut statement = connection.prepare("SELECT n FROM row WHERE n > ?1 LIMIT ?2").unwrap();
        for limit in 1..9 {
            assert!(!statement.exists([0, limit]).unwrap());
        }
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
    }

    /// As `.cargo/config.toml` says.
    #[test]
    fn sqlite_is_compiled_without_locks_that_all_connections_share() {
        let connection = Connection::open_in_memory().unwrap();
        let mut statement = connection.prepare("PRAGMA compile_options").unwrap();
        let options = statement.query_map([], |row| row.get(0)).unwrap();
        let options: Vec<String> = options.map(Result::unwrap).collect();
        assert!(
            options.iter().any(|option| option == "DEFAULT_MEMSTATUS=0"),
            "{options:?}"
        );
        assert!(
            !options.iter().any(|option| option == "ENABLE_MEMORY_MANAGEMENT"),
            "{options:?}"
        );
    }
}
