//! The index of the log, in a SQLite file of its own beside the data store. It is written without a flush: what a crash
//! takes away is read again from the leaves.

mod walk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, params};

use super::files;
use super::schema::objects;
use super::writer::signed;
use crate::merkle::Hash;
use crate::store::log_index::{BLOCK, IndexedEntry, Kept, LEVELS, LogIndex, Position, Term, TermKind, Walk, Walked};
use crate::store::{Result, StoreError};

const SCHEMA: &str = include_str!("schema.sql");
/// Goes up whenever the schema, [`SEGMENT`] or what is indexed changes: an older index is emptied and filled again.
const VERSION: i64 = 3;
const READERS: usize = 3;
/// Entries whose marks stand in one list: some megabytes.
const SEGMENT: u64 = 1 << 18;
/// Entries of one mark: more have been put there by somebody.
const MOST_OF_A_MARK: usize = 64;
/// Kibibytes of pages that each reader keeps for the length of one search, negative as SQLite has it: the inner pages of ten
/// million entries' lists, and what of the lists is visited.
const READER_CACHE: i64 = -16_384;
/// Kibibytes of pages that the writer keeps: the ends of the lists that grow.
const WRITER_CACHE: i64 = -131_072;
/// Pages in the write-ahead log before they are put in their places. Ends of lists are written again and again.
const WRITE_AHEAD: i64 = 16_384;

/// The index of the log in one SQLite file.
pub struct SqliteLogIndex(Arc<Files>);

struct Files {
    readers: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
    // Closed last, so that nothing stays behind in the write-ahead log.
    writer: Mutex<Connection>,
}

impl SqliteLogIndex {
    /// Opens the index, or makes an empty one where there is none or it cannot be read.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        if let Some(index) = Self::open_existing(path).unwrap_or_else(|fault| {
            tracing::warn!(%fault, "the index of the log cannot be used; it is made afresh");
            None
        }) {
            return Ok(index);
        }
        Self::remove(path)?;
        files::create(path)?;
        let connection = open(path, true)?;
        connection.execute_batch(&format!("BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;"))?;
        Self::with(connection, path)
    }

    /// Opens the index as it is. None where there is none, or one of another version.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub fn open_existing(path: &Path) -> Result<Option<Self>> {
        if !path.exists() {
            return Ok(None);
        }
        files::check(path)?;
        let connection = open(path, true)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version != VERSION {
            return Ok(None);
        }
        let right = Connection::open_in_memory()?;
        right.execute_batch(SCHEMA)?;
        if objects(&connection)? != objects(&right)? {
            return Err(StoreError::Corrupt("the log's index"));
        }
        position(&connection)?;
        Self::with(connection, path).map(Some)
    }

    /// Deletes the index.
    ///
    /// # Errors
    /// When a file is there and cannot be deleted.
    pub fn remove(path: &Path) -> Result<()> {
        files::remove(path)
    }

    fn with(writer: Connection, path: &Path) -> Result<Self> {
        let reader = |_| open(path, false).map(Mutex::new);
        Ok(Self(Arc::new(Files {
            writer: Mutex::new(writer),
            readers: (0..READERS).map(reader).collect::<Result<_>>()?,
            turn: AtomicUsize::new(0),
        })))
    }

    /// Work that may take longer than an answer should wait on this thread.
    async fn apart<T: Send + 'static>(&self, work: impl FnOnce(&Files) -> Result<T> + Send + 'static) -> Result<T> {
        let files = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.map_err(|_| StoreError::Database("a read of the log's index was broken off".to_owned()))?
    }
}

