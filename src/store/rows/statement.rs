//! The statements by which tables are read, made from their declarations.

use std::marker::PhantomData;
use std::sync::OnceLock;

use super::table::Table;

/// A table in a statement that reads several, and its alias there.
pub(super) type Aliased = (fn() -> &'static Table, &'static str);

/// Where a statement takes its rows from.
#[derive(Clone, Copy)]
pub(super) enum From {
    /// One table, and the condition, order and limit.
    One(fn() -> &'static Table, &'static str),
    /// Several tables: each with its alias, in the order in which their columns are listed, and all that follows `FROM`.
    Joined(&'static [Aliased], &'static str),
    /// One table, of whose rows nothing is asked but that they are there: an index alone shows that.
    Ones(fn() -> &'static Table, &'static str),
}

/// A statement that reads. Each walks an index and stops.
pub struct Statement {
    from: From,
    sql: OnceLock<String>,
}

impl Statement {
    const fn new(from: From) -> Self {
        Self {
            from,
            sql: OnceLock::new(),
        }
    }

    /// Its text.
    pub fn sql(&self) -> &str {
        self.sql.get_or_init(|| match self.from {
            From::One(table, rest) => format!("SELECT {} FROM {} {rest}", table().list(""), table().name),
            From::Joined(tables, rest) => {
                let lists = tables.iter().map(|(table, alias)| table().list(&format!("{alias}.")));
                format!("SELECT {} FROM {rest}", Table::joined(lists, ", "))
            }
            From::Ones(table, rest) => format!("SELECT 1 FROM {} {rest}", table().name),
        })
    }

    /// The first table it reads, for words about what could not be read.
    #[must_use]
    pub fn table(&self) -> &'static str {
        match self.from {
            From::One(table, _) | From::Ones(table, _) => table().name,
            From::Joined(tables, _) => tables.first().map_or("a join", |(table, _)| table().name),
        }
    }
}

/// A statement and what each of its rows is.
pub struct Read<T> {
    statement: Statement,
    row: PhantomData<fn() -> T>,
}

impl<T> Read<T> {
    /// Reads rows of one table. `rest` is what follows its name.
    pub(super) const fn of(table: fn() -> &'static Table, rest: &'static str) -> Self {
        Self::new(From::One(table, rest))
    }

    /// Reads rows of several tables at once. `rest` is what follows `FROM`.
    pub(super) const fn joined(tables: &'static [Aliased], rest: &'static str) -> Self {
        Self::new(From::Joined(tables, rest))
    }

    /// Shows that rows of one table are there. `rest` is what follows its name.
    pub(super) const fn ones(table: fn() -> &'static Table, rest: &'static str) -> Self {
        Self::new(From::Ones(table, rest))
    }

    const fn new(from: From) -> Self {
        Self {
            statement: Statement::new(from),
            row: PhantomData,
        }
    }

    /// The statement.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }
}
