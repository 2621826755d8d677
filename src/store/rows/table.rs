//! A table is declared once, by [`table!`]: from the declaration come the row's type, what its code covers, how it is read
//! and written in every database, and the statements by which it is looked up.
//!
//! Placeholders are `?1`, `?2` …; a statement is made from its parts the first time it is used.

use std::sync::OnceLock;

use super::cell::{Cell, Column, One};
pub use super::statement::{Read, Statement};
use crate::store::{Result, StoreError};

/// How a row gets into its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Once; a second one with its key is a conflict.
    Once,
    /// Version 1 once; a later version in place of the one before it, or it is stale.
    Versioned,
    /// In place of what stood there.
    Over,
    /// Where there is none yet; another with its key stands for both.
    Unless,
}

/// A table.
pub struct Table {
    /// Its name, which is part of what a row's code covers.
    pub name: &'static str,
    /// What a row declares, in order; the key comes first.
    pub columns: &'static [&'static str],
    /// How many of them are the key.
    pub key: usize,
    /// How a row gets in.
    pub put: Put,
    /// Whether a row carries a code over its columns, in a column `mac`.
    pub coded: bool,
    /// Whether the writer adds the position of the leaf that goes with the row, in a column `leaf_index` that no code covers.
    pub at_leaf: bool,
    /// The statements by which it is read.
    pub reads: &'static [&'static Statement],
    insert: OnceLock<String>,
    update: OnceLock<String>,
    unchanged: OnceLock<String>,
    walk: [OnceLock<String>; 3],
    recode: OnceLock<String>,
}

impl Table {
    /// For [`table!`].
    pub(super) const fn new(
        name: &'static str,
        columns: &'static [&'static str],
        key: usize,
        put: Put,
        [coded, at_leaf]: [bool; 2],
        reads: &'static [&'static Statement],
    ) -> Self {
        Self {
            name,
            columns,
            key,
            put,
            coded,
            at_leaf,
            reads,
            insert: OnceLock::new(),
            update: OnceLock::new(),
            unchanged: OnceLock::new(),
            walk: [const { OnceLock::new() }; 3],
            recode: OnceLock::new(),
        }
    }

    /// Every column that is stored, in order.
    fn stored(&self) -> impl Iterator<Item = &'static str> {
        let code = self.coded.then_some("mac");
        let leaf = self.at_leaf.then_some("leaf_index");
        self.columns.iter().copied().chain(code).chain(leaf)
    }

    /// The stored columns as a statement lists them, each after `of` (an alias with its dot, or nothing).
    #[must_use]
    pub fn list(&self, of: &str) -> String {
        let columns: Vec<String> = self.stored().map(|column| format!("{of}{column}")).collect();
        columns.join(", ")
    }

    fn numbered(&self) -> impl Iterator<Item = (usize, &'static str)> {
        (1..).zip(self.stored())
    }

    pub(super) fn joined(parts: impl Iterator<Item = String>, between: &str) -> String {
        parts.collect::<Vec<_>>().join(between)
    }

    /// Adds a row; its stored columns are the parameters.
    pub fn insert(&self) -> &str {
        self.insert.get_or_init(|| {
            let places = Self::joined(self.numbered().map(|(n, _)| format!("?{n}")), ", ");
            let keys = self.columns.get(..self.key).unwrap_or_default().join(", ");
            let change = match self.put {
                Put::Once | Put::Versioned => String::new(),
                Put::Unless => format!(" ON CONFLICT ({keys}) DO NOTHING"),
                Put::Over => {
                    let rest = self.numbered().skip(self.key);
                    let sets = Self::joined(rest.map(|(_, column)| format!("{column} = excluded.{column}")), ", ");
                    format!(" ON CONFLICT ({keys}) DO UPDATE SET {sets}")
                }
            };
            format!(
                "INSERT INTO {} ({}) VALUES ({places}){change}",
                self.name,
                self.list("")
            )
        })
    }

    /// Puts a version in place of the one before it; its stored columns are the parameters.
    pub fn update(&self) -> &str {
        self.update.get_or_init(|| {
            let rest = self.numbered().skip(self.key);
            let sets = Self::joined(rest.map(|(n, column)| format!("{column} = ?{n}")), ", ");
            let keys = Self::joined(self.keys(), " AND ");
            let version = self.numbered().find(|(_, column)| *column == "version");
            let version = version.map_or(0, |(n, _)| n);
            format!(
                "UPDATE {} SET {sets} WHERE {keys} AND version = ?{version} - 1",
                self.name
            )
        })
    }

    /// Whether the row with this key still carries this code; key and code are the parameters.
    pub fn unchanged(&self) -> &str {
        self.unchanged.get_or_init(|| {
            let keys = Self::joined(self.keys(), " AND ");
            format!("SELECT 1 FROM {} WHERE {keys} AND mac = ?{}", self.name, self.key + 1)
        })
    }

    /// One row by its key, which is the parameters.
    pub fn by_key(&self) -> &str {
        let [by_key, ..] = &self.walk;
        by_key.get_or_init(|| {
            let keys = Self::joined(self.keys(), " AND ");
            format!("SELECT {} FROM {} WHERE {keys}", self.list(""), self.name)
        })
    }

    /// The first rows in the order of the key. The parameter is how many.
    pub fn first(&self) -> &str {
        let [_, first, _] = &self.walk;
        first.get_or_init(|| {
            let keys = self.columns.get(..self.key).unwrap_or_default().join(", ");
            format!("SELECT {} FROM {} ORDER BY {keys} LIMIT ?1", self.list(""), self.name)
        })
    }

    /// The rows that follow a key, in its order. The parameters are the key and how many.
    pub fn following(&self) -> &str {
        let [.., following] = &self.walk;
        following.get_or_init(|| {
            let keys = self.columns.get(..self.key).unwrap_or_default().join(", ");
            let places = Self::joined((1..=self.key).map(|n| format!("?{n}")), ", ");
            let (list, limit) = (self.list(""), self.key + 1);
            format!(
                "SELECT {list} FROM {} WHERE ({keys}) > ({places}) ORDER BY {keys} LIMIT ?{limit}",
                self.name
            )
        })
    }

    /// Gives a row that still carries a code another one; key, code and new code are the parameters.
    pub fn recode(&self) -> &str {
        self.recode.get_or_init(|| {
            let keys = Self::joined(self.keys(), " AND ");
            let (old, new) = (self.key + 1, self.key + 2);
            format!("UPDATE {} SET mac = ?{new} WHERE {keys} AND mac = ?{old}", self.name)
        })
    }

    fn keys(&self) -> impl Iterator<Item = String> {
        self.numbered()
            .take(self.key)
            .map(|(n, column)| format!("{column} = ?{n}"))
    }
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The columns of one row that was read, taken one after the other.
pub trait Columns {
    /// The next column.
    ///
    /// # Errors
    /// Where there is none, or of a kind that no version of the vault writes.
    fn take(&mut self) -> Result<Cell>;
}

