//! Migrations, and the comparison of a store's schema with what they make.
//!
//! Whoever can write the file can change its schema: drop a key, add a trigger, put a view in a table's place. So each
//! start, and `fsck`, compare all of it with what the same migrations make of an empty database.

use std::collections::BTreeMap;
use std::path::Path;

use refinery::Runner;
use rusqlite::Connection;

use crate::store::{Result, StoreError};

const HISTORY: &str = "refinery_schema_history";

/// Applied migrations by version: name and checksum.
type Applied = BTreeMap<i64, (String, String)>;

/// Brings the schema up to date. A store with another history than this program's is left as it is, for
/// [`differences`] to name.
///
/// # Errors
/// [`StoreError::Newer`], or whatever the database reports.
pub(crate) fn migrate(connection: &mut Connection, path: &Path, runner: &Runner) -> Result<()> {
    let known = known(runner);
    let applied = if is_empty(connection)? {
        Applied::new()
    } else {
        let Ok(applied) = applied(connection) else {
            return Ok(());
        };
        if applied.is_empty() {
            return Ok(());
        }
        applied
    };
    if applied.keys().next_back() > known.keys().next_back() {
        return Err(StoreError::Newer(path.to_owned()));
    }
    let ours = applied.iter().zip(&known).all(|(one, other)| one == other);
    if ours && applied.len() < known.len() {
        runner
            .run(connection)
            .map_err(|error| StoreError::Database(error.to_string()))?;
    }
    Ok(())
}

/// What this store's schema and migration history have otherwise than the program's migrations make them.
///
/// # Errors
/// Whatever the database reports.
pub(super) fn differences(connection: &Connection, runner: &Runner) -> Result<Vec<String>> {
    let mut empty = Connection::open_in_memory()?;
    runner
        .run(&mut empty)
        .map_err(|error| StoreError::Database(error.to_string()))?;
    let (mut here, right) = (objects(connection)?, objects(&empty)?);
    let mut found = Vec::new();
    for (name, sql) in right {
        match here.remove(&name) {
            Some(same) if same == sql => {}
            Some(_) => found.push(format!("{name} is not as the migrations make it")),
            None => found.push(format!("{name} is missing")),
        }
    }
    found.extend(
        here.into_keys()
            .map(|name| format!("{name} is not of the vault's making")),
    );
    match applied(connection) {
        Ok(applied) if applied == known(runner) => {}
        _ => found.push("the history of migrations is not this program's".to_owned()),
    }
    Ok(found)
}

/// Tables, indexes, triggers and views by kind and name, each with its table and its declaration.
pub(super) fn objects(connection: &Connection) -> Result<BTreeMap<String, (String, Option<String>)>> {
    let mut statement = connection.prepare("SELECT type || ' ' || name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn is_empty(connection: &Connection) -> Result<bool> {
    Ok(!connection.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?)
}

fn known(runner: &Runner) -> Applied {
    let row = |one: &refinery::Migration| {
        let version = i64::from(one.version());
        (version, (one.name().to_owned(), one.checksum().to_string()))
    };
    runner.get_migrations().iter().map(row).collect()
}

fn applied(connection: &Connection) -> Result<Applied> {
    let mut statement = connection.prepare(&format!("SELECT version, name, checksum FROM {HISTORY}"))?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
