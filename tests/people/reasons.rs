//! Why somebody asks for an approval, and why another gives or refuses it: shown to those two sides, sealed at rest, and held to
//! the log by digests.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::Role;
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::people::approvals::{RESOLVE, decide, entry, person, refused, send, subject};
use crate::support::process::{Server, run, secret_file};
use crate::support::rows;
use crate::support::{Answer, World};

const ASKED: &str = "来电人要求查询其个人信息被谁看过";
const ASKED_SHORTLY: &str = "a letter came";
const DECIDED: &str = "核对过书面申请 no. 7, all in order";

/// As a header has it.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn ask(world: &World, app: &Arc<App>, body: &Value, reason: &str) -> Answer {
    let header = [("approval-reason", reason)];
    world
        .call(app, "dpo", "POST", RESOLVE, &header, &body.to_string())
        .await
}

async fn decide_because(world: &World, app: &Arc<App>, who: &str, id: &str, what: &str, body: &str) -> Answer {
    let path = format!("/v1/approvals/{id}/{what}");
    world.call(app, who, "POST", &path, &[], body).await
}

fn sealed(world: &World, id: &str, column: &str) -> Vec<u8> {
    world.data().rows("approval").of("id", rows::id(id)).first(column)
}

fn sha256(bytes: &[u8]) -> Value {
    json!(BASE64.encode(digest(&SHA256, bytes).as_ref()))
}

async fn the_log_has_neither(world: &World, app: &Arc<App>) {
    for path in [
        "/v1/audit/events?act=approval.ask",
        "/v1/audit/events?act=approval.approve",
    ] {
        let found = world.get(app, "auditor", path).await;
        assert_eq!(found.status, 200, "{}", found.text);
        assert!(found.text.contains("_reason") && !found.text.contains(ASKED) && !found.text.contains(DECIDED));
    }
}

#[tokio::test]
async fn both_reasons_are_shown_to_both_sides_and_to_nobody_else() {
    let (mut world, app) = World::new().await;
    world
        .hire(app.vault(), "security-admin", person("dpo-2", Role::Dpo))
        .await;
    let (body, _) = subject(&world, &app).await;
    let asked = ask(&world, &app, &body, &encoded(ASKED)).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.at("/approval/id");
    let one = format!("/v1/approvals/{id}");
    let before = world.get(&app, "auditor", &one).await;
    assert_eq!(
        before.at("/asker_reason"),
        ASKED,
        "who decides reads it first: {}",
        before.text
    );
    assert!(before.json().get("approver_reason").is_none(), "{}", before.text);
    let why = json!({"reason": DECIDED}).to_string();
    let decided = decide_because(&world, &app, "auditor", &id, "approve", &why).await;
    assert_eq!(decided.status, 200, "{}", decided.text);

    // Another officer may decide on such requests as well.
    for (who, path) in [
        ("dpo", one.as_str()),
        ("auditor", &one),
        ("dpo-2", &one),
        ("dpo", "/v1/approvals/mine"),
        ("auditor", "/v1/approvals"),
    ] {
        let shown = world.get(&app, who, path).await;
        assert_eq!(shown.status, 200, "{who} {path}: {}", shown.text);
        assert!(
            shown.text.contains(ASKED) && shown.text.contains(DECIDED),
            "{who} {path}: {}",
            shown.text
        );
        let act = entry(&world, &app, &shown).await["act"].clone();
        let own = who == "dpo";
        assert_eq!(act, if own { "approval.own" } else { "approval.read" }, "{who} {path}");
    }
    for who in ["agent", "dispatcher", "handler-c1", "security-admin", "system-admin"] {
        let hidden = world.get(&app, who, &one).await;
        refused(&world, &app, &hidden, "refused", "Your role does not cover this").await;
        for path in [one.as_str(), "/v1/approvals", "/v1/approvals/mine"] {
            let hidden = world.get(&app, who, path).await;
            assert!(
                !hidden.text.contains(ASKED) && !hidden.text.contains(DECIDED),
                "{who} {path}"
            );
        }
    }
    the_log_has_neither(&world, &app).await;
}

