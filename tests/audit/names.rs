//! Names beside ids, for auditors and data protection officers; and days in place of moments.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::policy::Policy;
use serde_json::{Value, json};

use crate::support::approvals::new_auditor;
use crate::support::rows::id;
use crate::support::{Answer, World};

/// An answer names the handler and the department, in these places.
#[track_caller]
fn names(answer: &Answer, place: &str) {
    let there = answer.json().pointer(place).cloned().unwrap_or_default();
    assert_eq!(there["actor_name"], "handler-c1", "{}", answer.text);
    assert_eq!(there["department_name"], "Department C1", "{}", answer.text);
}

#[tokio::test]
async fn auditors_and_officers_see_names_beside_ids() {
    let (world, app) = World::new().await;
    let [handler, auditor, dpo] = world.actors(&app, ["handler-c1", "auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let shown = handler.reveal(&case).clear().await;
    let mark = json!({"mark": shown.at("/mark")});
    let ticket = json!({"ticket": case.no});
    for who in [auditor, dpo] {
        names(
            &who.get("/v1/audit/events?act=field.reveal").await.is(200),
            "/entries/0",
        );
        names(
            &who.get(format!("/v1/audit/events/{}", shown.index())).await.is(200),
            "",
        );
        names(&who.post("/v1/audit/trace", &mark).await.is(200), "/entries/0");
        names(&who.post("/v1/audit/exposure", &ticket).await.is(200), "/groups/0");
    }
    let day = &auditor.entry(&shown).await["t"].as_str().unwrap()[..10].to_owned();
    let report = auditor.get(format!("/v1/audit/report?day={day}&days=2")).await.is(200);
    let readers = report.json()["readers"].as_array().unwrap().clone();
    let at = readers
        .iter()
        .position(|reader| reader["actor"] == world.id("handler-c1"));
    names(&report, &format!("/readers/{}", at.unwrap()));
    // The log itself has ids alone, and so have those who copy it.
    let leaf = auditor.entry(&shown).await.to_string();
    assert!(!leaf.contains("handler-c1") && !leaf.contains("Department"), "{leaf}");
    let copied = auditor.get("/v1/audit/follow?from=0").await.is(200);
    assert!(!copied.text.contains("actor_name") && !copied.text.contains("handler-c1"));
}

#[tokio::test]
async fn the_second_person_is_named_too() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let made = admin.with(auditor, &new_auditor("auditor-2")).await.is(201);
    let entry = auditor.get(format!("/v1/audit/events/{}", made.index())).await.json();
    assert_eq!(
        (&entry["actor_name"], &entry["approver_name"]),
        (&json!("security-admin"), &json!("auditor"))
    );
    // What the vault did by itself was done by nobody.
    let first = auditor.get("/v1/audit/events/0").await.is(200).json();
    assert_eq!(first.get("actor_name"), None, "{first}");
    assert_eq!(first["department_name"], "Centre");
}

/// A city lets its handlers search the log.
#[tokio::test]
async fn no_policy_tells_names_to_others() {
    let world = World::closed().await;
    let shipped = r#"principal == CallerVault::Role::"handler" && context.purpose == "handle""#;
    let own = r#"principal == CallerVault::Role::"handler" && ["handle", "audit"].contains(context.purpose)"#;
    let policy = Policy::SHIPPED_POLICIES.replacen(shipped, own, 1);
    assert_ne!(policy, Policy::SHIPPED_POLICIES);
    let permit = r#"
        @id("city.handler")
        permit (principal == CallerVault::Role::"handler", action == CallerVault::Action::"log.search", resource);
    "#;
    std::fs::write(
        world.places.policies.join("need-to-know.cedar"),
        format!("{policy}{permit}"),
    )
    .unwrap();
    let app = world.open().await;
    let found = world.actor(&app, "handler-c1").get("/v1/audit/events").await.is(200);
    assert!(found.text.contains("\"actor\""), "{}", found.text);
    for name in ["actor_name", "department_name", "security-admin", "Department"] {
        assert!(!found.text.contains(name), "{name}");
    }
}

/// It is not told, and it keeps nobody from reading the log: whoever edits one row does not blind the auditors.
#[tokio::test]
async fn a_name_in_an_edited_row_is_not_told() {
    let (world, app) = World::new().await;
    let [handler, auditor, dpo] = world.actors(&app, ["handler-c1", "auditor", "dpo"]);
    let case = world.case(&app, "C1").await;
    let shown = handler.reveal(&case).clear().await.is(200);
    let account = id(world.id("handler-c1"));
    let data = world.data();
    let row = data.rows("principal").of("id", account);
    let day = auditor.entry(&shown).await["t"].as_str().unwrap()[..10].to_owned();
    let unproved = |answer: &Answer, place: &str| {
        let item = answer.json().pointer(place).cloned().unwrap_or_default();
        assert_eq!(item["names_unproved"], true, "{place} {}", answer.text);
        assert_eq!(item.get("actor_name"), None, "{}", answer.text);
        assert!(!answer.text.contains("handler-w9"), "{}", answer.text);
    };
    for (column, edited) in [("account", "handler-w9"), ("roles", "no-such-role")] {
        row.set(column, edited);
        for who in [auditor, dpo] {
            unproved(
                &who.get("/v1/audit/events?act=field.reveal").await.is(200),
                "/entries/0",
            );
            unproved(
                &who.get(format!("/v1/audit/events/{}", shown.index())).await.is(200),
                "",
            );
            let mark = json!({"mark": shown.at("/mark")});
            unproved(&who.post("/v1/audit/trace", &mark).await.is(200), "/entries/0");
            let ticket = json!({"ticket": case.no});
            unproved(&who.post("/v1/audit/exposure", &ticket).await.is(200), "/groups/0");
        }
        let report = auditor.get(format!("/v1/audit/report?day={day}&days=2")).await.is(200);
        assert!(report.text.contains("\"names_unproved\":true"), "{}", report.text);
    }
    let roles = format!("/v1/audit/roles?principal={}", world.id("handler-c1"));
    let roles = auditor.get(roles).await.is(200);
    assert_eq!(roles.json()["items"][0]["names_unproved"], true, "{}", roles.text);
    data.rows("department").of("code", "C1").set("name", "Department X");
    let found = auditor.get("/v1/audit/events?act=field.reveal").await.is(200);
    assert_eq!(
        found.json()["entries"][0].get("department_name"),
        None,
        "{}",
        found.text
    );
    // Where nothing was edited, there is no mark.
    let first = auditor.get("/v1/audit/events/0").await.is(200);
    assert!(!first.text.contains("names_unproved"), "{}", first.text);
}

#[tokio::test]
async fn a_day_is_one_of_local_time_unless_it_says_another_offset() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at("2026-12-01T15:59:59Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let case = world.case(&app, "C1").await;
    let late = handler.reveal(&case).clear().await.is(200);
    clock.set("2026-12-01T16:00:00Z".parse().unwrap());
    let next = handler.reveal(&case).clear().await.is(200);
    for (span, right) in [
        ("from=2026-12-01&to=2026-12-01", vec![late.index()]),
        ("from=2026-12-02&to=2026-12-02", vec![next.index()]),
        ("from=2026-12-01Z&to=2026-12-01Z", vec![next.index(), late.index()]),
        ("from=2026-12-01%2B09:00&to=2026-12-01%2B09:00", vec![]),
        ("to=2026-12-01", vec![late.index()]),
    ] {
        let path = format!("/v1/audit/events?act=field.reveal&{span}");
        let found = auditor.get(path).await.is(200).json();
        let entries = found["entries"].as_array().unwrap().iter();
        let indexes: Vec<u64> = entries.map(|entry| entry["index"].as_u64().unwrap()).collect();
        assert_eq!(indexes, right, "{span}");
    }
    let moments: [&Value; 2] = [&json!("2026-11-30T16:00:00.000Z"), &json!("2026-12-01T16:00:00.000Z")];
    let found = auditor
        .get("/v1/audit/events?from=2026-12-01&to=2026-12-01")
        .await
        .json();
    assert_eq!(
        [&found["from"], &found["to"]],
        moments,
        "the answer says which moments they were"
    );
    let body = json!({"ticket": case.no, "from": "2026-12-01", "to": "2026-12-01"});
    let exposed = auditor.post("/v1/audit/exposure", &body).await.is(200).json();
    assert_eq!([&exposed["from"], &exposed["to"]], moments);
    assert_eq!(exposed["reads"], 1);
    let beyond = json!({"ticket": case.no, "to": "9999-12-31"});
    auditor
        .post("/v1/audit/exposure", &beyond)
        .await
        .fails(422, "no-such-day");
    let wrong = json!({"ticket": case.no, "to": "2026-12-32"});
    auditor.post("/v1/audit/exposure", &wrong).await.fails(400, "bad-json");
}
