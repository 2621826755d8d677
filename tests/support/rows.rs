//! What stands in the stores, read and edited past the vault, as a database administrator may. No other test opens a database or
//! knows its language, but those whose subject that is (`structure.rs` has their names): a second database changes this file.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use callervault::keyring::{Keyring, unlock};
use callervault::randomness;
use callervault::store::KeyStore;
use callervault::store::rows::{Cell, Column};
use callervault::store::sqlite::SqliteKeys;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, params_from_iter};

pub(crate) use crate::support::cells::id;
use crate::support::cells::{FromCells, IntoCell, value};
use crate::support::{World, passphrase};

/// A store that somebody opened beside the vault.
pub(crate) struct Store {
    database: Connection,
}

/// Something that is done to a store.
pub(crate) type Edit = fn(&Store);

impl World {
    /// The data store.
    pub(crate) fn data(&self) -> Store {
        Store::open(&self.places.data)
    }

    /// The key store.
    pub(crate) fn keys(&self) -> Store {
        Store::open(&self.places.keys)
    }

    /// The vault's keys, while nobody else has the key store.
    pub(crate) async fn keyring(&self) -> Keyring {
        let keys = SqliteKeys::open(&self.places.keys).unwrap();
        let origin = keys.vault().await.unwrap().origin;
        let (ways, rows) = (keys.unlocks().await.unwrap(), keys.keyring().await.unwrap());
        unlock::unlock(&origin, &passphrase(), &ways, &rows, Arc::new(randomness::System)).unwrap()
    }

    /// Nothing of a store stands beside its file any more: what was written is in the file that a test copies.
    pub(crate) fn settle(&self) {
        for store in [self.data(), self.keys()] {
            let busy: i64 = store
                .database
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .unwrap();
            assert_eq!(busy, 0, "nobody else has the store");
        }
    }
}

/// The data store as it was.
#[derive(PartialEq, Eq)]
pub(crate) struct Backup(Vec<u8>);

impl World {
    /// The data store, while nobody else has it.
    pub(crate) fn backup(&self) -> Backup {
        self.settle();
        Backup(std::fs::read(&self.places.data).unwrap())
    }

    /// Puts the data store back to what it was.
    pub(crate) fn restore(&self, backup: &Backup) {
        self.settle();
        std::fs::write(&self.places.data, &backup.0).unwrap();
    }
}

impl Store {
    /// The store in this file, which is there.
    pub(crate) fn open(path: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        let database = Connection::open_with_flags(path, flags).unwrap();
        // Who edits rows does not mind what refers to them.
        database.pragma_update(None, "foreign_keys", false).unwrap();
        Self { database }
    }

    /// As `open`, and nothing can be written.
    pub(crate) fn open_to_read(path: &Path) -> Self {
        let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        Self { database }
    }

