//! Everything that names the version of a key it was made with: what moves when a key is replaced, and what keeps an older version
//! from being destroyed.

use super::{
    ApprovalRow, BlindIndexRow, Cell, ClientRow, DATA, DepartmentRow, FieldRow, ReferenceRow, ReplayRow, Row, Table,
    TicketRow, TokenCodeRow, WrappedKey,
};
use crate::model::key_roles::KeyRole;

/// Where in a column the version stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// It is the column.
    Number,
    /// A code begins with it.
    Code,
    /// A sealed value has it behind the suite.
    Sealed,
    /// It is the last of the numbers in the column, a byte each.
    Last,
    /// It is the suite itself that is named: a sealed value begins with it.
    Suite,
}

/// A column that names versions of a key.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which table.
    pub table: &'static Table,
    /// Which column.
    pub column: &'static str,
    /// The role of the key.
    pub role: KeyRole,
    /// Where in it.
    pub names: Names,
}

/// The code of a row stands in this column, in every table with codes.
pub const CODE: &str = "mac";

/// Where in a sealed value the version stands.
pub const BEHIND_SUITE: usize = 1;

/// A column besides the codes of rows.
type Declared = (fn() -> &'static Table, &'static str, KeyRole, Names);

const DECLARED: [Declared; 13] = [
    (WrappedKey::table, "kek", KeyRole::Kek, Names::Number),
    (BlindIndexRow::table, "value", KeyRole::Index, Names::Code),
    (DepartmentRow::table, "reference_keys", KeyRole::Reference, Names::Last),
    (ReferenceRow::table, "sealed_id", KeyRole::Reference, Names::Sealed),
    (TicketRow::table, "caller", KeyRole::Reference, Names::Sealed),
    (ReplayRow::table, "key", KeyRole::Row, Names::Code),
    (ReplayRow::table, "request", KeyRole::Row, Names::Code),
    (ReplayRow::table, "answer", KeyRole::Row, Names::Sealed),
    (TokenCodeRow::table, "code", KeyRole::Row, Names::Code),
    (ApprovalRow::table, "request", KeyRole::Row, Names::Code),
    (ApprovalRow::table, "asker_reason", KeyRole::Row, Names::Sealed),
    (ApprovalRow::table, "approver_reason", KeyRole::Row, Names::Sealed),
    (ClientRow::table, "sealed", KeyRole::Row, Names::Sealed),
];

impl Place {
    /// Every one, of both stores.
    pub fn all() -> impl Iterator<Item = Self> {
        let codes = DATA.iter().map(|table| table()).filter(|table| table.coded);
        let codes = codes.map(|table| (table, CODE, KeyRole::Row, Names::Code));
        let declared = DECLARED
            .iter()
            .map(|&(table, column, role, names)| (table(), column, role, names));
        declared.chain(codes).map(|(table, column, role, names)| Self {
            table,
            column,
            role,
            names,
        })
    }

    /// What names no version and still keeps an older key-encryption key: fields that are sealed in another suite than the newest one's.
    #[must_use]
    pub fn of_fields() -> Self {
        Self {
            table: FieldRow::table(),
            column: "sealed",
            role: KeyRole::Kek,
            names: Names::Suite,
        }
    }

    /// Those of one role's key.
    pub fn of(role: KeyRole) -> impl Iterator<Item = Self> {
        Self::all().filter(move |place| place.role == role)
    }

    /// The version that a row names here; nothing where it has no such value.
    #[must_use]
    pub fn version(&self, stored: &[Cell]) -> Option<u8> {
        let columns = self.table.columns;
        // The code follows the declared columns.
        let at = columns
            .iter()
            .position(|column| *column == self.column)
            .unwrap_or(columns.len());
        match (stored.get(at)?, self.names) {
            (Cell::Int(version), Names::Number) => u8::try_from(*version).ok(),
            (Cell::Bytes(bytes), Names::Code | Names::Suite) => bytes.first().copied(),
            (Cell::Bytes(versions), Names::Last) => versions.last().copied(),
            (Cell::Bytes(sealed), Names::Sealed) => sealed.get(BEHIND_SUITE).copied(),
            _ => None,
        }
    }

    /// How many rows name one version here. It looks at each row. The parameter is what [`Self::named`] makes of the version.
    #[must_use]
    pub fn count(&self) -> String {
        let (table, column) = (self.table.name, self.column);
        let named = match self.names {
            Names::Number => column.to_owned(),
            Names::Code | Names::Suite => format!("substr({column}, 1, 1)"),
            Names::Sealed => format!("substr({column}, 2, 1)"),
            Names::Last => format!("substr({column}, -1, 1)"),
        };
        format!("SELECT COUNT(*) FROM {table} WHERE {named} = ?1")
    }

    /// A version as the column has it.
    #[must_use]
    pub fn named(&self, version: u8) -> Cell {
        match self.names {
            Names::Number => Cell::Int(version.into()),
            Names::Code | Names::Sealed | Names::Suite | Names::Last => Cell::Bytes(vec![version]),
        }
    }
}
