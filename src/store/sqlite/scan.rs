//! Walking whole tables for `fsck`, row by row, past rows that cannot be read.

use rusqlite::{Connection, OptionalExtension, Row};

use super::columns::{self as c, Columns};
use crate::store::rows::EntryRow;
use crate::store::{AnyRow, Result, Scanned, StoreError, Table};

/// Shows every row of a table, as the table itself has them: no index and no condition could leave one out.
pub(super) fn scan(connection: &Connection, table: Table, visit: &mut dyn FnMut(Scanned)) -> Result<()> {
    let (name, columns) = source(table);
    rows(connection, name, columns, |position, row| {
        visit(Scanned {
            position,
            row: any(table, &mut Columns::new(row, name), name),
        });
    })
}

/// The rows of a table with their positions, which count from 1.
pub(super) fn rows(
    connection: &Connection,
    table: &str,
    columns: &str,
    mut visit: impl FnMut(u64, &Row<'_>),
) -> Result<()> {
    let mut statement = connection.prepare(&format!("SELECT {columns} FROM {table} NOT INDEXED"))?;
    let mut rows = statement.query([])?;
    let mut position = 0;
    while let Some(row) = rows.next()? {
        position += 1;
        visit(position, row);
    }
    Ok(())
}

const fn source(table: Table) -> (&'static str, &'static str) {
    match table {
        Table::Departments => ("department", c::DEPARTMENT),
        Table::Principals => ("principal", c::PRINCIPAL),
        Table::Tokens => ("api_token", c::TOKEN),
        Table::Callers => ("caller", c::CALLER),
        Table::Fields => ("sealed_field", c::FIELD),
        Table::Index => ("blind_index", c::INDEX),
        Table::Tickets => ("ticket", c::TICKET),
        Table::Custody => ("custody", c::CUSTODY),
        Table::References => ("reference", c::REFERENCE),
        Table::Replays => ("replay", c::REPLAY),
        Table::Approvals => ("approval", c::APPROVAL),
        Table::Entries => ("log_entry", c::ENTRY),
        Table::Tiles => ("log_tile", c::TILE),
        Table::PastEntries => ("past_entry", c::PAST_ENTRY),
    }
}

fn any(table: Table, columns: &mut Columns<'_, '_>, name: &'static str) -> AnyRow {
    let row = match table {
        Table::Departments => c::department(columns).map(AnyRow::Department),
        Table::Principals => c::principal(columns).map(AnyRow::Principal),
        Table::Tokens => c::token(columns).map(AnyRow::Token),
        Table::Callers => c::caller(columns).map(AnyRow::Caller),
        Table::Fields => c::field(columns).map(AnyRow::Field),
        Table::Index => c::index(columns).map(AnyRow::Index),
        Table::Tickets => c::ticket(columns).map(AnyRow::Ticket),
        Table::Custody => c::custody(columns).map(AnyRow::Custody),
        Table::References => c::reference(columns).map(AnyRow::Reference),
        Table::Approvals => c::approval(columns).map(AnyRow::Approval),
        Table::Replays => c::replay(columns).map(|(row, index)| AnyRow::Replay(row, index)),
        Table::Entries => c::any_entry(columns),
        Table::Tiles => c::tile(columns).map(AnyRow::Tile),
        Table::PastEntries => c::past_entry(columns),
    };
    row.unwrap_or(AnyRow::Unreadable(name))
}

/// Entries of the log at these positions, in this order.
pub(super) fn entries_at(connection: &Connection, indexes: &[u64]) -> Result<Vec<EntryRow>> {
    let sql = format!("SELECT {} FROM log_entry WHERE idx = ?1", c::ENTRY);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut entries = Vec::with_capacity(indexes.len());
    for &index in indexes {
        let index = i64::try_from(index).map_err(|_| StoreError::Corrupt("log_entry"))?;
        let row = statement.query_row([index], |row| Ok(c::entry(&mut Columns::new(row, "log_entry"))));
        entries.extend(row.optional()?.transpose()?);
    }
    Ok(entries)
}
