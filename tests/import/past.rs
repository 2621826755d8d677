//! Calls that were sent or closed elsewhere.

use serde_json::{Value, json};

use crate::support::actors::Case;
use crate::support::imported::{json_lines, record};
use crate::support::{Request, World};

fn with_number(id: &str, number: &str, values: &[(&str, Value)]) -> Value {
    let caller: [(&str, Value); 2] = [("/caller/mobile", number.into()), ("/caller/name", "周凤兰".into())];
    record(id, &[&caller, values].concat())
}

/// Where a ticket stands, who holds it, and its steps: state, holder and day.
type Standing = (String, String, Vec<String>);

fn standing(page: &Value) -> Standing {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap().to_owned();
    let step = |step: &Value| {
        format!(
            "{} {} {}",
            text(step, "state"),
            text(step, "holder"),
            &text(step, "at")[..10]
        )
    };
    let steps = page["custody"].as_array().unwrap().iter().map(step).collect();
    (text(page, "state"), text(page, "holder"), steps)
}

/// One that was sent and closed, one that was sent, one that was closed, and one of which nothing became.
fn four() -> String {
    let sent: [(&str, Value); 2] = [
        ("/department", "C1".into()),
        ("/sent_at", "2026-01-06T09:00:00+08:00".into()),
    ];
    let closed: [(&str, Value); 2] = [
        ("/state", "已办结".into()),
        ("/closed_at", "2026-01-09T09:00:00+08:00".into()),
    ];
    json_lines(&[
        with_number("R1", "17382288231", &[&sent[..], &closed].concat()),
        with_number("R2", "17382288232", &sent),
        with_number("R3", "17382288233", &closed),
        with_number("R4", "17382288234", &[("/state", "open".into())]),
    ])
}

