//! A department asks to return a ticket, and the centre decides.

use serde_json::json;

use crate::support::{Actor, Answer, Case, NAME, NUMBER, World, caller, report};

const WHY: &str = "不属于本单位职责";

impl Actor<'_> {
    async fn give_back(self, case: &Case) -> Answer {
        self.step(&case.no, "return", json!({"reason": WHY})).await
    }

    async fn decide(self, case: &Case, step: &str) -> Answer {
        self.step(&case.no, step, json!({"reason": "按职责清单"})).await
    }

    /// The ticket, read for a purpose.
    async fn read(self, case: &Case, purpose: &str) -> Answer {
        self.get(format!("{}?purpose={purpose}", case.ticket())).await
    }
}

#[tokio::test]
async fn it_is_the_centres_again_and_can_be_sent_elsewhere() {
    let (world, app) = World::new().await;
    let [dispatcher, handler, other] = world.actors(&app, ["dispatcher", "handler-c1", "handler-w2"]);
    let case = world.sent(&app, "C1").await;
    let asked = handler.give_back(&case).await.is(200);
    assert_eq!(
        (asked.at("/state"), asked.at("/holder")),
        ("return_asked".into(), "C1".into())
    );
    // Until the centre has decided, the department is to answer for it, and cannot sign for it.
    handler.read(&case, "handle").await.is(200);
    handler
        .step(&case.no, "sign", json!({}))
        .await
        .fails(409, "wrong-state");
    let answer = dispatcher.decide(&case, "accept-return").await.is(200);
    let mut said = answer.json();
    said.as_object_mut().unwrap().remove("audit");
    let expected = json!({"ticket": case.no, "state": "accepted", "holder": "H0", "version": 4});
    assert_eq!(said, expected, "nothing of the caller");

    // The department has lost it, and what it had for its sake.
    handler.read(&case, "handle").await.is(403);
    handler.reveal(&case).masked().await.is(403);
    handler.give_back(&case).await.is(403);

    // The centre sees who had it, and why it came back.
    let page = dispatcher.read(&case, "dispatch").await.json();
    let custody: Vec<(&str, &str)> = page["custody"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| (step["state"].as_str().unwrap(), step["holder"].as_str().unwrap()))
        .collect();
    let expected = [
        ("accepted", "H0"),
        ("dispatched", "C1"),
        ("return_asked", "C1"),
        ("accepted", "H0"),
    ];
    assert_eq!(custody, expected);
    let why = dispatcher.reveal_of_ticket(&case.no).purpose("dispatch");
    let why = why.fields(&["return_reason"]).clear().await;
    assert_eq!(why.at("/fields/return_reason"), WHY);
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    other.read(&case, "handle").await.is(200);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn it_goes_to_another_department_at_once_but_not_to_the_same() {
    let (world, app) = World::new().await;
    let [dispatcher, handler, other] = world.actors(&app, ["dispatcher", "handler-c1", "handler-w2"]);
    let case = world.sent(&app, "C1").await;
    handler.give_back(&case).await.is(200);
    dispatcher.dispatch(&case.no, "C1").await.fails(422, "same-again");
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    handler.read(&case, "handle").await.is(403);
    other.step(&case.no, "sign", json!({})).await.is(200);
}

/// 不同意退单: the department has the ticket, and works on it.
#[tokio::test]
async fn a_denied_return_is_final() {
    let (world, app) = World::new().await;
    let [dispatcher, handler] = world.actors(&app, ["dispatcher", "handler-c1"]);
    let case = world.sent(&app, "C1").await;
    handler.give_back(&case).await.is(200);
    let denied = dispatcher.decide(&case, "deny-return").await.is(200);
    assert_eq!(
        (denied.at("/state"), denied.at("/holder")),
        ("signed".into(), "C1".into())
    );
    handler.reveal(&case).clear().await.is(200);
    handler.give_back(&case).await.fails(409, "wrong-state");
    handler.step(&case.no, "start", json!({})).await.is(200);
    handler.give_back(&case).await.fails(409, "wrong-state");
    // The department reads why.
    let why = handler.reveal_of_ticket(&case.no).fields(&["dispatch_reason"]);
    assert_eq!(why.clear().await.at("/fields/dispatch_reason"), "按职责清单");
}

#[tokio::test]
async fn by_the_department_that_holds_it_alone() {
    for (department, handler) in [("C1", "handler-c1"), ("E4", "handler-e4")] {
        let (world, app) = World::new().await;
        let [handler, auditor] = world.actors(&app, [handler, "auditor"]);
        let case = world.sent(&app, department).await;
        for who in ["handler-w2", "agent", "dispatcher"] {
            let stranger = world.actor(&app, who);
            stranger.give_back(&case).await.fails(403, "refused");
        }
        let named = json!({"reason": WHY, "department": "W2"});
        let answer = handler.step(&case.no, "return", named).await;
        answer.fails(422, "no-department-here");
        let given = handler.give_back(&case).await.is(200);
        let leaf = auditor.entry(&given).await;
        assert_eq!(leaf["act"], "ticket.return", "{leaf}");
        assert_eq!((&leaf["out"], &leaf["dept"]), (&json!("granted"), &json!(department)));
        // Whoever asks does not decide.
        for step in ["accept-return", "deny-return"] {
            handler.decide(&case, step).await.fails(403, "refused");
        }
    }
    let (world, app) = World::new().await;
    let handler = world.actor(&app, "handler-c1");
    let case = world.sent(&app, "C1").await;
    world.ended(&app, &case.no).await;
    // One that is over stays so.
    handler.give_back(&case).await.is(403);
}

/// The agent has heard the caller; what was shown of a live call is not shown of a ticket that has been elsewhere.
#[tokio::test]
async fn a_ticket_that_came_back_is_nobodys_own_call() {
    let (world, app) = World::new().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let case = agent.take(caller(NAME, NUMBER)).await;
    let shown = || agent.reveal(&case).purpose("intake");
    shown().clear().await.is(200);
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    handler.give_back(&case).await.is(200);
    dispatcher.decide(&case, "accept-return").await.is(200);
    shown().clear().await.is(403);
    shown().masked().await.is(200);
}

/// Neither the answer, nor what the dispatcher sees afterwards, names the caller of a confidential ticket.
#[tokio::test]
async fn a_report_comes_back_without_its_caller() {
    let (world, app) = World::new().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let report = report(caller(NAME, NUMBER));
    let case = agent.post("/v1/intake", &report).await.is(201).case();
    dispatcher.dispatch(&case.no, "C1").await.is(200);

    handler.give_back(&case).await.is(200);
    let given = dispatcher.decide(&case, "accept-return").await.is(200);
    assert_eq!(given.json().get("caller"), None);
    let page = dispatcher.read(&case, "dispatch").await.is(200);
    assert_eq!(page.json().get("caller"), None);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// What a department writes to be rid of a ticket is for the centre. It reads its own words while it holds the ticket, and no other does.
#[tokio::test]
async fn why_it_was_returned_is_no_other_departments_to_read() {
    let (world, app) = World::new().await;
    let [dispatcher, handler, other] = world.actors(&app, ["dispatcher", "handler-c1", "handler-w2"]);
    let case = world.sent(&app, "C1").await;
    let no = case.no.as_str();
    let why = async |who: Actor<'_>, purpose: &str| {
        let shown = who.reveal_of_ticket(no).purpose(purpose);
        shown.fields(&["return_reason"]).clear().await
    };
    handler.give_back(&case).await.is(200);
    assert_eq!(why(handler, "handle").await.at("/fields/return_reason"), WHY);
    dispatcher.decide(&case, "accept-return").await.is(200);
    why(handler, "handle").await.fails(403, "refused");
    dispatcher.dispatch(&case.no, "W2").await.is(200);
    // Before the signature and after it; what was written to it the department reads.
    for step in ["sign", "start"] {
        why(other, "handle").await.fails(403, "refused");
        let written = other
            .reveal_of_ticket(&case.no)
            .fields(&["dispatch_reason"])
            .clear()
            .await;
        assert_eq!(written.at("/fields/dispatch_reason"), "请核查");
        other.step(&case.no, step, json!({})).await.is(200);
    }
    assert_eq!(why(dispatcher, "dispatch").await.at("/fields/return_reason"), WHY);
    // The department that wrote it has the ticket again, and the centre reads it when the ticket is over.
    dispatcher.dispatch(&case.no, "C1").await.is(200);
    assert_eq!(why(handler, "handle").await.is(200).at("/fields/return_reason"), WHY);
    world.ended(&app, &case.no).await;
    why(handler, "handle").await.fails(403, "refused");
    assert_eq!(why(dispatcher, "dispatch").await.at("/fields/return_reason"), WHY);
}
