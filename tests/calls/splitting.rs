//! A call of another person is taken out of a caller's record.

use std::collections::BTreeMap;
use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{Actor, Case, NAME, NUMBER, Request, World, report};

const ONE_ID: &str = "110108204107057338";

pub(crate) fn split(from: &Case, tickets: &[&str], fields: Value) -> Request {
    let body = json!({"ref": from.reference, "tickets": tickets, "fields": fields});
    Request::post("/v1/callers/split", &body).header("approval-reason", "his%20son")
}

/// The department's reference goes on meaning the father, and does not go with the son's ticket.
async fn the_department_follows(world: &World, app: &Arc<App>, son: &Case) {
    let handler = world.actor(app, "handler-c1");
    handler
        .reveal(son)
        .fields(&["home_address"])
        .clear()
        .await
        .fails(403, "refused");
    let now = Case {
        reference: handler.get(son.ticket()).await.at("/caller/ref"),
        no: son.no.clone(),
    };
    assert_ne!(now.reference, son.reference);
    let shown = handler
        .reveal(&now)
        .fields(&["home_address", "callback_number"])
        .clear()
        .await
        .is(200);
    assert_eq!(shown.at("/fields/home_address"), "北京市海淀区中关村大街1号");
}

/// What was shown of the son before stands in the log under the father's subject.
async fn shown_before_is_found(auditor: Actor<'_>, new: &str, subject: &str) {
    let exposure = auditor
        .post("/v1/audit/exposure", &json!({"subject": new}))
        .await
        .is(200);
    assert_eq!(exposure.json()["also"][0]["subject"], subject);
    let fields = json!(["home_address"]);
    let groups = exposure.json()["groups"].clone();
    let groups = groups.as_array().unwrap().iter();
    let shown: Vec<_> = groups
        .filter(|group| group["fields"] == fields && group["subject"] == subject)
        .collect();
    assert_eq!(shown.len(), 1, "{}", exposure.text);
}

