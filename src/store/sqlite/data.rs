//! The data store's reads: a few read-only connections, each used by one caller at a time.
//!
//! A read costs some ten microseconds and is done on the caller's thread: handing it to another would cost more.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::columns::{SqliteColumns, parameters, value};
use super::counted::{Counted, Statements};
use super::files::{self, NewStore};
use super::open_files::OpenFiles;
use super::snapshot::{SqliteSnapshot, Which};
use super::writer::{SqliteWriter, put};
use super::{scan, schema};
use crate::merkle::{self, Hash};
use crate::store::rows::log::{self, EntryRow, HeadRow, PastLogRow};
use crate::store::rows::{Cell, Column, Columns, FromColumns, Place, Statement, Table, VaultRow, next};
use crate::store::snapshot::Snapshot;
use crate::store::{DataStore, DataWriter, Result, Scan, StoreError, Visit};
use async_trait::async_trait;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/data");
}

const READERS: usize = 8;
const TILE_BITS: u32 = 8;

/// The data store in one SQLite file.
pub struct SqliteData {
    path: PathBuf,
    reading: Vec<Mutex<Counted>>,
    statements: Statements,
    turn: AtomicUsize,
    writing: Arc<AtomicBool>,
    files: Arc<OpenFiles>,
    // Held as long as the store is open.
    _lock: File,
}

impl SqliteData {
    /// Makes a new store for this vault in a place that was claimed for it, with this first head. The writer returned
    /// is for the first rows.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub fn create(new: &NewStore, vault: &VaultRow, head: &HeadRow) -> Result<Box<dyn DataWriter>> {
        let files = OpenFiles::of(new.path())?;
        let mut connection = super::open(new.path(), true)?;
        schema::migrate(&mut connection, new.path(), &embedded::migrations::runner())?;
        let connection = Counted::new(connection, Statements::default());
        put(&connection, vault)?;
        put(&connection, head)?;
        let files = Arc::new(files.with_companions(new.path())?);
        let writing = Arc::new(AtomicBool::new(true));
        Ok(Box::new(SqliteWriter::new(connection, writing, files)?))
    }

    /// Opens a store for this process alone and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], `Readable`, `InUse`, `Newer`, or whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        files::check(path)?;
        let lock = files::lock(path)?;
        let files = OpenFiles::of(path)?;
        let mut connection = super::open(path, true)?;
        schema::migrate(&mut connection, path, &embedded::migrations::runner())?;
        let statements = Statements::default();
        let reading = (0..READERS)
            .map(|_| reading_connection(path, &statements))
            .collect::<Result<_>>()?;
        let writing = Arc::new(AtomicBool::new(false));
        Ok(Self {
            path: path.to_owned(),
            reading,
            statements,
            turn: AtomicUsize::new(0),
            writing,
            files: Arc::new(files.with_companions(path)?),
            _lock: lock,
        })
    }

    /// The one writer, and its connection.
    pub(super) fn sqlite_writer(&self) -> Result<SqliteWriter> {
        if self.writing.swap(true, Ordering::AcqRel) {
            return Err(StoreError::InUse(self.path.clone()));
        }
        let connection = Counted::new(super::open(&self.path, true)?, self.statements.clone());
        self.files.check()?;
        let (writing, files) = (Arc::clone(&self.writing), Arc::clone(&self.files));
        SqliteWriter::new(connection, writing, files)
    }

    fn read<T>(&self, work: impl FnOnce(&Counted) -> Result<T>) -> Result<T> {
        for connection in &self.reading {
            if let Ok(connection) = connection.try_lock() {
                return work(&connection);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let connection = self
            .reading
            .get(turn)
            .ok_or(StoreError::Corrupt("connections that read"))?;
        work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn all<T: FromColumns>(&self, sql: &str, with: &[Cell]) -> Result<Vec<T>> {
        self.read(|connection| all(connection, sql, with))
    }
}

/// A connection that has read: from then on it keeps the write-ahead log where it is.
fn reading_connection(path: &Path, statements: &Statements) -> Result<Mutex<Counted>> {
    let connection = super::open(path, false)?;
    connection.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?;
    Ok(Mutex::new(Counted::new(connection, statements.clone())))
}

/// Every row of a statement, each as a value.
pub(super) fn all<T: FromColumns>(connection: &Counted, sql: &str, with: &[Cell]) -> Result<Vec<T>> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(parameters(with))?;
    let mut values = Vec::new();
    while let Some(row) = rows.next()? {
        values.push(value(row)?);
    }
    Ok(values)
}

/// Shows each row of a statement.
fn shown(connection: &Counted, sql: &str, with: &[Cell], visit: Visit<'_>) -> Result<()> {
    let mut prepared = connection.prepare_cached(sql)?;
    let mut rows = prepared.query(parameters(with))?;
    while let Some(row) = rows.next()? {
        visit(&mut SqliteColumns::new(row))?;
    }
    Ok(())
}

/// The one number that a statement gives.
pub(super) fn number(connection: &Counted, sql: &str, with: &[Cell]) -> Result<u64> {
    let mut found = 0;
    let mut visit = |columns: &mut dyn Columns| {
        found = next(columns, "a count")?;
        Ok(())
    };
    shown(connection, sql, with, &mut visit)?;
    Ok(found)
}

/// A row that is one hash.
struct OneHash(Hash);

impl FromColumns for OneHash {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        next(columns, "log_tile").map(Self)
    }
}

