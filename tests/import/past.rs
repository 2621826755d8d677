//! Calls that were sent or closed elsewhere.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::imported::{json_lines, record};

fn with_number(id: &str, number: &str, values: &[(&str, Value)]) -> Value {
    let caller: [(&str, Value); 2] = [("/caller/mobile", number.into()), ("/caller/name", "周凤兰".into())];
    record(id, &[&caller, values].concat())
}

#[tokio::test]
async fn an_old_call_comes_in_as_it_stood() {
    let world = World::closed().await;
    let sent: [(&str, Value); 2] = [
        ("/department", "C1".into()),
        ("/sent_at", "2026-01-06T09:00:00+08:00".into()),
    ];
    let closed: [(&str, Value); 2] = [
        ("/state", "已办结".into()),
        ("/closed_at", "2026-01-09T09:00:00+08:00".into()),
    ];
    let file = json_lines(&[
        with_number("R1", "17382288231", &[&sent[..], &closed].concat()),
        with_number("R2", "17382288232", &sent),
        with_number("R3", "17382288233", &closed),
        with_number("R4", "17382288234", &[("/state", "open".into())]),
    ]);
    world.import_bytes("calls.jsonl", &file, &[]).took(4, 0, 0);
    world.import_bytes("calls.jsonl", &file, &[]).took(0, 4, 0);
    let app = world.open().await;
    let [dispatcher, handler, auditor] = world.actors(&app, ["dispatcher", "handler-c1", "auditor"]);
    let mut tickets = Vec::new();
    for line in dispatcher.get("/v1/tickets").await.is(200).json()["tickets"]
        .as_array()
        .unwrap()
    {
        let page = dispatcher
            .get(format!("/v1/tickets/{}", line["no"].as_str().unwrap()))
            .await
            .is(200)
            .json();
        let steps = page["custody"].as_array().unwrap().iter();
        let steps: Vec<String> = steps
            .map(|step| {
                format!(
                    "{} {} {}",
                    step["state"].as_str().unwrap(),
                    step["holder"].as_str().unwrap(),
                    &step["at"].as_str().unwrap()[..10]
                )
            })
            .collect();
        tickets.push((
            page["state"].as_str().unwrap().to_owned(),
            page["holder"].as_str().unwrap().to_owned(),
            steps,
        ));
    }
    tickets.sort();
    let [accepted, closed_here, closed_there, dispatched] = &tickets[..] else {
        unreachable!("{tickets:?}")
    };
    assert_eq!(
        (accepted.0.as_str(), accepted.1.as_str(), accepted.2.len()),
        ("accepted", "H0", 1)
    );
    assert_eq!(closed_there.1, "H0");
    assert_eq!(closed_there.2, ["accepted H0 2026-01-05", "closed H0 2026-01-09"]);
    assert_eq!(closed_here.1, "C1");
    assert_eq!(
        closed_here.2,
        [
            "accepted H0 2026-01-05",
            "dispatched C1 2026-01-06",
            "closed C1 2026-01-09"
        ]
    );
    assert_eq!(dispatched.2, ["accepted H0 2026-01-05", "dispatched C1 2026-01-06"]);
    // The department that holds an open one works on it as if it had been sent here.
    let held = handler.get("/v1/tickets").await.is(200).json();
    let open = held["tickets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["state"] == "dispatched")
        .unwrap()["no"]
        .clone();
    let no = open.as_str().unwrap();
    let page = handler.get(format!("/v1/tickets/{no}")).await.is(200).json();
    assert_eq!(page["caller"]["ref"].as_str().unwrap().get(..2), Some("C1"));
    handler.close(no).await.is(200);
    // The log says that they were brought in, not that somebody sent or closed them.
    let events = |act: &str| format!("/v1/audit/events?act={act}");
    let brought = auditor.get(events("intake.import")).await.is(200).json();
    let brought = brought["entries"].as_array().unwrap();
    assert_eq!(brought.len(), 3);
    assert!(
        brought
            .iter()
            .any(|entry| entry["leaf"]["link"]["closed"].is_string() && entry["leaf"]["link"]["sent_to"] == "C1")
    );
    assert_eq!(
        auditor.get(events("ticket.dispatch")).await.is(200).json()["entries"],
        json!([])
    );
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
    let no = held["tickets"][0]["no"].as_str().unwrap().to_owned();
    let page = handler.get(format!("/v1/tickets/{no}")).await.is(200).json();
    assert!(page.get("caller").is_none(), "{page}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}
