//! How the database runs the vault's statements: none grows with the data.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use callervault::model::tickets::TicketState;
use callervault::store::rows::blind_index::BOTH;
use callervault::store::rows::principal::ACTIVE_IN;
use callervault::store::rows::ticket::{
    COUNT_HELD, COUNT_TAKEN, OPEN_ABOUT, OPEN_HELD, OPEN_TAKEN, QUEUE_HELD, QUEUE_TAKEN, STATE_HELD, STATE_TAKEN,
};
use callervault::store::rows::{DATA, KEYS, Put};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

use crate::store::rows::world;
use crate::support::World;

/// What may be read as a whole: it does not grow with the data.
const SMALL: [&str; 7] = [
    "past_log",
    "unlock",
    "keyring",
    "key_version",
    "declared_field",
    "destroyed_key",
    "doomed_key",
];

#[tokio::test]
async fn no_statement_grows_with_the_data() {
    let world = world().await;
    for (path, tables) in [(&world.places.data, DATA), (&world.places.keys, KEYS)] {
        let database = Connection::open(path).unwrap();
        for table in tables.iter().map(|table| table()) {
            let mut statements: Vec<&str> = table.reads.iter().map(|read| read.sql()).collect();
            if table.coded {
                statements.extend([table.unchanged(), table.following(), table.recode()]);
            }
            if table.put == Put::Versioned {
                statements.push(table.update());
            }
            if table.key > 0 {
                statements.push(table.by_key());
            }
            for sql in statements {
                let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
                let count = plan.parameter_count();
                let steps = plan
                    .query_map(params_from_iter(vec![Value::Null; count]), |row| row.get(3))
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

/// Whether a department is in use is found among what is open, however much of it is closed.
#[tokio::test]
async fn what_is_over_is_not_walked_to_find_what_is_open() {
    let over = TicketState::ALL.iter().filter(|state| !state.is_open());
    let over: Vec<String> = over.map(|state| format!("'{state}'")).collect();
    for read in [&OPEN_HELD, &OPEN_TAKEN, &QUEUE_HELD, &QUEUE_TAKEN, &OPEN_ABOUT] {
        let named = format!("state NOT IN ({}) ", over.join(", "));
        assert!(
            read.statement().sql().contains(&named),
            "each state in which a ticket is over"
        );
    }
    let world = World::closed().await;
    let database = Connection::open(&world.places.data).unwrap();
    for (sql, index) in [
        (OPEN_HELD.statement().sql(), "ticket_holder_open"),
        (OPEN_TAKEN.statement().sql(), "ticket_origin_open"),
        (ACTIVE_IN.statement().sql(), "principal_active"),
    ] {
        let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = plan.query_map(["C1"], |row| row.get::<_, String>(3)).unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(steps.len() == 1 && steps[0].contains(index), "{steps:?}: {sql}");
    }
}

/// Each list of tickets comes out of an index in its order, and each count out of an index alone.
#[tokio::test]
async fn lists_of_tickets_are_in_the_order_of_an_index() {
    let world = World::closed().await;
    let database = Connection::open(&world.places.data).unwrap();
    for (sql, index) in [
        (
            QUEUE_HELD.statement().sql(),
            "ticket_holder_open (holder=? AND (turn,created_at,no)>(?,?,?) AND turn<?)",
        ),
        (
            QUEUE_TAKEN.statement().sql(),
            "ticket_origin_open (origin=? AND (turn,created_at,no)>(?,?,?) AND turn<?)",
        ),
        (
            STATE_HELD.statement().sql(),
            "ticket_holder_state (holder=? AND state=? AND (turn,created_at,no)>(?,?,?) AND turn<?)",
        ),
        (
            STATE_TAKEN.statement().sql(),
            "ticket_origin_state (origin=? AND state=? AND (turn,created_at,no)>(?,?,?) AND turn<?)",
        ),
        (
            COUNT_HELD.statement().sql(),
            "COVERING INDEX ticket_holder_state (holder=? AND state=?)",
        ),
        (
            COUNT_TAKEN.statement().sql(),
            "COVERING INDEX ticket_origin_state (origin=? AND state=?)",
        ),
        (
            OPEN_ABOUT.statement().sql(),
            "ticket_subject_open (subject=? AND origin=? AND confidential=?)",
        ),
    ] {
        let mut plan = database.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let nothing = vec![Value::Null; plan.parameter_count()];
        let steps = plan
            .query_map(params_from_iter(nothing), |row| row.get::<_, String>(3))
            .unwrap();
        let steps: Vec<String> = steps.map(Result::unwrap).collect();
        assert!(steps.len() == 1 && steps[0].ends_with(index), "{steps:?}: {sql}");
    }
}

/// Steps of the database's program, not time.
#[tokio::test]
async fn a_number_that_many_share_is_not_walked_to_its_end() {
    let (world, app) = World::new().await;
    drop(app);
    let mut database = Connection::open(&world.places.data).unwrap();
    let mut steps = |callers: u32| {
        let change = database.transaction().unwrap();
        for caller in 0..callers {
            let sql = "INSERT OR IGNORE INTO blind_index (idx, value, caller, field, certain, mac) VALUES ('phone', x'01', ?1, 'f', 0, x'')";
            let mut id = [0; 16];
            id[..4].copy_from_slice(&caller.to_be_bytes());
            change.execute(sql, params![id]).unwrap();
        }
        change.commit().unwrap();
        let count = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&count);
        let counting = move || {
            counter.fetch_add(1, Ordering::Relaxed);
            false
        };
        database.progress_handler(1, Some(counting)).unwrap();
        let mut statement = database.prepare(BOTH.statement().sql()).unwrap();
        let with = params!["phone", [1_u8], "name", [2_u8], 1000, [0xff_u8; 17], 51];
        assert!(statement.query(with).unwrap().next().unwrap().is_none());
        drop(statement);
        database.progress_handler(0, None::<fn() -> bool>).unwrap();
        count.load(Ordering::Relaxed)
    };
    let (few, many) = (steps(1_500), steps(15_000));
    assert!(few > 1_000 && many < few + few / 10, "{few} and {many} steps");
}