/// The next column as a value of its type.
///
/// # Errors
/// [`StoreError::Corrupt`] for what no version of the vault writes there.
pub fn next<T: Column>(columns: &mut dyn Columns, table: &'static str) -> Result<T> {
    T::from_cell(columns.take()?).ok_or(StoreError::Corrupt(table))
}

/// What a statement's rows are made into.
pub trait FromColumns: Sized {
    /// Takes its columns.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for what no version of the vault writes.
    fn from_columns(columns: &mut dyn Columns) -> Result<Self>;
}

impl<A: FromColumns, B: FromColumns> FromColumns for (A, B) {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        Ok((A::from_columns(columns)?, B::from_columns(columns)?))
    }
}

impl<A: FromColumns, B: FromColumns, C: FromColumns> FromColumns for (A, B, C) {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        Ok((
            A::from_columns(columns)?,
            B::from_columns(columns)?,
            C::from_columns(columns)?,
        ))
    }
}

impl FromColumns for One {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        next(columns, "a count")
    }
}

/// A row of a declared table.
pub trait Row: Sized + Send + Sync + 'static {
    /// Its table.
    fn table() -> &'static Table;

    /// Its declared columns, in order.
    fn cells(&self) -> Vec<Cell>;

    /// Takes its declared columns.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] for what no version of the vault writes.
    fn read(columns: &mut dyn Columns) -> Result<Self>;

    /// 1 when made, one more at each change; nothing where a row never changes.
    fn version(&self) -> Option<u64> {
        None
    }
}