impl Files {
    fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn reading(&self) -> Result<MutexGuard<'_, Connection>> {
        for reader in &self.readers {
            if let Ok(connection) = reader.try_lock() {
                return Ok(connection);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let reader = self.readers.get(turn).ok_or(StoreError::Corrupt("reader pool"))?;
        Ok(reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, from: u64, entries: &[IndexedEntry], to: Position) -> Result<bool> {
        let mut connection = self.writer();
        let transaction = connection.transaction()?;
        if position(&transaction)?.size != from {
            return Ok(false);
        }
        post(&transaction, entries)?;
        marks(&transaction, entries)?;
        blocks(&transaction, entries)?;
        let last = to.last.as_ref().map(|hash| hash.as_bytes().as_slice());
        transaction.execute(
            "UPDATE position SET size = ?1, last = ?2",
            params![signed(to.size)?, last],
        )?;
        transaction.commit()?;
        Ok(true)
    }
}

fn open(path: &Path, write: bool) -> Result<Connection> {
    let connection = super::open(path, write)?;
    if write {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "secure_delete", false)?;
        connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", WRITE_AHEAD)?;
    } else {
        connection.pragma_update(None, "cache_size", READER_CACHE)?;
    }
    Ok(connection)
}

fn position(connection: &Connection) -> Result<Position> {
    let row = connection
        .query_row("SELECT size, last FROM position", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<Vec<u8>>>(1)?))
        })
        .optional()?;
    let corrupt = StoreError::Corrupt("the log's index");
    let Some((size, last)) = row else { return Err(corrupt) };
    let last = last.map(|bytes| Hash::try_from(bytes.as_slice())).transpose();
    match (u64::try_from(size), last) {
        (Ok(size), Ok(last)) => Ok(Position { size, last }),
        _ => Err(corrupt),
    }
}

/// The entries of each term together: a term is looked up once, and its list grows at one place.
fn post(connection: &Connection, entries: &[IndexedEntry]) -> Result<()> {
    let mut lists: BTreeMap<&Term, Vec<u64>> = BTreeMap::new();
    for entry in entries {
        for term in &entry.terms {
            lists.entry(term).or_default().push(entry.index);
        }
    }
    let mut term_id = connection.prepare_cached(
        "INSERT INTO term (kind, value, entries) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, value) DO UPDATE SET entries = entries + excluded.entries RETURNING id",
    )?;
    let mut posting = connection.prepare_cached("INSERT INTO posting VALUES (?1, ?2)")?;
    for (term, list) in lists {
        let count = i64::try_from(list.len()).unwrap_or(i64::MAX);
        let id: i64 = term_id.query_row(params![term.kind.as_str(), term.value, count], |row| row.get(0))?;
        for index in list {
            posting.execute(params![id, signed(index)?])?;
        }
    }
    Ok(())
}

fn marks(connection: &Connection, entries: &[IndexedEntry]) -> Result<()> {
    let mut mark = connection.prepare_cached("INSERT INTO mark VALUES (?1, ?2, ?3)")?;
    for entry in entries {
        if let Some(bits) = entry.mark {
            mark.execute(params![
                signed(entry.index / SEGMENT)?,
                signed(bits)?,
                signed(entry.index)?
            ])?;
        }
    }
    Ok(())
}

fn count(connection: &Connection, term: &Term, below: u64) -> Result<u64> {
    let sql = "SELECT entries - (SELECT count(*) FROM posting WHERE term = id AND idx >= ?3)
               FROM term WHERE kind = ?1 AND value = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let params = params![term.kind.as_str(), term.value, signed(below)?];
    let count: Option<i64> = statement.query_row(params, |row| row.get(0)).optional()?;
    Ok(u64::try_from(count.unwrap_or_default()).unwrap_or_default())
}

/// One list after another. What somebody put into the list of other entries is not answered.
fn marked(connection: &Connection, bits: u64, below: u64) -> Result<Vec<u64>> {
    let sql = "SELECT idx FROM mark WHERE segment = ?1 AND bits = ?2 AND idx >= ?3 AND idx < ?4 ORDER BY idx";
    let mut segment = connection.prepare_cached(sql)?;
    let mut found = Vec::new();
    for number in 0..below.div_ceil(SEGMENT) {
        let first = number * SEGMENT;
        let end = below.min(first.saturating_add(SEGMENT));
        let params = params![signed(number)?, signed(bits)?, signed(first)?, signed(end)?];
        for index in segment.query_map(params, |row| row.get(0).map(unsigned))? {
            found.push(index?);
            if found.len() > MOST_OF_A_MARK {
                return Err(StoreError::Corrupt("the log's index"));
            }
        }
    }
    Ok(found)
}