#[async_trait]
impl DataStore for SqliteData {
    async fn select(&self, statement: &'static Statement, with: &[Cell], visit: Visit<'_>) -> Result<()> {
        self.read(|connection| shown(connection, statement.sql(), with, visit))
    }

    async fn head(&self) -> Result<HeadRow> {
        let head = self.all(log::THE_HEAD.statement().sql(), &[])?;
        head.into_iter().next().ok_or(StoreError::Corrupt("log_head"))
    }

    async fn entries(&self, first: u64, limit: u32) -> Result<Vec<EntryRow>> {
        // No entry stands beyond what a position can be.
        if i64::try_from(first).is_err() {
            return Ok(Vec::new());
        }
        self.all(log::FROM.statement().sql(), &[first.cell(), limit.cell()])
    }

    async fn entries_ever(&self, index: u64) -> Result<Vec<EntryRow>> {
        let mut entries: Vec<EntryRow> = self.all(log::AT.statement().sql(), &[index.cell()])?;
        let past: Vec<log::PastEntryRow> = self.all(log::EVER.statement().sql(), &[index.cell()])?;
        entries.extend(past.into_iter().map(EntryRow::from));
        Ok(entries)
    }

    async fn past_logs(&self) -> Result<Vec<PastLogRow>> {
        self.all(log::ALL.statement().sql(), &[])
    }

    async fn entries_at(&self, indexes: &[u64]) -> Result<Vec<EntryRow>> {
        self.read(|connection| {
            let mut entries = Vec::with_capacity(indexes.len());
            for index in indexes {
                entries.extend(all(connection, log::AT.statement().sql(), &[index.cell()])?);
            }
            Ok(entries)
        })
    }

    async fn edges(&self, size: u64) -> Result<Vec<Vec<Hash>>> {
        let mut edges = Vec::new();
        let mut count = size;
        while count > 0 {
            let width = count % merkle::TILE_WIDTH as u64;
            let level = u8::try_from(edges.len()).map_err(|_| StoreError::Corrupt("log_head"))?;
            let width_of_tile = u32::try_from(width).map_err(|_| StoreError::Corrupt("log_head"))?;
            edges.push(self.hashes(level, count - width, width_of_tile).await?);
            count >>= TILE_BITS;
        }
        Ok(edges)
    }

    async fn hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>> {
        let first = i64::try_from(first).map_err(|_| StoreError::Corrupt("log_head"))?;
        let end = first.saturating_add(i64::from(count));
        let mut with = vec![Cell::Int(first), Cell::Int(end)];
        let sql = match level.checked_sub(1) {
            None => "SELECT leaf_hash FROM log_entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx",
            Some(below) => {
                with.push(below.cell());
                "SELECT root FROM log_tile WHERE level = ?3 AND n >= ?1 AND n < ?2 ORDER BY n"
            }
        };
        let hashes: Vec<OneHash> = self.all(sql, &with)?;
        Ok(hashes.into_iter().map(|OneHash(hash)| hash).collect())
    }

    async fn scan(&self, table: &'static Table, visit: Scan<'_>) -> Result<()> {
        self.read(|connection| scan::scan(connection, table, visit))
    }

    async fn walk(&self, table: &'static Table, behind: Option<&[Cell]>, limit: u32, visit: Visit<'_>) -> Result<()> {
        let mut with = behind.unwrap_or_default().to_vec();
        with.push(limit.cell());
        let sql = if behind.is_some() {
            table.following()
        } else {
            table.first()
        };
        self.read(|connection| shown(connection, sql, &with, visit))
    }

    async fn count(&self, table: &'static Table) -> Result<u64> {
        let sql = format!("SELECT COUNT(*) FROM {}", table.name);
        self.read(|connection| number(connection, &sql, &[]))
    }

    async fn count_under(&self, place: &Place, version: u8) -> Result<u64> {
        self.read(|connection| number(connection, &place.count(), &[place.named(version)]))
    }

    async fn schema(&self) -> Result<Vec<String>> {
        self.read(|connection| schema::differences(connection, &embedded::migrations::runner()))
    }

    async fn integrity(&self) -> Result<Vec<String>> {
        self.read(|connection| super::integrity(connection, &embedded::migrations::runner()))
    }

    fn statements(&self) -> u64 {
        self.statements.count()
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(SqliteSnapshot::new(&self.path, Which::Data)?))
    }

    fn writer(&self) -> Result<Box<dyn DataWriter>> {
        Ok(Box::new(self.sqlite_writer()?))
    }
}
