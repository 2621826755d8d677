//! What a statement says of its numbers: those that it has looked for, and no others.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::audit::retention::drop_below;
use crate::calls::rights::{entries, officers, statement};
use crate::life::restart::restarted;
use crate::support::approvals::merge;
use crate::support::copies::grow;
use crate::support::rows::Store;
use crate::support::{NAME, NUMBER, Request, World, caller};

const NONE: &str = "None of these is missing";

/// The page in English.
async fn page(world: &World, app: &Arc<App>, reference: &str, query: &str) -> String {
    let path = format!("/v1/callers/{reference}/statement?limit=200&lang=en{query}");
    let page = Request::get(path).header("accept", "text/html");
    world.actor(app, "dpo").send(page).await.is(200).text
}

fn known() -> Value {
    json!({"name": NAME, "callback_number": NUMBER, "id_no": "110108204107057338"})
}

#[tokio::test]
async fn every_number_is_looked_for_and_named() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (_, reference) = officers(&world, &app, &case).await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    let own = told["number"].as_u64().unwrap();
    assert_eq!(told["checked"], json!([{"record": 1, "first": 1, "last": own - 1}]));
    let text = page(&world, &app, &reference, "").await;
    assert!(text.contains(&format!("1–{own}")) && text.contains(NONE), "{text}");
    assert!(!text.contains("joined with yours"));
    // Page by page each number is looked for once.
    let (mut checked, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/callers/{reference}/statement?limit=2{after}");
        let page = world.actor(&app, "dpo").get(path).await.is(200).json();
        for numbers in page["checked"].as_array().unwrap() {
            checked.extend(numbers["first"].as_u64().unwrap()..=numbers["last"].as_u64().unwrap());
        }
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    checked.sort_unstable();
    assert_eq!(checked, (1..=own + 1).collect::<Vec<_>>());
}

#[tokio::test]
async fn what_was_archived_is_not_said_to_be_there() {
    let (world, app) = World::new().await;
    let case = world.case_of(&app, "C1", known()).await;
    let (_, reference) = officers(&world, &app, &case).await;
    for _ in 0..260 {
        world.actor(&app, "handler-c1").reveal(&case).masked().await.is(200);
    }
    drop(app);
    let later = Timestamp::now() + SignedDuration::from_hours(24 * 1_100);
    let app = world.open_at(Arc::new(Fixed::at(later))).await;
    drop_below(&world, &app, 256).await.is(200);
    let told = statement(&world, &app, &reference, "&identified_by=id_no")
        .await
        .is(200)
        .json();
    let oldest = entries(&told).last().unwrap()["number"].as_u64().unwrap();
    assert!(oldest > 1);
    assert_eq!(told["checked"][0]["first"], json!(oldest));
    let text = page(&world, &app, &reference, "&identified_by=id_no").await;
    assert!(
        text.contains("archived, and were not looked for") && text.contains(&format!("{oldest}–")),
        "{text}"
    );
    // By a number that nothing dates there are no numbers, and so nothing is said of them.
    let text = page(&world, &app, &reference, "&identified_by=callback_number").await;
    assert!(
        !text.contains(NONE) && text.contains("This page has no numbers"),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_log_has_is_not_said_to_be_there() {
    let (mut world, app) = World::new().await;
    let case = world.case_of(&app, "C1", known()).await;
    grow(&world, &app, 3).await;
    drop(app);
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    let (_, reference) = officers(&world, &app, &case).await;
    let text = page(&world, &app, &reference, "&identified_by=id_no").await;
    assert!(text.contains("The log was begun anew") && text.contains(NONE), "{text}");
    let told = statement(&world, &app, &reference, "&identified_by=id_no")
        .await
        .is(200)
        .json();
    assert_eq!(told["checked"][0]["first"], json!(1));
    assert_eq!(told["earlier_logs"].as_array().map(Vec::len), Some(1));
}

/// The newest entry of a record that was merged, which the index hides, is below what the table has counted.
#[tokio::test]
async fn the_newest_entry_of_a_merged_record_is_looked_for_too() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let call = agent.intake(caller(NAME, NUMBER)).await.is(201);
    let (kept, merged) = (call.case(), agent.take(json!({"caller_number": NUMBER})).await);
    let mut newest = 0;
    for _ in 0..3 {
        let read = agent.reveal(&merged).purpose("intake").fields(&["caller_number"]);
        newest = read.masked().await.is(200).index();
    }
    agent.with(auditor, &merge(&kept, &merged)).await.is(200);
    let subject = auditor.entry(&call).await["subject"].as_str().unwrap().to_owned();
    let reference = world.officers_reference(&app, &subject).await;
    drop(app);
    // A start puts the counts down with its first entry.
    let app = world.open().await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    let of_merged = |told: &Value| {
        let checked = told["checked"].as_array().unwrap().iter();
        checked
            .filter(|numbers| numbers["record"] == 2)
            .cloned()
            .collect::<Vec<_>>()
    };
    let last = entries(&told).iter().filter(|line| line["record"] == 2);
    let last = last.filter_map(|line| line["number"].as_u64()).max().unwrap();
    assert_eq!(of_merged(&told), [json!({"record": 2, "first": 1, "last": last})]);
    drop(app);
    let index = Store::open(&world.places.log_index());
    assert!(index.rows("posting").of("idx", i64::try_from(newest).unwrap()).delete() > 0);
    drop(index);
    let app = world.open().await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    let hidden: Vec<&Value> = entries(&told).iter().filter(|line| line["index"] == newest).collect();
    assert!(hidden.is_empty());
    let gaps = told["gaps"].as_array().unwrap();
    assert!(gaps.len() == 1 && gaps[0]["record"] == 2, "{told}");
    let text = page(&world, &app, &reference, "").await;
    assert!(
        text.contains("joined with yours") && text.contains("Entries were hidden") && !text.contains(NONE),
        "{text}"
    );
}

/// Whoever holds the others: the department of the newest comes last by its code.
#[tokio::test]
async fn a_statement_of_many_tickets_begins_with_the_newest() {
    let (world, app) = World::unlimited().await;
    let agent = world.actor(&app, "agent");
    for _ in 0..201 {
        agent.take(caller(NAME, NUMBER)).await;
    }
    let newest = world.sent(&app, "W2").await;
    let (_, reference) = officers(&world, &app, &newest).await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    let tickets = told["held"]["tickets"].as_array().unwrap();
    assert_eq!((tickets.len(), &tickets[0]["no"]), (200, &json!(newest.no)));
    assert_eq!(told["held"]["more_tickets"], json!(true));
}