#[tokio::test]
async fn reasons_are_sealed_and_the_log_has_their_digests() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let asked = ask(&world, &app, &body, &encoded(ASKED)).await;
    let id = asked.at("/approval/id");
    let why = json!({"reason": DECIDED}).to_string();
    let decided = decide_because(&world, &app, "auditor", &id, "approve", &why).await;
    let done = send(&world, &app, "dpo", &id, &body).await;
    assert_eq!(
        done.status, 200,
        "the reason is not part of what is compared: {}",
        done.text
    );

    let [one, other] = ["asker_reason", "approver_reason"].map(|column| sha256(&sealed(&world, &id, column)));
    let leaf = entry(&world, &app, &asked).await;
    assert_eq!(
        (&leaf["link"]["asker_reason"], leaf["link"].get("approver_reason")),
        (&one, None)
    );
    for answer in [&decided, &done] {
        let leaf = entry(&world, &app, answer).await;
        let link = &leaf["link"];
        assert_eq!(
            (&link["asker_reason"], &link["approver_reason"]),
            (&one, &other),
            "{leaf}"
        );
    }
    drop(app);
    world.settle();
    for path in world.files() {
        let bytes = std::fs::read(&path).unwrap();
        for text in [ASKED, DECIDED, &encoded(ASKED)] {
            let there = memchr::memmem::find(&bytes, text.as_bytes()).is_some();
            assert!(!there, "{} shows a reason", path.display());
        }
    }
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_reason_that_was_moved_does_not_open() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let asked = ask(&world, &app, &body, "one").await.at("/approval/id");
    let other = ask(&world, &app, &body, "two").await.at("/approval/id");
    drop(app);
    let reason = sealed(&world, &other, "asker_reason");
    let data = world.data();
    let approval = data.rows("approval").of("id", rows::id(&asked));
    assert_eq!(approval.set("asker_reason", &*reason), 1);
    drop(data);
    let app = world.open().await;
    let read = world.get(&app, "auditor", &format!("/v1/approvals/{asked}")).await;
    assert_eq!(
        (read.status, read.problem().as_str()),
        (500, "integrity"),
        "{}",
        read.text
    );
    drop(app);
    let findings = world.fsck().await;
    for what in [
        "was edited: its code does not fit",
        "has a reason that does not open where it stands",
    ] {
        let named = |one: &callervault::vault::life::fsck::Finding| one.place.contains(&asked) && one.what == what;
        assert!(findings.iter().any(named), "{what}: {findings:?}");
    }
}

#[tokio::test]
async fn what_is_no_reason_is_refused_and_none_is_needed() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let long = "x".repeat(201);
    for bad in ["", "  ", "%0A", "two%0Alines", "%FF", long.as_str()] {
        let answer = ask(&world, &app, &body, bad).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-reason"), "{bad}");
        assert!(answer.at("/detail").contains("1 to 200 characters"), "{}", answer.text);
    }
    let twice = [("approval-reason", "one"), ("approval-reason", "two")];
    let twice = world
        .call(&app, "dpo", "POST", RESOLVE, &twice, &body.to_string())
        .await;
    assert_eq!(twice.problem(), "bad-reason", "{}", twice.text);
    let longest = "查".repeat(200);
    let asked = ask(&world, &app, &body, &encoded(&longest)).await;
    let id = asked.at("/approval/id");
    assert_eq!(
        world
            .get(&app, "dpo", &format!("/v1/approvals/{id}"))
            .await
            .at("/asker_reason"),
        longest
    );

    for bad in [
        json!({"reason": ""}),
        json!({"reason": long}),
        json!({"reason": "two\nlines"}),
    ] {
        let answer = decide_because(&world, &app, "auditor", &id, "approve", &bad.to_string()).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-reason"),
            "{}",
            answer.text
        );
    }
    let answer = decide_because(&world, &app, "auditor", &id, "refuse", r#"{"because": "x"}"#).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (400, "bad-json"),
        "{}",
        answer.text
    );
    let no = decide(&world, &app, "auditor", &id, "refuse").await;
    assert_eq!(no.status, 200, "{}", no.text);
    let shown = world.get(&app, "dpo", &format!("/v1/approvals/{id}")).await.json();
    assert!(
        shown.get("approver_reason").is_none() && shown["state"] == "refused",
        "{shown}"
    );
}