    /// The rows of a table, all of them.
    pub(crate) fn rows(&self, table: &'static str) -> Rows<'_> {
        Rows {
            store: self,
            table,
            conditions: Vec::new(),
        }
    }

    /// From now on nobody else can write, until this is let go or given up.
    pub(crate) fn hold(&self) {
        self.database.execute_batch("BEGIN IMMEDIATE").unwrap();
    }

    /// From now on this goes on seeing what is there now, as a long read does, until it is let go.
    pub(crate) fn look(&self) {
        self.database.execute_batch("BEGIN").unwrap();
        let sql = "SELECT COUNT(*) FROM sqlite_schema";
        let _: i64 = self.database.query_row(sql, [], |row| row.get(0)).unwrap();
    }

    /// What was written since it was held stands, and others can write.
    pub(crate) fn let_go(&self) {
        self.database.execute_batch("COMMIT").unwrap();
    }

    /// What was written since it was held is gone, and others can write.
    pub(crate) fn give_up(&self) {
        self.database.execute_batch("ROLLBACK").unwrap();
    }

    /// Removes a table.
    pub(crate) fn without(&self, table: &str) {
        self.database.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }

    /// The names of a table's columns.
    pub(crate) fn columns(&self, table: &str) -> Vec<String> {
        let mut names = self.database.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
        let names = names.query_map([table], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    }

    /// Whether the database keeps a table's rows in the order in which they were made.
    pub(crate) fn keeps_order(&self, table: &str) -> bool {
        self.database.prepare(&format!("SELECT rowid FROM {table}")).is_ok()
    }

    /// Everything: the rows of each table as text.
    pub(crate) fn everything(&self) -> BTreeMap<String, Vec<String>> {
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
        let mut names = self.database.prepare(names).unwrap();
        let names = names.query_map([], |row| row.get(0)).unwrap();
        let table = |name: String| {
            let cells = self.cells(&format!("SELECT * FROM {name}"), &[]);
            let mut rows: Vec<String> = cells.iter().map(|row| format!("{row:?}")).collect();
            rows.sort();
            (name, rows)
        };
        names.map(|name| table(name.unwrap())).collect()
    }

    fn cells(&self, sql: &str, with: &[Cell]) -> Vec<Vec<Cell>> {
        let mut statement = self.database.prepare(sql).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query(params_from_iter(with)).unwrap();
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            let cell = |at| match row.get(at).unwrap() {
                Value::Null => Cell::Null,
                Value::Integer(number) => Cell::Int(number),
                Value::Text(text) => Cell::Text(text),
                Value::Blob(bytes) => Cell::Bytes(bytes),
                Value::Real(number) => unreachable!("{number} is in no column"),
            };
            found.push((0..columns).map(cell).collect());
        }
        found
    }

    /// How many rows changed.
    fn change(&self, sql: &str, with: &[Cell]) -> usize {
        let changed = self.database.execute(sql, params_from_iter(with)).unwrap();
        assert!(changed > 0, "nothing was changed: {sql}");
        changed
    }
}

/// Some rows of a table.
#[derive(Clone)]
pub(crate) struct Rows<'s> {
    store: &'s Store,
    table: &'static str,
    /// Column, comparison and value.
    conditions: Vec<(&'static str, &'static str, Cell)>,
}

