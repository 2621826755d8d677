//! A department's references get a new version: those from before work for a while, and then no more.

use std::sync::Arc;
use std::time::SystemTime;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::model::reference::Reference;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::rows::Store;
use crate::support::{Answer, Case, Request, World};

const DEPARTMENT: &str = "/v1/admin/departments/C1";

/// Rotates the references of C1, with so many days of grace.
async fn rotate(world: &World, app: &Arc<App>, days: Option<u16>) -> Answer {
    let admin = world.actor(app, "security-admin");
    let listed = admin.get("/v1/admin/departments").await.json();
    let departments = listed["items"].as_array().unwrap();
    let c1 = departments.iter().find(|row| row["code"] == "C1").unwrap();
    let body = days.map_or(json!({}), |days| json!({"grace_days": days}));
    let request = Request::post(format!("{DEPARTMENT}/references/rotate"), &body);
    admin.send(request.version(c1["version"].as_u64().unwrap())).await
}

/// The same vault, so many days from now.
async fn days_later(world: &World, days: i64) -> Arc<App> {
    let now = Timestamp::try_from(SystemTime::now()).unwrap();
    let later = now + SignedDuration::from_hours(24 * days);
    world.open_at(Arc::new(Fixed::at(later)) as Arc<dyn Clock>).await
}

/// The version of a reference.
fn version(reference: &str) -> u8 {
    reference.parse::<Reference>().unwrap().version()
}

#[tokio::test]
async fn both_versions_work_for_a_while_and_the_newer_is_told() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let changed = rotate(&world, &app, None).await.is(200).json();
    assert_eq!(changed["references"], 2);
    let until = changed["references_before_until"].as_str().unwrap().to_owned();

    let shown = handler.reveal(&case).masked().await.is(200).json();
    let by = shown["superseded"]["by"].as_str().unwrap().to_owned();
    assert_eq!((version(&case.reference), version(&by)), (1, 2));
    assert_eq!(shown["superseded"]["until"], json!(until));
    let compared = handler
        .verify(&case, "callback_number", "13900001111")
        .await
        .is(200)
        .json();
    assert_eq!(compared["superseded"]["by"], json!(by));
    assert_eq!(compared["match"], true);

    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(page["caller"]["ref"], json!(by));
    assert_eq!(page["caller"]["superseded"], json!([case.reference]));

    let newer = Case {
        reference: by.clone(),
        ..case.clone()
    };
    let shown = handler.reveal(&newer).masked().await.is(200).json();
    assert_eq!(shown["superseded"], Value::Null, "it is the newest");
    drop(app);

    let app = days_later(&world, 91).await;
    let handler = world.actor(&app, "handler-c1");
    let refused = handler.reveal(&case).masked().await.fails(410, "ended-reference");
    handler.get(case.caller()).await.fails(410, "ended-reference");
    handler.reveal(&newer).masked().await.is(200);
    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(page["caller"]["superseded"], Value::Null, "it works no more");
    let entry = world
        .actor(&app, "auditor")
        .get(format!("/v1/audit/events/{}", refused.index()))
        .await;
    assert_eq!(entry.at("/leaf/why"), "ended-reference");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn after_a_leak_none_from_before_works_from_the_next_request_on() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    rotate(&world, &app, None).await.is(200);
    let again = rotate(&world, &app, Some(30)).await.fails(409, "grace-runs");
    assert!(again.text.contains("references_before_until"), "{}", again.text);
    handler.reveal(&case).masked().await.is(200);
    rotate(&world, &app, Some(0)).await.is(200);
    handler.reveal(&case).masked().await.fails(410, "ended-reference");
    let page = handler.get(case.ticket()).await.is(200).json();
    let newest = page["caller"]["ref"].as_str().unwrap().to_owned();
    assert_eq!((version(&newest), &page["caller"]["superseded"]), (3, &Value::Null));
    // Nobody else's have changed.
    let other = world.case(&app, "W2").await;
    assert_eq!(version(&other.reference), 1);
}

