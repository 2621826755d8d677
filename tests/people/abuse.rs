//! What a bribed handler, a curious agent or an administrator alone would try. Each try is refused, and the refusal is
//! in the log.

use std::sync::Arc;

use callervault::clock::Fixed;
use serde_json::{Value, json};

use crate::support::{Answer, NAME, NUMBER, PEOPLE, Request, World, caller, report};

const ID: &str = "110108204107057338";

#[tokio::test]
async fn a_correction_is_no_oracle_for_identity_numbers() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    agent.take(json!({"name": "李四光", "id_no": ID})).await;
    let own = agent.take(caller(NAME, NUMBER)).await;
    let guess = async || agent.correct(&own, 1, json!({"id_no": ID})).await;
    let first = guess().await.fails(409, "taken");
    let entry = auditor.entry(&first).await;
    assert_eq!(
        (&entry["out"], &entry["why"]),
        (&json!("denied"), &json!("identity-taken"))
    );
    let mut last = first;
    for _ in 0..40 {
        last = guess().await;
        last.index();
    }
    assert_eq!(last.problem(), "too-many-guesses");
}

#[tokio::test]
async fn nobody_makes_or_equips_an_administrator_alone() {
    let (world, app) = World::new().await;
    let admin = world.actor(&app, "security-admin");
    let before = admin.get(PEOPLE).await.json();
    let make = |roles: Value| json!({"name": "another", "department": "H0", "roles": roles, "kind": "person"});
    for role in ["auditor", "security_admin", "system_admin"] {
        // It waits for a second person.
        admin.post(PEOPLE, &make(json!([role]))).await.is(202).index();
    }
    let after = admin.get(PEOPLE).await.json();
    assert_eq!(before["items"], after["items"], "nobody was made");
    for alone in ["auditor", "security_admin", "system_admin", "dpo"] {
        let both = admin.post(PEOPLE, &make(json!([alone, "agent"]))).await;
        both.fails(422, "roles-exclude").index();
    }
    for (name, problem) in [
        ("auditor", None),
        ("system-admin", None),
        ("dpo", None),
        ("security-admin", Some("own-roles")),
    ] {
        let account = world.account(name);
        let token = admin.post(format!("{account}/tokens"), &json!({})).await;
        refused_or_waits(&token, problem, name);
        assert!(token.json().get("token").is_none(), "{}", token.text);
        let set = Request::put(account, &json!({"roles": ["agent"], "active": true})).version(1);
        refused_or_waits(&admin.send(set).await, problem, name);
    }
}

fn refused_or_waits(answer: &Answer, problem: Option<&str>, name: &str) {
    match problem {
        Some(problem) => assert_eq!(answer.problem(), problem, "{name}"),
        None => assert_eq!(answer.status, 202, "{name}: {}", answer.text),
    }
    answer.index();
}

#[tokio::test]
async fn the_log_tells_whose_token_was_issued_and_which_was_used() {
    let (world, app) = World::new().await;
    let [admin, auditor, handler] = world.actors(&app, ["security-admin", "auditor", "handler-c1"]);
    let tokens = format!("{}/tokens", world.account("handler-c1"));
    let issued = admin.post(&*tokens, &json!({})).await;
    let handle = issued.at("/id");
    let entry = auditor.entry(&issued).await;
    let place = format!("@token/{}/{handle}", world.id("handler-c1"));
    assert!(entry["digest"].get(place).is_some(), "{entry}");

    let case = world.case(&app, "C1").await;
    let read = handler.reveal(&case).clear().await;
    let used = auditor.entry(&read).await;
    let tokens = admin.get(tokens).await;
    let mut handles = [tokens.at("/items/0/id"), tokens.at("/items/1/id")].into_iter();
    let own = handles.find(|one| *one != handle).unwrap();
    assert_eq!(used["token"], json!(own), "the one it was given first");
}

#[tokio::test]
async fn a_report_does_not_show_who_reported() {
    let (world, app) = World::new().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let report = report(caller(NAME, NUMBER));
    let report = agent.post("/v1/intake", &report).await.is(201).case();
    dispatcher.dispatch(&report.no, "C1").await.is(200);
    let page = handler.get(report.ticket()).await.is(200);
    assert!(page.json().get("caller").is_none(), "{}", page.text);
    let centre = agent.get(format!("{}?purpose=intake", report.ticket())).await;
    assert!(centre.json().pointer("/caller/ref").is_some(), "{}", centre.text);
    let file = handler.get(case.caller()).await.is(200);
    let beside = file.text.contains(&report.no);
    assert!(!beside, "the report is not beside the complaint: {}", file.text);
}

#[tokio::test]
async fn a_department_stops_hearing_of_a_caller_when_its_ticket_is_closed() {
    let (world, app) = World::new().await;
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let file = handler.get(case.caller()).await.is(200);
    assert!(
        file.headers.get("etag").is_none() && file.json().get("version").is_none(),
        "a number that is the same in all departments joins them: {}",
        file.text
    );
    world.ended(&app, &case.no).await;
    handler.get(case.caller()).await.is(403).index();
    let centre = agent.take(caller(NAME, NUMBER)).await;
    let own = agent.get(format!("{}?purpose=intake", centre.caller())).await;
    assert!(own.headers.get("etag").is_some(), "the centre corrects: {}", own.text);
}

#[tokio::test]
async fn an_agents_own_call_is_over_after_an_hour() {
    let world = World::closed().await;
    let now = jiff::Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_at(clock.clone()).await;
    let agent = world.actor(&app, "agent");
    let taken = agent.take(caller(NAME, NUMBER)).await;
    let show = || agent.reveal(&taken).purpose("intake");
    show().clear().await.is(200);
    clock.set(now + jiff::SignedDuration::from_mins(61));
    show().clear().await.is(403);
    show().masked().await.is(200);
}

#[tokio::test]
async fn a_name_is_not_guessed_from_its_first_character() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    handler.verify(&case, "name", NAME).await.is(403).index();
}