/// Who asks reads their own requests, all and one, and nobody else's.
#[tokio::test]
async fn askers_read_their_own_requests() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let make = |name: &str| json!({"name": name, "department": "H0", "roles": ["auditor"], "kind": "person"});
    let mut ids = Vec::new();
    for name in ["auditor-2", "auditor-3", "auditor-4"] {
        let asked = world
            .post(&app, "security-admin", "/v1/admin/principals", &make(name))
            .await;
        ids.push(asked.at("/approval/id"));
        assert_eq!(ask(&world, &app, &body, "between").await.status, 202);
    }
    ids.reverse();
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = world
            .get(&app, "security-admin", &format!("/v1/approvals/mine?limit=2{after}"))
            .await;
        assert_eq!(page.status, 200, "{}", page.text);
        let page = page.json();
        for item in page["items"].as_array().unwrap() {
            assert_eq!(item["asker"]["account"], "security-admin", "{item}");
            assert!(item["expires_at"].is_string() && item["state"].is_string(), "{item}");
            seen.push(item["id"].as_str().unwrap().to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    // Before these, the same administrator asked for the officer's account and token.
    assert_eq!(seen.len(), 5, "each once");
    assert_eq!(seen[..3], ids, "newest first");
    let one = world
        .get(&app, "security-admin", &format!("/v1/approvals/{}", ids[0]))
        .await;
    assert_eq!(
        (one.status, one.at("/about/account").as_str()),
        (200, "auditor-4"),
        "{}",
        one.text
    );
}

#[tokio::test]
async fn nobody_reads_anothers_request_without_the_right_to_approve() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    assert_eq!(ask(&world, &app, &body, ASKED_SHORTLY).await.status, 202);
    let of_dpo = world.get(&app, "dpo", "/v1/approvals/mine").await.at("/items/0/id");
    let foreign = world
        .get(&app, "security-admin", &format!("/v1/approvals/{of_dpo}"))
        .await;
    let unknown = world
        .get(&app, "security-admin", &format!("/v1/approvals/{}", "0".repeat(32)))
        .await;
    for answer in [&foreign, &unknown] {
        refused(&world, &app, answer, "refused", "Your role does not cover this").await;
    }
    let unknown = world
        .get(&app, "auditor", &format!("/v1/approvals/{}", "0".repeat(32)))
        .await;
    assert_eq!((unknown.status, unknown.problem().as_str()), (404, "not-found"));
    for who in ["agent", "handler-c1", "auditor"] {
        let none = world.get(&app, who, "/v1/approvals/mine").await;
        refused(&world, &app, &none, "refused", "Your role does not cover this").await;
    }
}

/// From the command line: asked with a reason, seen, approved by somebody else, done with the same command.
#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_asks_from_the_command_line() {
    let (world, app) = World::new().await;
    drop(app);
    tokio::task::block_in_place(|| {
        let server = Server::start(world.dir.path());
        let token = world.dir.path().join("token");
        secret_file(&token, world.token("security-admin"));
        let admin = |arguments: &[&str]| {
            let always = ["admin", "--url", &server.base, "--token-file", token.to_str().unwrap()];
            let done = run(&[&always, arguments].concat());
            assert_eq!(done.status.code(), Some(0), "{}", String::from_utf8_lossy(&done.stderr));
            let lines = String::from_utf8(done.stdout).unwrap();
            serde_json::from_str::<Value>(lines.lines().next().unwrap()).unwrap()
        };
        let issue = ["issue-token", world.id("dpo")];
        let asked = admin(&[&issue[..], &["--reason", ASKED]].concat());
        let id = asked.pointer("/approval/id").and_then(Value::as_str).unwrap();
        let mine = admin(&["requests"]);
        assert_eq!(
            (&mine["id"], &mine["asker_reason"]),
            (&json!(id), &json!(ASKED)),
            "{mine}"
        );
        let (status, decided) = server.post(&world, "auditor", &format!("/v1/approvals/{id}/approve"), &json!({}));
        assert_eq!(status, 200, "{decided}");
        let issued = admin(&[&issue[..], &["--approval", id]].concat());
        assert!(issued["token"].as_str().unwrap().starts_with("cvt_"));
    });
}
