//! What a test writes into columns and reads out of them.

use callervault::store::rows::{Cell, Column};

/// An id as the stores have it.
pub(crate) fn id(text: &str) -> Cell {
    Cell::Bytes(data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap())
}

/// A value that a test writes into a column.
pub(crate) trait IntoCell {
    fn into_cell(self) -> Cell;
}

impl IntoCell for Cell {
    fn into_cell(self) -> Cell {
        self
    }
}

impl IntoCell for i64 {
    fn into_cell(self) -> Cell {
        Cell::Int(self)
    }
}

impl IntoCell for &str {
    fn into_cell(self) -> Cell {
        Cell::Text(self.to_owned())
    }
}

impl IntoCell for &[u8] {
    fn into_cell(self) -> Cell {
        Cell::Bytes(self.to_vec())
    }
}

impl<const N: usize> IntoCell for [u8; N] {
    fn into_cell(self) -> Cell {
        Cell::Bytes(self.to_vec())
    }
}

/// Several columns of a row.
pub(crate) trait FromCells {
    fn from_cells(cells: impl Iterator<Item = Cell>) -> Self;
}

pub(crate) fn value<T: Column>(cell: Option<Cell>) -> T {
    let cell = cell.expect("a column");
    T::from_cell(cell.clone()).unwrap_or_else(|| unreachable!("{cell:?} is of another kind"))
}

macro_rules! several {
    ($($column:ident),+) => {
        impl<$($column: Column),+> FromCells for ($($column,)+) {
            fn from_cells(mut cells: impl Iterator<Item = Cell>) -> Self {
                ($(value::<$column>(cells.next()),)+)
            }
        }
    };
}
several!(A, B);
several!(A, B, C);
several!(A, B, C, D);
several!(A, B, C, D, E);
