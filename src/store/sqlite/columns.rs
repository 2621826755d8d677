//! Between SQLite's values and [`Cell`]s.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Row, ToSql, params_from_iter};

use crate::store::rows::{Cell, Columns, FromColumns};
use crate::store::{Result, StoreError};

/// The columns of one row, one after the other.
pub(super) struct SqliteColumns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> SqliteColumns<'r, 's> {
    pub(super) const fn new(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }
}

impl Columns for SqliteColumns<'_, '_> {
    fn take(&mut self) -> Result<Cell> {
        let corrupt = StoreError::Corrupt("a column");
        let Ok(value) = self.row.get_ref(self.next) else {
            return Err(corrupt);
        };
        self.next += 1;
        Ok(match value {
            ValueRef::Null => Cell::Null,
            ValueRef::Integer(number) => Cell::Int(number),
            ValueRef::Text(text) => Cell::Text(str::from_utf8(text).map_err(|_| corrupt)?.to_owned()),
            ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
            ValueRef::Real(_) => return Err(corrupt),
        })
    }
}

/// One row as a value.
pub(super) fn value<T: FromColumns>(row: &Row<'_>) -> Result<T> {
    T::from_columns(&mut SqliteColumns::new(row))
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// Cells as the parameters of a statement.
pub(super) fn parameters(cells: &[Cell]) -> impl rusqlite::Params {
    params_from_iter(cells)
}
