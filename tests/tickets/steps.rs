//! Who takes which step, and what a step is given.

use callervault::model::principals::Role;
use serde_json::json;

use super::life::{body, busy};
use crate::support::approvals::person;
use crate::support::{Request, World};

/// A step that takes nothing has nothing to be sent, and an empty text is none.
#[tokio::test]
async fn what_is_not_given_need_not_be_sent() {
    let (world, app) = World::new().await;
    let handler = world.actor(&app, "handler-c1");
    let case = world.sent(&app, "C1").await;
    let step = |step: &str| format!("/v1/tickets/{}/{step}", case.no);
    let bare = Request::bare("POST", step("sign")).once("sign it");
    let signed = handler.send(bare.clone()).await.is(200);
    let again = handler.send(bare).await.is(200);
    let in_words = handler
        .send(Request::post(step("sign"), &json!({})).once("sign it"))
        .await
        .is(200);
    assert_eq!((again.text, in_words.text), (signed.text.clone(), signed.text));

    let started = |reason: &str| Request::post(step("start"), &json!({"reason": reason}));
    handler.send(started("x")).await.fails(422, "no-text-here");
    handler.send(started("")).await.is(200);
    let report =
        |reason: &str, reply: &str| Request::post(step("feedback"), &json!({"reason": reason, "reply": reply}));
    for missing in [
        report("", "已责令整改"),
        report("商家态度一般", " "),
        Request::bare("POST", step("feedback")),
    ] {
        handler.send(missing).await.fails(422, "no-text");
    }
    let no_json = Request::bare("POST", step("feedback"))
        .body("reason=x")
        .header("content-type", "text/plain");
    assert!(matches!(handler.send(no_json).await.status, 400 | 415));
    handler.send(report("商家态度一般", "已责令整改")).await.is(200);
}

/// Each step is asked for in the name of the role that may take it, though it is not the first.
#[tokio::test]
async fn who_holds_two_roles_need_not_say_for_which() {
    let (mut world, app) = busy().await;
    let vault = app.vault().unwrap();
    let mut both = person("both", Role::Agent);
    both.roles.push(Role::Callback);
    world.hire(&vault, "security-admin", both).await;
    drop(vault);
    let [dispatcher, handler, both, auditor] = world.actors(&app, ["dispatcher", "handler-c1", "both", "auditor"]);
    let case = world.case(&app, "C1").await;
    for (who, step) in [(handler, "feedback"), (dispatcher, "review"), (dispatcher, "pass")] {
        who.step(&case.no, step, body(step)).await.is(200);
    }
    let again = both.step(&case.no, "redo", body("redo")).await.is(200);
    let leaf = auditor.entry(&again).await;
    assert_eq!(
        (&leaf["role"], &leaf["purpose"]),
        (&json!("callback"), &json!("callback"))
    );
    // A purpose that is stated is the one that counts, and what no role may is refused.
    let stated = json!({"reason": "按规定", "purpose": "intake"});
    both.step(&case.no, "redo", stated).await.fails(403, "refused");
    both.step(&case.no, "terminate", body("terminate"))
        .await
        .fails(403, "refused");
}

/// 重办 is the centre's: of those who look at the report, and of those who follow up, at any time; of the clerk who has asked the caller, after
/// that.
#[tokio::test]
async fn who_sends_a_ticket_back_for_more_work() {
    let (world, app) = busy().await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let staff = [
        "agent",
        "handler-c1",
        "handler-w2",
        "callback",
        "supervisor",
        "dispatcher",
    ];
    for (until, may) in [
        (&["feedback"][..], &[][..]),
        (&["feedback", "review"], &["supervisor", "dispatcher"]),
        (
            &["feedback", "review", "pass"],
            &["callback", "supervisor", "dispatcher"],
        ),
    ] {
        for who in staff {
            let case = world.case(&app, "C1").await;
            for step in until {
                let of = if *step == "feedback" { handler } else { dispatcher };
                of.step(&case.no, step, body(step)).await.is(200);
            }
            let again = world.actor(&app, who).step(&case.no, "redo", body("redo")).await;
            if may.contains(&who) {
                assert_eq!(again.is(200).at("/state"), "in_progress");
            } else {
                assert!(
                    matches!(again.status, 403 | 409),
                    "{who} after {until:?}: {}",
                    again.text
                );
            }
        }
    }
}