#[tokio::test]
async fn an_old_call_comes_in_as_it_stood() {
    let world = World::closed().await;
    world.import_bytes("calls.jsonl", four(), &[]).took(4, 0, 0);
    world.import_bytes("calls.jsonl", four(), &[]).took(0, 4, 0);
    let app = world.open().await;
    let dispatcher = world.actor(&app, "dispatcher");
    let mut tickets = Vec::new();
    for line in dispatcher.get("/v1/tickets?order=newest").await.is(200).json()["tickets"]
        .as_array()
        .unwrap()
    {
        let path = format!("/v1/tickets/{}", line["ticket"].as_str().unwrap());
        tickets.push(standing(&dispatcher.get(path).await.is(200).json()));
    }
    tickets.sort();
    let steps: Vec<Vec<String>> = tickets.iter().map(|(.., steps)| steps.clone()).collect();
    assert_eq!(steps[0].len(), 1);
    assert_eq!(
        steps[1],
        [
            "accepted H0 2026-01-05",
            "dispatched C1 2026-01-06",
            "closed C1 2026-01-09"
        ]
    );
    assert_eq!(steps[2], ["accepted H0 2026-01-05", "closed H0 2026-01-09"]);
    assert_eq!(steps[3], ["accepted H0 2026-01-05", "dispatched C1 2026-01-06"]);
    let stand: Vec<(&str, &str)> = tickets.iter().map(|(state, holder, _)| (&**state, &**holder)).collect();
    assert_eq!(
        stand,
        [
            ("accepted", "H0"),
            ("closed", "C1"),
            ("closed", "H0"),
            ("dispatched", "C1")
        ]
    );
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn the_log_says_that_it_was_brought_in_and_work_goes_on() {
    let world = World::closed().await;
    world.import_bytes("calls.jsonl", four(), &[]).took(4, 0, 0);
    let app = world.open().await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let held = handler.get("/v1/tickets").await.is(200).json();
    let lines = held["tickets"].as_array().unwrap();
    let open = lines.iter().find(|line| line["state"] == "dispatched").unwrap();
    let no = open["ticket"].as_str().unwrap();
    let page = handler.get(format!("/v1/tickets/{no}")).await.is(200).json();
    assert_eq!(page["caller"]["ref"].as_str().unwrap().get(..2), Some("C1"));
    let events = |act: &str| format!("/v1/audit/events?act={act}");
    let brought = auditor.get(events("intake.import")).await.is(200).json();
    let brought = brought["entries"].as_array().unwrap();
    assert_eq!(brought.len(), 3);
    let links: Vec<&Value> = brought.iter().map(|entry| &entry["leaf"]["link"]).collect();
    assert!(
        links
            .iter()
            .any(|link| link["closed"].is_string() && link["sent_to"] == "C1"),
        "{links:?}"
    );
    for act in ["ticket.dispatch", "ticket.close"] {
        assert_eq!(
            auditor.get(events(act)).await.is(200).json()["entries"],
            json!([]),
            "nobody here did it"
        );
    }
    handler.step(no, "sign", json!({})).await.is(200);
    let taken = world.actor(&app, "dispatcher").get("/v1/tickets?state=signed").await;
    world.ended(&app, &taken.is(200).at("/tickets/0/ticket")).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_past_that_cannot_be_is_named() {
    let world = World::closed().await;
    let early = "2026-01-01T00:00:00+08:00";
    let file = json_lines(&[
        record("R1", &[("/state", "closed".into())]),
        record(
            "R2",
            &[
                ("/state", "open".into()),
                ("/closed_at", "2026-01-09T09:00:00+08:00".into()),
            ],
        ),
        record("R3", &[("/sent_at", "2026-01-09T09:00:00+08:00".into())]),
        record("R4", &[("/closed_at", early.into())]),
        record("R5", &[("/department", "Z9".into())]),
        record("R6", &[("/department", "区供热办".into())]),
        record("R7", &[("/state", "挂起".into())]),
        record("R8", &[("/closed_at", "2126-01-09T09:00:00+08:00".into())]),
    ]);
    let found = world.import_bytes("calls.jsonl", &file, &[]);
    found.took(0, 0, 8);
    let places: Vec<String> = found.rejected().into_iter().map(|(_, path, _)| path).collect();
    let expected = [
        "closed_at",
        "closed_at",
        "department",
        "closed_at",
        "department",
        "department",
        "state",
        "closed_at",
    ];
    assert_eq!(places, expected);
}

#[tokio::test]
async fn a_confidential_call_gives_its_department_no_reference() {
    let world = World::closed().await;
    let file = json_lines(&[with_number(
        "R1",
        "17382288231",
        &[("/department", "C1".into()), ("/secrecy_requested", true.into())],
    )]);
    world.import_bytes("calls.jsonl", &file, &[]).took(1, 0, 0);
    let app = world.open().await;
    let handler = world.actor(&app, "handler-c1");
    let held = handler.get("/v1/tickets").await.is(200).json();
    let no = held["tickets"][0]["ticket"].as_str().unwrap().to_owned();
    let page = handler.get(format!("/v1/tickets/{no}")).await.is(200).json();
    assert!(page.get("caller").is_none(), "{page}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_open_ticket_of_a_closed_department_is_refused() {
    let (world, app) = World::new().await;
    let admin = world.actor(&app, "security-admin");
    admin
        .send(Request::bare(
            "POST",
            format!("{}/switch-off", world.account("handler-c1")),
        ))
        .await
        .is(200);
    let close = Request::post("/v1/admin/departments/C1/close", &json!({})).version(1);
    admin.send(close).await.is(200);
    drop(app);
    let sent = [
        ("/department", Value::from("C1")),
        ("/sent_at", "2026-01-06T09:00:00+08:00".into()),
    ];
    let open = with_number("R1", "17382288236", &sent);
    let closed = [
        ("/state", Value::from("closed")),
        ("/closed_at", "2026-01-07T09:00:00+08:00".into()),
    ];
    let closed = with_number("R2", "17382288237", &[&sent[..], &closed].concat());
    let took = world.import_bytes("calls.jsonl", json_lines(&[open, closed]), &[]);
    took.took(1, 0, 1);
    let rejected = took.rejected();
    assert_eq!(
        (rejected[0].0, rejected[0].1.as_str()),
        (1, "department"),
        "{rejected:?}"
    );
}

/// What an agent may see of a call of their own for an hour is not seen of a whole file.
#[tokio::test]
async fn a_call_that_was_brought_in_is_nobodys_own_call() {
    let world = World::closed().await;
    let numbers = |id: &str| [("/caller/callback_mobile", format!("1738228824{id}").into())];
    let open = record("R1", &numbers("1"));
    let secret = record(
        "R2",
        &[&numbers("2")[..], &[("/secrecy_requested", true.into())]].concat(),
    );
    world
        .import_bytes("calls.jsonl", json_lines(&[open, secret]), &[])
        .took(2, 0, 0);
    let app = world.open().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let held = dispatcher.get("/v1/tickets").await.is(200).json();
    let (mut shown, mut hidden) = (0, 0);
    for line in held["tickets"].as_array().unwrap() {
        let no = line["ticket"].as_str().unwrap();
        let page = agent
            .get(format!("/v1/tickets/{no}?purpose=intake"))
            .await
            .is(200)
            .json();
        let Some(reference) = page["caller"]["ref"].as_str() else {
            hidden += 1;
            continue;
        };
        let case = Case {
            no: no.to_owned(),
            reference: reference.to_owned(),
        };
        agent.reveal(&case).purpose("intake").clear().await.is(403);
        agent.reveal(&case).purpose("intake").masked().await.is(200);
        shown += 1;
    }
    assert_eq!((shown, hidden), (1, 1));
}
