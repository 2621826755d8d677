//! A handler speaks to a caller without the number: by a code, a relay that exchanges it once, and what became of the call.

use std::sync::Arc;
use std::time::SystemTime;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::principals::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::approvals::{person, service};
use crate::support::{Actor, Answer, Case, NAME, NUMBER, World, caller, report};

/// The number as a relay gets it.
const DIALLED: &str = "+8613900001111";

impl Actor<'_> {
    /// Asks for a code, to handle the case.
    async fn asks_to_call(self, case: &Case) -> Answer {
        let body = json!({"ticket": case.no, "purpose": "handle"});
        self.post(format!("{}/contact", case.caller()), &body).await
    }

    async fn exchange(self, code: &str) -> Answer {
        self.post("/v1/contacts/exchange", &json!({"code": code})).await
    }

    async fn report(self, contact: &str, outcome: &str) -> Answer {
        self.post(format!("/v1/contacts/{contact}/outcome"), &json!({"outcome": outcome}))
            .await
    }
}

/// A world with a relay and a callback clerk, and a ticket that C1 works on.
async fn scene() -> (World, Arc<App>, Case) {
    let (mut world, app) = World::new().await;
    let vault = app.vault().unwrap();
    world
        .hire(&vault, "security-admin", service("relay", Role::Relay))
        .await;
    world
        .hire(&vault, "security-admin", service("other-relay", Role::Relay))
        .await;
    world
        .hire(&vault, "security-admin", person("callback", Role::Callback))
        .await;
    let case = world.case(&app, "C1").await;
    (world, app, case)
}

