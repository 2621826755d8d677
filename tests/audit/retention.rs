//! Bodies of old entries are dropped by two persons; what is left still proves everything.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::vault::Retention;
use callervault::vault::life::fsck::Finding;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::calls::import::import;
use crate::support::copies::{caught, copy, copy_from, grow, holds};
use crate::support::{Answer, NAME, NUMBER, Request, World, caller, intake};

fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

/// A log of more than 256 entries, opened so many days later.
pub(crate) async fn later(count: i64) -> (World, Arc<App>, Arc<Fixed>) {
    let (world, app) = World::new().await;
    grow(&world, &app, 260).await;
    drop(app);
    let clock = Arc::new(Fixed::at(Timestamp::now() + days(count)));
    let app = world.open_at(clock.clone()).await;
    (world, app, clock)
}

/// The bodies of the entries below this one are dropped: asked by a system administrator, approved by an auditor.
pub(crate) fn drop_bodies(below: impl Into<Value>) -> Request {
    Request::post("/v1/audit/retention", &json!({"below": below.into()}))
}

pub(crate) async fn drop_below(world: &World, app: &Arc<App>, below: u64) -> Answer {
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    system.with(auditor, &drop_bodies(below)).await
}

#[tokio::test]
async fn dropped_bodies_leave_every_proof() {
    let (world, app, _) = later(1100).await;
    let [system, auditor, dpo] = world.actors(&app, ["system-admin", "auditor", "dpo"]);
    let entry = auditor.get("/v1/audit/events/17").await.json()["leaf"].to_string();
    let archive = copy(&world, &app).await;
    let asked = system.send(drop_bodies(256)).await;
    let first = asked.at("/detail").contains("callervault audit export");
    assert!(first, "{}", asked.text);
    // The log is the auditors'.
    dpo.approve(&asked.at("/approval/id")).await.is(403);

    let dropped = drop_below(&world, &app, 256).await.is(200);
    assert_eq!(dropped.json()["below"], 256, "{}", dropped.text);
    let leaf = auditor.entry(&dropped).await;
    let link = &leaf["link"];
    assert_eq!((&link["below"], &link["from"]), (&json!("256"), &json!("0")));
    assert_eq!(link["log"], "test.invalid/log/1");
    assert!(
        link["approver_reason"].is_string(),
        "the digest of why it was approved: {link}"
    );
    assert_ne!(leaf["actor"], leaf["approver"]);

    for path in [
        "/v1/audit/events/0",
        "/v1/audit/events/255",
        "/v1/audit/tile/entries/000",
        "/v1/audit/follow?from=0&limit=5",
        "/v1/audit/follow?from=255&limit=5",
    ] {
        let answer = auditor.get(path).await.fails(404, "archived");
        assert!(answer.at("/detail").contains("archived"), "{path}: {}", answer.text);
    }
    auditor.get("/v1/audit/events/256").await.is(200);

    // A receipt of a dropped entry, whose bytes somebody has kept.
    let proof = auditor.get("/v1/audit/events/17/proof").await.is(200);
    let left = copy_from(&world, &app, 256).await;
    std::fs::write(left.path("17.tlog-proof"), proof.text).unwrap();
    std::fs::write(left.path("17"), entry).unwrap();
    let [receipt, entry] = ["17.tlog-proof", "17"].map(|name| left.path(name).display().to_string());
    holds(
        &left,
        &["--pruned-below", "256", "--proof", &receipt, "--entry", &entry],
    );
    let kept = archive.path("checkpoint").display().to_string();
    holds(&left, &["--pruned-below", "256", "--not-older-than", &kept]);
    holds(&archive, &[]);
    caught("undeclared", &left, &[], "tile/entries/000 is missing");

    drop(app);
    assert_eq!(world.fsck().await, [], "what was dropped is no finding");
    let app = world.open().await;
    world.case(&app, "W2").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn what_may_not_be_dropped() {
    let (world, app, clock) = later(1000).await;
    let young = Timestamp::now() + days(1000);
    let ask = async |who: &str, below: Value| world.actor(&app, who).send(drop_bodies(below)).await;
    let early = ask("system-admin", json!(256)).await.fails(422, "retained");
    assert!(early.at("/detail").starts_with("Entry 0 is younger"), "{}", early.text);

    clock.set(young + days(100));
    for (below, problem) in [
        (json!(0), "no-bundle"),
        (json!(255), "no-bundle"),
        (json!(257), "no-bundle"),
        (json!(25_600_000), "beyond-the-log"),
        (json!(-256), "bad-json"),
        (json!("256"), "bad-json"),
    ] {
        let answer = ask("system-admin", below).await;
        assert_eq!(answer.problem(), problem, "{}", answer.text);
    }
    for who in ["auditor", "dpo", "security-admin", "agent"] {
        ask(who, json!(256)).await.fails(403, "refused");
        let answer = ask(who, json!(255)).await;
        assert_eq!(answer.status, 403, "{who} learns nothing of the log's length");
    }
    drop_below(&world, &app, 256).await.is(200);
    let again = ask("system-admin", json!(256)).await;
    assert_eq!(again.problem(), "dropped-already", "{}", again.text);
}

#[tokio::test]
async fn the_first_young_entry_is_named() {
    let (world, app) = World::new().await;
    grow(&world, &app, 100).await;
    drop(app);
    let now = Timestamp::now();
    let clock = Arc::new(Fixed::at(now + days(1000)));
    let app = world.open_at(clock.clone()).await;
    world.actor(&app, "auditor").get("/v1/audit/keys").await.is(200);
    let size: u64 = world.data().rows("log_head").first("size");
    let first_young = size - 1;
    grow(&world, &app, 260).await;
    clock.set(now + days(1097));
    let answer = world.actor(&app, "system-admin").send(drop_bodies(256)).await;
    let answer = answer.fails(422, "retained");
    let words = format!("Entry {first_young} is younger");
    assert!(answer.at("/detail").starts_with(&words), "{words}: {}", answer.text);
    assert_eq!(Retention::days(182), None, "six months at the least");
    assert_eq!(Retention::days(1096), Some(Retention::default()));
}

#[tokio::test]
async fn a_body_that_nobody_dropped_is_missed() {
    let (world, app, _) = later(1100).await;
    drop_below(&world, &app, 256).await.is(200);
    drop(app);
    world.data().rows("log_entry").of("idx", 256).set("body", []);
    let findings = world.fsck().await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert_eq!(findings[0].place, "log entry 256");
    assert!(findings[0].what.starts_with("is empty"), "{findings:?}");
    // It lies in the part of the log that each start proves.
    let refused = world.try_open().await.err().expect("an empty body at the log's end");
    assert!(refused.to_string().contains("log entry 256"), "{refused}");
}

#[tokio::test]
async fn an_older_body_that_nobody_dropped_is_an_integrity_problem() {
    let (world, app, _) = later(0).await;
    drop(app);
    world.data().rows("log_entry").below("idx", 256).set("body", []);
    let findings = world.fsck().await;
    let empty = findings.iter().filter(|one| one.what.starts_with("is empty"));
    assert_eq!(empty.count(), 256);
    let app = world.open().await;
    for path in ["/v1/audit/events/0", "/v1/audit/tile/entries/000"] {
        let answer = world.actor(&app, "auditor").get(path).await;
        answer.fails(500, "integrity");
    }
}

async fn archived_below(world: &World, app: &Arc<App>) -> Value {
    let auditor = world.actor(app, "auditor");
    let found = auditor.get("/v1/audit/events?act=log.prune").await.is(200);
    found.json()["archived_below"].clone()
}

/// How far a log was archived stands in one row: a search reads no approval for it.
#[tokio::test]
async fn a_search_reads_no_approvals() {
    let (world, app, _) = later(1100).await;
    drop_below(&world, &app, 256).await.is(200);
    world.data().rows("approval").set("about", r#"{"edited":"row"}"#);
    assert_eq!(archived_below(&world, &app).await, 256);
}

#[tokio::test]
async fn the_row_that_says_how_far_is_held_to_the_log() {
    let (world, app, _) = later(1100).await;
    grow(&world, &app, 300).await;
    drop_below(&world, &app, 256).await.is(200);
    let data = world.data();
    let archive = data.rows("archive");
    let older = archive.kept();
    // The later ones are younger than the retention period until so many days have gone by.
    drop(app);
    let app = world.open_at(Arc::new(Fixed::at(Timestamp::now() + days(2300)))).await;
    drop_below(&world, &app, 512).await.is(200);
    assert_eq!(archived_below(&world, &app).await, 512);
    drop(app);
    assert_eq!(world.fsck().await, []);

    // An entry that was dropped has no history but this row: edited, it is refused; put back or gone, it hides nothing.
    let attacks: [(&dyn Fn(), &str); 3] = [
        (&|| _ = archive.set("below", 100_000), "was edited"),
        (&|| _ = archive.delete(), "is not there"),
        (&|| data.insert(&older), "is not what the log says"),
    ];
    for (attack, words) in attacks {
        attack();
        let findings = world.fsck().await;
        let named = |one: &Finding| {
            one.place.contains("archive") && one.place.contains("test.invalid/log/1") && one.what.contains(words)
        };
        assert!(findings.iter().any(named), "{words}: {findings:?}");
        let app = world.open().await;
        let entry = world.actor(&app, "auditor").get("/v1/audit/events/300").await;
        entry.fails(500, "integrity");
    }
}

/// What a client or an import has kept of an answer is older than the log's bodies: it still gets the answer, and no fault.
#[tokio::test]
async fn a_repeated_request_of_before_is_answered_as_then() {
    let (world, app) = World::new().await;
    let call = |name: &str| Request::post("/v1/intake", &intake(caller(name, NUMBER))).once("one");
    let send = async |app: &Arc<App>, name: &str| world.actor(app, "agent").send(call(name)).await;
    let first = send(&app, NAME).await.is(201);
    drop(app);
    let file = world.dir.path().join("calls.jsonl");
    std::fs::write(&file, include_str!("../data/calls.jsonl").lines().next().unwrap()).unwrap();
    let take = || String::from_utf8(import(&world, &file).stdout).unwrap();
    assert!(take().contains("1 lines = 1 taken"), "the first time");
    let app = world.open().await;
    grow(&world, &app, 260).await;
    drop(app);
    let app = world.open_at(Arc::new(Fixed::at(Timestamp::now() + days(1100)))).await;
    drop_below(&world, &app, 256).await.is(200);

    let again = send(&app, NAME).await.is(201);
    assert_eq!(again.text, first.text, "the first answer");
    send(&app, "李四光").await.fails(422, "idempotency-key-reused");
    drop(app);
    let words = take();
    assert!(
        words.contains("0 taken") && words.contains("+ 1 already known + 0 rejected"),
        "{words}"
    );
    assert_eq!(world.fsck().await, []);

    // A body that nobody archived is another matter: somebody emptied it.
    let app = world.open_at(Arc::new(Fixed::at(Timestamp::now() + days(1100)))).await;
    world.data().rows("replay").set("leaf_index", 257);
    world.data().rows("log_entry").of("idx", 257).set("body", []);
    send(&app, NAME).await.fails(500, "integrity");
}
