//! A department asks for more time, and the centre decides.

use serde_json::json;

use super::deadlines::{at, moment, page, taken};
use crate::support::{Actor, Answer, World};

const NOW: &str = "2026-11-02T10:00:00+08:00";

impl Actor<'_> {
    async fn asks_for_time(self, no: &str) -> Answer {
        self.step(no, "extend", json!({"reason": "需第三方检测"})).await
    }

    async fn grants(self, no: &str, days: u32) -> Answer {
        let body = json!({"reason": "确有必要", "working_days": days});
        self.step(no, "grant-extension", body).await
    }

    async fn refuses_time(self, no: &str) -> Answer {
        let body = json!({"reason": "时间足够"});
        self.step(no, "refuse-extension", body).await
    }
}

#[tokio::test]
async fn more_time_is_granted_once_and_counted_from_the_old_deadline() {
    let (world, app, clock) = at(NOW, &[]).await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = taken(&world, &app, "noise", "normal").await;
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    handler.asks_for_time(&case.no).await.fails(409, "wrong-state");
    handler.step(&case.no, "sign", json!({})).await.is(200);
    let asked = handler.asks_for_time(&case.no).await.is(200);
    let at = (asked.at("/state"), asked.at("/holder"), asked.at("/due"));
    assert_eq!(at, ("extension_asked".into(), "C1".into(), "2026-11-09".into()));

    // The department works on: it sees the caller as before.
    let own = handler.get(case.ticket()).await.is(200);
    let reference = own.at("/caller/ref");
    let shown = json!({"ticket": case.no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
    handler
        .post(format!("/v1/callers/{reference}/reveal"), &shown)
        .await
        .is(200);
    // Who asks does not decide, and nobody decides twice.
    handler.grants(&case.no, 3).await.fails(403, "refused");
    handler.refuses_time(&case.no).await.fails(403, "refused");
    handler.asks_for_time(&case.no).await.fails(409, "wrong-state");
    dispatcher.grants(&case.no, 0).await.fails(422, "too-many-days");
    let long = dispatcher.grants(&case.no, 11).await.fails(422, "too-many-days");
    assert!(long.at("/detail").contains("10"), "{}", long.text);
    let without = json!({"reason": "确有必要"});
    let without = dispatcher.step(&case.no, "grant-extension", without).await;
    without.fails(422, "no-working-days");
    let here = json!({"reason": "时间足够", "working_days": 2});
    let here = dispatcher.step(&case.no, "refuse-extension", here).await;
    here.fails(422, "no-working-days-here");
    // Three working days after Monday the 9th, whenever it is granted.
    clock.set(moment("2026-11-05T10:00:00+08:00"));
    let granted = dispatcher.grants(&case.no, 3).await.is(200);
    let at = (granted.at("/state"), granted.at("/due"));
    assert_eq!(at, ("in_progress".into(), "2026-11-12".into()));
    assert_eq!(page(&world, &app, &case.no).await["extensions"], 1);
    handler.asks_for_time(&case.no).await.fails(409, "no-more-extensions");

    // Why it was asked for is read by the centre, and why it was granted by both.
    let why = dispatcher.reveal_of_ticket(&case.no).purpose("dispatch");
    let why = why.fields(&["extension_reason"]).clear().await.is(200);
    assert_eq!(why.at("/fields/extension_reason"), "需第三方检测");
    let told = handler.reveal_of_ticket(&case.no).fields(&["dispatch_reason"]);
    assert_eq!(told.clear().await.at("/fields/dispatch_reason"), "确有必要");
    // Another department has its own time.
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    let after = page(&world, &app, &case.no).await;
    assert_eq!((&after["extensions"], &after["due"]), (&json!(0), &json!("2026-11-12")));
    // And does not read what the one before wrote to the centre.
    let next = world.actor(&app, "handler-w2").reveal_of_ticket(&case.no);
    next.fields(&["extension_reason"]).clear().await.fails(403, "refused");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn time_that_is_refused_leaves_the_deadline_and_may_be_asked_for_again() {
    let (world, app, _) = at(NOW, &[]).await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = taken(&world, &app, "noise", "urgent").await;
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    handler.step(&case.no, "sign", json!({})).await.is(200);
    handler.step(&case.no, "start", json!({})).await.is(200);
    handler.asks_for_time(&case.no).await.is(200);
    let refused = dispatcher.refuses_time(&case.no).await.is(200);
    let at = (refused.at("/state"), refused.at("/due"));
    assert_eq!(at, ("in_progress".into(), "2026-11-05".into()));
    handler.asks_for_time(&case.no).await.is(200);
    // It may report instead of waiting.
    let report = json!({"reason": "已办", "reply": "已处理"});
    let reported = handler.step(&case.no, "feedback", report).await.is(200);
    assert_eq!(reported.at("/state"), "feedback");
}

#[tokio::test]
async fn the_department_that_holds_it_asks_and_the_centre_decides() {
    let (world, app) = World::new().await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    for who in ["handler-w2", "agent", "dispatcher"] {
        let stranger = world.actor(&app, who);
        stranger.asks_for_time(&case.no).await.fails(403, "refused");
    }
    handler.asks_for_time(&case.no).await.is(200);
    for who in ["handler-w2", "agent"] {
        let stranger = world.actor(&app, who);
        stranger.grants(&case.no, 1).await.fails(403, "refused");
        stranger.refuses_time(&case.no).await.fails(403, "refused");
    }
    dispatcher.grants(&case.no, 1).await.is(200);
}

/// A city may allow more than one, or none.
#[tokio::test]
async fn the_file_says_how_often() {
    let shipped = callervault::model::deadlines::Deadlines::SHIPPED;
    for (extensions, granted) in [("extensions = 2", 2), ("extensions = 0", 0)] {
        let own = shipped.replacen("extensions = 1", extensions, 1);
        let (world, app, _) = at(NOW, &[("deadlines.toml", &own)]).await;
        let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
        let case = taken(&world, &app, "noise", "normal").await;
        dispatcher.dispatch(&case.no, "C1").await.is(200);
        handler.step(&case.no, "sign", json!({})).await.is(200);
        for _ in 0..granted {
            handler.asks_for_time(&case.no).await.is(200);
            dispatcher.grants(&case.no, 1).await.is(200);
        }
        handler.asks_for_time(&case.no).await.fails(409, "no-more-extensions");
    }
}
