//! Rows that decide: each column of each table is under the row's code, and each statement walks an index.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use callervault::keyring::{Keyring, unlock};
use callervault::model::ids::RecordKind;
use callervault::model::reference::{DepartmentCode, Reference};
use callervault::model::ticket_no::TicketNo;
use callervault::randomness;
use callervault::store::rows::{
    ApprovalRow, ArchiveRow, BlindIndexRow, CallerRow, Cell, Coded, Columns, CustodyRow, DATA, DeclaredRow,
    DepartmentRow, FromColumns, KEYS, PrincipalRow, Protected, ReplayRow, SpentRow, Table, TicketRow, TokenRow,
};
use callervault::store::sqlite::SqliteKeys;
use callervault::store::{KeyStore, Result, StoreError};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;

use crate::audit::retention::{drop_below, later};
use crate::support::{World, caller, intake, passphrase};

/// One stored row, column by column.
struct Taken(VecDeque<Cell>);

impl Columns for Taken {
    fn take(&mut self) -> Result<Cell> {
        self.0.pop_front().ok_or(StoreError::Corrupt("a test"))
    }
}

/// A vault with a row in every table that carries codes.
async fn world() -> World {
    let (world, app, _) = later(1100).await;
    assert_eq!(drop_below(&world, &app, 256).await.status, 200);
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let key = [("idempotency-key", "one")];
    let body = intake(caller("李四光", "13700002222")).to_string();
    let taken = world.call(&app, "agent", "POST", "/v1/intake", &key, &body).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let found = world.get(&app, "auditor", "/v1/audit/events?act=intake").await;
    let subject = found.at("/entries/0/leaf/subject");
    app.vault().note_unlock("test").await.unwrap();
    let asked = world
        .post(&app, "dpo", "/v1/audit/resolve", &json!({"subject": subject}))
        .await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    world
}

async fn keyring(world: &World) -> Keyring {
    let keys = SqliteKeys::open(&world.places.keys).unwrap();
    let origin = keys.vault().await.unwrap().origin;
    let (ways, rows) = (keys.unlocks().await.unwrap(), keys.keyring().await.unwrap());
    unlock::unlock(&origin, &passphrase(), &ways, &rows, Arc::new(randomness::System)).unwrap()
}

/// The first row of a table.
fn first(database: &Connection, table: &Table) -> Vec<Cell> {
    let sql = format!("SELECT {} FROM {} LIMIT 1", table.list(""), table.name);
    let cell = |value| match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Int(number),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
        Value::Real(number) => Cell::Text(format!("{number} is in no column")),
    };
    let stored = table.list("").split(',').count();
    let row = |row: &rusqlite::Row<'_>| (0..stored).map(|at| row.get(at).map(cell)).collect();
    database.query_row(&sql, [], row).unwrap()
}

/// Other values that a column of this kind may have.
fn others(cell: &Cell) -> Vec<Cell> {
    const WORDS: &[&str] = &[
        "organ",
        "enterprise",
        "person",
        "service",
        "agent",
        "handler",
        "W2",
        "C1",
        "accepted",
        "closed",
        "phone",
        "web",
        "help",
        "complaint",
        "intake",
        "field.reveal",
        "asked",
        "guess",
        "caller",
        "ticket",
        "1=1",
        "used",
        "{\"a\":\"b\"}",
    ];
    let words = || {
        let reference = Reference::new(DepartmentCode::AUDITORS, RecordKind::Caller, 1, 7).unwrap();
        let no = TicketNo::new(123_456_789_012).unwrap();
        let words = WORDS.iter().map(|word| (*word).to_owned());
        words.chain([reference.to_string(), no.to_string()]).map(Cell::Text)
    };
    match cell {
        Cell::Null => words().chain([Cell::Int(1), Cell::Bytes(vec![7; 16])]).collect(),
        Cell::Int(number) => vec![Cell::Int(number ^ 1)],
        Cell::Text(_) => words().filter(|word| word != cell).collect(),
        Cell::Bytes(bytes) => {
            let mut other = bytes.clone();
            *other.last_mut().unwrap() ^= 1;
            vec![Cell::Bytes(other)]
        }
    }
}

fn each_column<R: Protected>(keyring: &Keyring, database: &Connection) -> &'static str {
    let table = R::table();
    let row = first(database, table);
    let genuine = |cells: Vec<Cell>| {
        let coded = Coded::<R>::from_columns(&mut Taken(cells.into())).ok()?;
        Some(keyring.genuine(coded).is_ok())
    };
    assert_eq!(genuine(row.clone()), Some(true), "{} as the vault wrote it", table.name);
    // The code itself is a column; where the leaf is it does not cover.
    let columns = table.columns.iter().copied().chain(["mac"]);
    for (at, column) in columns.enumerate() {
        let edited = others(&row[at]).into_iter().filter_map(|cell| {
            let mut cells = row.clone();
            cells[at] = cell;
            genuine(cells)
        });
        let edited: Vec<bool> = edited.collect();
        assert!(
            !edited.is_empty(),
            "{}.{column}: no other value is readable",
            table.name
        );
        assert!(!edited.contains(&true), "{}.{column} is not under the code", table.name);
    }
    table.name
}

