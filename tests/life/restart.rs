//! A log that cannot go on is followed by another, by two persons, and nothing of the old one is lost.

use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};

use crate::people::approvals::{decide, refused};
use crate::support::process::{passphrase_file, run, secret_file};
use crate::support::rows::Edit;
use crate::support::{World, caller, intake};

const ADMIN: &str = "security-admin";
const PEOPLE: &str = "/v1/admin/principals";
const REASON: &str = "restored from Sunday's backup after the disk failed";

fn token_file(world: &World, name: &str) -> PathBuf {
    let path = world.dir.path().join(format!("token-{name}"));
    secret_file(&path, world.token(name));
    path
}

fn restart(world: &World, asker: &str, approver: &str, reason: &str) -> Output {
    restart_with(world, asker, approver, reason, &[])
}

/// The next log is opened: the new token of the security administrator.
pub(crate) fn restarted(world: &World) -> String {
    let readmit = ["--readmit", ADMIN];
    let done = restart_with(world, "system-admin", "auditor", REASON, &readmit);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    token_in(&done)
}

/// The token that is shown on the terminal.
fn token_in(output: &Output) -> String {
    let words = words(output);
    let token = words.split_whitespace().find(|word| word.starts_with("cvt_"));
    token.expect(&words).to_owned()
}

fn restart_with(world: &World, asker: &str, approver: &str, reason: &str, more: &[&str]) -> Output {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let (asker, approver) = (text(token_file(world, asker)), text(token_file(world, approver)));
    let passphrase = text(passphrase_file(world.dir.path()));
    let always = [
        "audit",
        "restart",
        "--dir",
        world.dir.path().to_str().unwrap(),
        "--passphrase-file",
        &passphrase,
        "--token-file",
        &asker,
        "--approver-token-file",
        &approver,
        "--reason",
        reason,
    ];
    run(&[&always, more].concat())
}

