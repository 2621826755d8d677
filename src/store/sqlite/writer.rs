//! The one writer of the data store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Params, ffi, params, params_from_iter};

use super::columns::{parameters, value};
use super::counted::Counted;
use super::guards;
use super::open_files::{OpenFiles, put_into_database};
use crate::model::ids::RecordId;
use crate::model::reference::Reference;
use crate::store::rows::tally::BY_SUBJECT;
use crate::store::rows::{Cell, Coded, Column, HeadRow, NewRow, Put, Row, TallyRow, TileRow};
use crate::store::{Appended, Conflict, DataWriter, Guard, IsCode, Result, StoreError, Write};

/// Kibibytes of pages that the writer keeps, negative as SQLite has it. Random keys spread the rows of a call over some twenty pages.
/// The pages of a large group are written once, when it is committed, and not whenever another page needs their room.
const CACHE: i64 = -131_072;

/// Pages in the write-ahead log before they are put in their places, after a group of so many jobs. First SQLite's own number; then
/// for a load at which each page is soon written again; then for an import, at which nobody waits while many are put in their places.
const fn write_ahead(jobs: usize) -> i64 {
    match jobs {
        0..=128 => 1_000,
        129..=1_024 => 16_384,
        _ => 65_536,
    }
}

/// The outcome of one write or guard.
type Outcome = Result<std::result::Result<(), Conflict>>;

pub(super) struct SqliteWriter {
    connection: Counted,
    writing: Arc<AtomicBool>,
    files: Arc<OpenFiles>,
    /// Jobs in the open transaction.
    jobs: usize,
    /// Pages that the write-ahead log may have.
    write_ahead: i64,
}

impl SqliteWriter {
    /// # Errors
    /// Whatever the database reports.
    pub(super) fn new(connection: Counted, writing: Arc<AtomicBool>, files: Arc<OpenFiles>) -> Result<Self> {
        connection.pragma_update(None, "cache_size", CACHE)?;
        connection.pragma_update(None, "wal_autocheckpoint", write_ahead(0))?;
        Ok(Self {
            connection,
            writing,
            files,
            jobs: 0,
            write_ahead: write_ahead(0),
        })
    }

    /// How long the write-ahead log may get follows from the jobs in the open transaction.
    fn bound_write_ahead(&mut self) -> Result<()> {
        let pages = write_ahead(self.jobs);
        if pages != self.write_ahead {
            self.connection.pragma_update(None, "wal_autocheckpoint", pages)?;
            self.write_ahead = pages;
        }
        Ok(())
    }

    fn job(&self, guards: &[Guard], writes: &[Write], index: u64, codes: IsCode<'_>) -> Outcome {
        if !guards::hold(&self.connection, guards, codes)? {
            return Ok(Err(Conflict::Stale));
        }
        for write in writes {
            if let Err(conflict) = self.write(write, index)? {
                return Ok(Err(conflict));
            }
        }
        Ok(Ok(()))
    }

    fn write(&self, write: &Write, index: u64) -> Outcome {
        match write {
            Write::Put(row) => self.put(row, index),
            Write::Unindex(caller, field) => {
                let sql = "DELETE FROM blind_index WHERE caller = ?1 AND field = ?2";
                Ok(self.change(sql, params![caller.as_bytes(), field])?.map(drop))
            }
            Write::Unseal(record, field) => {
                let sql = "DELETE FROM sealed_field WHERE record_kind = ?1 AND record = ?2 AND field = ?3";
                // What was read is there, or somebody else has removed it since.
                self.replace(sql, params![record.kind().as_str(), record.as_bytes(), field])
            }
            Write::Forget(record) => self.forget(*record),
            Write::Unrefer(key) => {
                let sql = "DELETE FROM reference WHERE department = ?1 AND kind = ?2 AND version = ?3 AND body = ?4";
                let key = crate::cells![key.department, key.kind, key.version, key.body];
                Ok(self.change(sql, params_from_iter(&key))?.map(drop))
            }
            // One that was changed or removed since has a newer code, or needs none.
            Write::Recode { table, cells } => Ok(self.change(table.recode(), parameters(cells))?.map(drop)),
            Write::Reindex(old, new) => {
                let sql = "UPDATE blind_index SET value = ?6, mac = ?7 \
                           WHERE idx = ?1 AND value = ?2 AND caller = ?3 AND field = ?4 AND mac = ?5";
                let mut cells = old.key();
                cells.extend([old.code().cell(), new.value.cell(), new.code().cell()]);
                self.replace(sql, parameters(&cells))
            }
            Write::DropBodies(range) => self.drop_bodies(range),
            Write::NextLog if index == 0 => Ok(Ok(self.next_log()?)),
            Write::NextLog => Ok(Err(Conflict::Stale)),
        }
    }

