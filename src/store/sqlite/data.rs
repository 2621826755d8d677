//! The data store's reads: a few read-only connections, each used by one caller at a time.
//!
//! A read costs some ten microseconds and is done on the caller's thread: handing it to another would cost more.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, Params, params};

use super::columns::{self as c, Columns};
use super::files::{self, NewStore};
use super::writer::{SqliteWriter, signed};
use super::{scan, schema};
use crate::merkle::{self, Hash};
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, RecordId, RecordKind, TicketId, TokenId};
use crate::model::reference::DepartmentCode;
use crate::model::ticket_no::TicketNo;
use crate::store::rows::{
    ApprovalRow, CallerRow, CustodyRow, DepartmentRow, EntryRow, FieldRow, HeadRow, IndexRow, PastLogRow, PrincipalRow,
    ReferenceRow, Replayed, TicketRow, TokenRow, VaultRow,
};
use crate::store::{Credentials, DataStore, DataWriter, Result, Scanned, StoreError, Table};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/data");
}

const READERS: usize = 8;
const TILE_BITS: u32 = 8;

/// The data store in one SQLite file.
pub struct SqliteData {
    path: PathBuf,
    readers: Vec<Mutex<Connection>>,
    turn: AtomicUsize,
    writing: Arc<AtomicBool>,
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
        let mut connection = super::open(new.path(), true)?;
        schema::migrate(&mut connection, new.path(), &embedded::migrations::runner())?;
        connection.execute(
            "INSERT INTO vault VALUES (1, ?1, ?2)",
            params![vault.vault, vault.origin],
        )?;
        super::writer::put_head(&connection, head)?;
        Ok(Box::new(SqliteWriter::new(connection, Arc::new(AtomicBool::new(true)))))
    }

    /// Opens a store for this process alone and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Missing`], `Readable`, `InUse`, `Newer`, or whatever the database reports.
    pub fn open(path: &Path) -> Result<Self> {
        files::check(path)?;
        let lock = files::lock(path)?;
        let mut connection = super::open(path, true)?;
        schema::migrate(&mut connection, path, &embedded::migrations::runner())?;
        let reader = |_| super::open(path, false).map(Mutex::new);
        let readers = (0..READERS).map(reader).collect::<Result<_>>()?;
        let writing = Arc::new(AtomicBool::new(false));
        Ok(Self {
            path: path.to_owned(),
            readers,
            turn: AtomicUsize::new(0),
            writing,
            _lock: lock,
        })
    }

    /// The one writer, and its connection.
    pub(super) fn sqlite_writer(&self) -> Result<SqliteWriter> {
        if self.writing.swap(true, Ordering::AcqRel) {
            return Err(StoreError::InUse(self.path.clone()));
        }
        let connection = super::open(&self.path, true)?;
        Ok(SqliteWriter::new(connection, Arc::clone(&self.writing)))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        for reader in &self.readers {
            if let Ok(connection) = reader.try_lock() {
                return work(&connection);
            }
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % READERS;
        let reader = self.readers.get(turn).ok_or(StoreError::Corrupt("reader pool"))?;
        work(&reader.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        table: &'static str,
        parse: fn(&mut Columns<'_, '_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let found = statement
                .query_row(params, |row| Ok(parse(&mut Columns::new(row, table))))
                .optional()?;
            found.transpose()
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        table: &'static str,
        parse: fn(&mut Columns<'_, '_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params, |row| Ok(parse(&mut Columns::new(row, table))))?;
            rows.map(|row| row?).collect()
        })
    }
}

#[async_trait]
impl DataStore for SqliteData {
    async fn vault(&self) -> Result<VaultRow> {
        let parse = |c: &mut Columns<'_, '_>| {
            Ok(VaultRow {
                vault: c.array()?,
                origin: c.text()?,
            })
        };
        let row = self.one("SELECT vault, origin FROM vault", [], "vault", parse)?;
        row.ok_or(StoreError::Corrupt("vault"))
    }

