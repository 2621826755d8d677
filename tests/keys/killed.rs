//! The process killed at every step of a rotation, a rewrap and a destruction of a key: the next start finishes it or undoes it, everything
//! opens, what was answered has happened, and `fsck` finds nothing.

use std::sync::Arc;

use callervault::http::App;
use serde_json::json;

use crate::keys::destroyed::{destroy, is_on_disk};
use crate::keys::rewrap::{MOVED, all_steps, person, rewrapped, used};
use crate::keys::rotation::{Before, before, new_version, rotated, works};
use crate::support::copies::{copy, ours, words};
use crate::support::dies::served_at_each_step;
use crate::support::process::Server;
use crate::support::{World, caller};

/// What rests on keys before the act, and a checkpoint that somebody kept.
struct Scene {
    world: World,
    there: Before,
    kept: tempfile::NamedTempFile,
    log_key: String,
}

impl Scene {
    async fn new(world: World, app: &Arc<App>) -> Self {
        let there = before(&world, app).await;
        let auditor = world.actor(app, "auditor");
        let kept = tempfile::NamedTempFile::new().unwrap();
        let checkpoint = auditor.get("/v1/audit/checkpoint").await.is(200).text;
        std::fs::write(kept.path(), checkpoint).unwrap();
        let log_key = auditor.get("/v1/audit/keys").await.text.trim().to_owned();
        Self {
            world,
            there,
            kept,
            log_key,
        }
    }

    /// Everything works, and the log goes on from where it was.
    async fn goes_on(&self, app: &Arc<App>) {
        works(&self.world, app, &self.there).await;
        let log = copy(&self.world, app).await;
        let kept = self.kept.path().to_str().unwrap();
        let more = ["--key", &*self.log_key, "--not-older-than", kept];
        let verified = tokio::task::block_in_place(|| ours(&log, &more));
        assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    }

    /// The version of a role that new values are made with, as the vault tells it.
    async fn active(&self, app: &Arc<App>, role: &str) -> u64 {
        let keys = self
            .world
            .actor(app, "system-admin")
            .get("/v1/keys")
            .await
            .is(200)
            .json();
        let keys = keys["keys"].as_array().unwrap().clone();
        let active = keys.iter().find(|key| key["role"] == role && key["active"] == true);
        active.unwrap()["version"].as_u64().unwrap()
    }
}

async fn rotation_of(role: &str) {
    let (world, app) = World::new().await;
    let scene = Scene::new(world, &app).await;
    let [system, auditor] = scene.world.actors(&app, ["system-admin", "auditor"]);
    let approval = system.approved_by(auditor, &new_version(role)).await;
    drop(app);
    let act = |server: &mut Server| {
        let body = json!({"role": role});
        server.does(&scene.world, "system-admin", "/v1/keys/rotate", &body, Some(&approval))
    };
    let left = async |told: bool| {
        let app = scene.world.open().await;
        let active = scene.active(&app, role).await;
        assert!(active == 2 || !told, "{active}: it was answered");
        scene.goes_on(&app).await;
        // What is undone can be done.
        if active == 1 {
            rotated(&scene.world, &app, role).await.is(200);
        }
        drop(app);
        assert_eq!(scene.world.fsck().await, []);
    };
    let steps = served_at_each_step(&scene.world, act, left).await;
    assert!(steps >= 6, "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_key_encryption_key() {
    rotation_of("kek").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_index_key() {
    rotation_of("index").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_row_key() {
    rotation_of("row").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_reference_key() {
    rotation_of("reference").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_of_the_logs_key() {
    rotation_of("log").await;
}

async fn destruction_of(role: &str) {
    let (world, app) = World::new().await;
    let scene = Scene::new(world, &app).await;
    rotated(&scene.world, &app, role).await.is(200);
    rewrapped(&scene.world, &app, role).await;
    let [system, auditor] = scene.world.actors(&app, ["system-admin", "auditor"]);
    let approval = system.approved_by(auditor, &destroy(role, 1)).await;
    drop(app);
    let first = |world: &World| -> Vec<u8> {
        let keys = world.keys();
        keys.rows("keyring").of("role", role).of("version", 1).first("wrapped")
    };
    let wrapped = first(&scene.world);
    let act = |server: &mut Server| {
        let body = json!({"role": role, "version": 1});
        server.does(&scene.world, "system-admin", "/v1/keys/destroy", &body, Some(&approval))
    };
    let left = async |told: bool| {
        let app = scene.world.open().await;
        let noted = scene.world.data().rows("destroyed_key").count() == 1;
        assert!(noted || !told, "it was answered");
        scene.goes_on(&app).await;
        drop(app);
        // The key is in no file, or it is where it was.
        assert_eq!(first(&scene.world).is_empty(), noted);
        assert_eq!(is_on_disk(&scene.world, &wrapped), !noted);
        assert_eq!(scene.world.fsck().await, []);
    };
    let steps = served_at_each_step(&scene.world, act, left).await;
    assert!(steps >= 6, "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destruction_of_a_key_encryption_key() {
    destruction_of("kek").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destruction_of_an_index_key() {
    destruction_of("index").await;
}

/// To its end, which the server says.
async fn rewrap_of(role: &str) {
    let (world, app) = World::new().await;
    let scene = Scene::new(world, &app).await;
    let (name, number) = person(1);
    scene.world.actor(&app, "agent").take(caller(&name, &number)).await;
    for role in MOVED {
        rotated(&scene.world, &app, role).await.is(200);
    }
    drop(app);
    let act = |server: &mut Server| {
        let body = json!({"role": role});
        server.does(&scene.world, "system-admin", "/v1/keys/rewrap", &body, None) && server.says_or_ends("rewrapped")
    };
    let left = async |told: bool| {
        assert_eq!(scene.world.fsck().await, [], "as it was left");
        let app = scene.world.open().await;
        let begun = scene.world.data().rows("rewrap").of("role", role).count() == 1;
        let agent = scene.world.actor(&app, "agent");
        let found = agent.lookup(&number).await.is(200).json();
        assert_eq!(found["callers"].as_array().map(Vec::len), Some(1), "{found}");
        scene.goes_on(&app).await;
        // What has begun goes on by itself; what was told is done.
        assert!(begun || !told);
        if told {
            let ended: Vec<Option<u64>> = scene.world.data().rows("rewrap").of("role", role).column("ended_at");
            assert!(ended[0].is_some());
        }
        if begun {
            all_steps(&app).await;
            assert_eq!(used(&scene.world, role), [2], "{role}");
        }
    };
    let steps = served_at_each_step(&scene.world, act, left).await;
    assert!(steps >= 12, "{steps}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_of_record_keys() {
    rewrap_of("kek").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_of_the_blind_indexes() {
    rewrap_of("index").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewrap_of_the_codes_of_rows() {
    rewrap_of("row").await;
}