    fn forget(&self, record: RecordId) -> Outcome {
        let fields = "DELETE FROM sealed_field WHERE record_kind = ?1 AND record = ?2";
        if let Err(conflict) = self.change(fields, params![record.kind().as_str(), record.as_bytes()])? {
            return Ok(Err(conflict));
        }
        let RecordId::Caller(caller) = record else {
            let closed = "DELETE FROM closed WHERE ticket = ?1";
            return Ok(self.change(closed, [record.as_bytes()])?.map(drop));
        };
        let entries = "DELETE FROM blind_index WHERE caller = ?1";
        if let Err(conflict) = self.change(entries, [caller.as_bytes()])? {
            return Ok(Err(conflict));
        }
        let count = "DELETE FROM ticket_count WHERE subject IN (SELECT subject FROM caller WHERE id = ?1)";
        if let Err(conflict) = self.change(count, [caller.as_bytes()])? {
            return Ok(Err(conflict));
        }
        self.replace("DELETE FROM caller WHERE id = ?1", [caller.as_bytes()])
    }

    /// Entries of earlier logs are older than any of this one: what is beside them goes with the first that are dropped.
    fn drop_bodies(&self, range: &std::ops::Range<u64>) -> Outcome {
        let bodies = "UPDATE log_entry SET body = x'' WHERE idx >= ?1 AND idx < ?2";
        let clients = "DELETE FROM log_client WHERE (log, idx) < ((SELECT COUNT(*) + 1 FROM past_log), ?1)";
        if let Err(conflict) = self.change(bodies, params![signed(range.start)?, signed(range.end)?])? {
            return Ok(Err(conflict));
        }
        Ok(self.change(clients, params![signed(range.end)?])?.map(drop))
    }

    fn put(&self, row: &NewRow, index: u64) -> Outcome {
        let table = row.table;
        let leaf = table.at_leaf.then(|| index.cell());
        let cells = params_from_iter(row.cells.iter().chain(&leaf));
        match table.put {
            Put::Once | Put::Over => self.run(table.insert(), cells),
            // Two may make the same row at once, each with a seal of its own: the first one's stands for both.
            Put::Unless => Ok(self.change(table.insert(), cells)?.map(drop)),
            Put::Versioned if row.version == Some(1) => self.run(table.insert(), cells),
            Put::Versioned => self.replace(table.update(), cells),
        }
    }

    /// Makes room for a log that follows this one; nothing of this one is lost.
    fn next_log(&self) -> Result<()> {
        Ok(self.connection.execute_batch(
            "INSERT INTO past_log SELECT (SELECT COUNT(*) + 1 FROM past_log), size, root, checkpoint FROM log_head;
             INSERT INTO past_entry SELECT (SELECT COUNT(*) FROM past_log), idx, body, leaf_hash FROM log_entry;
             DELETE FROM log_entry;
             DELETE FROM log_tile;
             DELETE FROM tally;",
        )?)
    }

    /// How many rows a statement changed, or what stood against it.
    fn change(&self, sql: &str, params: impl Params) -> Result<std::result::Result<usize, Conflict>> {
        let failure = match self.connection.prepare_cached(sql)?.execute(params) {
            Ok(changed) => return Ok(Ok(changed)),
            Err(rusqlite::Error::SqliteFailure(failure, words)) => (failure, words),
            Err(error) => return Err(error.into()),
        };
        match failure.0.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Ok(Err(Conflict::Duplicate)),
            // What the row rests on has gone meanwhile.
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => Ok(Err(Conflict::Stale)),
            _ => Err(rusqlite::Error::SqliteFailure(failure.0, failure.1).into()),
        }
    }

    /// Puts one row in its place. A database that reports success without having done it cannot be trusted further.
    fn run(&self, sql: &str, params: impl Params) -> Outcome {
        match self.change(sql, params)? {
            Ok(1) => Ok(Ok(())),
            Ok(_) => Err(NOT_STORED),
            Err(conflict) => Ok(Err(conflict)),
        }
    }

    /// Changes one row if it is as expected.
    fn replace(&self, sql: &str, params: impl Params) -> Outcome {
        Ok(match self.change(sql, params)? {
            Ok(1) => Ok(()),
            Ok(_) => Err(Conflict::Stale),
            Err(conflict) => Err(conflict),
        })
    }
}

