//! The one writer of the data store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use rusqlite::{Connection, Params, ffi, params};

use crate::merkle::Tile;
use crate::model::ids::CallerId;
use crate::store::rows::{
    ApprovalRow, CallerRow, CustodyRow, DepartmentRow, EntryRow, FieldRow, HeadRow, IndexRow, PrincipalRow,
    ReferenceRow, ReplayRow, TicketRow, TokenRow,
};
use crate::store::{Conflict, DataWriter, Guard, Result, StoreError, Write};

/// The outcome of one write or guard.
type Outcome = Result<std::result::Result<(), Conflict>>;

pub(super) struct SqliteWriter {
    connection: Connection,
    writing: Arc<AtomicBool>,
}

impl SqliteWriter {
    pub(super) const fn new(connection: Connection, writing: Arc<AtomicBool>) -> Self {
        Self { connection, writing }
    }

    fn jobs(&self, guards: &[Guard], writes: &[Write], index: u64) -> Outcome {
        for guard in guards {
            if !self.holds(guard)? {
                return Ok(Err(Conflict::Stale));
            }
        }
        for write in writes {
            if let Err(conflict) = self.write(write, index)? {
                return Ok(Err(conflict));
            }
        }
        Ok(Ok(()))
    }

    fn holds(&self, guard: &Guard) -> Result<bool> {
        let is = |sql: &str, id: &[u8; 16], version: u64| -> Result<bool> {
            Ok(self
                .connection
                .prepare_cached(sql)?
                .exists(params![id, signed(version)?])?)
        };
        match guard {
            Guard::Ticket(id, at) => is(
                "SELECT 1 FROM ticket WHERE id = ?1 AND version = ?2",
                id.as_bytes(),
                *at,
            ),
            Guard::Principal(id, at) => is(
                "SELECT 1 FROM principal WHERE id = ?1 AND version = ?2",
                id.as_bytes(),
                *at,
            ),
            Guard::Caller(id, at) => is(
                "SELECT 1 FROM caller WHERE id = ?1 AND version = ?2",
                id.as_bytes(),
                *at,
            ),
            Guard::Approval(id, at) => is(
                "SELECT 1 FROM approval WHERE id = ?1 AND version = ?2",
                id.as_bytes(),
                *at,
            ),
            Guard::NoToken(id) => {
                let sql = "SELECT 1 FROM api_token WHERE principal = ?1 AND revoked_at IS NULL";
                Ok(!self.connection.prepare_cached(sql)?.exists([id.as_bytes()])?)
            }
            Guard::Token(id) => {
                let sql = "SELECT 1 FROM api_token WHERE id = ?1 AND revoked_at IS NULL";
                Ok(self.connection.prepare_cached(sql)?.exists([id.as_bytes()])?)
            }
        }
    }

    fn write(&self, write: &Write, index: u64) -> Outcome {
        match write {
            Write::Department(row) => self.department(row),
            Write::Principal(row) => self.principal(row),
            Write::Token(row) => self.token(row),
            Write::RevokeToken(row) => self.revoke_token(row),
            Write::Caller(row) => self.caller(row),
            Write::Field(row) => self.field(row),
            Write::Index(row) => self.index(row),
            Write::Unindex(caller, field) => self.unindex(caller, field),
            Write::Ticket(row) => self.ticket(row),
            Write::Custody(row) => self.custody(row),
            Write::Reference(row) => self.reference(row),
            Write::Replay(row) => self.replay(row, index),
            Write::Approval(row) => self.approval(row),
            Write::DropBodies(below) => {
                let sql = "UPDATE log_entry SET body = x'' WHERE idx < ?1 AND body <> x''";
                Ok(self.change(sql, params![signed(*below)?])?.map(drop))
            }
            Write::NextLog if index == 0 => Ok(Ok(self.next_log()?)),
            Write::NextLog => Ok(Err(Conflict::Stale)),
        }
    }