fn blocks(connection: &Connection, entries: &[IndexedEntry]) -> Result<()> {
    let mut spans: BTreeMap<(u8, u64), (i64, i64)> = BTreeMap::new();
    for entry in entries {
        let mut number = entry.index;
        for level in 0..LEVELS {
            number /= BLOCK;
            let span = spans.entry((level, number)).or_insert((entry.at, entry.at));
            *span = (span.0.min(entry.at), span.1.max(entry.at));
        }
    }
    let mut block = connection.prepare_cached(
        "INSERT INTO block VALUES (?1, ?2, ?3, ?4) ON CONFLICT (level, n) DO UPDATE SET
         t_min = min(t_min, excluded.t_min), t_max = max(t_max, excluded.t_max)",
    )?;
    for ((level, number), (first, last)) in spans {
        block.execute(params![level, signed(number)?, first, last])?;
    }
    Ok(())
}

/// A number from a column; one that the index never writes reads as the largest.
fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn term(kind: &str, value: String) -> Option<Term> {
    TermKind::from_word(kind).map(|kind| Term { kind, value })
}

fn each(connection: &Connection, see: &mut (dyn FnMut(Kept) + Send)) -> Result<()> {
    let mut terms = connection.prepare("SELECT kind, value, entries FROM term")?;
    let mut rows = terms.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let term = term(&kind, row.get(1)?).ok_or(StoreError::Corrupt("the log's index"))?;
        see(Kept::Term(term, unsigned(row.get(2)?)));
    }
    let mut postings = connection.prepare("SELECT kind, value, idx FROM posting JOIN term ON term.id = term")?;
    let mut rows = postings.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let term = term(&kind, row.get(1)?).ok_or(StoreError::Corrupt("the log's index"))?;
        see(Kept::Posting(term, unsigned(row.get(2)?)));
    }
    let mut marks = connection.prepare("SELECT segment, bits, idx FROM mark")?;
    let mut rows = marks.query([])?;
    while let Some(row) = rows.next()? {
        let (segment, index) = (unsigned(row.get(0)?), unsigned(row.get(2)?));
        // In the list of other entries it is not found when it is looked up: no entry of the log has it.
        let index = if segment == index / SEGMENT { index } else { u64::MAX };
        see(Kept::Mark(unsigned(row.get(1)?), index));
    }
    let mut blocks = connection.prepare("SELECT level, n, t_min, t_max FROM block")?;
    let mut rows = blocks.query([])?;
    while let Some(row) = rows.next()? {
        let level = u8::try_from(row.get::<_, i64>(0)?).unwrap_or(u8::MAX);
        see(Kept::Block(level, unsigned(row.get(1)?), row.get(2)?, row.get(3)?));
    }
    Ok(())
}

#[async_trait]
impl LogIndex for SqliteLogIndex {
    async fn position(&self) -> Result<Position> {
        self.apart(|files| position(&*files.reading()?)).await
    }

    async fn add(&self, from: u64, entries: Vec<IndexedEntry>, to: Position) -> Result<bool> {
        self.apart(move |files| files.add(from, &entries, to)).await
    }

    async fn walk(&self, walk: Walk) -> Result<Walked> {
        self.apart(move |files| walk::walk(&*files.reading()?, &walk)).await
    }

    async fn count(&self, term: Term, below: u64) -> Result<u64> {
        self.apart(move |files| count(&*files.reading()?, &term, below)).await
    }

    async fn marked(&self, bits: u64, below: u64) -> Result<Vec<u64>> {
        self.apart(move |files| marked(&*files.reading()?, bits, below)).await
    }

    async fn clear(&self) -> Result<()> {
        self.apart(|files| {
            let sql = "BEGIN; DELETE FROM posting; DELETE FROM term; DELETE FROM mark; DELETE FROM block;
                       UPDATE position SET size = 0, last = NULL; COMMIT;";
            Ok(files.writer().execute_batch(sql)?)
        })
        .await
    }

    async fn each(&self, see: &mut (dyn FnMut(Kept) + Send)) -> Result<()> {
        each(&*self.0.reading()?, see)
    }
}
