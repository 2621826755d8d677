//! The process killed at every step of an erasure: it is whole or has not happened, and what was answered has happened.

use std::sync::Arc;

use callervault::http::App;
use serde_json::Value;

use crate::keys::erased::{Scene, scene};
use crate::support::approvals::erase;
use crate::support::copies::{copy, ours, words};
use crate::support::dies::{at_each_step, dying, served_at_each_step, served_until};
use crate::support::made::Files;
use crate::support::process::{Server, run};
use crate::support::rows::Store;
use crate::support::{NUMBER, World};

/// Whether it happened: then nothing of it is left, otherwise everything is there.
fn happened(scene: &Scene, records: &[Vec<u8>], traces: &[(&'static str, Vec<u8>)]) -> bool {
    let world = &scene.world;
    let (data, keys) = (world.data(), world.keys());
    let erased = data.rows("erased").of("subject", &*scene.subject).count() == 1;
    let there = usize::from(!erased);
    assert_eq!(data.rows("caller").of("subject", &*scene.subject).count(), there);
    for id in records {
        assert_eq!(keys.rows("record_key").of("record", &**id).count(), there);
    }
    assert_eq!(keys.rows("doomed_key").count(), 0);
    drop((data, keys));
    let left = if erased { 0 } else { traces.len() };
    assert_eq!(scene.found(traces).len(), left, "by bytes, in every file");
    erased
}

/// An erasure that was approved, and what is to be gone after it.
struct Approved {
    scene: Scene,
    approval: String,
    records: Vec<Vec<u8>>,
    traces: Vec<(&'static str, Vec<u8>)>,
}

impl Approved {
    async fn new() -> Self {
        let (scene, app) = scene().await;
        let [dpo, auditor] = scene.world.actors(&app, ["dpo", "auditor"]);
        let approval = dpo.approved_by(auditor, &erase(&scene.reference)).await;
        drop(app);
        let records = scene.records(&scene.subject);
        Self {
            approval,
            traces: scene.traces(&records),
            records,
            scene,
        }
    }

    /// Asks a server for it: whether it was answered.
    fn asked_of(&self, server: &Server) -> bool {
        let path = format!("/v1/callers/{}/erase", self.scene.reference);
        server.does(&self.scene.world, "dpo", &path, &Value::Null, Some(&self.approval))
    }

    /// The next start goes on: whether the caller is erased then, and nothing is in between.
    async fn goes_on(&self) -> bool {
        let world = &self.scene.world;
        let app = world.open().await;
        let erased = world.data().rows("erased").count() == 1;
        everybody_else_reads(&self.scene, &app, erased).await;
        drop(app);
        assert_eq!(happened(&self.scene, &self.records, &self.traces), erased);
        assert_eq!(world.fsck().await, []);
        erased
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_whole_or_has_not_happened() {
    let approved = Approved::new().await;
    let left = async |told: bool| {
        let erased = approved.goes_on().await;
        assert!(erased || !told, "it was answered");
    };
    let act = |server: &mut Server| approved.asked_of(server);
    let steps = served_at_each_step(&approved.scene.world, act, left).await;
    assert!(steps >= 12, "{steps}");
}

/// The log has it and the keys are still there: the start that destroys them is killed at each step of what it does to the key store, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_is_killed_while_it_finishes_an_erasure() {
    let approved = Approved::new().await;
    let world = &approved.scene.world;
    world.settle();
    let before = Files::of(world.dir.path());
    let mut step = 0;
    while Store::open_to_read(&world.places.data).rows("erased").count() == 0 {
        step += 1;
        before.put_back(world.dir.path());
        let act = |server: &mut Server| approved.asked_of(server);
        let (told, _) = tokio::task::block_in_place(|| served_until(world, step, act));
        assert!(!told, "it is answered when the keys are gone");
    }
    let (passphrase, of_keys) = (world.dir.path().join("passphrase"), world.dir.path().join("keys"));
    let start = |step| {
        let mut program = dying(step, &of_keys, None);
        program.args(["keys", "show-log-key", "--dir"]).arg(world.dir.path());
        let ended = program
            .arg("--passphrase-file")
            .arg(&passphrase)
            .output()
            .unwrap()
            .status;
        (ended.success(), ended.code().is_some())
    };
    let left = async |_| assert!(approved.goes_on().await, "the log has it");
    let steps = at_each_step(world, start, left).await;
    assert!(steps >= 6, "{steps}");
}

/// The erased caller is nobody, with a receipt; a caller who is not is as before.
async fn everybody_else_reads(scene: &Scene, app: &Arc<App>, erased: bool) {
    let world: &World = &scene.world;
    let [agent, dpo, handler, other] = world.actors(app, ["agent", "dpo", "handler-c1", "handler-w2"]);
    other.reveal(&scene.other).clear().await.is(200);
    let log = copy(world, app).await;
    let verified = tokio::task::block_in_place(|| ours(&log, &[]));
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
    let found = agent.lookup(NUMBER).await.is(200).json();
    assert_eq!(
        found["callers"].as_array().map(Vec::len),
        Some(usize::from(!erased)),
        "{found}"
    );
    if !erased {
        return;
    }
    handler.reveal(&scene.case).clear().await.fails(410, "erased");
    let receipt = dpo.get(format!("/v1/erasures/{}", scene.subject)).await.is(200);
    let file = log.path("receipt");
    std::fs::write(&file, receipt.at("/receipt")).unwrap();
    let file = file.to_str().unwrap();
    let verify = ["audit", "verify", "--key", &*log.key, "--receipt", file];
    let verified = tokio::task::block_in_place(|| run(&verify));
    assert_eq!(verified.status.code(), Some(0), "{}", words(&verified));
}
