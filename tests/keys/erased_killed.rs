//! The process killed at every step of an erasure: it is whole or has not happened, and what was answered has happened.

use std::sync::Arc;

use callervault::http::App;
use serde_json::Value;

use crate::keys::erased::{Scene, scene};
use crate::support::approvals::erase;
use crate::support::copies::{copy, ours, words};
use crate::support::dies::served_at_each_step;
use crate::support::process::{Server, run};
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

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_whole_or_has_not_happened() {
    let (scene, app) = scene().await;
    let world = &scene.world;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let approval = dpo.approved_by(auditor, &erase(&scene.reference)).await;
    drop(app);
    let records = scene.records(&scene.subject);
    let traces = scene.traces(&records);
    let path = format!("/v1/callers/{}/erase", scene.reference);
    let act = |server: &mut Server| server.does(world, "dpo", &path, &Value::Null, Some(&approval));
    let left = async |told: bool| {
        let app = world.open().await;
        let erased = world.data().rows("erased").count() == 1;
        assert!(erased || !told, "it was answered");
        everybody_else_reads(&scene, &app, erased).await;
        drop(app);
        assert_eq!(happened(&scene, &records, &traces), erased);
        assert_eq!(world.fsck().await, []);
    };
    let steps = served_at_each_step(world, act, left).await;
    assert!(steps >= 12, "{steps}");
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
