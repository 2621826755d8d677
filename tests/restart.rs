//! A log that cannot go on is followed by another, by two persons, and nothing of the old one is lost.

use std::path::{Path, PathBuf};
use std::process::Output;

use rusqlite::Connection;

use crate::process::{passphrase_file, run, secret_file};
use crate::support::{World, caller, intake};

pub(crate) const REASON: &str = "restored from Sunday's backup after the disk failed";

fn token_file(world: &World, name: &str) -> PathBuf {
    let path = world.dir.path().join(format!("token-{name}"));
    secret_file(&path, world.token(name));
    path
}

pub(crate) fn restart(world: &World, asker: &str, approver: &str, reason: &str) -> Output {
    let text = |path: PathBuf| path.to_str().unwrap().to_owned();
    let (asker, approver) = (text(token_file(world, asker)), text(token_file(world, approver)));
    let passphrase = text(passphrase_file(world.dir.path()));
    run(&[
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
    ])
}

fn words(output: &Output) -> String {
    [&output.stdout[..], &output.stderr[..]]
        .map(String::from_utf8_lossy)
        .concat()
}

fn size(data: &Path) -> i64 {
    Connection::open(data)
        .unwrap()
        .query_row("SELECT size FROM log_head", [], |row| row.get(0))
        .unwrap()
}

fn edit(data: &Path, sql: &str) {
    assert!(Connection::open(data).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
}

#[tokio::test]
async fn a_restored_copy_goes_on_as_the_next_log() {
    let (world, app) = World::new().await;
    let key = [("idempotency-key", "before")];
    let call = intake(caller("王小明", "13900001111")).to_string();
    let taken = world.call(&app, "agent", "POST", "/v1/intake", &key, &call).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let old_key = world.get(&app, "auditor", "/v1/audit/keys").await.text;
    drop(app);
    world.settle();
    let old = std::fs::read(&world.places.data).unwrap();
    let before = size(&world.places.data);
    let app = world.open().await;
    world.ticket_at(&app, "C1", caller("李四光", "13700002222")).await;
    drop(app);
    let after = size(&world.places.data);
    world.settle();
    std::fs::write(&world.places.data, old).unwrap();
    assert!(world.try_open().await.is_err(), "the fence holds");

    let done = restart(&world, "system-admin", "auditor", REASON);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    assert!(words(&done).contains("goes on as"), "{}", words(&done));

    assert_eq!(world.fsck().await, [], "old entries count, and every row is logged");
    let app = world.open().await;
    let first = world.get(&app, "auditor", "/v1/audit/events/0").await.json();
    let leaf = &first["leaf"];
    assert_eq!(leaf["act"], "log.restart");
    let people = world.get(&app, "security-admin", "/v1/admin/principals").await.json();
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

    edit(&world.places.data, "UPDATE past_entry SET body = x'7b7d' WHERE idx = 3");
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
    let before: (i64, Vec<u8>) = Connection::open(&world.places.keys)
        .unwrap()
        .query_row("SELECT size, root FROM fence", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let field = || -> Vec<u8> {
        Connection::open(&world.places.data)
            .unwrap()
            .query_row("SELECT sealed FROM sealed_field WHERE field = 'name'", [], |row| {
                row.get(0)
            })
            .unwrap()
    };
    let done = restart(&world, "system-admin", "auditor", REASON);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    let sealed = field();
    edit(
        &world.places.data,
        "UPDATE sealed_field SET sealed = zeroblob(length(sealed)) WHERE field = 'name'",
    );
    assert_ne!(field(), sealed);
    let findings = world.fsck().await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.what == "is not what the log says was last written there"),
        "{findings:?}"
    );
    for cut in [
        "DELETE FROM past_entry WHERE idx > 20",
        "UPDATE past_log SET size = size - 1",
        "DELETE FROM past_entry; DELETE FROM past_log",
    ] {
        world.settle();
        let kept = std::fs::read(&world.places.data).unwrap();
        Connection::open(&world.places.data)
            .unwrap()
            .execute_batch(cut)
            .unwrap();
        let findings = world.fsck().await;
        assert!(
            findings.iter().any(|finding| finding.place.starts_with("past log")),
            "{cut}: {findings:?}"
        );
        world.settle();
        std::fs::write(&world.places.data, kept).unwrap();
    }
    // The process of the restart dies before the fence: the next start takes the new log up.
    let keys = Connection::open(&world.places.keys).unwrap();
    let fence = "UPDATE fence SET (origin, size, root) = (SELECT 'test.invalid/log/1', ?1, ?2)";
    assert_eq!(keys.execute(fence, (&before.0, &before.1)).unwrap(), 1);
    drop(keys);
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
    let (world, app) = World::new().await;
    drop(app);
    let fence: (String, i64, Vec<u8>) = Connection::open(&world.places.keys)
        .unwrap()
        .query_row("SELECT origin, size, root FROM fence", [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .unwrap();
    world.settle();
    let before = std::fs::read(&world.places.data).unwrap();
    for (asker, approver, reason, why) in [
        ("system-admin", "system-admin", REASON, "own-request"),
        ("system-admin", "handler-c1", REASON, "not-approved"),
        ("system-admin", "security-admin", REASON, "not-approved"),
        ("auditor", "system-admin", REASON, "not-approved"),
        ("security-admin", "auditor", REASON, "need-to-know"),
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
    edit(&world.places.keys, "DELETE FROM fence");
    let unknown = restart(&world, "system-admin", "auditor", REASON);
    assert!(words(&unknown).contains("does not say how far"), "{}", words(&unknown));
    Connection::open(&world.places.keys)
        .unwrap()
        .execute(
            "INSERT INTO fence VALUES (1, ?1, ?2, ?3)",
            (&fence.0, fence.1, &fence.2),
        )
        .unwrap();
    let stopped = world.open().await;
    let busy = restart(&world, "system-admin", "auditor", REASON);
    assert_ne!(busy.status.code(), Some(0), "not while the vault is served");
    drop(stopped);
}
