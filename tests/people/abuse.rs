//! What a bribed handler, a curious agent or an administrator alone would try. Each try is refused, and the refusal is
//! in the log.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{Answer, World, caller, intake};

const ID: &str = "110108204107057338";

fn logged(answer: &Answer) -> u64 {
    let index = answer.json().pointer("/audit/index").and_then(Value::as_u64);
    assert!(index.is_some(), "not in the log: {}", answer.text);
    index.unwrap_or_default()
}

/// The entry at that position.
fn leaf(world: &World, index: u64) -> Value {
    let index = i64::try_from(index).unwrap();
    let body: Vec<u8> = world.data().rows("log_entry").of("idx", index).first("body");
    serde_json::from_slice(&body).unwrap()
}

async fn take(world: &World, app: &Arc<App>, body: &Value) -> Answer {
    let taken = world.post(app, "agent", "/v1/intake", body).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    taken
}

#[tokio::test]
async fn a_correction_is_no_oracle_for_identity_numbers() {
    let (world, app) = World::new().await;
    take(&world, &app, &intake(json!({"name": "李四光", "id_no": ID}))).await;
    let own = take(&world, &app, &intake(caller("王小明", "13900001111"))).await;
    let path = format!("/v1/callers/{}", own.at("/caller/ref"));
    let guess = async || {
        let body = json!({"ticket": own.at("/ticket/no"), "reason": "听错", "fields": {"id_no": ID}}).to_string();
        world
            .call(&app, "agent", "PATCH", &path, &[("if-match", "\"1\"")], &body)
            .await
    };
    let first = guess().await;
    assert_eq!(
        (first.status, first.problem().as_str()),
        (409, "taken"),
        "{}",
        first.text
    );
    let entry = leaf(&world, logged(&first));
    assert_eq!(
        (entry["out"].as_str(), entry["why"].as_str()),
        (Some("denied"), Some("identity-taken"))
    );
    let mut last = first;
    for _ in 0..40 {
        last = guess().await;
        logged(&last);
    }
    assert_eq!(last.problem(), "too-many-guesses");
}

