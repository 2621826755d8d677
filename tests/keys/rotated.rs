//! What holds after a rotation: nothing that another copy of the data store rests on is lost, records are compared, references stay.

use serde_json::json;

use crate::keys::rotation::{rotated, used};
use crate::support::approvals::merge;
use crate::support::{Answer, NUMBER, World, caller};

/// The process ended before the key store said that the new key is in use. Then somebody opened an older copy of the data store beside it,
/// which does not know that key.
#[tokio::test]
async fn an_older_data_store_takes_no_key_away() {
    let (world, app) = World::new().await;
    drop(app);
    let older = world.backup();
    let app = world.open().await;
    rotated(&world, &app, "kek").await.is(200);
    let case = world.case(&app, "C1").await;
    drop(app);
    for (version, active) in [(2, 0), (1, 1)] {
        let keys = world.keys();
        let key = keys.rows("keyring").of("role", "kek").of("version", version);
        key.set("active", active);
    }
    let newer = world.backup();
    world.restore(&older);
    // It is not the one that the fence is of.
    assert_ne!(world.fsck().await, []);
    assert!(!world.refusal().await.is_empty());
    world.restore(&newer);
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    let handler = world.actor(&app, "handler-c1");
    handler.reveal(&case).clear().await.is(200);
}

/// Codes of two versions of the index key are not compared with each other.
#[tokio::test]
pub(crate) async fn records_are_compared_and_values_withdrawn_across_versions_of_the_index() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let (other, callback) = ("13900007777", "13900006666");
    let before = agent
        .take(json!({"caller_number": NUMBER, "callback_number": callback}))
        .await;
    rotated(&world, &app, "index").await.is(200);
    let after = agent
        .take(json!({"caller_number": other, "callback_number": callback}))
        .await;
    let apart = agent.take(json!({"caller_number": "13900005555"})).await;
    agent.send(merge(&before, &apart)).await.fails(409, "nothing-in-common");
    let merged = agent.with(auditor, &merge(&after, &before)).await.is(200);
    let version = merged.json()["caller"]["version"].as_u64().unwrap();
    agent
        .correct(&after, version, json!({"callback_number": "13900004444"}))
        .await
        .is(200);
    assert_eq!(agent.lookup(callback).await.json()["callers"], json!([]));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A department has written its reference down: it meets the same one again.
#[tokio::test]
pub(crate) async fn a_reference_that_was_given_stays_when_its_key_is_rotated() {
    let (world, app) = World::new().await;
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    let (case, own) = (world.case(&app, "C1").await, agent.lookup(NUMBER).await);
    rotated(&world, &app, "reference").await.is(200);
    assert_eq!(handler.get(case.ticket()).await.at("/caller/ref"), case.reference);
    let callers = |answer: Answer| answer.json()["callers"].clone();
    assert_eq!(callers(agent.lookup(NUMBER).await), callers(own));
    // A new caller's is made with the new version.
    agent.intake(caller("赵六一", "13700003333")).await.is(201);
    assert!(used(&world, "reference").contains(&2));
}
