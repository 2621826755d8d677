//! 回访: the caller is asked, perhaps several times, and what they say decides how the ticket goes on.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use super::life::{body, busy};
use crate::support::{Actor, Answer, Case, World};

fn solved(solved: &str) -> Value {
    json!({"valid": "yes", "contacted": "yes", "solved": solved, "satisfied": "fairly"})
}

impl Actor<'_> {
    async fn records(self, case: &Case, results: Value) -> Answer {
        self.step(&case.no, "callback", json!({"results": results})).await
    }
}

/// A ticket whose caller is to be asked.
pub(crate) async fn to_be_asked(world: &World, app: &Arc<App>) -> Case {
    let case = world.case(app, "C1").await;
    let [dispatcher, handler] = world.actors(app, ["dispatcher", "handler-c1"]);
    handler.step(&case.no, "feedback", body("feedback")).await.is(200);
    for step in ["review", "pass"] {
        dispatcher.step(&case.no, step, json!({})).await.is(200);
    }
    case
}

/// The results that a reader's page has, oldest first.
async fn results(actor: Actor<'_>, case: &Case, purpose: &str) -> Vec<Value> {
    let page = actor
        .get(format!("{}?purpose={purpose}", case.ticket()))
        .await
        .is(200)
        .json();
    let steps = page["custody"].as_array().unwrap().iter();
    steps.filter_map(|step| step.get("results").cloned()).collect()
}

#[tokio::test]
async fn each_attempt_is_recorded_and_a_solved_matter_is_closed_without_another_reason() {
    let (world, app) = busy().await;
    let [clerk, dispatcher] = world.actors(&app, ["callback", "dispatcher"]);
    let case = to_be_asked(&world, &app).await;
    let close = || clerk.step(&case.no, "close", json!({}));
    close().await.fails(422, "no-text");
    let first = clerk.records(&case, json!({"valid": "no"})).await.is(200);
    assert_eq!(first.at("/state"), "callback");
    close().await.fails(422, "no-text");
    clerk.records(&case, solved("no")).await.is(200);
    close().await.fails(422, "no-text");
    clerk.records(&case, solved("yes")).await.is(200);
    // An attempt that did not reach the caller changes nothing of what they have said.
    clerk.records(&case, json!({"valid": "no"})).await.is(200);
    let recorded = [
        json!({"valid": "no"}),
        solved("no"),
        solved("yes"),
        json!({"valid": "no"}),
    ];
    assert_eq!(results(dispatcher, &case, "dispatch").await, recorded);
    assert_eq!(close().await.is(200).at("/state"), "closed");
    assert_eq!(results(dispatcher, &case, "dispatch").await, recorded);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_matter_that_is_not_solved_is_worked_on_again_or_closed_with_a_reason() {
    let (world, app) = busy().await;
    let [clerk, dispatcher, handler] = world.actors(&app, ["callback", "dispatcher", "handler-c1"]);
    let case = to_be_asked(&world, &app).await;
    clerk.records(&case, solved("no")).await.is(200);
    let again = clerk
        .step(&case.no, "redo", json!({"reason": "诉求人称未解决"}))
        .await
        .is(200);
    assert_eq!(
        (again.at("/state"), again.at("/holder")),
        ("in_progress".into(), "C1".into())
    );
    // What a department sees of its ticket does not say what the caller said.
    assert_eq!(results(handler, &case, "handle").await, [Value::Null; 0]);
    clerk.records(&case, solved("yes")).await.fails(403, "refused");
    handler.step(&case.no, "feedback", body("feedback")).await.is(200);
    for step in ["review", "pass"] {
        dispatcher.step(&case.no, step, json!({})).await.is(200);
    }
    // What was said before the second report counts no more.
    clerk.step(&case.no, "close", json!({})).await.fails(422, "no-text");
    let why = json!({"reason": "三次未能接通"});
    clerk.step(&case.no, "close", why).await.is(200);
}

#[tokio::test]
async fn results_are_whole_and_recorded_by_who_asks() {
    let (world, app) = busy().await;
    let clerk = world.actor(&app, "callback");
    let case = to_be_asked(&world, &app).await;
    for bad in [
        json!({"valid": "yes"}),
        json!({"valid": "yes", "contacted": "yes", "solved": "yes"}),
        json!({"valid": "no", "solved": "yes"}),
    ] {
        clerk.records(&case, bad).await.fails(422, "no-results");
    }
    clerk
        .step(&case.no, "callback", json!({}))
        .await
        .fails(422, "no-results");
    for bad in [
        json!({"valid": "perhaps"}),
        json!({"valid": "no", "words": "王先生说"}),
        json!("yes"),
    ] {
        let answer = clerk.records(&case, bad).await;
        assert!(matches!(answer.status, 400 | 422), "{}", answer.text);
        assert!(!answer.text.contains("王先生"), "{}", answer.text);
    }
    let here = json!({"reason": "未解决", "results": solved("no")});
    clerk.step(&case.no, "redo", here).await.fails(422, "no-results-here");
    for who in ["agent", "dispatcher", "supervisor", "handler-c1"] {
        let other = world.actor(&app, who);
        other.records(&case, solved("yes")).await.fails(403, "refused");
    }
}
