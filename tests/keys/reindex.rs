//! Blind indexes are made anew while callers are looked up, taken, corrected and merged.

use serde_json::{Value, json};

use crate::keys::rewrap::{person, rewrapped, step, used};
use crate::keys::rotation::rotated;
use crate::support::approvals::{merge, unmerge};
use crate::support::{Actor, NAME, NUMBER, World, caller, report};

/// A value is found at every moment, and once; a call of somebody known stays one of somebody known.
#[tokio::test]
pub(crate) async fn no_lookup_misses_or_doubles_a_caller_at_any_step() {
    let (world, app) = World::unlimited().await;
    let [agent, system, auditor] = world.actors(&app, ["agent", "system-admin", "auditor"]);
    for at in 0..60 {
        let (name, number) = person(at);
        agent.take(caller(&name, &number)).await;
    }
    let known = agent.take(caller(NAME, NUMBER)).await;
    let other = agent
        .take(json!({"caller_number": NUMBER, "callback_number": "13700004444"}))
        .await;
    let joined = agent
        .take(json!({"caller_number": "13700004444", "callback_number": "13700005555"}))
        .await;
    agent.with(auditor, &merge(&known, &other)).await.is(200);
    rotated(&world, &app, "index").await.is(200);
    system.rewrap(&json!({"role": "index"})).await.is(200);
    let mut at = 0;
    while step(&app).await {
        let number = format!("1370001{at:04}");
        let moved = agent.take(caller(NAME, NUMBER)).await;
        assert_eq!(moved.reference, known.reference, "step {at}");
        for (number, callers) in [(NUMBER, 1), ("13700004444", 2), ("13700005555", 1)] {
            let found = agent.lookup(number).await.is(200).json();
            assert_eq!(
                found["callers"].as_array().map(Vec::len),
                Some(callers),
                "step {at}: {found}"
            );
        }
        // Corrections and merges come in between.
        let version = agent.get(joined.caller()).await.is(200).json()["version"]
            .as_u64()
            .unwrap();
        agent
            .correct(
                &joined,
                version,
                json!({"callback_number": "13700005555", "caller_number": "13700004444"}),
            )
            .await
            .is(200);
        agent.take(caller("过路人", &number)).await;
        at += 1;
    }
    agent.with(auditor, &unmerge(&other)).await.is(200);
    assert!(at >= 4, "{at}");
    assert_eq!(used(&world, "index"), [2]);
    are_entries_of_the_log(auditor).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Each step that opened values is an entry with their count and range.
async fn are_entries_of_the_log(auditor: Actor<'_>) {
    let steps = auditor.get("/v1/audit/events?act=key.reindex").await.is(200).json();
    let steps: Vec<Value> = steps["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["leaf"].clone())
        .collect();
    assert!(steps.len() >= 2, "{steps:?}");
    for leaf in &steps {
        assert_eq!(
            (&leaf["purpose"], &leaf["role"]),
            (&json!("reindex"), &json!("system_admin"))
        );
        let number = |word: &str| leaf["link"][word].as_str().unwrap().parse::<u64>().unwrap();
        assert!(number("count") > 0 && number("first") <= number("last"), "{leaf}");
    }
}

/// A confidential call stands in no index, before and after.
#[tokio::test]
pub(crate) async fn a_report_is_not_indexed_by_a_rewrap() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let call = report(caller("举报人", "13700006666"));
    agent.post("/v1/intake", &call).await.is(201);
    let entries = world.data().rows("blind_index").count();
    rotated(&world, &app, "index").await.is(200);
    rewrapped(&world, &app, "index").await;
    assert_eq!(world.data().rows("blind_index").count(), entries);
    let found = agent.lookup("13700006666").await.is(200).json();
    assert_eq!(found["callers"], json!([]));
}
