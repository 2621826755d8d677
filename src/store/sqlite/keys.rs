//! The key store in a SQLite file of its own.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::columns::Columns;
use super::files;
use crate::model::ids::RecordId;
use crate::store::rows::{KeyringRow, UnlockRow, VaultRow, WrappedKey};
use crate::store::{Cursor, KeyStore, Result, StoreError};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/keys");
}

/// The key store.
pub struct SqliteKeys {
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
}

impl SqliteKeys {
    /// Makes a new key store.
    ///
    /// # Errors
    /// [`StoreError::Exists`], or whatever the database reports.
    pub fn create(path: &Path, vault: &VaultRow, unlock: &UnlockRow, keyring: &[KeyringRow]) -> Result<()> {
        files::create(path)?;
        let mut connection = super::open(path, true)?;
        files::migrate(&mut connection, path, &embedded::migrations::runner())?;
        let transaction = connection.transaction()?;
        transaction.execute(
            "INSERT INTO vault VALUES (1, ?1, ?2)",
            params![vault.vault, vault.origin],
        )?;
        transaction.execute(
            "INSERT INTO unlock (salt, memory_kib, passes, lanes, wrapped_root) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                unlock.salt,
                unlock.memory_kib,
                unlock.passes,
                unlock.lanes,
                unlock.wrapped_root
            ],
        )?;
        for key in keyring {
            let created = key.created_at.as_millisecond();
            transaction.execute(
                "INSERT INTO keyring VALUES (?1, ?2, ?3, ?4, ?5)",
                params![key.role, key.version, key.active, key.wrapped, created],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// Opens a key store and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], `Readable`, `Newer`, or whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        files::check(path)?;
        let mut writer = super::open(path, true)?;
        files::migrate(&mut writer, path, &embedded::migrations::runner())?;
        Ok(Self {
            reader: Mutex::new(super::open(path, false)?),
            writer: Mutex::new(writer),
        })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const WRAPPED: &str = "record_kind, record, kek, generation, wrapped";

fn wrapped(c: &mut Columns<'_, '_>) -> Result<WrappedKey> {
    Ok(WrappedKey {
        record: c.record()?,
        kek: c.small()?,
        generation: c.small()?,
        wrapped: c.bytes()?,
    })
}

fn all<T>(
    connection: &Connection,
    sql: &str,
    table: &'static str,
    parse: impl Fn(&mut Columns<'_, '_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| Ok(parse(&mut Columns::new(row, table))))?;
    rows.map(|row| row?).collect()
}

#[async_trait]
impl KeyStore for SqliteKeys {
    async fn vault(&self) -> Result<VaultRow> {
        let parse = |c: &mut Columns<'_, '_>| {
            Ok(VaultRow {
                vault: c.array()?,
                origin: c.text()?,
            })
        };
        let rows = all(&self.reader(), "SELECT vault, origin FROM vault", "vault", parse)?;
        rows.into_iter().next().ok_or(StoreError::Corrupt("vault"))
    }

    async fn unlocks(&self) -> Result<Vec<UnlockRow>> {
        let sql = "SELECT salt, memory_kib, passes, lanes, wrapped_root FROM unlock ORDER BY id";
        all(&self.reader(), sql, "unlock", |c| {
            let salt = c.bytes()?;
            let narrow = |n: u64| u32::try_from(n).map_err(|_| StoreError::Corrupt("unlock"));
            let (memory_kib, passes, lanes) = (narrow(c.number()?)?, narrow(c.number()?)?, narrow(c.number()?)?);
            Ok(UnlockRow {
                salt,
                memory_kib,
                passes,
                lanes,
                wrapped_root: c.bytes()?,
            })
        })
    }

    async fn keyring(&self) -> Result<Vec<KeyringRow>> {
        let sql = "SELECT role, version, active, wrapped, created_at FROM keyring ORDER BY role, version";
        all(&self.reader(), sql, "keyring", |c| {
            Ok(KeyringRow {
                role: c.text()?,
                version: c.small()?,
                active: c.flag()?,
                wrapped: c.bytes()?,
                created_at: c.instant()?,
            })
        })
    }

    async fn record_key(&self, record: RecordId) -> Result<Option<WrappedKey>> {
        let connection = self.reader();
        let sql = format!("SELECT {WRAPPED} FROM record_key WHERE record_kind = ?1 AND record = ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let params = params![record.kind().as_str(), record.as_bytes()];
        let found = statement.query_row(params, |row| Ok(wrapped(&mut Columns::new(row, "record_key"))));
        found.optional()?.transpose()
    }

    async fn record_keys(&self, after: Option<Cursor>, limit: u32) -> Result<Vec<(Cursor, WrappedKey)>> {
        let connection = self.reader();
        let sql = format!("SELECT rowid, {WRAPPED} FROM record_key WHERE rowid > ?1 ORDER BY rowid LIMIT ?2");
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params![after.unwrap_or(i64::MIN), limit], |row| {
            Ok((row.get(0)?, wrapped(&mut Columns::from(row, 1, "record_key"))))
        })?;
        rows.map(|row| {
            let (cursor, key) = row?;
            Ok((cursor, key?))
        })
        .collect()
    }

    async fn integrity(&self) -> Result<Vec<String>> {
        super::integrity(&self.reader())
    }

    fn put_record_keys(&self, keys: &[WrappedKey]) -> Result<()> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare_cached("INSERT INTO record_key VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for key in keys {
                let (kind, id) = (key.record.kind().as_str(), key.record.as_bytes());
                statement.execute(params![kind, id, key.kek, key.generation, key.wrapped])?;
            }
        }
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::in_force;
    use super::SqliteKeys;
    use crate::store::rows::{UnlockRow, VaultRow};

    #[test]
    fn the_writer_flushes_each_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keystore.db");
        let vault = VaultRow {
            vault: [1; 16],
            origin: "test.invalid/log/1".to_owned(),
        };
        let unlock = UnlockRow {
            salt: vec![0; 16],
            memory_kib: 65_536,
            passes: 3,
            lanes: 1,
            wrapped_root: Vec::new(),
        };
        SqliteKeys::create(&path, &vault, &unlock, &[]).unwrap();
        let keys = SqliteKeys::open(&path).unwrap();
        in_force(&keys.writer.lock().unwrap());
    }
}
