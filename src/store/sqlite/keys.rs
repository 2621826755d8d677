//! The key store in a SQLite file of its own.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use super::columns::Columns;
use super::files::{self, NewStore};
use super::{scan, schema, writer};
use crate::model::ids::RecordId;
use crate::store::rows::{Fence, KeyringRow, UnlockRow, VaultRow, WrappedKey};
use crate::store::{KeyStore, Result, StoreError};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/keys");
}

/// The key store.
pub struct SqliteKeys {
    reader: Mutex<Connection>,
    writer: Mutex<Connection>,
    // Flushes nothing: a fence behind the log is harmless, and each commit waits for it.
    fence: Mutex<Connection>,
    // Held as long as the store is open: two data stores beside one key store would sign two logs.
    _lock: File,
}

impl SqliteKeys {
    /// Makes a new key store in a place that was claimed for it.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub fn create(
        new: &NewStore,
        vault: &VaultRow,
        unlock: &UnlockRow,
        keyring: &[KeyringRow],
        fence: &Fence,
    ) -> Result<()> {
        let mut connection = super::open(new.path(), true)?;
        schema::migrate(&mut connection, new.path(), &embedded::migrations::runner())?;
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
        write_fence(&transaction, fence)?;
        Ok(transaction.commit()?)
    }

    /// Opens a key store for this process alone and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], `Readable`, `InUse`, `Newer`, or whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        files::check(path)?;
        let lock = files::lock(path)?;
        let mut writer = super::open(path, true)?;
        schema::migrate(&mut writer, path, &embedded::migrations::runner())?;
        let fence = super::open(path, true)?;
        fence.pragma_update(None, "synchronous", "NORMAL")?;
        Ok(Self {
            reader: Mutex::new(super::open(path, false)?),
            writer: Mutex::new(writer),
            fence: Mutex::new(fence),
            _lock: lock,
        })
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write_fence(connection: &Connection, fence: &Fence) -> Result<()> {
    let size = i64::try_from(fence.size).map_err(|_| StoreError::Corrupt("fence"))?;
    let sql = "INSERT INTO fence VALUES (1, ?1, ?2, ?3) ON CONFLICT (one) DO UPDATE SET
               origin = excluded.origin, size = excluded.size, root = excluded.root";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![fence.origin, size, fence.root.as_bytes()])?;
    Ok(())
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

    async fn record_keys(&self, visit: &mut (dyn FnMut(u64, Option<WrappedKey>) + Send)) -> Result<()> {
        scan::rows(&self.reader(), "record_key", WRAPPED, |position, row| {
            visit(position, wrapped(&mut Columns::new(row, "record_key")).ok());
        })
    }

    async fn schema(&self) -> Result<Vec<String>> {
        schema::differences(&self.reader(), &embedded::migrations::runner())
    }

    async fn integrity(&self) -> Result<Vec<String>> {
        super::integrity(&self.reader(), &embedded::migrations::runner())
    }

    async fn fence(&self) -> Result<Option<Fence>> {
        let rows = all(&self.reader(), "SELECT origin, size, root FROM fence", "fence", |c| {
            Ok(Fence {
                origin: c.text()?,
                size: c.number()?,
                root: c.hash()?,
            })
        })?;
        Ok(rows.into_iter().next())
    }

    fn put_fence(&self, fence: &Fence) -> Result<()> {
        write_fence(&self.fence.lock().unwrap_or_else(PoisonError::into_inner), fence)
    }

    fn put_record_keys(&self, keys: &[WrappedKey]) -> Result<()> {
        let mut connection = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut statement = transaction.prepare_cached("INSERT INTO record_key VALUES (?1, ?2, ?3, ?4, ?5)")?;
            for key in keys {
                let (kind, id) = (key.record.kind().as_str(), key.record.as_bytes());
                writer::one(statement.execute(params![kind, id, key.kek, key.generation, key.wrapped])?)?;
            }
        }
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::in_force;
    use super::{NewStore, SqliteKeys};
    use crate::store::rows::{Fence, UnlockRow, VaultRow};

    #[test]
    fn the_writer_flushes_each_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys").join("keystore.db");
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
        let new = NewStore::claim(&path).unwrap();
        let fence = Fence {
            origin: vault.origin.clone(),
            size: 0,
            root: crate::merkle::empty_root(),
        };
        SqliteKeys::create(&new, &vault, &unlock, &[], &fence).unwrap();
        new.keep();
        let keys = SqliteKeys::open(&path).unwrap();
        in_force(&keys.writer.lock().unwrap());
    }
}
