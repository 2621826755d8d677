//! Three departments put together everything that they can read, and do not find out which of their callers are the same. The vault can.

use std::collections::{BTreeMap, HashMap};

use callervault::keyring::Version;
use callervault::model::ids::{CallerId, RecordKind};
use callervault::model::reference::Reference;
use callervault::model::reference_versions::{ReferenceKeys, ReferenceVersions};
use callervault::randomness::System;
use callervault::refs;
use callervault::store::sqlite::SqliteData;
use serde_json::{Value, json};

use crate::support::{World, caller, intake};

const DEPARTMENTS: [&str; 3] = ["C1", "W2", "E4"];
/// Callers that ring up about three matters each, one for each department.
const CALLERS: usize = 40;
/// Callers whose references alone are compared.
const MANY: usize = 100_000;

/// One department's table: a row for each caller, in the test's order of callers, of everything it can read without having a field shown.
type Table = Vec<BTreeMap<String, String>>;

/// Every leaf of an answer by its path. What the answer says of its own read is not about a caller.
fn columns(prefix: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object.iter().filter(|(key, _)| *key != "audit") {
                columns(&format!("{prefix}/{key}"), value, into);
            }
        }
        Value::Array(items) => {
            for (nth, value) in items.iter().enumerate() {
                columns(&format!("{prefix}/{nth}"), value, into);
            }
        }
        leaf => _ = into.insert(prefix.to_owned(), leaf.to_string()),
    }
}

/// A number that looks random and is the same in each run.
fn scattered(n: usize) -> usize {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 40).unwrap()
}

async fn tables() -> (World, [Table; 3]) {
    let (world, app) = World::unlimited().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let mut tables = [const { Vec::new() }; 3];
    for n in 0..CALLERS {
        for (department, table) in DEPARTMENTS.iter().zip(&mut tables) {
            let mut call = intake(caller("王小明", &format!("139{n:08}")));
            let of_ticket = scattered(n * 7 + department.len() + usize::from(department.as_bytes()[0]));
            call["ticket"]["kind"] = json!(["complaint", "help", "inquiry"][of_ticket % 3]);
            let taken = agent.post("/v1/intake", &call).await.is(201).case();
            dispatcher.dispatch(&taken.no, department).await.is(200);
            world.signed(&app, &taken.no, department).await;
            let handler = world.handler(&app, department);
            let mut row = BTreeMap::new();
            let list = handler.get("/v1/tickets?order=newest&limit=1").await.is(200).json();
            columns("line", &list["tickets"][0], &mut row);
            let ticket = list["tickets"][0]["ticket"].as_str().unwrap();
            let page = handler.get(format!("/v1/tickets/{ticket}")).await.is(200).json();
            columns("page", &page, &mut row);
            let reference = page["caller"]["ref"].as_str().unwrap();
            let page = handler.get(format!("/v1/callers/{reference}")).await.is(200).json();
            columns("caller", &page, &mut row);
            table.push(row);
        }
    }
    (world, tables)
}

/// How many rows of one table are joined rightly with one of another by a value that stands once in each.
fn rightly_joined(one: &Table, other: &Table, value: impl Fn(&BTreeMap<String, String>) -> Option<String>) -> usize {
    let once = |table: &Table| {
        let mut at: HashMap<String, Vec<usize>> = HashMap::new();
        for (nth, row) in table.iter().enumerate() {
            at.entry(value(row).unwrap_or_default()).or_default().push(nth);
        }
        at.retain(|_, rows| rows.len() == 1);
        at
    };
    let (one, other) = (once(one), once(other));
    let joined = one.iter().filter(|(value, rows)| other.get(*value) == Some(rows));
    joined.count()
}

#[tokio::test]
async fn nothing_that_three_departments_can_read_joins_their_callers() {
    let (world, tables) = tables().await;
    let mut names: Vec<&String> = tables.iter().flatten().flat_map(BTreeMap::keys).collect();
    names.sort();
    names.dedup();
    assert!(names.len() > 15, "{names:?}");
    for (first, one) in tables.iter().enumerate() {
        for other in &tables[first + 1..] {
            for name in &names {
                // A value behind the two characters of its department, too.
                let tail = |row: &BTreeMap<String, String>| row.get(*name).map(|value| value.chars().skip(3).collect());
                for joined in [
                    rightly_joined(one, other, |row| row.get(*name).cloned()),
                    rightly_joined(one, other, tail),
                ] {
                    assert_eq!(joined, 0, "{name}");
                }
            }
        }
    }
    // The search finds what joins: the vault's own word for the caller.
    let of_vault = resolved(&world, &tables).await;
    for other in &of_vault[1..] {
        assert_eq!(
            rightly_joined(&of_vault[0], other, |row| row.get("id").cloned()),
            CALLERS
        );
    }
}

/// What each reference stands for, with the vault's keys.
async fn resolved(world: &World, tables: &[Table; 3]) -> Vec<Table> {
    let keyring = world.keyring().await;
    let store = SqliteData::open(&world.places.data).unwrap();
    let mut resolved = Vec::new();
    for (department, table) in DEPARTMENTS.iter().zip(tables) {
        let references = ReferenceVersions::new(department.parse().unwrap(), ReferenceKeys::first(1), None);
        let mut rows = Vec::new();
        for row in table {
            let reference: Reference = row["page/caller/ref"].trim_matches('"').parse().unwrap();
            let record = refs::resolve(&keyring, &store, &references, &reference)
                .await
                .unwrap()
                .unwrap();
            let id = data_encoding::HEXLOWER.encode(record.as_bytes());
            rows.push(BTreeMap::from([("id".to_owned(), id)]));
        }
        resolved.push(rows);
    }
    resolved
}

/// The references of many callers in three departments: none is another's, and their bits agree as often as those of strangers.
#[tokio::test]
async fn references_of_one_caller_agree_by_chance_alone() {
    let world = World::closed().await;
    let keyring = world.keyring().await;
    let bodies = DEPARTMENTS.map(|_| Vec::with_capacity(MANY));
    let mut bodies: [Vec<u64>; 3] = bodies;
    for _ in 0..MANY {
        let id = CallerId::random(&System).unwrap();
        for (department, bodies) in DEPARTMENTS.iter().zip(&mut bodies) {
            let of = Version {
                department: department.parse().unwrap(),
                kind: RecordKind::Caller,
                version: 1,
            };
            bodies.push(keyring.reference_body(1, of, id.as_bytes(), 0).unwrap());
        }
    }
    for (first, one) in bodies.iter().enumerate() {
        for other in &bodies[first + 1..] {
            let mut agreeing = [0_u32; Reference::BODY_BITS as usize];
            let mut differences = HashMap::new();
            for (one, other) in one.iter().zip(other) {
                let difference = one ^ other;
                *differences.entry(difference).or_insert(0_u32) += 1;
                for (bit, agreeing) in agreeing.iter_mut().enumerate() {
                    *agreeing += u32::from(difference >> bit & 1 == 0);
                }
            }
            // Half of them, within six standard deviations: half the root of their number each.
            let (half, deviation) = (MANY as f64 / 2.0, (MANY as f64).sqrt() / 2.0);
            for (bit, agreeing) in agreeing.iter().enumerate() {
                assert!(
                    (f64::from(*agreeing) - half).abs() < 6.0 * deviation,
                    "bit {bit}: {agreeing} of {MANY}"
                );
            }
            assert!(
                !differences.contains_key(&0),
                "two departments have the same body for one caller"
            );
            assert!(
                differences.values().all(|count| *count == 1),
                "bodies differ by a constant"
            );
        }
    }
}
