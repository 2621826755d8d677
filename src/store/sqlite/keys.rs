//! The key store in a SQLite file of its own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Transaction, TransactionBehavior, params};

use super::counted::{Counted, Statements};
use super::data::all;
use super::files::{self, NewStore};
use super::open_files::{OpenFiles, put_into_database};
use super::snapshot::{SqliteSnapshot, Which};
use super::writer::put;
use super::{record_keys, scan, schema};
use crate::model::ids::RecordId;
use crate::model::reference::Reference;
use crate::store::rows::keys::{
    AGAINST_A_LOG, BY_MARK, Contradiction, DOOMED, DoomedKey, ErasedKey, ErasingAgain, Fence, KEYS, KeyringRow,
    OF_RECORD, OLDER, THE_FENCE, THE_VAULT, UNDER_WAY, UnlockRow, UnlockTryRow, VaultRow, WAYS, WRONG, WrappedKey,
};
use crate::store::rows::{Cell, Column, Columns, FromColumns, Row};
use crate::store::snapshot::Snapshot;
use crate::store::{KeyStore, Result, StoreError};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/keys");
}

/// The key store.
pub struct SqliteKeys {
    path: PathBuf,
    reader: Mutex<Counted>,
    writer: Mutex<Counted>,
    // Flushes nothing: a fence behind the log is harmless, and each commit waits for it.
    fence: Mutex<Counted>,
    statements: Statements,
    files: OpenFiles,
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
        let connection = Counted::new(connection, Statements::default());
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        put(&connection, vault)?;
        put(&connection, unlock)?;
        for key in keyring {
            put(&connection, key)?;
        }
        put(&connection, fence)?;
        Ok(transaction.commit()?)
    }

    /// Opens a key store for this process alone and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], `Readable`, `InUse`, `Newer`, or whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        files::check(path)?;
        let lock = files::lock(path)?;
        let files = OpenFiles::of(path)?;
        let mut writer = super::open(path, true)?;
        schema::migrate(&mut writer, path, &embedded::migrations::runner())?;
        let fence = super::open(path, true)?;
        fence.pragma_update(None, "synchronous", "NORMAL")?;
        let reader = super::open(path, false)?;
        let statements = Statements::default();
        let counted = |connection| Mutex::new(Counted::new(connection, statements.clone()));
        Ok(Self {
            path: path.to_owned(),
            reader: counted(reader),
            writer: counted(writer),
            fence: counted(fence),
            statements,
            files: files.with_companions(path)?,
            _lock: lock,
        })
    }

    /// Puts the write-ahead log in its place and empties its file, while nobody of this process reads.
    fn empty_write_ahead(&self, connection: &Counted) -> Result<()> {
        let _reader = self.reading();
        put_into_database(connection)
    }

    fn reading(&self) -> MutexGuard<'_, Counted> {
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, Counted> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl KeyStore for SqliteKeys {
    async fn vault(&self) -> Result<VaultRow> {
        let rows = all(&self.reading(), THE_VAULT.statement().sql(), &[])?;
        rows.into_iter().next().ok_or(StoreError::Corrupt("vault"))
    }

    async fn unlocks(&self) -> Result<Vec<UnlockRow>> {
        all(&self.reading(), WAYS.statement().sql(), &[])
    }

    async fn keyring(&self) -> Result<Vec<KeyringRow>> {
        all(&self.reading(), KEYS.statement().sql(), &[])
    }

    async fn record_key(&self, record: RecordId) -> Result<Option<WrappedKey>> {
        let with = crate::cells![record.kind(), *record.as_bytes()];
        let rows = all(&self.reading(), OF_RECORD.statement().sql(), &with)?;
        Ok(rows.into_iter().next())
    }

    async fn record_keys(&self, visit: &mut (dyn FnMut(u64, Option<WrappedKey>) + Send)) -> Result<()> {
        let mut each = |position, columns: &mut dyn Columns| visit(position, WrappedKey::from_columns(columns).ok());
        scan::scan(&self.reading(), WrappedKey::table(), &mut each)
    }

    async fn older_record_keys(&self, kek: u8, behind: Option<&[Cell]>, limit: u32) -> Result<Vec<WrappedKey>> {
        // There is no version 0.
        let beginning = [0_u8.cell(), Cell::Text(String::new()), Cell::Bytes(Vec::new())];
        let mut with = vec![kek.cell()];
        with.extend_from_slice(behind.unwrap_or(&beginning));
        with.push(limit.cell());
        all(&self.reading(), OLDER.statement().sql(), &with)
    }

    async fn count_record_keys(&self, kek: u8) -> Result<u64> {
        record_keys::count(&self.reader, kek).await
    }

    fn statements(&self) -> u64 {
        self.statements.count()
    }

    async fn schema(&self) -> Result<Vec<String>> {
        schema::differences(&self.reading(), &embedded::migrations::runner())
    }

    async fn integrity(&self) -> Result<Vec<String>> {
        super::integrity(&self.reading(), &embedded::migrations::runner())
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(SqliteSnapshot::new(&self.path, Which::Keys)?))
    }

    async fn fence(&self) -> Result<Option<Fence>> {
        let rows = all(&self.reading(), THE_FENCE.statement().sql(), &[])?;
        Ok(rows.into_iter().next())
    }

    fn put_fence(&self, fence: &Fence) -> Result<()> {
        put(&self.fence.lock().unwrap_or_else(PoisonError::into_inner), fence)?;
        self.files.check()
    }

    async fn contradictions(&self, origin: &str) -> Result<Vec<Contradiction>> {
        let with = crate::cells![origin.to_owned()];
        all(&self.reading(), AGAINST_A_LOG.statement().sql(), &with)
    }

    async fn put_contradiction(&self, said: &Contradiction) -> Result<()> {
        put(&self.writer(), said)?;
        self.files.check()
    }

    async fn drop_contradiction(&self, origin: &str, witness: &str) -> Result<()> {
        let sql = "DELETE FROM contradiction WHERE origin = ?1 AND witness = ?2";
        self.writer().execute(sql, [origin, witness])?;
        Ok(())
    }

    fn put_record_keys(&self, keys: &[WrappedKey]) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        for key in keys {
            put(&connection, key)?;
        }
        transaction.commit()?;
        self.files.check()
    }

    fn doom_keys(&self, subject: &Reference, records: &[RecordId]) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        spare(&connection, subject)?;
        for record in records {
            let doomed = DoomedKey {
                record_kind: record.kind(),
                record: *record.as_bytes(),
                subject: *subject,
            };
            // An erasure that never was may have left it there for another subject.
            let sql = "DELETE FROM doomed_key WHERE record_kind = ?1 AND record = ?2";
            connection.execute(sql, params![doomed.record_kind.as_str(), doomed.record])?;
            put(&connection, &doomed)?;
        }
        transaction.commit()?;
        self.files.check()
    }

    async fn doomed_keys(&self) -> Result<Vec<DoomedKey>> {
        all(&self.reading(), DOOMED.statement().sql(), &[])
    }

    fn destroy_keys(&self, subject: &Reference, at: Timestamp) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        let doomed: Vec<DoomedKey> = all(&connection, DOOMED.statement().sql(), &[])?;
        for key in doomed.iter().filter(|key| key.subject == *subject) {
            let sql = "DELETE FROM record_key WHERE record_kind = ?1 AND record = ?2";
            connection.execute(sql, params![key.record_kind.as_str(), key.record])?;
            let erased = ErasedKey {
                mark: ErasedKey::mark_of(RecordId::new(key.record_kind, key.record)),
                erased_at: at,
            };
            put(&connection, &erased)?;
        }
        transaction.commit()?;
        self.empty_write_ahead(&connection)?;
        self.files.check()
    }

    fn spare_keys(&self, subject: &Reference) -> Result<()> {
        let connection = self.writer();
        spare(&connection, subject)?;
        match self.empty_write_ahead(&connection) {
            // What is left there is no key.
            Ok(()) | Err(StoreError::Busy) => self.files.check(),
            Err(fault) => Err(fault),
        }
    }

    async fn erased_keys(&self, visit: &mut (dyn FnMut(ErasedKey) + Send)) -> Result<()> {
        let mut each = |_, columns: &mut dyn Columns| {
            // A mark that cannot be read marks nothing.
            if let Ok(key) = ErasedKey::from_columns(columns) {
                visit(key);
            }
        };
        scan::scan(&self.reading(), ErasedKey::table(), &mut each)
    }

    async fn is_erased(&self, record: RecordId) -> Result<bool> {
        let with = crate::cells![ErasedKey::mark_of(record)];
        let marks: Vec<ErasedKey> = all(&self.reading(), BY_MARK.statement().sql(), &with)?;
        Ok(!marks.is_empty())
    }

    fn begin_erasing_again(&self, begun: &ErasingAgain) -> Result<()> {
        put(&self.writer(), begun)?;
        self.files.check()
    }

    async fn erasing_again(&self) -> Result<Option<ErasingAgain>> {
        let rows = all(&self.reading(), UNDER_WAY.statement().sql(), &[])?;
        Ok(rows.into_iter().next())
    }

    fn end_erasing_again(&self) -> Result<()> {
        self.writer().execute("DELETE FROM erasing_again", [])?;
        self.files.check()
    }

    fn put_key(&self, key: &KeyringRow) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        let unused = "DELETE FROM keyring WHERE role = ?1 AND version = ?2 AND active = 0 AND version > \
                      (SELECT version FROM keyring WHERE role = ?1 AND active = 1)";
        connection.execute(unused, params![key.role, key.version])?;
        put(&connection, key)?;
        transaction.commit()?;
        self.files.check()
    }

    fn activate_key(&self, role: &str, version: u8) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        connection.execute("UPDATE keyring SET active = 0 WHERE role = ?1 AND active = 1", [role])?;
        let sql = "UPDATE keyring SET active = 1 WHERE role = ?1 AND version = ?2";
        if connection.execute(sql, params![role, version])? != 1 {
            return Err(StoreError::Corrupt("keyring"));
        }
        transaction.commit()?;
        self.files.check()
    }

    fn rewrap_record_keys(&self, keys: &[(WrappedKey, WrappedKey)]) -> Result<u64> {
        // On the connection that does not flush. Whoever moves the fence or puts keys waits for these locks and not for the database's,
        // which it would ask for again and again.
        let connection = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let _writer = self.writer();
        let put = record_keys::rewrap(&connection, keys)?;
        self.files.check()?;
        Ok(put)
    }

    fn destroy_key(&self, role: &str, version: u8) -> Result<()> {
        let fence = self.fence.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = self.writer();
        let sql = "UPDATE keyring SET wrapped = x'' WHERE role = ?1 AND version = ?2 AND active = 0";
        if connection.execute(sql, params![role, version])? != 1 {
            return Err(StoreError::Corrupt("keyring"));
        }
        drop(fence);
        // The write-ahead log still holds the page as it was.
        self.empty_write_ahead(&connection)?;
        self.files.check()
    }

    fn put_unlock(&self, way: &UnlockRow) -> Result<()> {
        let connection = self.writer();
        let transaction = Transaction::new_unchecked(&connection, TransactionBehavior::Immediate)?;
        connection.execute("DELETE FROM unlock", [])?;
        put(&connection, way)?;
        transaction.commit()?;
        self.files.check()?;
        // The write-ahead log still holds the page as it was.
        self.empty_write_ahead(&connection)
    }

    async fn unlock_tries(&self) -> Result<Vec<UnlockTryRow>> {
        all(&self.reading(), WRONG.statement().sql(), &[])
    }

    fn put_unlock_try(&self, wrong: &UnlockTryRow) -> Result<()> {
        put(&self.writer(), wrong)?;
        self.files.check()
    }

    fn forget_unlock_tries(&self) -> Result<()> {
        self.writer().execute("DELETE FROM unlock_try", [])?;
        self.files.check()
    }
}

fn spare(connection: &Counted, subject: &Reference) -> Result<()> {
    connection.execute("DELETE FROM doomed_key WHERE subject = ?1", [subject.to_string()])?;
    Ok(())
}

impl Drop for SqliteKeys {
    fn drop(&mut self) {
        self.files.before_closing(&self.writer());
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
            one: crate::store::rows::One,
            vault: [1; 16],
            origin: "test.invalid/log/1".to_owned(),
        };
        let unlock = UnlockRow::none();
        let new = NewStore::claim(&path).unwrap();
        let fence = Fence {
            one: crate::store::rows::One,
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
