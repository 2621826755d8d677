//! Walking whole tables for `fsck`, row by row, past rows that cannot be read.

use rusqlite::Connection;

use super::columns::SqliteColumns;
use crate::store::rows::Table;
use crate::store::{Result, Scan};

/// Shows every row of a table, as the table itself has them: no index and no condition could leave one out.
pub(super) fn scan(connection: &Connection, table: &Table, visit: Scan<'_>) -> Result<()> {
    let sql = format!("SELECT {} FROM {} NOT INDEXED", table.list(""), table.name);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut position = 0;
    while let Some(row) = rows.next()? {
        position += 1;
        visit(position, &mut SqliteColumns::new(row));
    }
    Ok(())
}
