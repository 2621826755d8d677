//! From a value to who was shown something: one question, one approval, and whose value it is stays unsaid.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::ticket_no::TicketNo;
use serde_json::{Value, json};

use crate::support::{Answer, Case, NAME, NUMBER, Request, World, caller, report};

const SHOWN: &str = "/v1/audit/shown";
const WHY: &str = "a%20letter";

fn ask(body: &Value) -> Request {
    Request::post(SHOWN, body).header("approval-reason", WHY)
}

/// Asked by the auditor, approved by the officer, and sent again.
async fn told(world: &World, app: &Arc<App>, body: &Value) -> Answer {
    let [auditor, dpo] = world.actors(app, ["auditor", "dpo"]);
    let id = auditor.ask(&ask(body)).await;
    dpo.approve(&id).await.is(200);
    auditor.send(ask(body).approved(&id)).await.is(200)
}

/// Two callers, in two months: three reads of the first, of which two in November, and one of the other.
async fn read() -> (World, Arc<App>, Case) {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at("2026-12-01T15:59:59Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let one = world.case(&app, "C1").await;
    let two = world.case_of(&app, "W2", caller("李四光", "13700002222")).await;
    let [c1, w2] = world.actors(&app, ["handler-c1", "handler-w2"]);
    c1.reveal(&one).clear().await.is(200);
    c1.reveal(&one).clear().await.is(200);
    w2.reveal(&two).masked().await.is(200);
    clock.set("2026-12-31T16:00:00Z".parse().unwrap());
    c1.reveal(&one).clear().await.is(200);
    (world, app, one)
}

#[tokio::test]
async fn an_auditor_learns_who_was_shown_something_and_not_of_whom() {
    let (world, app, case) = read().await;
    let auditor = world.actor(&app, "auditor");
    let subject = world.subject(&app, &case).await;
    let month = |mut body: Value| {
        body["from"] = json!("2026-12-01");
        body["to"] = json!("2026-12-31");
        body
    };
    let by_number = month(json!({"field": "callback_number", "value": format!("+86 {NUMBER}")}));
    let by_ticket = month(json!({"ticket": case.no}));
    for body in [by_number, by_ticket] {
        let answer = told(&world, &app, &body).await;
        let readers = answer.json()["readers"].clone();
        let only = json!([{
            "actor": world.id("handler-c1"), "actor_name": "handler-c1", "dept": "C1", "department_name": "Department C1",
            "role": "handler", "fields": ["callback_number"], "form": "clear", "count": 2, "first": "2026-12-01",
            "last": "2026-12-01",
        }]);
        assert_eq!(readers, only);
        assert_eq!(answer.json()["reads"], 2);
        let leaf = auditor.entry(&answer).await;
        assert_eq!(
            (&leaf["act"], &leaf["approver"]),
            (&json!("subject.exposure"), &json!(world.id("dpo")))
        );
        assert_eq!(
            leaf.get("subject"),
            None,
            "or the auditor would find it under what they asked"
        );
        for hidden in [&*subject, &case.reference, NUMBER, NAME] {
            assert!(
                !answer.text.contains(hidden) && !leaf.to_string().contains(hidden),
                "{hidden}"
            );
        }
        assert!(!answer.text.contains(&case.no), "{}", answer.text);
    }
    // Of the other caller nothing, and of all months all.
    let all = told(&world, &app, &json!({"field": "name", "value": NAME})).await;
    assert_eq!(
        all.json()["reads"],
        4,
        "three, and one to learn the subject: {}",
        all.text
    );
}

#[tokio::test]
async fn nobody_having_the_value_is_as_nobody_being_shown_anything() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    agent.take(caller(NAME, NUMBER)).await;
    let reporter = "13500005555";
    let confidential = agent
        .post("/v1/intake", &report(caller("赵六", reporter)))
        .await
        .is(201)
        .case();
    agent.reveal(&confidential).purpose("intake").clear().await.is(200);
    let mut seen = Vec::new();
    for number in [NUMBER, "13600003333", reporter] {
        let body = json!({"field": "caller_number", "value": number});
        let mut answer = told(&world, &app, &body).await.json();
        answer.as_object_mut().unwrap().remove("audit");
        seen.push(answer);
    }
    assert_eq!(seen[0], json!({"readers": [], "reads": 0}));
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2], "what a report states is found by no value");
    let unknown = TicketNo::new(123_456_789_012).unwrap().to_string();
    let none = told(&world, &app, &json!({"ticket": unknown})).await;
    assert_eq!(none.json()["reads"], 0);
}