    /// Makes room for a log that follows this one; nothing of this one is lost.
    fn next_log(&self) -> Result<()> {
        Ok(self.connection.execute_batch(
            "INSERT INTO past_log SELECT (SELECT COUNT(*) + 1 FROM past_log), size, root, checkpoint FROM log_head;
             INSERT INTO past_entry SELECT (SELECT COUNT(*) FROM past_log), idx, body, leaf_hash FROM log_entry;
             DELETE FROM log_entry;
             DELETE FROM log_tile;",
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

    /// Version 1 is inserted; a later version replaces the one before it or is stale.
    fn versioned(&self, version: u64, insert: &str, update: &str, params: impl Params) -> Outcome {
        if version == 1 {
            self.run(insert, params)
        } else {
            self.replace(update, params)
        }
    }

    fn department(&self, row: &DepartmentRow) -> Outcome {
        self.versioned(
            row.version,
            "INSERT INTO department VALUES (?1, ?2, ?3, ?4, ?5)",
            "UPDATE department SET name = ?2, kind = ?3, version = ?4, mac = ?5 WHERE code = ?1 AND version = ?4 - 1",
            params![
                row.code.as_str(),
                row.name,
                row.kind.as_str(),
                signed(row.version)?,
                row.mac
            ],
        )
    }

    fn principal(&self, row: &PrincipalRow) -> Outcome {
        self.versioned(
            row.version,
            "INSERT INTO principal VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            "UPDATE principal SET account = ?2, department = ?3, kind = ?4, roles = ?5, active = ?6, created_by = ?7,
                version = ?8, mac = ?9 WHERE id = ?1 AND version = ?8 - 1",
            params![
                row.id.as_bytes(),
                row.account,
                row.department.as_str(),
                row.kind.as_str(),
                row.roles.to_words(),
                row.active,
                row.created_by.as_ref().map(|id| id.as_bytes().as_slice()),
                signed(row.version)?,
                row.mac,
            ],
        )
    }

    fn token(&self, row: &TokenRow) -> Outcome {
        self.run(
            "INSERT INTO api_token VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id.as_bytes(),
                row.hash,
                row.principal.as_bytes(),
                row.created_at.as_millisecond(),
                row.expires_at.map(Timestamp::as_millisecond),
                row.revoked_at.map(Timestamp::as_millisecond),
                row.mac,
            ],
        )
    }

    fn revoke_token(&self, row: &TokenRow) -> Outcome {
        let sql = "UPDATE api_token SET revoked_at = ?2, mac = ?3 WHERE id = ?1 AND revoked_at IS NULL";
        let params = params![
            row.id.as_bytes(),
            row.revoked_at.map(Timestamp::as_millisecond),
            row.mac
        ];
        self.replace(sql, params)
    }

    fn caller(&self, row: &CallerRow) -> Outcome {
        self.versioned(
            row.version,
            "INSERT INTO caller VALUES (?1, ?2, ?3, ?4, ?5)",
            "UPDATE caller SET created_at = ?2, fields = ?3, version = ?4, mac = ?5 WHERE id = ?1 AND version = ?4 - 1",
            params![
                row.id.as_bytes(),
                row.created_at.as_millisecond(),
                row.fields.join(" "),
                signed(row.version)?,
                row.mac
            ],
        )
    }

    fn field(&self, row: &FieldRow) -> Outcome {
        self.run(
            "INSERT INTO sealed_field VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (record_kind, record, field) DO UPDATE SET sealed = excluded.sealed",
            params![row.record.kind().as_str(), row.record.as_bytes(), row.field, row.sealed],
        )
    }

    fn index(&self, row: &IndexRow) -> Outcome {
        self.run(
            "INSERT INTO blind_index VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                row.index,
                row.value,
                row.caller.as_bytes(),
                row.field,
                row.certain,
                row.mac
            ],
        )
    }

    fn ticket(&self, row: &TicketRow) -> Outcome {
        self.versioned(
            row.version,
            "INSERT INTO ticket VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
            "UPDATE ticket SET no = ?2, caller = ?3, kind = ?4, category = ?5, township = ?6, channel = ?7, state = ?8,
                holder = ?9, origin = ?10, taken_by = ?11, confidential = ?12, received_at = ?13, created_at = ?14,
                version = ?15, mac = ?16 WHERE id = ?1 AND version = ?15 - 1",
            params![
                row.id.as_bytes(),
                row.no.as_str(),
                row.caller.as_bytes(),
                row.kind.as_str(),
                row.category,
                row.township,
                row.channel.as_str(),
                row.state.as_str(),
                row.holder.as_str(),
                row.origin.as_str(),
                row.taken_by.as_bytes(),
                row.confidential,
                row.received_at.as_millisecond(),
                row.created_at.as_millisecond(),
                signed(row.version)?,
                row.mac,
            ],
        )
    }

    fn custody(&self, row: &CustodyRow) -> Outcome {
        self.run(
            "INSERT INTO custody VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.ticket.as_bytes(),
                signed(row.version)?,
                row.state.as_str(),
                row.holder.as_str(),
                row.actor.as_bytes(),
                row.at.as_millisecond(),
                row.mac,
            ],
        )
    }