#[tokio::test]
async fn every_column_is_under_its_rows_code() {
    let world = world().await;
    let keyring = keyring(&world).await;
    let database = Connection::open(&world.places.data).unwrap();
    let tried = [
        each_column::<DepartmentRow>(&keyring, &database),
        each_column::<PrincipalRow>(&keyring, &database),
        each_column::<TokenRow>(&keyring, &database),
        each_column::<CallerRow>(&keyring, &database),
        each_column::<BlindIndexRow>(&keyring, &database),
        each_column::<TicketRow>(&keyring, &database),
        each_column::<CustodyRow>(&keyring, &database),
        each_column::<ReplayRow>(&keyring, &database),
        each_column::<DeclaredRow>(&keyring, &database),
        each_column::<SpentRow>(&keyring, &database),
        each_column::<ApprovalRow>(&keyring, &database),
        each_column::<ArchiveRow>(&keyring, &database),
    ];
    let coded = DATA.iter().map(|table| table()).filter(|table| table.coded);
    let coded: BTreeSet<&str> = coded.map(|table| table.name).collect();
    assert_eq!(BTreeSet::from(tried), coded, "every table that carries codes");
}

/// A declaration names the columns of the migrations, and no others.
#[tokio::test]
async fn tables_are_as_they_are_declared() {
    let world = world().await;
    for (path, tables) in [(&world.places.data, DATA), (&world.places.keys, KEYS)] {
        let database = Connection::open(path).unwrap();
        for table in tables.iter().map(|table| table()) {
            let mut statement = database
                .prepare("SELECT name FROM pragma_table_info(?1) WHERE name != 'id' OR ?1 != 'unlock'")
                .unwrap();
            let there = statement.query_map([table.name], |row| row.get(0)).unwrap();
            let there: BTreeSet<String> = there.map(|name: rusqlite::Result<String>| name.unwrap()).collect();
            let listed = table.list("");
            let declared: BTreeSet<String> = listed.split(", ").map(str::to_owned).collect();
            assert_eq!(there, declared, "{}", table.name);
        }
    }
}

/// What may be read as a whole: it does not grow with the data.
const SMALL: [&str; 4] = ["past_log", "unlock", "keyring", "declared_field"];

#[tokio::test]
async fn no_statement_grows_with_the_data() {
    let world = world().await;
    for (path, tables) in [(&world.places.data, DATA), (&world.places.keys, KEYS)] {
        let database = Connection::open(path).unwrap();
        for table in tables.iter().map(|table| table()) {
            let mut statements: Vec<&str> = table.reads.iter().map(|read| read.sql()).collect();
            if table.coded {
                statements.push(table.unchanged());
            }
            if table.put == callervault::store::rows::Put::Versioned {
                statements.push(table.update());
            }
            for sql in statements {
                let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let count = plan.parameter_count();
                let steps = plan
                    .query_map(rusqlite::params_from_iter(vec![Value::Null; count]), |row| row.get(3))
                    .unwrap();
                for step in steps {
                    let step: String = step.unwrap();
                    let whole = step.starts_with("SCAN") && !SMALL.iter().any(|small| step.contains(small));
                    assert!(!whole && !step.contains("TEMP B-TREE"), "{step}: {sql}");
                }
            }
        }
    }
}

/// An edited row is found whoever asks for it or does not: `fsck` goes through every table that carries codes.
#[tokio::test]
async fn fsck_finds_an_edited_row_of_every_table() {
    let world = world().await;
    assert_eq!(world.fsck().await, []);
    let sound = std::fs::read(&world.places.data).unwrap();
    for table in DATA.iter().map(|table| table()).filter(|table| table.coded) {
        let (name, key) = (table.name, table.columns[0]);
        let database = Connection::open(&world.places.data).unwrap();
        let edit = format!("UPDATE {name} SET mac = zeroblob(17) WHERE {key} = (SELECT {key} FROM {name} LIMIT 1)");
        assert!(database.execute(&edit, []).unwrap() > 0, "{name}");
        drop(database);
        assert!(!world.fsck().await.is_empty(), "fsck passes over {name}");
        std::fs::write(&world.places.data, &sound).unwrap();
    }
    assert_eq!(world.fsck().await, []);
}
