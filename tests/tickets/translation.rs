//! A caller's reference goes to another department by a transfer: sealed, for one department, one use and three days.

use std::sync::Arc;
use std::time::SystemTime;

use callervault::clock::Fixed;
use callervault::http::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::{Actor, Answer, Case, Request, World};

impl Actor<'_> {
    async fn translate(self, case: &Case, to: &str) -> Answer {
        let body = json!({"ref": case.reference, "to_department": to, "ticket": case.no, "purpose": "handle"});
        self.post("/v1/references/translate", &body).await
    }

    async fn accept(self, transfer: &str) -> Answer {
        self.post("/v1/references/accept", &json!({"transfer": transfer})).await
    }
}

/// C1 works on a ticket; W2 has had one of the same caller, and has a reference to them.
async fn scene() -> (World, Arc<App>, Case, String) {
    let (world, app) = World::new().await;
    let other = world.case(&app, "W2").await;
    let case = world.case(&app, "C1").await;
    (world, app, case, other.reference)
}

#[tokio::test]
async fn the_receiver_gets_its_own_reference_and_neither_sees_the_other_s() {
    let (world, app, case, own) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let made = sender.translate(&case, "W2").await.is(201);
    let transfer = made.at("/transfer");
    assert!(
        transfer.starts_with("cvx_") && !made.text.contains(&own),
        "{}",
        made.text
    );
    let accepted = receiver.accept(&transfer).await.is(200);
    assert_eq!(accepted.at("/ref"), own, "the one that it has of this caller");
    assert_eq!(accepted.at("/from_department"), "C1");
    for of_sender in [&case.reference, &case.no] {
        assert!(!accepted.text.contains(of_sender), "{}", accepted.text);
    }
    // Each entry names the transfer, and so the other.
    let (first, second) = (
        world.actor(&app, "auditor").entry_at(made.index()).await,
        world.actor(&app, "auditor").entry_at(accepted.index()).await,
    );
    for word in ["transfer", "from", "to"] {
        assert_eq!(first["link"][word], second["link"][word], "{word}");
    }
    assert_eq!(
        (&first["link"]["from"], &first["link"]["to"]),
        (&json!("C1"), &json!("W2"))
    );
    assert_eq!(
        (&first["subject"], &first["ticket"]),
        (&second["subject"], &second["ticket"])
    );
    // Nothing of the caller is shown for it: the receiver has no ticket of theirs.
    receiver.get(format!("/v1/callers/{own}")).await.is(200);
    let asked = Case {
        no: case.no.clone(),
        reference: own,
    };
    receiver.reveal(&asked).masked().await.fails(403, "refused");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_transfer_is_used_once_also_by_two_at_once() {
    let (world, app, case, _) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let transfer = sender.translate(&case, "W2").await.is(201).at("/transfer");
    let (one, other) = tokio::join!(receiver.accept(&transfer), receiver.accept(&transfer));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(
        statuses[0] == 200 && [409, 410, 412].contains(&statuses[1]),
        "{statuses:?}"
    );
    receiver.accept(&transfer).await.fails(410, "transfer-over");
}

#[tokio::test]
async fn another_department_cannot_accept_it_and_does_not_use_it_up() {
    let (world, app, case, _) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let transfer = sender.translate(&case, "W2").await.is(201).at("/transfer");
    for name in ["handler-c1", "handler-e4"] {
        let refused = world.actor(&app, name).accept(&transfer).await.fails(403, "refused");
        assert_eq!(
            world.actor(&app, "auditor").entry_at(refused.index()).await["why"],
            "foreign-transfer",
            "{name}"
        );
    }
    for name in ["agent", "dispatcher", "auditor", "system-admin"] {
        world.actor(&app, name).accept(&transfer).await.is(403);
    }
    receiver.accept(&transfer).await.is(200);
}

#[tokio::test]
async fn it_ends_after_three_days() {
    let (world, app, case, _) = scene().await;
    let made = world.actor(&app, "handler-c1").translate(&case, "W2").await.is(201);
    let expires: Timestamp = made.at("/expires_at").parse().unwrap();
    let hours = expires
        .duration_since(Timestamp::try_from(SystemTime::now()).unwrap())
        .as_hours();
    assert!((71..=72).contains(&hours), "{hours}");
    drop(app);
    for (before, status) in [(1, 200), (0, 410)] {
        let at = expires - SignedDuration::from_millis(before);
        let app = world.open_at(Arc::new(Fixed::at(at))).await;
        let transfer = if before == 1 {
            made.at("/transfer")
        } else {
            second(&world, &app).await
        };
        let asked = async |app: &Arc<App>| world.actor(app, "handler-w2").accept(&transfer).await;
        if before == 1 {
            asked(&app).await.is(status);
            continue;
        }
        drop(app);
        let app = world
            .open_at(Arc::new(Fixed::at(at + SignedDuration::from_hours(72))))
            .await;
        asked(&app).await.fails(status, "transfer-over");
    }
}

/// A transfer that is made at the moment of the vault's clock.
async fn second(world: &World, app: &Arc<App>) -> String {
    let case = world.case(app, "C1").await;
    world
        .actor(app, "handler-c1")
        .translate(&case, "W2")
        .await
        .is(201)
        .at("/transfer")
}

#[tokio::test]
async fn only_who_works_on_the_ticket_translates_and_only_what_is_not_confidential() {
    let (world, app, case, _) = scene().await;
    let handler = world.actor(&app, "handler-c1");
    handler.translate(&case, "C1").await.fails(422, "same-receiver");
    handler.translate(&case, "ZZ").await.fails(404, "not-found");
    for name in ["agent", "dispatcher", "auditor", "handler-w2", "security-admin"] {
        world.actor(&app, name).translate(&case, "E4").await.is(403);
    }
    let unsigned = world.sent(&app, "C1").await;
    handler.translate(&unsigned, "W2").await.fails(403, "refused");
    // The caller of a confidential ticket has no reference there; one from another ticket leads nowhere by it.
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let report = crate::support::report(crate::support::caller(crate::support::NAME, crate::support::NUMBER));
    let report = agent.post("/v1/intake", &report).await.is(201).case();
    dispatcher.dispatch(&report.no, "C1").await.is(200);
    world.signed(&app, &report.no, "C1").await;
    let by_other = Case {
        no: report.no,
        ..case.clone()
    };
    handler.translate(&by_other, "W2").await.fails(403, "refused");
    let report = json!({"reason": "已查", "reply": "已整改"});
    handler.step(&case.no, "feedback", report).await.is(200);
    handler.translate(&case, "W2").await.fails(403, "refused");
}

#[tokio::test]
async fn an_unknown_transfer_is_not_found_and_an_edited_one_is_told() {
    let (world, app, case, _) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let transfer = sender.translate(&case, "W2").await.is(201).at("/transfer");
    receiver.accept(&format!("{transfer}a")).await.fails(404, "not-found");
    receiver.accept("13900001111").await.fails(404, "not-found");
    world.data().rows("transfer").set("receiver", "E4");
    receiver.accept(&transfer).await.fails(500, "integrity");
    let kept = Request::post("/v1/references/translate", &json!({})).once("key");
    sender.send(kept).await.is(400);
}

/// A transfer is no right that lasts: it goes with the sender's work on the ticket.
#[tokio::test]
async fn a_transfer_ends_with_the_sender_s_work() {
    let (world, app, case, _) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let transfer = sender.translate(&case, "W2").await.is(201).at("/transfer");
    let report = json!({"reason": "已查", "reply": "已整改"});
    sender.step(&case.no, "feedback", report).await.is(200);
    let refused = receiver.accept(&transfer).await.fails(410, "transfer-over");
    assert_eq!(
        world.actor(&app, "auditor").entry_at(refused.index()).await["why"],
        "transfer-over"
    );
}

/// Data that may only be stored are not handed on either, by a transfer from before.
#[tokio::test]
async fn a_restricted_caller_s_reference_goes_nowhere() {
    let (world, app, case, _) = scene().await;
    let [sender, receiver] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let made = sender.translate(&case, "W2").await.is(201);
    let subject = world.actor(&app, "auditor").entry_at(made.index()).await["subject"]
        .as_str()
        .unwrap()
        .to_owned();
    let reference = world.officers_reference(&app, &subject).await;
    let restrict = json!({"reason": "contested"});
    let path = format!("/v1/callers/{reference}/restrict");
    world.actor(&app, "dpo").post(path, &restrict).await.is(200);
    sender.translate(&case, "W2").await.fails(409, "restricted");
    receiver.accept(&made.at("/transfer")).await.fails(409, "restricted");
}
