//! The log does not take an entry in time: nothing is shown, and the vault goes on when it can.

use std::time::Duration;

use callervault::vault::life::open::Running;
use serde_json::json;

use crate::support::{Answer, World, caller, intake};

/// Asks until the log takes it in time, which a busy disk may keep it from once or twice.
async fn told(ask: impl AsyncFn() -> Answer) -> Answer {
    let mut answer = ask().await;
    for _ in 0..50 {
        if answer.status != 503 || answer.problem() != "audit-unavailable" {
            break;
        }
        answer = ask().await;
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_is_kept_waiting() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let app = world.open_running(Running::default()).await;
    let other = world.data();
    other.hold();
    // At once: the writer itself gives up after five seconds.
    let [handler, stranger] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let (read, refused) = tokio::join!(handler.reveal(&case).clear(), stranger.reveal(&case).clear());
    // The refusal stands all the same, but is not told as one that the log holds.
    for answer in [read, refused] {
        let answer = answer.fails(503, "audit-unavailable");
        assert!(answer.json().get("fields").is_none() && !answer.text.contains("13900001111"));
        assert!(answer.json().get("audit").is_none());
        assert_eq!(answer.headers["retry-after"], "1");
    }
    other.give_up();
    let clear = told(async || handler.reveal(&case).clear().await).await;
    assert_eq!(clear.at("/fields/callback_number"), "+8613900001111", "{}", clear.text);
    let call = intake(caller("李四光", "13700002222"));
    for (who, path, body, status) in [
        ("agent", "/v1/intake", &call, 201),
        ("system-admin", "/v1/keys/lock", &json!({}), 200),
    ] {
        let done = told(async || world.actor(&app, who).post(path, body).await).await;
        assert_eq!(done.status, status, "{}", done.text);
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The group stands in the log, and the key store does not take its fence: the process ends rather than tell anybody that
/// nothing was written.
#[tokio::test(flavor = "multi_thread")]
async fn a_fence_that_cannot_be_moved() {
    let world = World::closed().await;
    let app = world.open_running(Running::default()).await;
    let other = world.keys();
    other.hold();
    let new = json!({"code": "Z9", "name": "Parks", "kind": "organ"});
    let admin = world.actor(&app, "security-admin");
    let answer = admin.post("/v1/admin/departments", &new).await;
    answer.fails(503, "audit-unavailable");
    let stopped = tokio::time::timeout(Duration::from_secs(60), app.vault().unwrap().log_stopped()).await;
    assert!(stopped.is_ok(), "the process ends");
    other.give_up();
    drop(app);
    let app = world.open().await;
    let there = world.actor(&app, "security-admin").get("/v1/admin/departments").await;
    assert!(there.text.contains("\"Z9\""), "{}", there.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}
