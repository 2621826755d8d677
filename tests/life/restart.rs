//! A log that cannot go on is followed by another, by two persons, and nothing of the old one is lost.

use std::path::PathBuf;
use std::process::Output;
use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::Role;

use crate::support::approvals::service;
use crate::support::copies::words;
use crate::support::process::{passphrase_file, run, secret_file};
use crate::support::rows::Edit;
use crate::support::{NAME, NUMBER, PEOPLE, Request, World, caller, intake};

pub(crate) const ADMIN: &str = "security-admin";
pub(crate) const REASON: &str = "restored from Sunday's backup after the disk failed";

fn token_file(world: &World, name: &str) -> PathBuf {
    let path = world.dir.path().join(format!("token-{name}"));
    secret_file(&path, world.token(name));
    path
}

pub(crate) fn restart(world: &World, asker: &str, approver: &str, reason: &str) -> Output {
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
pub(crate) fn token_in(output: &Output) -> String {
    let words = words(output);
    let token = words.split_whitespace().find(|word| word.starts_with("cvt_"));
    token.expect(&words).to_owned()
}

pub(crate) fn restart_with(world: &World, asker: &str, approver: &str, reason: &str, more: &[&str]) -> Output {
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
        "--asker-token-file",
        &asker,
        "--approver-token-file",
        &approver,
        "--reason",
        reason,
    ];
    run(&[&always, more].concat())
}

fn size(world: &World) -> u64 {
    world.data().rows("log_head").first("size")
}

/// The leaf with which the next log begins says by whom, from where and why; and the log's keys tell of both logs.
async fn begins(world: &World, app: &Arc<App>, old_key: &str, [before, after]: [u64; 2]) {
    let auditor = world.actor(app, "auditor");
    let leaf = auditor.get("/v1/audit/events/0").await.json()["leaf"].clone();
    assert_eq!(leaf["act"], "log.restart");
    assert_eq!(leaf["actor"], world.id("system-admin"));
    assert_eq!(leaf["approver"], world.id("auditor"));
    let link = &leaf["link"];
    assert_eq!(link["size"], before.to_string());
    assert_eq!(link["fence_size"], after.to_string(), "what was lost can be counted");
    assert_eq!(link["reason"], REASON);
    let keys = auditor.get("/v1/audit/keys").await.text;
    let (new, rest) = keys.split_once('\n').unwrap();
    assert_eq!(rest, old_key, "the old log's key is still told");
    let note = auditor.get("/v1/audit/checkpoint").await.text;
    let origin = note.lines().next().unwrap();
    assert!(origin.ends_with("/log/2") && new.starts_with(origin), "{note} {new}");
}

#[tokio::test]
async fn a_restored_copy_goes_on_as_the_next_log() {
    let (mut world, app) = World::new().await;
    let call = Request::post("/v1/intake", &intake(caller(NAME, NUMBER))).once("before");
    let taken = world.actor(&app, "agent").send(call.clone()).await.is(201);
    let old_key = world.actor(&app, "auditor").get("/v1/audit/keys").await.text;
    drop(app);
    let old = world.backup();
    let before = size(&world);
    let app = world.open().await;
    world.case_of(&app, "C1", caller("李四光", "13700002222")).await;
    drop(app);
    let after = size(&world);
    world.restore(&old);
    assert!(world.try_open().await.is_err(), "the fence holds");

    let done = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", ADMIN]);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    assert!(words(&done).contains("the new log is "), "{}", words(&done));

    assert_eq!(world.fsck().await, [], "old entries count, and every row is logged");
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token_in(&done)).await;
    world.actor(&app, ADMIN).get(PEOPLE).await.is(200);
    begins(&world, &app, &old_key, [before, after]).await;

    let again = world.actor(&app, "agent").send(call).await.is(201);
    assert_eq!(again.json(), taken.json(), "an answer of before");
    world.case_of(&app, "C1", caller("赵六", "13600003333")).await;
    let found = world.actor(&app, "auditor").get("/v1/audit/events?act=intake").await;
    let count = &found.json()["count"];
    assert_eq!(count, 1, "the search is about the log in force: {}", found.text);
    drop(app);
    assert_eq!(world.fsck().await, []);

    world.data().rows("past_entry").of("idx", 3).set("body", *b"{}");
    let findings = world.fsck().await;
    let named = findings.iter().any(|finding| finding.place == "log entry 3");
    assert!(named, "{findings:?}");
}

#[tokio::test]
async fn a_copy_of_the_old_log_is_refused_and_what_it_wrote_is_still_held_to() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    drop(app);
    let old = world.backup();
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
        let kept = world.backup();
        cut(&world.data());
        let findings = world.fsck().await;
        assert!(
            findings.iter().any(|finding| finding.place.starts_with("past log")),
            "{what}: {findings:?}"
        );
        world.restore(&kept);
    }
    // The process of the restart dies before the fence: the next start takes the new log up.
    world.keys().put_back(&before);
    drop(world.open().await);
    world.restore(&old);
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
        world.hire(&app.vault().unwrap(), ADMIN, service(name, role)).await;
    }
    drop(app);
    let fence = world.keys().rows("fence").kept();
    let before = world.backup();
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
    assert!(world.backup() == before, "nothing was changed");
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
