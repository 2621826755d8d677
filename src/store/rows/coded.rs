//! Rows that decide something: they are not sealed, and carry a keyed code over every column instead.
//!
//! A store hands out [`Coded`], which shows nothing. Only the keyring makes a [`Genuine`] row of it, after checking the code, or
//! of a new row, by making one. Decisions and writes take genuine rows alone. `clippy.toml` keeps [`Coded::unchecked`] and
//! [`Genuine::attested`] to the keyring and to `fsck`.

use std::ops::Deref;
use std::sync::Arc;

use ring::digest::{SHA256, digest};

use super::cell::{Cell, Column};
use super::table::{Columns, FromColumns, NewRow, Row, Table, next};
use crate::model::code::Code;
use crate::store::{Result, Write};

/// A row that carries a code.
pub trait Protected: Row {
    /// The place in a leaf's digest that the row fills; nothing where the log does not follow the row.
    fn place(&self) -> Option<String>;
}

/// What a code covers: the table and every declared column, in one buffer.
#[must_use]
pub fn encoding<R: Row>(row: &R) -> Vec<u8> {
    encoding_of(R::table(), &row.cells())
}

/// As [`encoding`], of a row's columns.
#[must_use]
pub fn encoding_of(table: &Table, columns: &[Cell]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(256);
    Cell::Text(table.name.to_owned()).encode(&mut bytes);
    for cell in columns {
        cell.encode(&mut bytes);
    }
    bytes
}

/// A row of any table with codes, column by column: for work that goes through all of them. Nobody has checked its code.
pub struct Stored {
    table: &'static Table,
    columns: Vec<Cell>,
    code: Code,
}

impl Stored {
    /// Takes its columns.
    ///
    /// # Errors
    /// [`crate::store::StoreError::Corrupt`] for what no version of the vault writes.
    pub(in crate::store) fn read(table: &'static Table, columns: &mut dyn Columns) -> Result<Self> {
        Ok(Self {
            table,
            columns: table.columns.iter().map(|_| columns.take()).collect::<Result<_>>()?,
            code: next(columns, table.name)?,
        })
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// What a code of it covers.
    #[must_use]
    pub fn encoding(&self) -> Vec<u8> {
        encoding_of(self.table, &self.columns)
    }

    /// Its key.
    #[must_use]
    pub fn key(&self) -> &[Cell] {
        self.columns.get(..self.table.key).unwrap_or_default()
    }

    /// The same row with another code, if it still carries this one.
    #[must_use]
    pub fn recode(&self, code: &Code) -> Write {
        let mut cells = self.key().to_vec();
        cells.extend([self.code.cell(), code.cell()]);
        Write::Recode {
            table: self.table,
            cells,
        }
    }
}

/// A row as a store has it: nobody has checked its code.
pub struct Coded<R> {
    row: R,
    code: Code,
    leaf: Option<u64>,
}

impl<R: Protected> FromColumns for Coded<R> {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        let table = R::table();
        Ok(Self {
            row: R::read(columns)?,
            code: next(columns, table.name)?,
            leaf: table.at_leaf.then(|| next(columns, table.name)).transpose()?,
        })
    }
}

impl<R> Coded<R> {
    /// The row as it stands, its code, and the position of its leaf. Whoever takes it apart checks the code.
    pub(crate) fn unchecked(self) -> (R, Code, Option<u64>) {
        (self.row, self.code, self.leaf)
    }
}

/// A row as the vault wrote it. An older row put back passes too: `fsck` finds it by its digest. Cheap to clone: the row is
/// shared.
#[derive(Debug)]
pub struct Genuine<R> {
    row: Arc<R>,
    code: Code,
    leaf: Option<u64>,
}

impl<R: Protected> Genuine<R> {
    /// Made by the keyring alone, once the code is known to be the row's.
    pub(crate) fn attested(row: R, code: Code, leaf: Option<u64>) -> Self {
        let row = Arc::new(row);
        Self { row, code, leaf }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// Where the row says its leaf is; the code does not cover that. Nothing for tables without such a column, and before the
    /// row is written.
    #[must_use]
    pub const fn leaf(&self) -> Option<u64> {
        self.leaf
    }

    /// The columns, to be changed into another row.
    #[must_use]
    pub fn into_row(self) -> R
    where
        R: Clone,
    {
        Arc::unwrap_or_clone(self.row)
    }

    /// The key, as the first columns have it.
    pub(in crate::store) fn key(&self) -> Vec<Cell> {
        let mut cells = self.row.cells();
        cells.truncate(R::table().key);
        cells
    }
}

impl<R> Clone for Genuine<R> {
    fn clone(&self) -> Self {
        Self {
            row: Arc::clone(&self.row),
            ..*self
        }
    }
}

impl<R> Deref for Genuine<R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.row
    }
}

impl<R: Protected> From<Genuine<R>> for NewRow {
    fn from(row: Genuine<R>) -> Self {
        let mut cells = row.row.cells();
        cells.push(row.code.cell());
        Self {
            table: R::table(),
            cells,
            version: row.row.version(),
            digest: row.row.place().map(|place| (place, row_digest(&*row.row))),
        }
    }
}

/// SHA-256 of a row's columns. It does not change when the row gets a code under a newer key. Every row that has a place in the
/// log holds a random id, so that nobody learns the others by trying.
#[must_use]
pub fn row_digest<R: Row>(row: &R) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &encoding(row)).as_ref());
    hash
}