#[tokio::test]
async fn it_takes_two_who_say_why_and_the_very_value() {
    let (world, app, _) = read().await;
    let [auditor, dpo, admin] = world.actors(&app, ["auditor", "dpo", "security-admin"]);
    let body = json!({"field": "caller_number", "value": NUMBER});
    auditor.post(SHOWN, &body).await.fails(422, "reason-required");
    let id = auditor.ask(&ask(&body)).await;
    // The second person reads for which field it is and why, and no value.
    let page = dpo.get(format!("/v1/approvals/{id}")).await.is(200);
    let about = page.json()["about"].clone();
    assert_eq!(about["field"], "caller_number");
    // By the code they see whether it is the same value again.
    let code = about["value_code"].as_str().unwrap();
    assert_eq!((about.as_object().unwrap().len(), code.len()), (2, 24), "{about}");
    assert_eq!(page.at("/asker_reason"), "a letter");
    assert!(!page.text.contains(NUMBER), "{}", page.text);
    let bare = Request::bare("POST", format!("/v1/approvals/{id}/approve"));
    dpo.send(bare).await.fails(422, "reason-required");
    auditor.approve(&id).await.fails(403, "own-request");
    dpo.approve(&id).await.is(200);
    let other = json!({"field": "caller_number", "value": "13700002222"});
    auditor.send(ask(&other).approved(&id)).await.fails(403, "not-approved");
    let done = auditor.send(ask(&body).approved(&id)).await.is(200);
    auditor.send(ask(&body).approved(&id)).await.fails(403, "not-approved");
    assert_eq!(auditor.entry(&done).await["link"]["value_code"], code);
    let mine = auditor.get("/v1/approvals/mine").await.is(200);
    assert_eq!(mine.at("/items/0/state"), "used");
    for who in [dpo, admin, world.actor(&app, "agent"), world.actor(&app, "handler-c1")] {
        who.send(ask(&body)).await.fails(403, "refused");
    }
    let code_of = async |body: Value| {
        let id = auditor.ask(&ask(&body)).await;
        dpo.get(format!("/v1/approvals/{id}")).await.at("/about/value_code")
    };
    let again = json!({"field": "callback_number", "value": format!("+86 {NUMBER}"), "from": "2026-12-01"});
    assert_eq!(code_of(again).await, code, "the same value, in whichever field");
    assert_ne!(code_of(other.clone()).await, code);
}

#[tokio::test]
async fn what_makes_no_sense() {
    let (world, app, case) = read().await;
    let auditor = world.actor(&app, "auditor");
    for (body, status, problem) in [
        (json!({}), 422, "exactly-one"),
        (json!({"field": "name"}), 422, "exactly-one"),
        (
            json!({"field": "name", "value": NAME, "ticket": case.no}),
            422,
            "exactly-one",
        ),
        (
            json!({"field": "salutation", "value": "女士"}),
            422,
            "field-not-indexed",
        ),
        (json!({"field": "nose", "value": "x"}), 422, "unknown-field"),
        (json!({"field": "caller_number", "value": "12"}), 422, "invalid-field"),
        (json!({"ticket": case.no, "from": "yesterday"}), 400, "bad-json"),
    ] {
        auditor.send(ask(&body)).await.fails(status, problem);
    }
}

/// An answer that too many have the value tells something of it: it is in the log, and the approval is used up.
#[tokio::test]
async fn that_too_many_have_it_is_not_told_for_nothing() {
    let (world, app) = World::unlimited().await;
    let [agent, auditor, dpo] = world.actors(&app, ["agent", "auditor", "dpo"]);
    for n in 0..51 {
        let name = format!("王{}", char::from_u32(0x4e00 + n).unwrap());
        agent
            .intake(json!({"name": name, "caller_number": NUMBER}))
            .await
            .is(201);
    }
    let body = json!({"field": "caller_number", "value": NUMBER});
    let id = auditor.ask(&ask(&body)).await;
    dpo.approve(&id).await.is(200);
    auditor.send(ask(&body).approved(&id)).await.fails(422, "too-wide");
    let mine = auditor.get("/v1/approvals/mine").await.is(200);
    assert_eq!(mine.at("/items/0/state"), "used");
    let found = auditor.get("/v1/audit/events?act=subject.exposure").await.is(200);
    assert_eq!(found.at("/entries/0/leaf/link/field"), "caller_number");
}

#[tokio::test]
async fn each_value_is_a_guess() {
    let world = World::closed().await;
    let limits = "[guesses]\nminute = 2\nhour = 2\n[intakes]\nminute = 30\nhour = 120\n";
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    let app = world.open().await;
    let [auditor, dpo] = world.actors(&app, ["auditor", "dpo"]);
    for (number, status) in [("13700002221", 200), ("13700002222", 200), ("13700002223", 429)] {
        let body = json!({"field": "caller_number", "value": number});
        let id = auditor.ask(&ask(&body)).await;
        dpo.approve(&id).await.is(200);
        auditor.send(ask(&body).approved(&id)).await.is(status);
    }
}