    /// Two askers may mint the same reference at once, each with a seal of its own: the first one's row stands for both.
    fn reference(&self, row: &ReferenceRow) -> Outcome {
        let sql = "INSERT INTO reference VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
        let params = params![
            row.department.as_str(),
            row.kind.as_str(),
            row.version,
            signed(row.body)?,
            row.sealed_id
        ];
        Ok(self.change(sql, params)?.map(|_| ()))
    }

    fn unindex(&self, caller: &CallerId, field: &str) -> Outcome {
        let sql = "DELETE FROM blind_index WHERE caller = ?1 AND field = ?2";
        Ok(self.change(sql, params![caller.as_bytes(), field])?.map(|_| ()))
    }

    fn approval(&self, row: &ApprovalRow) -> Outcome {
        let about = serde_json::to_string(&row.about).map_err(|_| StoreError::Corrupt("approval"))?;
        self.versioned(
            row.version,
            "INSERT INTO approval VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            "UPDATE approval SET action = ?2, subject = ?3, about = ?4, request = ?5, asker = ?6, approver = ?7,
                state = ?8, created_at = ?9, expires_at = ?10, version = ?11, mac = ?12
             WHERE id = ?1 AND version = ?11 - 1",
            params![
                row.id.as_bytes(),
                row.action.as_str(),
                row.subject.map(|subject| subject.to_string()),
                about,
                row.request,
                row.asker.as_bytes(),
                row.approver.as_ref().map(|id| id.as_bytes().as_slice()),
                row.state.as_str(),
                row.created_at.as_millisecond(),
                row.expires_at.as_millisecond(),
                signed(row.version)?,
                row.mac,
            ],
        )
    }

    fn replay(&self, row: &ReplayRow, index: u64) -> Outcome {
        self.run(
            "INSERT INTO replay VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                row.principal.as_bytes(),
                row.key,
                row.request,
                row.answer,
                row.req,
                row.created_at.as_millisecond(),
                signed(index)?,
                row.mac,
            ],
        )
    }
}

impl DataWriter for SqliteWriter {
    fn begin(&mut self) -> Result<()> {
        Ok(self.connection.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn attempt(&mut self, guards: &[Guard], writes: &[Write], index: u64) -> Outcome {
        if writes.is_empty() {
            return self.jobs(guards, writes, index);
        }
        self.connection.prepare_cached("SAVEPOINT job")?.execute([])?;
        let outcome = self.jobs(guards, writes, index)?;
        if outcome.is_err() {
            self.connection.prepare_cached("ROLLBACK TO job")?.execute([])?;
        }
        self.connection.prepare_cached("RELEASE job")?.execute([])?;
        Ok(outcome)
    }

    fn append(&mut self, entries: &[EntryRow], tiles: &[Tile], head: &HeadRow) -> Result<()> {
        let mut entry = self
            .connection
            .prepare_cached("INSERT INTO log_entry VALUES (?1, ?2, ?3)")?;
        for row in entries {
            one(entry.execute(params![signed(row.index)?, row.body, row.leaf_hash.as_bytes()])?)?;
        }
        let mut tile = self
            .connection
            .prepare_cached("INSERT INTO log_tile VALUES (?1, ?2, ?3, ?4)")?;
        for row in tiles {
            one(tile.execute(params![row.level, signed(row.index)?, row.root.as_bytes(), row.hashes])?)?;
        }
        put_head(&self.connection, head)
    }

    fn commit(&mut self) -> Result<()> {
        Ok(self.connection.execute_batch("COMMIT")?)
    }

    fn rollback(&mut self) {
        // Without an open transaction there is nothing to undo, and SQLite has undone what it could not write.
        if !self.connection.is_autocommit() && self.connection.execute_batch("ROLLBACK").is_err() {
            tracing::error!("a transaction could not be rolled back");
        }
    }
}

impl Drop for SqliteWriter {
    fn drop(&mut self) {
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

pub(super) fn put_head(connection: &Connection, head: &HeadRow) -> Result<()> {
    let sql = "INSERT INTO log_head VALUES (1, ?1, ?2, ?3, ?4) ON CONFLICT (one) DO UPDATE SET
               size = excluded.size, root = excluded.root, frontier = excluded.frontier, checkpoint = excluded.checkpoint";
    let params = params![signed(head.size)?, head.root.as_bytes(), head.frontier, head.checkpoint];
    one(connection.prepare_cached(sql)?.execute(params)?)
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
            vault: [1; 16],
            origin: "test.invalid/log/1".to_owned(),
        };
        let head = HeadRow {
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
