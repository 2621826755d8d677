//! Two records of one caller become one, and two again.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::approvals::{merge, unmerge};
use crate::support::{Actor, Case, NAME, NUMBER, World, intake};

const OTHER: &str = "13900007777";
const ONE_ID: &str = "110108204107057338";

/// What the agent is told of a caller who is taken in.
async fn told(agent: Actor<'_>, caller: Value) -> Value {
    agent.intake(caller).await.is(201).json()["caller"].clone()
}

/// The rows of a table, in no order.
fn rows(world: &World, table: &str) -> Vec<String> {
    let mut rows = world.data().everything().remove(table).unwrap();
    rows.sort();
    rows
}

#[tokio::test]
async fn a_caller_known_by_number_alone_multiplies_no_more() {
    let (world, app) = World::new().await;
    let [agent, other, auditor] = world.actors(&app, ["agent", "other-agent", "auditor"]);
    let number = json!({"caller_number": NUMBER});
    let first = agent.take(number.clone()).await;
    let named = other.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let third = agent.take(number).await;
    assert_eq!(
        agent.lookup(NUMBER).await.json()["callers"].as_array().unwrap().len(),
        3
    );

    let merged = agent.with(auditor, &merge(&named, &first)).await.is(200);
    assert_eq!(merged.at("/caller/ref"), named.reference);
    assert_eq!(merged.json()["caller"]["superseded"], json!([first.reference]));
    agent.with(auditor, &merge(&named, &third)).await.is(200);

    let found = agent.lookup(NUMBER).await.is(200);
    assert_eq!(
        (&found.json()["callers"], &found.json()["more"]),
        (&json!([named.reference]), &json!(false))
    );
    let again = told(agent, json!({"caller_number": NUMBER, "name": NAME})).await;
    assert_eq!(
        (&again["matched"], &again["ref"]),
        (&json!("certain"), &json!(named.reference))
    );
    // A reference that was given before leads to the one record, and says so.
    let page = agent.get(first.caller()).await.is(200);
    assert_eq!(page.at("/ref"), named.reference);
    let mut superseded: Vec<String> = serde_json::from_value(page.json()["superseded"].clone()).unwrap();
    superseded.sort();
    let mut right = [first.reference.clone(), third.reference.clone()];
    right.sort();
    assert_eq!(superseded, right);
    let tickets = page.json()["tickets"].to_string();
    assert!(
        [&first, &named, &third].iter().all(|case| tickets.contains(&case.no)),
        "{tickets}"
    );
    let ticket = agent.get(first.ticket()).await.is(200);
    assert_eq!(ticket.at("/caller/ref"), named.reference);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_second_number_leads_to_the_one_record() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let home = json!({"caller_number": NUMBER, "name": NAME, "id_no": ONE_ID});
    let home = agent.take(home).await;
    let office = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER}))
        .await;
    agent.with(auditor, &merge(&home, &office)).await.is(200);
    for caller in [
        json!({"caller_number": OTHER, "name": NAME}),
        json!({"caller_number": NUMBER, "name": NAME}),
        json!({"id_no": ONE_ID}),
    ] {
        let told = told(agent, caller).await;
        assert_eq!(
            (&told["matched"], &told["ref"]),
            (&json!("certain"), &json!(home.reference))
        );
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// What the kept record lacks is taken from the other, identity number and all, into one entry of the log.
#[tokio::test]
async fn fields_that_one_lacks_come_from_the_other() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let bare = agent
        .take(json!({"caller_number": NUMBER, "salutation": "周女士"}))
        .await;
    let full = json!({
        "caller_number": OTHER, "callback_number": NUMBER, "name": NAME, "salutation": "女士", "id_no": ONE_ID,
        "id_document": "护照 E12345678", "home_address": "北京市海淀区中关村大街1号", "workplace": "某厂",
        "email": "zhou@example.com", "wechat": "_ZhangSan8", "plate": "苏D12345",
    });
    let full = agent.take(full).await;
    agent.correct(&full, 1, json!({"workplace": "另一厂"})).await.is(200);
    let merged = agent.with(auditor, &merge(&bare, &full)).await.is(200);
    assert_eq!(merged.json()["caller"]["on_file"].as_array().unwrap().len(), 12);
    let entry = auditor.entry(&merged).await;
    assert_eq!(
        (&entry["act"], &entry["approver"]),
        (&json!("caller.merge"), &json!(world.id("auditor")))
    );
    assert_eq!(entry["link"]["kept_ticket"], bare.no);
    assert!(
        entry["link"]["subject"].is_string() && entry["link"]["subject"] != entry["subject"],
        "{entry}"
    );
    assert_eq!(
        (&entry["link"]["agree"], &entry["link"]["differ"]),
        (&Value::Null, &Value::Null)
    );
    // A new call of theirs shows what is on file now: what each had, and the salutation that was there.
    let call = agent.take(json!({"id_no": ONE_ID})).await;
    let shown = agent
        .reveal(&call)
        .purpose("intake")
        .fields(&["caller_number", "salutation", "email"]);
    let shown = shown.clear().await.is(200).json()["fields"].clone();
    let right = json!({"caller_number": format!("+86{NUMBER}"), "salutation": "周女士", "email": "zhou@example.com"});
    assert_eq!(shown, right);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn undone_everything_is_as_it_was() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent
        .take(json!({"caller_number": NUMBER, "salutation": "周女士"}))
        .await;
    let other = json!({"caller_number": OTHER, "callback_number": NUMBER, "name": NAME, "id_no": ONE_ID});
    let other = agent.take(other).await;
    let before: BTreeMap<&str, Vec<String>> = ["blind_index", "sealed_field", "ticket", "reference"]
        .map(|table| (table, rows(&world, table)))
        .into();
    agent.with(auditor, &merge(&one, &other)).await.is(200);
    assert_ne!(rows(&world, "sealed_field"), before["sealed_field"]);
    let undone = agent.with(auditor, &unmerge(&other)).await.is(200);
    assert_eq!(
        (undone.at("/ref"), undone.at("/other")),
        (other.reference.clone(), one.reference.clone())
    );
    assert_eq!(undone.json()["stays"], json!([]));
    for (table, rows_before) in before {
        assert_eq!(rows(&world, table), rows_before, "{table}");
    }
    let page = agent.get(one.caller()).await.is(200);
    assert_eq!(page.json()["on_file"], json!(["caller_number", "salutation"]));
    assert_eq!(page.json()["tickets"], json!([one.no]));
    let told = told(agent, json!({"id_no": ONE_ID})).await;
    assert_eq!(told["ref"], other.reference);
    agent.send(unmerge(&other)).await.fails(409, "not-merged");
    // And one again.
    agent.with(auditor, &merge(&one, &other)).await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// What was stated since for the one record stays with it, and the number that was corrected leads to nobody.
#[tokio::test]
async fn what_was_stated_since_the_merge_stays() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent
        .take(json!({"caller_number": NUMBER, "salutation": "周女士"}))
        .await;
    let other = agent
        .take(json!({"callback_number": OTHER, "caller_number": NUMBER, "email": "zhou@example.com"}))
        .await;
    agent.with(auditor, &merge(&one, &other)).await.is(200);
    let version = agent.get(one.caller()).await.json()["version"].as_u64().unwrap();
    agent
        .correct(&one, version, json!({"callback_number": "13900006666"}))
        .await
        .is(200);
    assert_eq!(agent.lookup(OTHER).await.json()["callers"], json!([]));
    let undone = agent.with(auditor, &unmerge(&other)).await.is(200);
    assert_eq!(undone.json()["stays"], json!(["callback_number"]));
    let on_file = agent.get(one.caller()).await.json()["on_file"].clone();
    assert_eq!(
        on_file,
        json!(["callback_number", "caller_number", "correction_reason", "salutation"])
    );
    assert_eq!(agent.lookup(OTHER).await.json()["callers"], json!([other.reference]));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Merges are undone from the last one on, where one rests on the other.
#[tokio::test]
async fn a_merge_of_a_merge() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let take = async |caller| agent.take(caller).await;
    let a = take(json!({"caller_number": NUMBER})).await;
    let b = take(json!({"caller_number": NUMBER, "email": "zhou@example.com"})).await;
    let c = take(json!({"caller_number": NUMBER, "email": "zhou@example.com", "plate": "苏D12345"})).await;
    agent.with(auditor, &merge(&b, &c)).await.is(200);
    agent.with(auditor, &merge(&a, &b)).await.is(200);
    assert_eq!(agent.get(c.caller()).await.at("/ref"), a.reference);
    agent.send(merge(&a, &c)).await.fails(409, "same-record");
    agent.send(unmerge(&c)).await.fails(409, "merged-since");
    agent.with(auditor, &unmerge(&b)).await.is(200);
    assert_eq!(agent.get(c.caller()).await.at("/ref"), b.reference);
    agent.with(auditor, &unmerge(&c)).await.is(200);
    // The second has a field that the first gave: it would have given it.
    agent.with(auditor, &merge(&a, &b)).await.is(200);
    agent.with(auditor, &merge(&a, &c)).await.is(200);
    agent.send(unmerge(&b)).await.fails(409, "merged-since");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A department works on with the reference that it has, and hears of the other when it reads the ticket.
#[tokio::test]
async fn departments_references_follow() {
    let (world, app) = World::new().await;
    let [agent, auditor, dispatcher, handler] = world.actors(&app, ["agent", "auditor", "dispatcher", "handler-c1"]);
    let known = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER, "name": NAME}))
        .await;
    let held = world.case_of(&app, "C1", json!({"callback_number": NUMBER})).await;
    let taken = Case {
        reference: agent.get(held.ticket()).await.at("/caller/ref"),
        no: held.no.clone(),
    };
    agent.with(auditor, &merge(&known, &taken)).await.is(200);
    handler.reveal(&held).clear().await.is(200);
    let page = handler.get(held.ticket()).await.is(200);
    let now = Case {
        reference: page.at("/caller/ref"),
        no: held.no.clone(),
    };
    assert_ne!(now.reference, held.reference);
    assert_eq!(page.json()["caller"]["superseded"], json!([held.reference]));
    handler.reveal(&now).clear().await.is(200);
    // A department that gets a ticket of a merged record has references to the one record and to the ticket's own.
    let third = agent.take(json!({"callback_number": NUMBER})).await;
    agent.with(auditor, &merge(&known, &third)).await.is(200);
    dispatcher.dispatch(&third.no, "W2").await.is(200);
    agent.with(auditor, &unmerge(&third)).await.is(200);
    agent.with(auditor, &unmerge(&taken)).await.is(200);
    handler.reveal(&held).clear().await.is(200);
    handler.reveal(&now).clear().await.fails(403, "refused");
    assert_eq!(handler.get(held.ticket()).await.at("/caller/ref"), held.reference);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A call that comes while records are merged is about the one record: it is tried again.
#[tokio::test]
async fn calls_and_merges_at_once() {
    let (world, app) = World::unlimited().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent.take(json!({"caller_number": NUMBER, "name": NAME})).await;
    let other = agent
        .take(json!({"caller_number": OTHER, "callback_number": NUMBER}))
        .await;
    let request = merge(&one, &other);
    let approval = agent.approved_by(auditor, &request).await;
    let call = intake(json!({"caller_number": NUMBER, "name": NAME, "salutation": "周女士"}));
    let merging = agent.send(request.approved(&approval));
    let (merged, taken) = tokio::join!(merging, agent.post("/v1/intake", &call));
    assert_eq!(taken.is(201).at("/caller/ref"), one.reference);
    // Either the call was first and the approval is for another state, or it came to the one record.
    if merged.status != 200 {
        merged.fails(409, "approval-stale");
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}
