//! A version of a key that nothing is under is destroyed, by two persons: no copy that was made under it opens any more.

use std::process::Command;
use std::sync::Arc;

use callervault::http::App;
use serde_json::json;

use crate::keys::rewrap::{all_steps, rewrapped};
use crate::keys::rotation::{before, rotated, works};
use crate::support::{Answer, NUMBER, Request, World};

pub(crate) fn destroy(role: &str, version: u8) -> Request {
    Request::post("/v1/keys/destroy", &json!({"role": role, "version": version}))
}

/// Destroys a version of a key: asked by a system administrator, approved by an auditor.
pub(crate) async fn destroyed(world: &World, app: &Arc<App>, role: &str, version: u8) -> Answer {
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    system.with(auditor, &destroy(role, version)).await
}

/// Whether some file of the key store holds these bytes.
pub(crate) fn is_on_disk(world: &World, bytes: &[u8]) -> bool {
    let of_keys = world.places.keys.parent().unwrap();
    let files = std::fs::read_dir(of_keys).unwrap();
    files
        .map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .any(|file| memchr::memmem::find(&file, bytes).is_some())
}

fn wrapped(world: &World, role: &str) -> Vec<u8> {
    let keys = world.keys();
    keys.rows("keyring").of("role", role).of("version", 1).first("wrapped")
}

#[tokio::test]
pub(crate) async fn a_key_that_nothing_is_under_is_destroyed() {
    for role in ["kek", "index"] {
        let world = World::closed().await;
        let app = world.open().await;
        let there = before(&world, &app).await;
        rotated(&world, &app, role).await.is(200);
        let key = wrapped(&world, role);
        assert!(is_on_disk(&world, &key), "the search finds what is there");
        rewrapped(&world, &app, role).await;
        let answer = destroyed(&world, &app, role, 1).await.is(200);
        assert!(!is_on_disk(&world, &key), "{role}: also while the vault is open");
        let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
        let leaf = auditor.entry(&answer).await;
        assert_eq!(
            (&leaf["act"], &leaf["link"]["key"]),
            (&json!("key.destroy"), &json!(role))
        );
        assert_ne!(leaf["actor"], leaf["approver"]);
        let listed = system.get("/v1/keys").await.is(200).json();
        let of_role = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["role"] == role);
        let destroyed: Vec<bool> = of_role.map(|key| key["destroyed_at"].is_string()).collect();
        assert_eq!(destroyed, [true, false]);
        system.send(destroy(role, 1)).await.is(404);
        works(&world, &app, &there).await;
        drop(app);
        assert_eq!(world.fsck().await, [], "{role}");
        let app = world.open().await;
        world.case(&app, "W2").await;
        assert!(!is_on_disk(&world, &key), "{role}");
    }
}

#[tokio::test]
async fn a_key_that_something_is_under_is_not_destroyed() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let system = world.actor(&app, "system-admin");
    for role in ["kek", "row", "index", "reference", "log"] {
        system.send(destroy(role, 1)).await.fails(409, "key-in-use");
        system.send(destroy(role, 2)).await.is(404);
        rotated(&world, &app, role).await.is(200);
        system.send(destroy(role, 1)).await.fails(409, "key-in-use");
        system.send(destroy(role, 2)).await.fails(409, "key-in-use");
    }
    // Also when something comes under it between the approval and the act.
    rewrapped(&world, &app, "index").await;
    let auditor = world.actor(&app, "auditor");
    let approved = system.approved_by(auditor, &destroy("index", 1)).await;
    let entry: Vec<u8> = world.data().rows("blind_index").first("value");
    let old = [&[1][..], &entry[1..]].concat();
    let data = world.data();
    data.rows("blind_index").of("value", &*entry).set("value", &*old);
    let again = destroy("index", 1).approved(&approved);
    system.send(again.clone()).await.fails(409, "key-in-use");
    data.rows("blind_index").of("value", &*old).set("value", &*entry);
    system.send(again).await.is(200);
    let handler = world.actor(&app, "handler-c1");
    handler.reveal(&case).clear().await.is(200);
    handler.verify(&case, "callback_number", NUMBER).await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn one_person_alone_destroys_nothing() {
    let (world, app) = World::new().await;
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    let [system, auditor, dpo] = world.actors(&app, ["system-admin", "auditor", "dpo"]);
    let id = system.send(destroy("kek", 1)).await.is(202).at("/approval/id");
    system
        .send(destroy("kek", 1).approved(&id))
        .await
        .fails(403, "not-approved");
    dpo.approve(&id).await.is(403);
    auditor.approve(&id).await.is(200);
    system
        .send(destroy("index", 1).approved(&id))
        .await
        .fails(409, "key-in-use");
    assert!(!wrapped(&world, "kek").is_empty());
    // The key was rotated in between: what was approved is about another state.
    rotated(&world, &app, "kek").await.is(200);
    all_steps(&app).await;
    let late = system.send(destroy("kek", 1).approved(&id)).await;
    auditor.finds_refused(&late, "approval-stale", "changed").await;
    assert!(!wrapped(&world, "kek").is_empty());
    for name in ["auditor", "security-admin", "agent"] {
        world.actor(&app, name).send(destroy("kek", 1)).await.is(403);
    }
}

/// The process ended after the log had it and before the key store did; or the key store is a copy from before.
#[tokio::test]
pub(crate) async fn a_destruction_that_the_log_knows_is_finished() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    let key = wrapped(&world, "kek");
    destroyed(&world, &app, "kek", 1).await.is(200);
    drop(app);
    let put_back = || {
        let keys = world.keys();
        keys.rows("keyring")
            .of("role", "kek")
            .of("version", 1)
            .set("wrapped", &*key);
    };
    put_back();
    assert_eq!(world.fsck().await, []);
    put_back();
    let app = world.open().await;
    assert!(wrapped(&world, "kek").is_empty());
    assert!(!is_on_disk(&world, &key));
    world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
}

/// Whether some file of the vault holds these bytes. Another process reads them: to close a file would end the locks of whoever reads it here.
fn is_anywhere(world: &World, bytes: &[u8]) -> bool {
    let files = Command::new("cat").args(world.files()).output().unwrap().stdout;
    memchr::memmem::find(&files, bytes).is_some()
}

/// Whoever reads the key store keeps the key in its write-ahead log. A start goes on all the same, and a later entry's writer finishes it.
#[tokio::test]
async fn a_destruction_beside_a_reader_is_finished_by_a_later_entry() {
    let (world, app) = World::new().await;
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    let (key, reader) = (wrapped(&world, "kek"), world.keys());
    reader.look();
    destroyed(&world, &app, "kek", 1).await.is(200);
    assert!(is_anywhere(&world, &key));
    drop(app);
    let app = world.open().await;
    assert!(is_anywhere(&world, &key), "somebody still reads it");
    reader.let_go();
    let system = world.actor(&app, "system-admin");
    let finished = async {
        for _ in 0..10_000 {
            system.get("/v1/keys/rewraps").await.is(200);
            if wrapped(&world, "kek").is_empty() && !is_anywhere(&world, &key) {
                return true;
            }
        }
        false
    };
    assert!(finished.await);
}