/// A row to be put into its table: its code has been made, or its seal.
pub struct NewRow {
    /// Where to.
    pub(in crate::store) table: &'static Table,
    /// Every stored column but `leaf_index`.
    pub(in crate::store) cells: Vec<Cell>,
    /// The row's version, where it has one.
    pub(in crate::store) version: Option<u64>,
    /// The place in a leaf's digest that the row fills, and SHA-256 of what fills it; nothing for rows that can be computed
    /// again from others.
    pub digest: Option<(String, [u8; 32])>,
}

impl NewRow {
    /// Where to.
    #[must_use]
    pub const fn table(&self) -> &'static Table {
        self.table
    }

    /// Every stored column but `leaf_index`.
    #[must_use]
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// As a leaf has it that is about another caller's record: the field's place says that it is not that one's.
    pub(crate) fn of_other(&mut self) {
        if let Some((place, _)) = self.digest.as_mut().filter(|(place, _)| !place.starts_with('@')) {
            *place = format!("@other/{place}");
        }
    }
}

/// Declares a table.
///
/// `key N` says how many of the first columns are the key. `put` is one of [`Put`]. `coded` rows carry a code, `at_leaf` ones
/// the position of their leaf; `sealed` rows are their own proof, and rows of the log have the tree.
macro_rules! table {
    (
        $(#[$doc:meta])*
        pub struct $row:ident in $name:literal, key $key:literal, put $put:ident, $kind:ident $(, version $version:ident)? {
            $( $(#[$cdoc:meta])* pub $column:ident: $type:ty, )+
        }
        reads [ $( $(#[$rdoc:meta])* $read:ident = $rest:literal; )* ]
        $(joins [ $( $(#[$jdoc:meta])* $join:ident: $jtype:ty = $tables:expr, $jrest:literal; )* ])?
        $(counts [ $( $(#[$ndoc:meta])* $count:ident = $nrest:literal; )* ])?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $row {
            $( $(#[$cdoc])* pub $column: $type, )+
        }

        impl $crate::store::rows::Row for $row {
            fn table() -> &'static $crate::store::rows::Table {
                use $crate::store::rows::table::{Put, Statement, Table};
                static READS: &[&Statement] = &[
                    $($read.statement(),)*
                    $($($join.statement(),)*)?
                    $($($count.statement(),)*)?
                ];
                static TABLE: Table = Table::new(
                    $name,
                    &[$(stringify!($column)),+],
                    $key,
                    Put::$put,
                    $crate::store::rows::table!(@kind $kind),
                    READS,
                );
                &TABLE
            }

            fn cells(&self) -> Vec<$crate::store::rows::Cell> {
                use $crate::store::rows::Column;
                vec![$(self.$column.cell()),+]
            }

            fn read(columns: &mut dyn $crate::store::rows::Columns) -> $crate::store::Result<Self> {
                Ok(Self {
                    $($column: $crate::store::rows::table::next(columns, $name)?),+
                })
            }

            $(fn version(&self) -> Option<u64> {
                Some(self.$version)
            })?
        }

        $(
            $(#[$rdoc])*
            pub static $read: $crate::store::rows::Read<$crate::store::rows::table!(@read $kind $row)> =
                $crate::store::rows::Read::of(<$row as $crate::store::rows::Row>::table, $rest);
        )*
        $($(
            $(#[$jdoc])*
            pub static $join: $crate::store::rows::Read<$jtype> = $crate::store::rows::Read::joined($tables, $jrest);
        )*)?

        $($(
            $(#[$ndoc])*
            pub static $count: $crate::store::rows::Read<$crate::store::rows::One> =
                $crate::store::rows::Read::ones(<$row as $crate::store::rows::Row>::table, $nrest);
        )*)?

        $crate::store::rows::table!(@impls $kind $row);
    };

    // Whether rows carry a code, and whether the position of their leaf.
    (@kind coded) => { [true, false] };
    (@kind coded_at_leaf) => { [true, true] };
    (@kind plain) => { [false, false] };

    (@read coded $row:ident) => { $crate::store::rows::Coded<$row> };
    (@read coded_at_leaf $row:ident) => { $crate::store::rows::Coded<$row> };
    (@read plain $row:ident) => { $row };

    (@impls coded $row:ident) => {};
    (@impls coded_at_leaf $row:ident) => {};
    (@impls plain $row:ident) => {
        impl $crate::store::rows::FromColumns for $row {
            fn from_columns(columns: &mut dyn $crate::store::rows::Columns) -> $crate::store::Result<Self> {
                <Self as $crate::store::rows::Row>::read(columns)
            }
        }
    };
}
pub(crate) use table;
