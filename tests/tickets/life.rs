//! A ticket's life: from the call to the answer, by the right hands, one step after the other.

use std::sync::Arc;

use callervault::clock::System;
use callervault::http::App;
use callervault::model::principals::Role;
use callervault::vault::Rates;
use callervault::vault::life::open::Running;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::approvals::person;
use crate::support::{Actor, Answer, Case, NAME, NUMBER, World, caller};

/// What a step must have: a body that any step takes that needs it.
pub(super) fn body(step: &str) -> Value {
    match step {
        "sign" | "start" | "review" | "pass" => json!({}),
        "answer" => json!({"reply": "已解释政策"}),
        "feedback" => json!({"reason": "商家态度一般", "reply": "已责令整改"}),
        "grant-extension" => json!({"reason": "确需现场复核", "working_days": 3}),
        "callback" => {
            json!({"results": {"valid": "yes", "contacted": "yes", "solved": "no", "satisfied": "dissatisfied"}})
        }
        _ => json!({"reason": "按规定"}),
    }
}

impl Actor<'_> {
    pub(super) async fn takes(self, case: &Case, step: &str) -> Answer {
        self.step(&case.no, step, body(step)).await
    }
}

/// A world with a callback clerk and a supervisor, in which nobody is held back.
pub(super) async fn busy() -> (World, Arc<App>) {
    let many = u32::MAX.try_into().unwrap();
    let rates = Rates {
        requests: many,
        refusals: many,
        ..Rates::default()
    };
    let running = Running {
        rates,
        ..Running::patient()
    };
    let (mut world, app) = World::made(Arc::new(System), running).await;
    let vault = app.vault().unwrap();
    for (name, role) in [("callback", Role::Callback), ("supervisor", Role::Supervisor)] {
        world.hire(&vault, "security-admin", person(name, role)).await;
    }
    (world, app)
}

/// What a caller who asks again is told.
async fn agent_hears(agent: Actor<'_>, case: &Case) -> Answer {
    let told = agent
        .reveal_of_ticket(&case.no)
        .purpose("intake")
        .fields(&["reply_public"]);
    told.clear().await
}

/// The work goes to another department, whoever has it, and whatever became of that one.
#[tokio::test]
async fn the_centre_sends_it_elsewhere_while_it_is_worked_on() {
    let (world, app) = World::new().await;
    let [dispatcher, handler, other] = world.actors(&app, ["dispatcher", "handler-c1", "handler-w2"]);
    let case = world.case(&app, "C1").await;
    dispatcher.dispatch(&case.no, "C1").await.fails(422, "same-again");
    handler.reveal(&case).clear().await.is(200);
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    handler.reveal(&case).masked().await.fails(403, "refused");
    handler.takes(&case, "feedback").await.fails(403, "refused");
    other.takes(&case, "sign").await.is(200);
    other.takes(&case, "feedback").await.is(200);
    dispatcher.takes(&case, "review").await.is(200);
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    handler.takes(&case, "sign").await.is(200);
    handler.reveal(&case).clear().await.is(200);
}

/// Before the signature and after the report the department sees its matter, and nothing of the caller.
#[tokio::test]
async fn a_department_sees_the_caller_while_it_works() {
    let (world, app) = busy().await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let case = world.sent(&app, "C1").await;
    handler.reveal_of_ticket(&case.no).clear().await.is(200);
    let early = handler.reveal(&case).masked().await.fails(403, "refused");
    assert_eq!(auditor.entry(&early).await["why"], "not-worked-on");
    handler.get(case.caller()).await.fails(403, "refused");
    let compared = handler.verify(&case, "callback_number", NUMBER).await;
    compared.fails(403, "refused");
    for step in ["sign", "start"] {
        handler.takes(&case, step).await.is(200);
        handler.reveal(&case).clear().await.is(200);
    }
    let reported = handler.takes(&case, "feedback").await.is(200);
    let at = (reported.at("/state"), reported.at("/holder"));
    assert_eq!(at, ("feedback".into(), "H0".into()));
    handler.reveal(&case).masked().await.fails(403, "refused");
    handler.takes(&case, "close").await.fails(403, "refused");
}

#[tokio::test]
async fn from_the_report_to_the_answer() {
    let (world, app) = busy().await;
    let [dispatcher, handler, clerk] = world.actors(&app, ["dispatcher", "handler-c1", "callback"]);
    let agent = world.actor(&app, "agent");
    let case = world.case(&app, "C1").await;
    handler.takes(&case, "feedback").await.is(200);
    // A report that nobody has looked at is no answer.
    agent_hears(agent, &case).await.fails(403, "refused");
    dispatcher.takes(&case, "review").await.is(200);
    let again = dispatcher.takes(&case, "redo").await.is(200);
    let at = (again.at("/state"), again.at("/holder"));
    assert_eq!(at, ("in_progress".into(), "C1".into()));
    handler.reveal(&case).clear().await.is(200);
    handler.takes(&case, "feedback").await.is(200);
    dispatcher.takes(&case, "review").await.is(200);
    dispatcher.takes(&case, "pass").await.is(200);

    // The clerk reads what the caller is told, and not what the department told the centre.
    let shown = |field: &'static str| clerk.reveal_of_ticket(&case.no).purpose("callback").fields(&[field]);
    let told = shown("reply_public").clear().await.is(200);
    assert_eq!(told.at("/fields/reply_public"), "已责令整改");
    shown("reply_internal").clear().await.fails(403, "refused");
    agent_hears(agent, &case).await.is(200);
    let closed = clerk.takes(&case, "close").await.is(200);
    assert_eq!(closed.at("/state"), "closed");
    dispatcher.takes(&case, "redo").await.fails(403, "refused");
    // Who calls again is told the same. Why it was closed the centre reads; what the department told it, nobody any more.
    agent_hears(agent, &case).await.is(200);
    let read = |field: &'static str| {
        dispatcher
            .reveal_of_ticket(&case.no)
            .purpose("dispatch")
            .fields(&[field])
    };
    assert_eq!(read("close_reason").clear().await.at("/fields/close_reason"), "按规定");
    read("reply_internal").clear().await.fails(403, "refused");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn the_centre_answers_by_itself() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let case = agent.take(caller(NAME, NUMBER)).await;
    agent.takes(&case, "close").await.fails(403, "refused");
    agent.takes(&case, "answer").await.is(200);
    let told = agent
        .reveal_of_ticket(&case.no)
        .purpose("intake")
        .fields(&["reply_public"]);
    assert_eq!(told.clear().await.at("/fields/reply_public"), "已解释政策");
    assert_eq!(agent.takes(&case, "close").await.is(200).at("/state"), "closed");
    for step in ["refuse", "transfer-out", "withdraw"] {
        let other = agent.take(caller(NAME, NUMBER)).await;
        agent.takes(&other, step).await.is(200);
        agent.takes(&other, "answer").await.fails(403, "refused");
    }
}

/// Two of a department sign at the same time: one of them has.
#[tokio::test]
async fn a_ticket_is_signed_for_once() {
    let (world, app) = World::new().await;
    let handler = world.actor(&app, "handler-c1");
    let case = world.sent(&app, "C1").await;
    let both = join_all([handler.takes(&case, "sign"), handler.takes(&case, "sign")]).await;
    let mut statuses: Vec<u16> = both.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert!(matches!(statuses[..], [200, 409 | 412]), "{statuses:?}");
}