/// Father and son share number and name; the son's call was taken for the father's, and his address for the father's.
#[tokio::test]
async fn a_wrong_match_is_taken_apart() {
    let (world, app) = World::new().await;
    let [agent, auditor, handler] = world.actors(&app, ["agent", "auditor", "handler-c1"]);
    let both = json!({"callback_number": NUMBER, "name": NAME});
    let mut of_father = both.clone();
    of_father["id_no"] = json!(ONE_ID);
    let father = agent.take(of_father).await;
    let mut of_son = both.clone();
    of_son["home_address"] = json!("北京市海淀区中关村大街1号");
    let son = world.case_of(&app, "C1", of_son).await;
    handler.reveal(&son).fields(&["home_address"]).clear().await.is(200);
    let subject = world.subject(&app, &son).await;

    let fields = json!({"home_address": "move", "name": "copy", "callback_number": "copy"});
    let parted = agent.with(auditor, &split(&father, &[&son.no], fields)).await.is(200);
    assert_eq!(
        parted.json()["on_file"],
        json!(["callback_number", "home_address", "name"])
    );
    let entry = auditor.entry(&parted).await;
    assert_eq!(
        (&entry["act"], &entry["subject"]),
        (&json!("caller.split"), &json!(subject))
    );
    assert_eq!(entry["link"]["split_ticket"], son.no);
    let digest = &entry["digest"];
    assert_eq!(digest["home_address"], "", "what went");
    assert_eq!(digest["name"], Value::Null, "what stayed");
    assert!(
        digest["@other/home_address"].is_string() && digest["@other/name"].is_string(),
        "{digest}"
    );

    let page = agent.get(father.caller()).await.is(200);
    assert_eq!(page.json()["on_file"], json!(["callback_number", "id_no", "name"]));
    assert_eq!(page.json()["tickets"], json!([father.no]));
    let page = agent.get(format!("/v1/callers/{}", parted.at("/ref"))).await.is(200);
    assert_eq!(page.json()["tickets"], json!([son.no]));
    the_department_follows(&world, &app, &son).await;
    let unsure = agent.intake(both).await.is(201);
    assert_eq!(unsure.at("/caller/matched"), "tentative");
    assert_eq!(unsure.json()["caller"]["candidates"].as_array().unwrap().len(), 2);
    let sure = agent.intake(json!({"id_no": ONE_ID})).await.is(201);
    assert_eq!(sure.at("/caller/ref"), father.reference);

    shown_before_is_found(auditor, entry["link"]["subject"].as_str().unwrap(), &subject).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// An identity number goes along and leads to the new record.
#[tokio::test]
async fn an_identity_number_moves() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = agent.take(json!({"callback_number": NUMBER, "name": NAME})).await;
    let two = agent
        .take(json!({"callback_number": NUMBER, "name": NAME, "id_no": ONE_ID}))
        .await;
    let three = agent.take(json!({"callback_number": NUMBER, "name": NAME})).await;
    assert_eq!(one.reference, three.reference);
    let request = split(&one, &[&two.no, &three.no], json!({"id_no": "move"}));
    let parted = agent.with(auditor, &request).await.is(200);
    let found = agent.intake(json!({"id_no": ONE_ID})).await.is(201);
    assert_eq!(
        (found.at("/caller/ref"), found.at("/caller/matched")),
        (parted.at("/ref"), "certain".to_owned())
    );
    // Nobody reads in clear what was an own call.
    for no in [two.no, three.no] {
        let case = Case {
            reference: parted.at("/ref"),
            no,
        };
        let read = agent.reveal(&case).purpose("intake").fields(&["id_no"]).masked().await;
        read.fails(403, "refused");
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn what_cannot_be_split() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let known = json!({"callback_number": NUMBER, "name": NAME, "id_no": ONE_ID});
    let one = agent.take(known.clone()).await;
    let other = agent.take(json!({"callback_number": "13900007777"})).await;
    let no = one.no.as_str();
    for (tickets, fields, status, problem) in [
        (vec![], json!({}), 422, "split-tickets"),
        (vec![no, no], json!({}), 422, "split-tickets"),
        (vec![no; 6], json!({}), 422, "split-tickets"),
        (vec![no], json!({"id_no": "copy"}), 422, "identity-not-copied"),
        (vec![no], json!({"email": "move"}), 422, "not-on-file"),
        (vec![no], json!({"text": "move"}), 422, "unknown-field"),
        (vec![no], json!({"name": "drop"}), 400, "bad-json"),
        (vec![no, &other.no], json!({}), 403, "refused"),
    ] {
        agent.send(split(&one, &tickets, fields)).await.fails(status, problem);
    }
    let reported = agent
        .send(Request::post("/v1/intake", &report(known)))
        .await
        .is(201)
        .case();
    let refused = agent
        .send(split(&reported, &[&reported.no], json!({})))
        .await
        .fails(403, "refused");
    assert_eq!(auditor.entry(&refused).await["why"], "confidential");
    assert_eq!(
        world
            .actor(&app, "handler-c1")
            .send(split(&one, &[no], json!({})))
            .await
            .status,
        403
    );
}

/// One entry of the log says what became of each ticket and field, and holds no more than that.
#[tokio::test]
async fn what_one_entry_of_the_log_holds() {
    let (world, app) = World::unlimited().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let whole = json!({
        "caller_number": "13900007777", "callback_number": NUMBER, "name": NAME, "salutation": "女士", "id_no": ONE_ID,
        "id_document": "护照 E12345678", "home_address": "北京市海淀区中关村大街1号", "workplace": "某厂",
        "email": "zhou@example.com", "wechat": "_ZhangSan8",
    });
    let mut cases = vec![agent.take(whole.clone()).await];
    for _ in 0..4 {
        cases.push(agent.take(json!({"callback_number": NUMBER, "name": NAME})).await);
    }
    let numbers: Vec<&str> = cases.iter().map(|case| case.no.as_str()).collect();
    let all: Vec<&String> = whole.as_object().unwrap().keys().collect();
    let moved = |names: &[&String]| {
        let shares = names.iter().map(|name| ((*name).clone(), "move"));
        json!(shares.collect::<BTreeMap<_, _>>())
    };
    let too_much = agent.with(auditor, &split(&cases[0], &numbers, moved(&all))).await;
    too_much.fails(422, "too-much-at-once");
    agent
        .with(auditor, &split(&cases[0], &numbers, moved(&all[..5])))
        .await
        .is(200);
    let again = agent.take(whole.clone()).await;
    agent
        .with(auditor, &split(&again, &[&again.no], moved(&all)))
        .await
        .is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}