impl Rows<'_> {
    fn only(mut self, column: &'static str, compared: &'static str, value: impl IntoCell) -> Self {
        self.conditions.push((column, compared, value.into_cell()));
        self
    }

    /// Of these the rows with this value.
    pub(crate) fn of(self, column: &'static str, value: impl IntoCell) -> Self {
        self.only(column, "=", value)
    }

    /// Of these the rows with another value.
    pub(crate) fn except(self, column: &'static str, value: impl IntoCell) -> Self {
        self.only(column, "!=", value)
    }

    /// Of these the rows with this value or a larger one.
    pub(crate) fn from(self, column: &'static str, value: impl IntoCell) -> Self {
        self.only(column, ">=", value)
    }

    /// Of these the rows with a smaller value.
    pub(crate) fn below(self, column: &'static str, value: impl IntoCell) -> Self {
        self.only(column, "<", value)
    }

    /// Of these the last, by a column of numbers.
    pub(crate) fn last(self, column: &'static str) -> Self {
        let last = self.column(column).into_iter().max();
        let last: u64 = last.expect("a row");
        self.of(column, Cell::Int(last.try_into().unwrap()))
    }

    /// What these rows are told by, and its values. `taken` parameters come before them.
    fn told_by(&self, taken: usize) -> (String, Vec<Cell>) {
        let mut told = String::from(" WHERE 1 = 1");
        for (at, (column, compared, _)) in self.conditions.iter().enumerate() {
            told += &format!(" AND {column} {compared} ?{}", taken + at + 1);
        }
        (
            told,
            self.conditions.iter().map(|(_, _, value)| value.clone()).collect(),
        )
    }

    fn listed(&self, columns: &str) -> Vec<Vec<Cell>> {
        let (told, values) = self.told_by(0);
        self.store
            .cells(&format!("SELECT {columns} FROM {}{told}", self.table), &values)
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.listed("1").len()
    }

    /// One column of each.
    pub(crate) fn column<T: Column>(&self, name: &str) -> Vec<T> {
        let rows = self.listed(name);
        rows.into_iter().map(|row| value(row.into_iter().next())).collect()
    }

    /// A column of the first.
    pub(crate) fn first<T: Column>(&self, name: &str) -> T {
        let mut all = self.column(name);
        assert!(!all.is_empty(), "{} has no such row", self.table);
        all.swap_remove(0)
    }

    /// Some columns of each.
    pub(crate) fn read<T: FromCells, const N: usize>(&self, columns: [&str; N]) -> Vec<T> {
        let rows = self.listed(&columns.join(", "));
        rows.into_iter().map(|row| T::from_cells(row.into_iter())).collect()
    }

    /// The cells of the first.
    pub(crate) fn cells(&self, columns: &str) -> Vec<Cell> {
        self.listed(columns).swap_remove(0)
    }

    /// Sets a column of each, and says of how many.
    pub(crate) fn set(&self, column: &str, value: impl IntoCell) -> usize {
        let (told, values) = self.told_by(1);
        let with = [vec![value.into_cell()], values].concat();
        let sql = format!("UPDATE {} SET {column} = ?1{told}", self.table);
        self.store.change(&sql, &with)
    }

    /// Adds to a column of each.
    pub(crate) fn add(&self, column: &str, number: i64) {
        let (told, values) = self.told_by(1);
        let with = [vec![Cell::Int(number)], values].concat();
        let sql = format!("UPDATE {} SET {column} = {column} + ?1{told}", self.table);
        self.store.change(&sql, &with);
    }

    /// Deletes them, and says how many.
    pub(crate) fn delete(&self) -> usize {
        let (told, values) = self.told_by(0);
        self.store.change(&format!("DELETE FROM {}{told}", self.table), &values)
    }

    /// The first of them alone, as it stands.
    pub(crate) fn kept_first(&self) -> Kept {
        let mut kept = self.kept();
        kept.rows.truncate(1);
        kept
    }

    /// They as they stand, to be put back.
    pub(crate) fn kept(&self) -> Kept {
        let columns = self.store.columns(self.table);
        let rows = self.listed(&columns.join(", "));
        Kept {
            table: self.table,
            columns,
            rows,
        }
    }
}

/// Rows as they stood, whole.
pub(crate) struct Kept {
    table: &'static str,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Kept {
    /// With another value in a column.
    pub(crate) fn with(mut self, column: &str, value: impl IntoCell) -> Self {
        let at = self.columns.iter().position(|one| one == column).unwrap();
        let value = value.into_cell();
        for row in &mut self.rows {
            row[at] = value.clone();
        }
        self
    }
}

impl Store {
    /// Puts rows that were kept in the place of all that the table has now.
    pub(crate) fn put_back(&self, kept: &Kept) {
        self.database
            .execute_batch(&format!("DELETE FROM {}", kept.table))
            .unwrap();
        self.insert(kept);
    }

    /// Puts down that a record's key is to go with the erasure of a caller.
    pub(crate) fn doom(&self, kind: &str, record: &[u8], subject: &str) {
        let cells = [kind.into_cell(), record.into_cell(), subject.into_cell()];
        self.put("doomed_key", "record_kind, record, subject", &cells);
    }

    /// Inserts rows that were kept.
    pub(crate) fn insert(&self, kept: &Kept) {
        for row in &kept.rows {
            self.put(kept.table, &kept.columns.join(", "), row);
        }
    }

    fn put(&self, table: &str, columns: &str, cells: &[Cell]) {
        let places: Vec<String> = (1..=cells.len()).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT INTO {table} ({columns}) VALUES ({})", places.join(", "));
        self.change(&sql, cells);
    }
}
