//! Both stores on embedded SQLite: WAL, `synchronous=FULL`, many readers, one writer.

mod columns;
mod data;
mod files;
mod keys;
mod log_index;
mod scan;
mod writer;

use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::data::SqliteData;
pub use self::keys::SqliteKeys;
pub use self::log_index::SqliteLogIndex;
use super::error::StoreError;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(failure, _) if failure.code == ErrorCode::DiskFull => Self::Full,
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Corrupt("a column"),
            // SQLite's words name tables, columns and files, never what is in them.
            other => Self::Database(other.to_string()),
        }
    }
}

fn open(path: &std::path::Path, write: bool) -> Result<Connection, StoreError> {
    let mode = if write {
        OpenFlags::SQLITE_OPEN_READ_WRITE
    } else {
        OpenFlags::SQLITE_OPEN_READ_ONLY
    };
    let connection = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
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

fn integrity(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare("PRAGMA integrity_check(20)")?;
    let words: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(words.into_iter().filter(|word| word != "ok").collect())
}
