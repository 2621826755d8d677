//! Who has called before: values that are written in another way, or that only may mean the same person.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{World, intake};

async fn taken(world: &World, app: &Arc<App>, caller: Value) -> Value {
    let answer = world.post(app, "agent", "/v1/intake", &intake(caller)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()
}

/// The number of entries that blind indexes have.
fn entries(world: &World) -> i64 {
    let database = rusqlite::Connection::open(&world.places.data).unwrap();
    let count = database.query_row("SELECT count(*) FROM blind_index", [], |row| row.get(0));
    count.unwrap()
}

#[tokio::test]
async fn an_extension_leads_to_its_bare_number_as_a_hint() {
    let (world, app) = World::new().await;
    let first = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456转801", "name": "孙一一"}),
    )
    .await;
    let reference = &first["caller"]["ref"];
    // The switchboard shows no extension; another extension may be another desk of the same person.
    for next in [
        json!({"caller_number": "057185123456", "name": "孙一一"}),
        json!({"callback_number": "0571-85123456转802", "name": "孙一一"}),
    ] {
        let told = taken(&world, &app, next).await;
        assert_eq!(told["caller"]["matched"], "tentative", "{told}");
        assert!(
            told["caller"]["candidates"].as_array().unwrap().contains(reference),
            "{told}"
        );
    }
    // Somebody of another name behind the same switchboard is counted and not named.
    let other = taken(&world, &app, json!({"caller_number": "057185123456", "name": "钱二二"})).await;
    assert_eq!(other["caller"]["matched"], "tentative", "{other}");
    assert_eq!(other["caller"]["candidates"], Value::Null, "{other}");
    assert_eq!(other["caller"]["more_candidates"], true, "{other}");
    // The same extension is the same number.
    let again = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456-801", "name": "孙一一"}),
    )
    .await;
    assert_eq!(again["caller"]["matched"], "certain", "{again}");
    assert_eq!(&again["caller"]["ref"], reference);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn the_entry_of_a_bare_number_goes_with_the_extension() {
    let (world, app) = World::new().await;
    let stated = json!({"callback_number": "0571-85123456转801", "id_no": "110108204107057338"});
    taken(&world, &app, stated).await;
    assert_eq!(entries(&world), 3, "the number, its switchboard's, the ID number");
    let told = taken(
        &world,
        &app,
        json!({"callback_number": "0571-85123456", "id_no": "110108204107057338"}),
    )
    .await;
    assert_eq!(told["caller"]["matched"], "certain", "{told}");
    assert_eq!(entries(&world), 2);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_entry_of_a_bare_number_that_is_gone_is_found() {
    let (world, app) = World::new().await;
    taken(&world, &app, json!({"callback_number": "0571-85123456转801"})).await;
    drop(app);
    let database = rusqlite::Connection::open(&world.places.data).unwrap();
    let gone = database
        .execute("DELETE FROM blind_index WHERE idx = 'phone.alike'", [])
        .unwrap();
    assert_eq!(gone, 1);
    drop(database);
    let findings = world.fsck().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(
        findings[0].what, "has another blind index than its value gives",
        "{findings:?}"
    );
}
