//! A statement that begins late: nothing from before is told, whoever the number was of then.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::retention::drop_below;
use crate::calls::rights::{entries, officers, restrict, statement, unrestrict};
use crate::life::restart::restarted;
use crate::support::copies::grow;
use crate::support::{Case, NAME, NUMBER, World};

const ID: &str = "110108204107057338";

fn known() -> Value {
    json!({"name": NAME, "callback_number": NUMBER, "id_no": ID})
}

async fn by(world: &World, app: &Arc<App>, reference: &str, fields: &str) -> Value {
    let query = format!("&identified_by={fields}");
    statement(world, app, reference, &query).await.is(200).json()
}

/// The agent puts another number in place of the one on file, on a call of the caller's.
async fn renumbered(world: &World, app: &Arc<App>) -> Case {
    let agent = world.actor(app, "agent");
    let taken = agent.take(json!({"name": NAME, "callback_number": NUMBER})).await;
    let version = agent.get(taken.caller()).await.is(200).json()["version"]
        .as_u64()
        .unwrap();
    let number = json!({"callback_number": "13700008888"});
    agent.correct(&taken, version, number).await.is(200);
    taken
}

fn acts(statement: &Value) -> Vec<&str> {
    let acts = entries(statement).iter();
    acts.filter_map(|line| line["act"].as_str()).collect()
}

#[tokio::test]
async fn tickets_fields_and_restrictions_from_before_are_not_told() {
    let (world, app) = World::new().await;
    let [agent, handler, dpo, auditor] = world.actors(&app, ["agent", "handler-c1", "dpo", "auditor"]);
    let case = world.case_of(&app, "C1", known()).await;
    let (_, reference) = officers(&world, &app, &case).await;
    dpo.send(restrict(&reference)).await.is(200);
    let before = renumbered(&world, &app).await;
    let told = by(&world, &app, &reference, "callback_number").await;
    assert_eq!(told["held"].get("restricted"), None, "{told}");
    dpo.with(auditor, &unrestrict(&reference)).await.is(200);
    // An older ticket goes on, and shows an older field.
    let read = handler.reveal(&case).fields(&["callback_number", "id_no"]);
    let read = read.masked().await.is(200).index();
    let taken = agent
        .take(json!({"name": NAME, "callback_number": "13700008888"}))
        .await;

    for query in ["", "&identified_by=callback_number"] {
        let told = statement(&world, &app, &reference, query).await.is(200);
        for never in [case.no.as_str(), before.no.as_str(), "id_no", "\"name\"", "unrestrict"] {
            assert!(!told.text.contains(never), "{never}: {}", told.text);
        }
        let told = told.json();
        assert_eq!(told["held"]["fields"], json!(["callback_number", "correction_reason"]));
        assert_eq!(told["held"].get("restricted"), None);
        let tickets = told["held"]["tickets"].as_array().unwrap();
        assert_eq!(tickets.len(), 1, "{told}");
        assert_eq!(tickets[0]["no"], json!(taken.no));
        let shown = entries(&told).iter().find(|line| line["index"] == read).unwrap();
        assert_eq!(
            (&shown["fields"], shown.get("ticket")),
            (&json!(["callback_number"]), None),
            "{shown}"
        );
    }
    // What is set since is told.
    dpo.send(restrict(&reference)).await.is(200);
    let told = by(&world, &app, &reference, "callback_number").await;
    assert_eq!(told["held"]["restricted"], json!(true));
    dpo.with(auditor, &unrestrict(&reference)).await.is(200);
    let told = by(&world, &app, &reference, "callback_number").await;
    assert_eq!(told["held"]["restricted"], json!(false));
    let of_restriction = acts(&told).into_iter().filter(|act| act.ends_with("restrict"));
    assert_eq!(
        of_restriction.collect::<Vec<_>>(),
        ["caller.unrestrict", "caller.restrict"]
    );
    // Who is identified by a document is told everything.
    let whole = by(&world, &app, &reference, "id_no").await;
    assert_eq!(whole["held"]["tickets"].as_array().map(Vec::len), Some(3));
    assert!(whole["held"]["fields"].to_string().contains("id_no"));
}

/// Where the entry that put a number on file was dropped, or stands in an earlier log, nobody knows since when it has been on file.
#[tokio::test]
async fn what_the_log_at_hand_does_not_date_is_not_told_by_a_number() {
    let (world, app) = World::new().await;
    let case = world.case_of(&app, "C1", known()).await;
    let (_, reference) = officers(&world, &app, &case).await;
    grow(&world, &app, 260).await;
    drop(app);
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 1_100);
    let app = world.open_at(Arc::new(Fixed::at(later))).await;
    drop_below(&world, &app, 256).await.is(200);
    is_undated(&world, &app, &reference, &case).await;
    let told = by(&world, &app, &reference, "callback_number").await;
    assert_eq!(told.get("number"), None, "it would say how much there was before");
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_what_an_earlier_log_dates() {
    let (mut world, app) = World::new().await;
    let case = world.case_of(&app, "C1", known()).await;
    drop(app);
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    let (_, reference) = officers(&world, &app, &case).await;
    is_undated(&world, &app, &reference, &case).await;
    // A caller of this log is told everything.
    let other = world
        .case_of(&app, "W2", json!({"callback_number": "13900007777"}))
        .await;
    let (_, reference) = officers(&world, &app, &other).await;
    let told = by(&world, &app, &reference, "callback_number").await;
    assert_eq!(told.get("shown_since"), None);
    assert_eq!(told["held"]["tickets"][0]["no"], json!(other.no));
}

async fn is_undated(world: &World, app: &Arc<App>, reference: &str, case: &Case) {
    let told = by(world, app, reference, "callback_number").await;
    assert!(told["shown_since"].is_string(), "{told}");
    assert!(!told.to_string().contains(&case.no), "{told}");
    assert_eq!(
        (&told["held"]["fields"], &told["held"]["tickets"]),
        (&json!([]), &json!([]))
    );
    let whole = by(world, app, reference, "id_no").await;
    assert_eq!(whole.get("shown_since"), None);
    assert!(whole["held"]["tickets"].to_string().contains(&case.no), "{whole}");
}