impl DataWriter for SqliteWriter {
    fn begin(&mut self) -> Result<()> {
        self.jobs = 0;
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn attempt(&mut self, guards: &[Guard], writes: &[Write], index: u64, codes: IsCode<'_>) -> Outcome {
        self.jobs += 1;
        if writes.is_empty() {
            return self.job(guards, writes, index, codes);
        }
        self.connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        let outcome = self.job(guards, writes, index, codes)?;
        if outcome.is_err() {
            self.connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        self.connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(outcome)
    }

    fn tally(&mut self, subject: &Reference) -> Result<Option<Coded<TallyRow>>> {
        let mut statement = self.connection.prepare_cached(BY_SUBJECT.statement().sql())?;
        let cells = crate::cells![*subject];
        let mut rows = statement.query(parameters(&cells))?;
        rows.next()?.map(value).transpose()
    }

    fn append(&mut self, added: &Appended, head: &HeadRow) -> Result<()> {
        for row in &added.entries {
            put(&self.connection, row)?;
        }
        for row in &added.clients {
            put(&self.connection, row)?;
        }
        for tile in &added.tiles {
            put(&self.connection, &TileRow::from(tile))?;
        }
        for row in &added.tallies {
            self.put(row, 0)?.map_err(|_| NOT_STORED)?;
        }
        put(&self.connection, head)
    }

    fn commit(&mut self) -> Result<()> {
        self.bound_write_ahead()?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        // What was committed into a file that nobody finds again is not durable.
        self.files.check()
    }

    fn rollback(&mut self) {
        // Without an open transaction there is nothing to undo, and SQLite has undone what it could not write.
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            tracing::error!("a transaction could not be rolled back");
        }
    }

    fn scrub(&mut self) -> Result<()> {
        put_into_database(&self.connection)
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
        self.files.before_closing(&self.connection);
        self.writing.store(false, Ordering::Release);
    }
}

const NOT_STORED: StoreError = StoreError::Corrupt("a row just written");

/// Whether a statement put exactly one row in its place.
///
/// # Errors
/// When it did not although SQLite reported none.
pub(super) const fn one(changed: usize) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(NOT_STORED) }
}

/// SQLite's integers are signed.
pub(super) fn signed(number: u64) -> Result<i64> {
    i64::try_from(number).map_err(|_| StoreError::Corrupt("a number beyond 63 bits"))
}

/// Puts a row that carries no code into its table, once or in place of what stood there.
pub(super) fn put<R: Row>(connection: &Counted, row: &R) -> Result<()> {
    let cells: Vec<Cell> = row.cells();
    one(connection
        .prepare_cached(R::table().insert())?
        .execute(parameters(&cells))?)
}

#[cfg(test)]
mod tests {
    use super::super::tests::in_force;
    use crate::merkle::Frontier;
    use crate::store::rows::{HeadRow, VaultRow};
    use crate::store::sqlite::{NewStore, SqliteData};

    #[test]
    fn the_writer_flushes_each_commit() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("data").join("vault.db");
        let vault = VaultRow {
            one: crate::store::rows::One,
            vault: [1; 16],
            origin: "test.invalid/log/1".to_owned(),
        };
        let head = HeadRow {
            one: crate::store::rows::One,
            size: 0,
            root: Frontier::default().root(),
            frontier: Vec::new(),
            checkpoint: String::new(),
        };
        let new = NewStore::claim(&path).unwrap();
        drop(SqliteData::create(&new, &vault, &head).unwrap());
        new.keep();
        let writer = SqliteData::open(&path).unwrap().sqlite_writer().unwrap();
        in_force(&writer.connection);
    }
}