#[tokio::test]
async fn the_handler_gets_a_code_the_relay_the_number_and_the_log_all_of_it() {
    let (world, app, case) = scene().await;
    let [handler, relay] = world.actors(&app, ["handler-c1", "relay"]);
    let asked = handler.asks_to_call(&case).await.is(201);
    let (code, contact) = (asked.at("/code"), asked.at("/contact"));
    assert!(
        code.starts_with("cvc_") && !asked.text.contains("139"),
        "{}",
        asked.text
    );
    let state = async || handler.get(case.ticket()).await.is(200).json()["contacts"][0].clone();
    assert_eq!(state().await["state"], "waiting");

    let exchanged = relay.exchange(&code).await.is(200);
    assert_eq!(exchanged.at("/fields/callback_number"), DIALLED);
    assert_eq!(
        (exchanged.at("/contact"), exchanged.at("/mark").len()),
        (contact.clone(), 14)
    );
    assert_eq!(state().await["state"], "calling");
    let ended = relay.report(&contact, "no_answer").await.is(200);
    assert_eq!(state().await["outcome"], "no_answer");

    let read = world.actor(&app, "auditor").entry_at(exchanged.index()).await;
    assert_eq!(
        (&read["act"], &read["role"], &read["purpose"]),
        (&json!("field.reveal"), &json!("relay"), &json!("connect"))
    );
    assert_eq!((&read["ticket"], &read["form"]), (&json!(case.no), &json!("clear")));
    assert_eq!(read["link"]["contact"], json!(contact));
    assert_eq!(read["link"]["for"], json!(world.id("handler-c1")));
    assert_eq!(read["link"]["named_by"], Value::Null);
    for index in [asked.index(), ended.index()] {
        let leaf = world.actor(&app, "auditor").entry_at(index).await;
        assert_eq!(
            (&leaf["link"]["contact"], &leaf["subject"]),
            (&json!(contact), &read["subject"])
        );
    }
    // Exposure has the relay's read among the others.
    let exposure = world
        .actor(&app, "auditor")
        .post("/v1/audit/exposure", &json!({"ticket": case.no}))
        .await;
    assert!(exposure.is(200).text.contains(world.id("relay")));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_code_is_good_for_one_call_also_of_two_at_once() {
    let (world, app, case) = scene().await;
    let [handler, relay, other] = world.actors(&app, ["handler-c1", "relay", "other-relay"]);
    let code = handler.asks_to_call(&case).await.is(201).at("/code");
    let (one, another) = tokio::join!(relay.exchange(&code), other.exchange(&code));
    let mut statuses = [one.status, another.status];
    statuses.sort_unstable();
    assert!(
        statuses[0] == 200 && [409, 410, 412].contains(&statuses[1]),
        "{statuses:?}"
    );
    let again = relay.exchange(&code).await.fails(410, "contact-over");
    assert_eq!(
        world.actor(&app, "auditor").entry_at(again.index()).await["why"],
        "contact-over"
    );
}

#[tokio::test]
async fn nobody_but_a_relay_exchanges_a_code() {
    let (world, app, case) = scene().await;
    let handler = world.actor(&app, "handler-c1");
    let code = handler.asks_to_call(&case).await.is(201).at("/code");
    for name in [
        "handler-c1",
        "handler-w2",
        "agent",
        "dispatcher",
        "callback",
        "auditor",
        "system-admin",
        "security-admin",
    ] {
        world.actor(&app, name).exchange(&code).await.fails(403, "refused");
    }
    let relay = world.actor(&app, "relay");
    relay.exchange(&format!("{code}a")).await.fails(404, "not-found");
    // A relay sees nothing without a code, also where it knows reference and ticket.
    relay
        .reveal(&case)
        .purpose("connect")
        .clear()
        .await
        .fails(403, "refused");
    relay.get(case.ticket()).await.fails(403, "refused");
    relay.exchange(&code).await.is(200);
}

#[tokio::test]
async fn a_code_ends_after_half_an_hour_and_with_the_department_s_work() {
    let (world, app, case) = scene().await;
    let [handler, relay] = world.actors(&app, ["handler-c1", "relay"]);
    let asked = handler.asks_to_call(&case).await.is(201);
    let reported = json!({"reason": "已查", "reply": "已整改"});
    let second = world.case(&app, "C1").await;
    let late = handler.asks_to_call(&second).await.is(201);
    handler.step(&case.no, "feedback", reported).await.is(200);
    relay.exchange(&asked.at("/code")).await.fails(403, "refused");
    drop(app);
    let expires: Timestamp = late.at("/expires_at").parse().unwrap();
    let minutes = expires
        .duration_since(Timestamp::try_from(SystemTime::now()).unwrap())
        .as_mins();
    assert!((28..=30).contains(&minutes), "{minutes}");
    let app = world.open_at(Arc::new(Fixed::at(expires))).await;
    world
        .actor(&app, "relay")
        .exchange(&late.at("/code"))
        .await
        .fails(410, "contact-over");
    let page = world
        .actor(&app, "handler-c1")
        .get(second.ticket())
        .await
        .is(200)
        .json();
    assert_eq!(page["contacts"][0]["state"], "lapsed");
}

#[tokio::test]
async fn of_a_reporter_the_department_hears_nothing_and_can_still_call() {
    let (world, app, _) = scene().await;
    let [agent, dispatcher, relay] = world.actors(&app, ["agent", "dispatcher", "relay"]);
    let (mut answers, mut first) = (Vec::new(), None);
    for who in [caller(NAME, NUMBER), json!({"name": "李四光"})] {
        let taken = agent.post("/v1/intake", &report(who)).await.is(201).case();
        dispatcher.dispatch(&taken.no, "C1").await.is(200);
        world.signed(&app, &taken.no, "C1").await;
        let path = format!("{}/contact", taken.ticket());
        let handler = world.actor(&app, "handler-c1");
        answers.push(handler.post(path, &json!({"purpose": "handle"})).await.is(201));
        first.get_or_insert(taken.no);
    }
    // Whether they have left a number shows nowhere.
    let keys = |answer: &Answer| answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&answers[0]), keys(&answers[1]));
    let numbers = [
        relay.exchange(&answers[0].at("/code")).await,
        relay.exchange(&answers[1].at("/code")).await,
    ];
    let numbers = numbers.map(|answer| answer.is(200).at("/fields/callback_number"));
    assert_eq!(numbers, [DIALLED, ""]);
    // Nor does it from what became of the call.
    relay.report(&answers[0].at("/contact"), "answered").await.is(200);
    let no = first.unwrap();
    let page = world
        .actor(&app, "handler-c1")
        .get(format!("/v1/tickets/{no}"))
        .await
        .is(200)
        .json();
    assert_eq!(page["contacts"][0]["state"], "ended");
    assert_eq!(page["contacts"][0]["outcome"], Value::Null);
    assert_eq!(
        dispatcher.get(format!("/v1/tickets/{no}")).await.json()["contacts"][0]["outcome"],
        "answered"
    );
    // An enterprise does not call a reporter.
    let taken = agent
        .post("/v1/intake", &report(caller(NAME, NUMBER)))
        .await
        .is(201)
        .case();
    dispatcher.dispatch(&taken.no, "E4").await.is(200);
    world.signed(&app, &taken.no, "E4").await;
    let path = format!("{}/contact", taken.ticket());
    world
        .actor(&app, "handler-e4")
        .post(path, &json!({"purpose": "handle"}))
        .await
        .fails(403, "refused");
}