#[tokio::test]
async fn nobody_makes_or_equips_an_administrator_alone() {
    let (world, app) = World::new().await;
    let principals = world.get(&app, "security-admin", "/v1/admin/principals").await.json();
    let id = |name: &str| {
        let all = principals["items"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap();
        one["id"].as_str().unwrap().to_owned()
    };
    let make = |roles: Value| json!({"name": "another", "department": "H0", "roles": roles, "kind": "person"});
    for role in ["auditor", "security_admin", "system_admin"] {
        let answer = world
            .post(&app, "security-admin", "/v1/admin/principals", &make(json!([role])))
            .await;
        assert_eq!(answer.status, 202, "{role}: it waits for a second person");
        logged(&answer);
    }
    let after = world.get(&app, "security-admin", "/v1/admin/principals").await.json();
    assert_eq!(principals["items"], after["items"], "nobody was made");
    for alone in ["auditor", "security_admin", "system_admin", "dpo"] {
        let both = make(json!([alone, "agent"]));
        let answer = world.post(&app, "security-admin", "/v1/admin/principals", &both).await;
        assert_eq!(answer.problem(), "roles-exclude", "{alone}");
        logged(&answer);
    }
    for (name, problem) in [
        ("auditor", None),
        ("system-admin", None),
        ("dpo", None),
        ("security-admin", Some("own-roles")),
    ] {
        let token = format!("/v1/admin/principals/{}/tokens", id(name));
        let answer = world.post(&app, "security-admin", &token, &json!({})).await;
        refused_or_waits(&answer, problem, name);
        assert!(answer.json().get("token").is_none(), "{}", answer.text);
        let set = json!({"roles": ["agent"], "active": true}).to_string();
        let path = format!("/v1/admin/principals/{}", id(name));
        let answer = world
            .call(&app, "security-admin", "PUT", &path, &[("if-match", "\"1\"")], &set)
            .await;
        refused_or_waits(&answer, problem, name);
    }
}

fn refused_or_waits(answer: &Answer, problem: Option<&str>, name: &str) {
    match problem {
        Some(problem) => assert_eq!(answer.problem(), problem, "{name}"),
        None => assert_eq!(answer.status, 202, "{name}: {}", answer.text),
    }
    logged(answer);
}

#[tokio::test]
async fn the_log_tells_whose_token_was_issued_and_which_was_used() {
    let (world, app) = World::new().await;
    let id = world.id("handler-c1").to_owned();
    let issued = world
        .post(
            &app,
            "security-admin",
            &format!("/v1/admin/principals/{id}/tokens"),
            &json!({}),
        )
        .await;
    let handle = issued.at("/id");
    let entry = leaf(&world, logged(&issued));
    assert!(
        entry["digest"].get(format!("@token/{id}/{handle}")).is_some(),
        "{entry}"
    );

    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let read = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    let used = leaf(&world, logged(&read));
    let tokens = world
        .get(&app, "security-admin", &format!("/v1/admin/principals/{id}/tokens"))
        .await;
    let mut handles = [tokens.at("/items/0/id"), tokens.at("/items/1/id")].into_iter();
    let own = handles.find(|one| *one != handle).unwrap();
    assert_eq!(used["token"].as_str(), Some(own.as_str()), "the one it was given first");
}

#[tokio::test]
async fn a_report_does_not_show_who_reported() {
    let (world, app) = World::new().await;
    let person = || caller("王小明", "13900001111");
    let (_, reference) = world.ticket_at(&app, "C1", person()).await;
    let mut report = intake(person());
    report["ticket"]["kind"] = json!("report");
    let no = take(&world, &app, &report).await.at("/ticket/no");
    let body = json!({"department": "C1", "reason": "请核查"});
    let sent = world
        .post(&app, "dispatcher", &format!("/v1/tickets/{no}/dispatch"), &body)
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let page = world.get(&app, "handler-c1", &format!("/v1/tickets/{no}")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.json().get("caller").is_none(), "{}", page.text);
    let centre = world
        .get(&app, "agent", &format!("/v1/tickets/{no}?purpose=intake"))
        .await;
    assert!(centre.json().pointer("/caller/ref").is_some(), "{}", centre.text);
    let file = world.get(&app, "handler-c1", &format!("/v1/callers/{reference}")).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(
        !file.text.contains(&no),
        "the report is not beside the complaint: {}",
        file.text
    );
}

#[tokio::test]
async fn a_department_stops_hearing_of_a_caller_when_its_ticket_is_closed() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let path = format!("/v1/callers/{reference}");
    let file = world.get(&app, "handler-c1", &path).await;
    assert_eq!(file.status, 200, "{}", file.text);
    assert!(
        file.headers.get("etag").is_none() && file.json().get("version").is_none(),
        "a number that is the same in all departments joins them: {}",
        file.text
    );
    let close = world
        .post(
            &app,
            "handler-c1",
            &format!("/v1/tickets/{no}/close"),
            &json!({"reason": "完成"}),
        )
        .await;
    assert_eq!(close.status, 200, "{}", close.text);
    let refused = world.get(&app, "handler-c1", &path).await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    logged(&refused);
    let centre = take(&world, &app, &intake(caller("王小明", "13900001111"))).await;
    let own = world
        .get(
            &app,
            "agent",
            &format!("/v1/callers/{}?purpose=intake", centre.at("/caller/ref")),
        )
        .await;
    assert!(own.headers.get("etag").is_some(), "the centre corrects: {}", own.text);
}

#[tokio::test]
async fn an_agents_own_call_is_over_after_an_hour() {
    let (world, app) = World::new().await;
    drop(app);
    let now = jiff::Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_at(clock.clone()).await;
    let taken = take(&world, &app, &intake(caller("王小明", "13900001111"))).await;
    let show = async |form: &str| {
        let body =
            json!({"ticket": taken.at("/ticket/no"), "purpose": "intake", "fields": ["callback_number"], "form": form});
        let path = format!("/v1/callers/{}/reveal", taken.at("/caller/ref"));
        world.post(&app, "agent", &path, &body).await.status
    };
    assert_eq!(show("clear").await, 200);
    clock.set(now + jiff::SignedDuration::from_mins(61));
    assert_eq!(show("clear").await, 403);
    assert_eq!(show("masked").await, 200);
}

#[tokio::test]
async fn a_name_is_not_guessed_from_its_first_character() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let body = json!({"ticket": no, "purpose": "handle", "field": "name", "value": "王小明"});
    let answer = world
        .post(&app, "handler-c1", &format!("/v1/callers/{reference}/verify"), &body)
        .await;
    assert_eq!(answer.status, 403, "{}", answer.text);
    logged(&answer);
}