    async fn credentials(&self, token_hash: &[u8; 32]) -> Result<Option<Credentials>> {
        const SQL: &str = "SELECT t.id, t.hash, t.principal, t.created_at, t.expires_at, t.revoked_at, t.mac,
                p.id, p.account, p.department, p.kind, p.roles, p.active, p.created_by, p.version, p.mac,
                d.code, d.name, d.kind, d.version, d.mac
            FROM api_token t JOIN principal p ON p.id = t.principal JOIN department d ON d.code = p.department
            WHERE t.hash = ?1";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let found = statement.query_row([token_hash], |row| {
                let parse = || {
                    Ok(Credentials {
                        token: c::token(&mut Columns::new(row, "api_token"))?,
                        principal: c::principal(&mut Columns::from(row, 7, "principal"))?,
                        department: c::department(&mut Columns::from(row, 16, "department"))?,
                    })
                };
                Ok(parse())
            });
            found.optional()?.transpose()
        })
    }

    async fn department(&self, code: DepartmentCode) -> Result<Option<DepartmentRow>> {
        let sql = format!("SELECT {} FROM department WHERE code = ?1", c::DEPARTMENT);
        self.one(&sql, [code.as_str()], "department", c::department)
    }

    async fn departments(&self, after: Option<DepartmentCode>, limit: u32) -> Result<Vec<DepartmentRow>> {
        let sql = format!(
            "SELECT {} FROM department WHERE code > ?1 ORDER BY code LIMIT ?2",
            c::DEPARTMENT
        );
        let after = after.as_ref().map_or("", DepartmentCode::as_str);
        self.all(&sql, params![after, limit], "department", c::department)
    }

    async fn principal(&self, id: PrincipalId) -> Result<Option<PrincipalRow>> {
        let sql = format!("SELECT {} FROM principal WHERE id = ?1", c::PRINCIPAL);
        self.one(&sql, [id.as_bytes()], "principal", c::principal)
    }

    async fn principals(&self, after: Option<PrincipalId>, limit: u32) -> Result<Vec<PrincipalRow>> {
        let sql = format!(
            "SELECT {} FROM principal WHERE id > ?1 ORDER BY id LIMIT ?2",
            c::PRINCIPAL
        );
        let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
        self.all(&sql, params![after, limit], "principal", c::principal)
    }

    async fn token(&self, id: TokenId) -> Result<Option<TokenRow>> {
        let sql = format!("SELECT {} FROM api_token WHERE id = ?1", c::TOKEN);
        self.one(&sql, [id.as_bytes()], "api_token", c::token)
    }

    async fn tokens(&self, principal: PrincipalId) -> Result<Vec<TokenRow>> {
        let sql = format!(
            "SELECT {} FROM api_token WHERE principal = ?1 ORDER BY created_at DESC, id",
            c::TOKEN
        );
        self.all(&sql, [principal.as_bytes()], "api_token", c::token)
    }

    async fn caller(&self, id: CallerId) -> Result<Option<CallerRow>> {
        let sql = format!("SELECT {} FROM caller WHERE id = ?1", c::CALLER);
        self.one(&sql, [id.as_bytes()], "caller", c::caller)
    }

    async fn sealed(&self, record: RecordId, fields: &[&str]) -> Result<Vec<FieldRow>> {
        let sql = format!(
            "SELECT {} FROM sealed_field WHERE record_kind = ?1 AND record = ?2 AND field = ?3",
            c::FIELD
        );
        let kind = record.kind().as_str();
        let one = |field: &&str| self.one(&sql, params![kind, record.as_bytes(), field], "sealed_field", c::field);
        fields.iter().filter_map(|field| one(field).transpose()).collect()
    }

    async fn field_names(&self, record: RecordId) -> Result<Vec<String>> {
        let sql = "SELECT field FROM sealed_field WHERE record_kind = ?1 AND record = ?2 ORDER BY field";
        let params = params![record.kind().as_str(), record.as_bytes()];
        self.all(sql, params, "sealed_field", |c| c.text())
    }

    async fn index_hits(&self, index: &str, value: &[u8; 16], limit: u32) -> Result<Vec<IndexRow>> {
        let sql = format!(
            "SELECT {} FROM blind_index WHERE idx = ?1 AND value = ?2 LIMIT ?3",
            c::INDEX
        );
        self.all(&sql, params![index, value, limit], "blind_index", c::index)
    }

    async fn index_of(&self, caller: CallerId, field: &str) -> Result<Vec<IndexRow>> {
        let sql = format!("SELECT {} FROM blind_index WHERE caller = ?1 AND field = ?2", c::INDEX);
        self.all(&sql, params![caller.as_bytes(), field], "blind_index", c::index)
    }

    async fn index_both(&self, one: (&str, &[u8; 16]), other: (&str, &[u8; 16])) -> Result<Vec<(IndexRow, IndexRow)>> {
        const SQL: &str = "SELECT a.idx, a.value, a.caller, a.field, a.certain, a.mac,
                b.idx, b.value, b.caller, b.field, b.certain, b.mac
            FROM blind_index a JOIN blind_index b ON b.caller = a.caller
            WHERE a.idx = ?1 AND a.value = ?2 AND b.idx = ?3 AND b.value = ?4";
        self.all(SQL, params![one.0, one.1, other.0, other.1], "blind_index", |c| {
            Ok((c::index(c)?, c::index(c)?))
        })
    }

    async fn ticket(&self, no: &TicketNo) -> Result<Option<TicketRow>> {
        let sql = format!("SELECT {} FROM ticket WHERE no = ?1", c::TICKET);
        self.one(&sql, [no.as_str()], "ticket", c::ticket)
    }

    async fn tickets(
        &self,
        department: DepartmentCode,
        after: Option<&TicketNo>,
        limit: u32,
    ) -> Result<Vec<TicketRow>> {
        let sql = format!(
            "SELECT {} FROM ticket WHERE (holder = ?1 OR origin = ?1)
                AND (?2 IS NULL OR (created_at, no) <
                    (SELECT created_at, no FROM ticket WHERE no = ?2 AND (holder = ?1 OR origin = ?1)))
             ORDER BY created_at DESC, no DESC LIMIT ?3",
            c::TICKET
        );
        self.all(
            &sql,
            params![department.as_str(), after.map(TicketNo::as_str), limit],
            "ticket",
            c::ticket,
        )
    }

    async fn tickets_about(&self, caller: CallerId, department: DepartmentCode, limit: u32) -> Result<Vec<TicketRow>> {
        let sql = format!(
            "SELECT {} FROM ticket WHERE caller = ?1 AND (holder = ?2 OR origin = ?2)
             ORDER BY created_at DESC, no DESC LIMIT ?3",
            c::TICKET
        );
        self.all(
            &sql,
            params![caller.as_bytes(), department.as_str(), limit],
            "ticket",
            c::ticket,
        )
    }

    async fn custody(&self, ticket: TicketId) -> Result<Vec<CustodyRow>> {
        let sql = format!("SELECT {} FROM custody WHERE ticket = ?1 ORDER BY version", c::CUSTODY);
        self.all(&sql, [ticket.as_bytes()], "custody", c::custody)
    }

    async fn reference(
        &self,
        department: DepartmentCode,
        kind: RecordKind,
        version: u8,
        body: u64,
    ) -> Result<Option<ReferenceRow>> {
        let sql = format!(
            "SELECT {} FROM reference WHERE department = ?1 AND kind = ?2 AND version = ?3 AND body = ?4",
            c::REFERENCE
        );
        let body = i64::try_from(body).map_err(|_| StoreError::Corrupt("reference"))?;
        self.one(
            &sql,
            params![department.as_str(), kind.as_str(), version, body],
            "reference",
            c::reference,
        )
    }

    async fn replay(&self, principal: PrincipalId, key: &[u8; 16]) -> Result<Option<Replayed>> {
        let sql = format!("SELECT {} FROM replay WHERE principal = ?1 AND key = ?2", c::REPLAY);
        let parse = |c: &mut Columns<'_, '_>| c::replay(c).map(|(row, index)| Replayed { row, index });
        self.one(&sql, params![principal.as_bytes(), key], "replay", parse)
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<ApprovalRow>> {
        let sql = format!("SELECT {} FROM approval WHERE id = ?1", c::APPROVAL);
        self.one(&sql, [id.as_bytes()], "approval", c::approval)
    }

    async fn approvals(&self, after: Option<ApprovalId>, limit: u32) -> Result<Vec<ApprovalRow>> {
        let sql = format!(
            "SELECT {} FROM approval
             WHERE ?1 IS NULL OR (created_at, id) < (SELECT created_at, id FROM approval WHERE id = ?1)
             ORDER BY created_at DESC, id DESC LIMIT ?2",
            c::APPROVAL
        );
        let after = after.as_ref().map(|id| id.as_bytes().as_slice());
        self.all(&sql, params![after, limit], "approval", c::approval)
    }

    async fn head(&self) -> Result<HeadRow> {
        let parse = |c: &mut Columns<'_, '_>| {
            Ok(HeadRow {
                size: c.number()?,
                root: c.hash()?,
                frontier: c.bytes()?,
                checkpoint: c.text()?,
            })
        };
        let head = self.one(
            "SELECT size, root, frontier, checkpoint FROM log_head",
            [],
            "log_head",
            parse,
        )?;
        head.ok_or(StoreError::Corrupt("log_head"))
    }

    async fn entries(&self, first: u64, limit: u32) -> Result<Vec<EntryRow>> {
        let sql = format!(
            "SELECT {} FROM log_entry WHERE idx >= ?1 ORDER BY idx LIMIT ?2",
            c::ENTRY
        );
        // No entry stands beyond what a position can be.
        let Ok(first) = i64::try_from(first) else {
            return Ok(Vec::new());
        };
        self.all(&sql, params![first, limit], "log_entry", c::entry)
    }

    async fn entries_ever(&self, index: u64) -> Result<Vec<EntryRow>> {
        let index = signed(index)?;
        let sql = format!("SELECT {} FROM log_entry WHERE idx = ?1", c::ENTRY);
        let mut entries = self.all(&sql, [index], "log_entry", c::entry)?;
        let sql = format!(
            "SELECT {} FROM past_entry WHERE n IN (SELECT n FROM past_log) AND idx = ?1",
            c::ENTRY
        );
        entries.extend(self.all(&sql, [index], "past_entry", c::entry)?);
        Ok(entries)
    }

    async fn past_logs(&self) -> Result<Vec<PastLogRow>> {
        let sql = format!("SELECT {} FROM past_log ORDER BY n", c::PAST_LOG);
        self.all(&sql, [], "past_log", c::past_log)
    }

    async fn entries_at(&self, indexes: &[u64]) -> Result<Vec<EntryRow>> {
        self.read(|connection| scan::entries_at(connection, indexes))
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
        let Some(below) = level.checked_sub(1) else {
            let sql = "SELECT leaf_hash FROM log_entry WHERE idx >= ?1 AND idx < ?2 ORDER BY idx";
            return self.all(sql, params![first, end], "log_entry", |c| c.hash());
        };
        let sql = "SELECT root FROM log_tile WHERE level = ?3 AND n >= ?1 AND n < ?2 ORDER BY n";
        self.all(sql, params![first, end, below], "log_tile", |c| c.hash())
    }

    async fn scan(&self, table: Table, visit: &mut (dyn FnMut(Scanned) + Send)) -> Result<()> {
        self.read(|connection| scan::scan(connection, table, visit))
    }

    async fn schema(&self) -> Result<Vec<String>> {
        self.read(|connection| schema::differences(connection, &embedded::migrations::runner()))
    }

    async fn integrity(&self) -> Result<Vec<String>> {
        self.read(|connection| super::integrity(connection, &embedded::migrations::runner()))
    }

    fn writer(&self) -> Result<Box<dyn DataWriter>> {
        Ok(Box::new(self.sqlite_writer()?))
    }
}
