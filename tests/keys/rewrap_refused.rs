//! Who may not start a rewrap is told so at once, whatever is being moved.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use callervault::vault::keys::rewrap::Step;
use serde_json::json;

use crate::keys::rotation::{before, rotated};
use crate::support::World;

/// Far more than a refusal takes, and reached by nothing but a fault.
const NEVER: Duration = Duration::from_secs(60);

/// The step waits for the log, and nobody goes on with it meanwhile.
#[tokio::test]
async fn a_refusal_does_not_wait_for_a_step() {
    let (world, app) = World::new().await;
    before(&world, &app).await;
    rotated(&world, &app, "kek").await.is(200);
    let [system, agent] = world.actors(&app, ["system-admin", "agent"]);
    system.rewrap(&json!({"role": "kek"})).await.is(200);
    let vault = app.vault().unwrap();
    loop {
        let mut step = pin!(vault.rewrap_step());
        let begun = poll_fn(|context| Poll::Ready(step.as_mut().poll(context))).await;
        if let Poll::Ready(taken) = begun {
            assert_ne!(taken.unwrap(), Step::Idle, "no step was waiting");
            continue;
        }
        let refused = tokio::time::timeout(NEVER, agent.rewrap(&json!({}))).await;
        refused.expect("it waits for the step").fails(403, "refused");
        step.await.unwrap();
        break;
    }
    system.rewrap(&json!({})).await.is(200);
}
