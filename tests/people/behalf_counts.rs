//! What is counted where a platform acts on behalf of its clerks: limits for the clerk, rates for both, answers for those who asked.

use callervault::model::principals::Role;
use serde_json::json;

use crate::people::behalf::{call, platform, staffed};
use crate::people::crowd::rates;
use crate::support::{Actor, Request, World};

/// How many more of this the asker has.
async fn left(who: Actor<'_>, counted: &str, request: Request) -> u64 {
    let me = who.send(request).await.is(200).json();
    let limits = me["limits"].as_array().unwrap().clone();
    let of = limits.into_iter().find(|limit| limit["counted"] == json!(counted));
    of.unwrap()["left"].as_u64().unwrap()
}

#[tokio::test]
async fn what_is_counted_is_counted_for_the_clerk() {
    let (mut world, app) = World::new().await;
    let new = platform("platform", "H0", &[Role::Agent]);
    world.hire(&app.vault().unwrap(), "security-admin", new).await;
    let [platform, agent, other] = world.actors(&app, ["platform", "agent", "other-agent"]);
    let me = || Request::get("/v1/me");
    let before = left(agent, "intake", me()).await;
    platform.send(call().on_behalf_of("agent")).await.is(201);
    assert_eq!(left(agent, "intake", me()).await, before - 1);
    assert_eq!(left(platform, "intake", me().on_behalf_of("agent")).await, before - 1);
    assert_eq!(left(other, "intake", me()).await, before);
    assert_eq!(
        left(platform, "intake", me()).await,
        before,
        "nothing of the platform's own"
    );
    for _ in 1..before.min(30) {
        platform.send(call().on_behalf_of("agent")).await.is(201);
    }
    let refused = platform.send(call().on_behalf_of("agent")).await;
    assert_eq!(refused.status, 429, "{}", refused.text);
    platform.send(call().on_behalf_of("other-agent")).await.is(201);
}

#[tokio::test]
async fn both_are_held_back() {
    let (world, app) = staffed().await;
    drop(app);
    let app = world.open_running(rates(6, 3)).await;
    let [platform, agent] = world.actors(&app, ["platform", "agent"]);
    let me = |account: &str| Request::get("/v1/me").on_behalf_of(account);
    for _ in 0..2 {
        agent.get("/v1/me").await.is(200);
    }
    for _ in 0..4 {
        platform.send(me("agent")).await.is(200);
    }
    // The clerk has sent six, the platform four.
    platform.send(me("agent")).await.fails(429, "too-many-requests");
    agent.get("/v1/me").await.fails(429, "too-many-requests");
    platform.send(me("both")).await.is(200);
    platform.send(me("dispatcher")).await.fails(429, "too-many-requests");
}

#[tokio::test]
async fn refusals_count_for_both() {
    let (world, app) = staffed().await;
    drop(app);
    let app = world.open_running(rates(6000, 3)).await;
    let [platform, agent, other] = world.actors(&app, ["platform", "agent", "other-agent"]);
    let search = Request::get("/v1/audit/events").on_behalf_of("agent");
    for _ in 0..3 {
        platform.send(search.clone()).await.fails(403, "refused");
    }
    agent.get("/v1/me").await.fails(429, "too-many-requests");
    platform.get("/v1/me").await.fails(429, "too-many-requests");
    other.get("/v1/me").await.is(200);
}

#[tokio::test]
async fn a_repeated_request_is_answered_again_to_those_who_sent_it() {
    let (world, app) = staffed().await;
    let [platform, agent, auditor] = world.actors(&app, ["platform", "agent", "auditor"]);
    let sent = || call().once("one");
    let first = platform.send(sent().on_behalf_of("agent")).await.is(201);
    let again = platform.send(sent().on_behalf_of("agent")).await.is(201);
    assert_eq!(first.text, again.text);
    // Another clerk, another platform, and the clerk's own program have keys of their own.
    for (who, request) in [
        (platform, sent().on_behalf_of("both")),
        (world.actor(&app, "calls-only"), sent().on_behalf_of("agent")),
        (agent, sent()),
    ] {
        let other = who.send(request).await.is(201);
        assert_ne!(other.case().no, first.case().no);
        assert_ne!(auditor.entry(&other).await, auditor.entry(&first).await);
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}