#[tokio::test]
async fn who_asks_how_it_went_needs_no_number_either() {
    let (world, app, case) = scene().await;
    let [handler, dispatcher, clerk, relay] = world.actors(&app, ["handler-c1", "dispatcher", "callback", "relay"]);
    let reported = json!({"reason": "已查", "reply": "已整改"});
    handler.step(&case.no, "feedback", reported).await.is(200);
    dispatcher.step(&case.no, "review", json!({})).await.is(200);
    let body = json!({"purpose": "callback"});
    let path = format!("{}/contact", case.ticket());
    clerk.post(path, &body).await.fails(403, "refused");
    dispatcher.step(&case.no, "pass", json!({})).await.is(200);
    handler.asks_to_call(&case).await.fails(403, "refused");
    let asked = clerk.post(format!("{}/contact", case.ticket()), &body).await.is(201);
    let exchanged = relay.exchange(&asked.at("/code")).await.is(200);
    assert_eq!(exchanged.at("/fields/callback_number"), DIALLED);
}

#[tokio::test]
async fn only_the_relay_that_called_reports_and_once() {
    let (world, app, case) = scene().await;
    let [handler, relay, other] = world.actors(&app, ["handler-c1", "relay", "other-relay"]);
    let asked = handler.asks_to_call(&case).await.is(201);
    let contact = asked.at("/contact");
    relay.report(&contact, "answered").await.fails(404, "not-found");
    relay.exchange(&asked.at("/code")).await.is(200);
    other.report(&contact, "answered").await.fails(404, "not-found");
    handler.report(&contact, "answered").await.fails(403, "refused");
    relay.report(&contact, "在忙").await.is(400);
    relay.report(&contact, "busy").await.is(200);
    relay.report(&contact, "answered").await.fails(409, "contact-reported");
    drop(app);
    // One that never reports shows as such.
    let later = Timestamp::try_from(SystemTime::now()).unwrap() + SignedDuration::from_mins(1);
    let app = world.open_at(Arc::new(Fixed::at(later))).await;
    let [handler, relay] = world.actors(&app, ["handler-c1", "relay"]);
    let silent = handler.asks_to_call(&case).await.is(201);
    relay.exchange(&silent.at("/code")).await.is(200);
    drop(app);
    let app = world
        .open_at(Arc::new(Fixed::at(later + SignedDuration::from_mins(30))))
        .await;
    let page = world.actor(&app, "handler-c1").get(case.ticket()).await.is(200).json();
    assert_eq!(page["contacts"][0]["state"], "unreported");
}

#[tokio::test]
async fn a_relay_is_a_program_with_no_other_role_that_two_persons_make() {
    let (world, app) = World::new().await;
    let admin = world.actor(&app, "security-admin");
    let account =
        |kind: &str, roles: &[&str]| json!({"name": "line", "department": "H0", "roles": roles, "kind": kind});
    let people = "/v1/admin/principals";
    admin
        .post(people, &account("person", &["relay"]))
        .await
        .fails(422, "relay-is-a-program");
    admin
        .post(people, &account("service", &["relay", "handler"]))
        .await
        .fails(422, "roles-exclude");
    admin.post(people, &account("service", &["relay"])).await.is(202);
}

#[tokio::test]
async fn no_number_on_file_is_said_and_an_edited_code_too() {
    let (world, app, _) = scene().await;
    let without = world
        .case_of(&app, "C1", json!({"name": "李四光", "email": "li@example.org"}))
        .await;
    let handler = world.actor(&app, "handler-c1");
    handler.asks_to_call(&without).await.fails(409, "no-number");
    let edited = world.case(&app, "C1").await;
    let code = handler.asks_to_call(&edited).await.is(201).at("/code");
    world.data().rows("contact").set("field", "id_no");
    world.actor(&app, "relay").exchange(&code).await.fails(500, "integrity");
}
