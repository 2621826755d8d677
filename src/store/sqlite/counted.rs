//! A connection that counts the statements run on it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{CachedStatement, Connection};

/// How many statements have been run on the connections that share it.
#[derive(Clone, Default)]
pub(super) struct Statements(Arc<AtomicU64>);

impl Statements {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A connection whose statements count. Work that only opening, checking or closing a store does goes to the connection inside
/// and does not.
pub(super) struct Counted {
    connection: Connection,
    statements: Statements,
}

impl Counted {
    pub(super) const fn new(connection: Connection, statements: Statements) -> Self {
        Self { connection, statements }
    }

    /// As [`Connection::prepare_cached`].
    pub(super) fn prepare_cached(&self, sql: &str) -> rusqlite::Result<CachedStatement<'_>> {
        self.statements.one_more();
        self.connection.prepare_cached(sql)
    }
}

impl Deref for Counted {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Counted {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