#[tokio::test]
async fn a_reference_key_and_a_department_s_version_turn_independently() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let system = world.actor(&app, "system-admin");
    let rotated = Request::post("/v1/keys/rotate", &json!({"role": "reference"}));
    let auditor = world.actor(&app, "auditor");
    let id = system.approved_by(auditor, &rotated).await;
    system.send(rotated.approved(&id)).await.is(200);
    let handler = world.actor(&app, "handler-c1");
    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(
        page["caller"]["ref"],
        json!(case.reference),
        "a key's rotation changes no reference"
    );

    rotate(&world, &app, None).await.is(200);
    let page = handler.get(case.ticket()).await.is(200).json();
    assert_eq!(version(page["caller"]["ref"].as_str().unwrap()), 2);
    handler.reveal(&case).masked().await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn fifteen_versions_fit_and_the_days_are_bounded() {
    let (world, app) = World::new().await;
    rotate(&world, &app, Some(367)).await.fails(422, "bad-grace");
    for _ in 2..=15 {
        rotate(&world, &app, Some(0)).await.is(200);
    }
    rotate(&world, &app, Some(0)).await.fails(409, "no-more-versions");
    let case = world.case(&app, "C1").await;
    assert_eq!(version(&case.reference), 15);
}

#[tokio::test]
async fn only_a_security_administrator_rotates_and_the_log_says_it() {
    let (world, app) = World::new().await;
    for name in ["system-admin", "auditor", "dispatcher", "handler-c1", "agent"] {
        let request = Request::post(format!("{DEPARTMENT}/references/rotate"), &json!({})).version(1);
        world.actor(&app, name).send(request).await.is(403);
    }
    let index = rotate(&world, &app, Some(7)).await.is(200).index();
    let entry = world
        .actor(&app, "auditor")
        .get(format!("/v1/audit/events/{index}"))
        .await
        .json();
    let link = &entry["leaf"]["link"];
    assert_eq!(
        (&link["deed"], &link["references"]),
        (&json!("rotate-references"), &json!("2"))
    );
    assert!(link["good_until"].is_string(), "{link}");
}

/// Whoever edits the row of a department does not bring an ended reference back.
#[tokio::test]
async fn a_row_put_back_brings_no_reference_back() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let keys: Vec<u8> = department(&world.data()).first("reference_keys");
    let app = world.open().await;
    rotate(&world, &app, Some(0)).await.is(200);
    drop(app);
    department(&world.data()).set("reference_keys", &*keys);
    let app = world.open().await;
    let handler = world.actor(&app, "handler-c1");
    handler.reveal(&case).masked().await.fails(500, "integrity");
    drop(app);
    world.is_found("department C1", "").await;
}

fn department(data: &Store) -> crate::support::rows::Rows<'_> {
    data.rows("department").of("code", "C1")
}

#[tokio::test]
async fn a_reference_tried_by_another_department_is_refused_logged_and_counted() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let other = world.case(&app, "W2").await;
    let handler = world.actor(&app, "handler-w2");
    // Shown with a ticket that the asker does hold.
    let stolen = Case {
        no: other.no.clone(),
        ..case.clone()
    };
    let refused = handler.reveal(&stolen).masked().await.fails(403, "refused");
    let auditor = world.actor(&app, "auditor");
    let entry = auditor.get(format!("/v1/audit/events/{}", refused.index())).await;
    assert_eq!(entry.at("/leaf/why"), "foreign-reference");
    assert!(
        world
            .metrics(&app)
            .await
            .contains("callervault_refusals_total{why=\"foreign-reference\"} 1")
    );
}

/// One wrong character is told by its place, and nothing is put right in silence.
#[tokio::test]
async fn a_slip_of_one_character_is_pointed_at() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let mut typed = case.reference.clone().into_bytes();
    // The seventh character stands behind one hyphen.
    let right = char::from(typed[7]);
    typed[7] = if right == '7' { b'8' } else { b'7' };
    let typed = String::from_utf8(typed).unwrap();
    let slip = Case {
        reference: typed.clone(),
        ..case.clone()
    };
    let answer = handler.reveal(&slip).masked().await.fails(400, "mistyped-identifier");
    let detail = answer.at("/detail");
    assert!(
        detail.contains("number 7") && detail.contains(&format!("should be {right}")),
        "{detail}"
    );
    assert!(
        !answer.text.contains(&case.reference) && !answer.text.contains(&typed),
        "{}",
        answer.text
    );
}