fn words(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

fn size(world: &World) -> u64 {
    world.data().rows("log_head").first("size")
}

#[tokio::test]
async fn a_restored_copy_goes_on_as_the_next_log() {
    let (mut world, app) = World::new().await;
    let key = [("idempotency-key", "before")];
    let call = intake(caller("王小明", "13900001111")).to_string();
    let taken = world.call(&app, "agent", "POST", "/v1/intake", &key, &call).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let old_key = world.get(&app, "auditor", "/v1/audit/keys").await.text;
    drop(app);
    world.settle();
    let old = std::fs::read(&world.places.data).unwrap();
    let before = size(&world);
    let app = world.open().await;
    world.ticket_at(&app, "C1", caller("李四光", "13700002222")).await;
    drop(app);
    let after = size(&world);
    world.settle();
    std::fs::write(&world.places.data, old).unwrap();
    assert!(world.try_open().await.is_err(), "the fence holds");

    let readmit = ["--readmit", ADMIN];
    let done = restart_with(&world, "system-admin", "auditor", REASON, &readmit);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    assert!(words(&done).contains("goes on as"), "{}", words(&done));

    assert_eq!(world.fsck().await, [], "old entries count, and every row is logged");
    let app = world.open().await;
    world.readmitted(app.vault(), &token_in(&done)).await;
    let first = world.get(&app, "auditor", "/v1/audit/events/0").await.json();
    let leaf = &first["leaf"];
    assert_eq!(leaf["act"], "log.restart");
    let people = world.get(&app, "security-admin", "/v1/admin/principals").await;
    assert_eq!(people.status, 200, "{}", people.text);
    let people = people.json();
    let id = |name: &str| {
        let people = people["items"].as_array().unwrap();
        people.iter().find(|one| one["name"] == name).unwrap()["id"].clone()
    };
    assert_eq!(leaf["actor"], id("system-admin"));
    assert_eq!(leaf["approver"], id("auditor"));
    let link = &leaf["link"];
    assert_eq!(link["size"], before.to_string());
    assert_eq!(link["fence_size"], after.to_string(), "what was lost can be counted");
    assert_eq!(link["reason"], REASON);
    let keys = world.get(&app, "auditor", "/v1/audit/keys").await.text;
    let (new, rest) = keys.split_once('\n').unwrap();
    assert_eq!(rest, old_key, "the old log's key is still told");
    let note = world.get(&app, "auditor", "/v1/audit/checkpoint").await.text;
    let origin = note.lines().next().unwrap();
    assert!(origin.ends_with("/log/2") && new.starts_with(origin), "{note} {new}");

    let again = world.call(&app, "agent", "POST", "/v1/intake", &key, &call).await;
    assert_eq!(
        (again.status, &again.json()),
        (201, &taken.json()),
        "an answer of before"
    );
    world.ticket_at(&app, "C1", caller("赵六", "13600003333")).await;
    let found = world.get(&app, "auditor", "/v1/audit/events?act=intake").await.json();
    assert_eq!(found["count"], 1, "the search is about the log in force: {found}");
    drop(app);
    assert_eq!(world.fsck().await, []);

    world.data().rows("past_entry").of("idx", 3).set("body", *b"{}");
    let findings = world.fsck().await;
    assert!(
        findings.iter().any(|finding| finding.place == "log entry 3"),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_copy_of_the_old_log_is_refused_and_what_it_wrote_is_still_held_to() {
    let (world, app) = World::new().await;
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    world.settle();
    let old = std::fs::read(&world.places.data).unwrap();
    let before = world.keys().rows("fence").kept();
    let done = restart(&world, "system-admin", "auditor", REASON);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    let sealed: Vec<u8> = world.data().rows("sealed_field").of("field", "name").first("sealed");
    let other = vec![0; sealed.len()];
    let fields = world.data();
    fields.rows("sealed_field").of("field", "name").set("sealed", &*other);
    drop(fields);
    let findings = world.fsck().await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.what == "is not what the log says was last written there"),
        "{findings:?}"
    );
    let cuts: [(&str, Edit); 3] = [
        ("its end", |data| _ = data.rows("past_entry").from("idx", 21).delete()),
        ("its size", |data| data.rows("past_log").add("size", -1)),
        ("all of it", |data| {
            data.rows("past_entry").delete();
            data.rows("past_log").delete();
        }),
    ];
    for (what, cut) in cuts {
        world.settle();
        let kept = std::fs::read(&world.places.data).unwrap();
        cut(&world.data());
        let findings = world.fsck().await;
        assert!(
            findings.iter().any(|finding| finding.place.starts_with("past log")),
            "{what}: {findings:?}"
        );
        world.settle();
        std::fs::write(&world.places.data, kept).unwrap();
    }
    // The process of the restart dies before the fence: the next start takes the new log up.
    world.keys().put_back(&before);
    drop(world.open().await);
    world.settle();
    std::fs::write(&world.places.data, old).unwrap();
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("had gone on as") && error.contains("/log/2"), "{error}");
    let done = restart(&world, "system-admin", "auditor", REASON);
    assert!(
        words(&done).contains("/log/3"),
        "beyond every log there was: {}",
        words(&done)
    );
    drop(world.open().await);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn it_takes_the_right_two_persons_and_a_reason() {
    let (mut world, app) = World::new().await;
    for (name, role) in [
        ("system-service", Role::SystemAdmin),
        ("auditing-service", Role::Auditor),
    ] {
        let service = NewPrincipal {
            name: name.to_owned(),
            department: "H0".parse().unwrap(),
            roles: vec![role],
            kind: PrincipalKind::Service,
        };
        world.hire(app.vault(), "security-admin", service).await;
    }
    drop(app);
    let fence = world.keys().rows("fence").kept();
    world.settle();
    let before = std::fs::read(&world.places.data).unwrap();
    for (asker, approver, reason, why) in [
        ("system-admin", "system-admin", REASON, "own-request"),
        ("system-admin", "handler-c1", REASON, "not-approved"),
        ("system-admin", "security-admin", REASON, "not-approved"),
        ("auditor", "system-admin", REASON, "not-approved"),
        ("security-admin", "auditor", REASON, "need-to-know"),
        ("system-service", "auditor", REASON, "not-a-person"),
        ("system-admin", "auditing-service", REASON, "not-a-person"),
        ("system-admin", "auditor", "the caller is 13900001111", "six digits"),
        (
            "system-admin",
            "auditor",
            "the caller is 139-0000 １１１１",
            "six digits",
        ),
        ("system-admin", "auditor", " ", "a reason"),
    ] {
        let refused = restart(&world, asker, approver, reason);
        assert_ne!(refused.status.code(), Some(0), "{asker} {approver} {reason}");
        assert!(words(&refused).contains(why), "{asker} {approver}: {}", words(&refused));
        assert!(!words(&refused).contains("13900001111"));
    }
    assert_eq!(
        std::fs::read(&world.places.data).unwrap(),
        before,
        "nothing was changed"
    );
    drop(world.open().await);
    assert_eq!(world.fsck().await, []);
    world.keys().rows("fence").delete();
    let unknown = restart(&world, "system-admin", "auditor", REASON);
    assert!(words(&unknown).contains("does not say how far"), "{}", words(&unknown));
    world.keys().put_back(&fence);
    let stopped = world.open().await;
    let busy = restart(&world, "system-admin", "auditor", REASON);
    assert_ne!(busy.status.code(), Some(0), "not while the vault is served");
    drop(stopped);
}

/// Who is let in with a token.
async fn status(world: &World, app: &Arc<App>, who: &str) -> u16 {
    world.get(app, who, "/v1/approvals/mine").await.status
}

/// An auditor's account in the making, approved: the approval's id.
async fn approved(world: &World, app: &Arc<App>, make: &Value) -> String {
    let asked = world.post(app, ADMIN, PEOPLE, make).await;
    let id = asked.at("/approval/id");
    let yes = decide(world, app, "auditor", &id, "approve").await;
    assert_eq!(yes.status, 200, "{}", yes.text);
    id
}

/// A token is revoked and an approval used, and both are lost: the data store is put back to before.
async fn lost(world: &World, approval: &str, make: &Value) {
    world.settle();
    let old = std::fs::read(&world.places.data).unwrap();
    let app = world.open().await;
    let tokens = format!("{PEOPLE}/{}/tokens", world.id("agent"));
    let token = world.get(&app, ADMIN, &tokens).await.at("/items/0/id");
    let path = format!("{tokens}/{token}");
    let gone = world.call(&app, ADMIN, "DELETE", &path, &[], "").await;
    assert_eq!(gone.status, 200, "{}", gone.text);
    assert_eq!(status(world, &app, "agent").await, 401);
    let header = [("approval", approval)];
    let made = world
        .call(&app, ADMIN, "POST", PEOPLE, &header, &make.to_string())
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    drop(app);
    world.settle();
    std::fs::write(&world.places.data, old).unwrap();
}

/// The two are told whose tokens are good, and who administers or approves.
fn tells(told: &str) {
    assert!(told.contains("all other tokens are void"), "{told}");
    for (account, role) in [
        ("auditor", "auditor"),
        ("dpo", "dpo"),
        (ADMIN, "security_admin"),
        ("system-admin", "system_admin"),
    ] {
        let line = told.lines().any(|line| line.split_whitespace().eq([account, role]));
        assert!(line, "{account}: {told}");
    }
    assert!(!told.contains("handler-c1"), "those alone: {told}");
}

#[tokio::test]
async fn what_was_revoked_and_lost_does_not_live_again() {
    let (mut world, app) = World::new().await;
    let make = json!({"name": "auditor-2", "department": "H0", "roles": ["auditor"], "kind": "person"});
    let approval = approved(&world, &app, &make).await;
    drop(app);
    lost(&world, &approval, &make).await;

    let done = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", ADMIN]);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    tells(&words(&done));
    let app = world.open().await;
    for who in ["agent", "dispatcher", "handler-c1", "dpo", ADMIN] {
        assert_eq!(status(&world, &app, who).await, 401, "{who}");
    }
    assert_eq!(status(&world, &app, "system-admin").await, 200);
    assert_eq!(world.get(&app, "auditor", "/v1/approvals").await.status, 200);
    world.readmitted(app.vault(), &token_in(&done)).await;
    assert_eq!(status(&world, &app, ADMIN).await, 200);
    assert_eq!(world.get(&app, "agent", "/v1/tickets?purpose=intake").await.status, 200);
    let header = [("approval", approval.as_str())];
    let again = world
        .call(&app, ADMIN, "POST", PEOPLE, &header, &make.to_string())
        .await;
    refused(
        &world,
        &app,
        &again,
        "approval-stale",
        "has changed since it was asked for",
    )
    .await;
    let leaf = world.get(&app, "auditor", "/v1/audit/events/0").await.json()["leaf"].clone();
    let places = leaf["digest"].as_object().unwrap().keys();
    let tokens = places.filter(|place| place.starts_with("@token/")).count();
    assert_eq!(tokens, 3, "those of the two, and the new one: {leaf}");
    assert_eq!(leaf["link"]["readmitted_role"], "security_admin", "{leaf}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Nobody carries a token across by editing its row: the number of its log is under the row's code.
#[tokio::test]
async fn a_token_of_an_earlier_log_cannot_be_edited_into_the_next() {
    let (world, app) = World::new().await;
    drop(app);
    restarted(&world);
    world.data().rows("api_token").of("log", 1).set("log", 2);
    let app = world.open().await;
    let edited = world.get(&app, "agent", "/v1/tickets?purpose=intake").await;
    assert_eq!(
        (edited.status, edited.problem().as_str()),
        (500, "integrity"),
        "{}",
        edited.text
    );
    drop(app);
    let findings = world.fsck().await;
    assert!(
        findings.iter().any(|one| one.what.contains("was edited")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn who_can_be_readmitted() {
    let (world, app) = World::new().await;
    drop(app);
    world.settle();
    let before = std::fs::read(&world.places.data).unwrap();
    for account in ["nobody", "agent", "auditor", "system-admin", "dpo", ""] {
        let refused = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", account]);
        assert_ne!(refused.status.code(), Some(0), "{account}");
        assert!(
            words(&refused).contains("role security_admin"),
            "{account}: {}",
            words(&refused)
        );
    }
    assert_eq!(
        std::fs::read(&world.places.data).unwrap(),
        before,
        "nothing was changed"
    );
    // Without one the two are told that nobody can begin; a second time helps.
    let none = restart(&world, "system-admin", "auditor", REASON);
    assert_eq!(none.status.code(), Some(0), "{}", words(&none));
    assert!(
        words(&none).contains("--readmit") && !words(&none).contains("cvt_"),
        "{}",
        words(&none)
    );
    let mut world = world;
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(app.vault(), &token).await;
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}
