//! What was shown of a caller is found whatever became of the records: merged, two again, or split.

use std::sync::Arc;

use callervault::clock::Fixed;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::support::approvals::{merge, unmerge};
use crate::support::{Actor, Answer, Case, NAME, NUMBER, Request, World};

const OTHER: &str = "13900007777";

async fn exposure(auditor: Actor<'_>, subject: &str) -> Answer {
    auditor
        .post("/v1/audit/exposure", &json!({"subject": subject}))
        .await
        .is(200)
}

/// The tickets of the reads that an answer tells.
fn tickets(exposure: &Answer) -> Vec<String> {
    let groups = exposure.json()["groups"].clone();
    let groups = groups.as_array().unwrap().iter();
    let mut tickets: Vec<String> = groups
        .map(|group| group["ticket"].as_str().unwrap().to_owned())
        .collect();
    tickets.sort();
    tickets.dedup();
    tickets
}

fn sorted(mut tickets: Vec<String>) -> Vec<String> {
    tickets.sort();
    tickets
}

/// Under either subject all reads are found, the entry of the merge, and the other subject.
async fn finds_both(auditor: Actor<'_>, (subject, other): (&str, &str), both: &[String], merged_at: u64) {
    let told = exposure(auditor, subject).await;
    assert_eq!((tickets(&told), &told.json()["reads"]), (both.to_vec(), &json!(3)));
    assert_eq!(told.json()["also"], json!([{"subject": other}]));
    let found = auditor
        .get(format!("/v1/audit/events?subject={subject}&act=caller.merge"))
        .await
        .is(200);
    assert_eq!(found.json()["entries"][0]["index"], merged_at);
    assert_eq!(found.json()["also"], json!([{"subject": other}]));
}

#[tokio::test]
async fn what_was_shown_of_a_caller_loses_nothing_by_a_merge() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at("2026-12-01T01:00:00Z".parse().unwrap()));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let mut now: jiff::Timestamp = "2026-12-01T01:00:00Z".parse().unwrap();
    let mut later = || {
        now += SignedDuration::from_secs(300);
        clock.set(now);
    };
    let [agent, auditor, c1, w2] = world.actors(&app, ["agent", "auditor", "handler-c1", "handler-w2"]);
    let one = world
        .case_of(&app, "C1", json!({"callback_number": NUMBER, "name": NAME}))
        .await;
    let two = world
        .case_of(&app, "W2", json!({"callback_number": NUMBER, "caller_number": OTHER}))
        .await;
    // Each read of the subject is a read too.
    let (subject_one, subject_two) = (world.subject(&app, &one).await, world.subject(&app, &two).await);
    assert_ne!(subject_one, subject_two);
    later();
    let of_agent = async |case: &Case| Case {
        reference: agent.get(case.ticket()).await.at("/caller/ref"),
        no: case.no.clone(),
    };
    let (kept, merged) = (of_agent(&one).await, of_agent(&two).await);
    let joining = agent.with(auditor, &merge(&kept, &merged)).await.is(200);
    later();
    w2.reveal(&two).clear().await.is(200);
    assert_eq!(auditor.entry_at(joining.index()).await["subject"], subject_one);

    let both = sorted(vec![one.no.clone(), two.no.clone()]);
    for (subject, other) in [(&subject_one, &subject_two), (&subject_two, &subject_one)] {
        finds_both(auditor, (subject, other), &both, joining.index()).await;
    }
    let shown = json!({"field": "caller_number", "value": OTHER});
    assert_eq!(reads(&world, &app, &shown).await, 3);
    assert_eq!(reads(&world, &app, &json!({"ticket": one.no})).await, 3);

    later();
    agent.with(auditor, &unmerge(&merged)).await.is(200);
    later();
    c1.reveal(&one).clear().await.is(200);
    // What was shown while they were one may have been of either; what came before and after is of each.
    let first = exposure(auditor, &subject_one).await;
    assert_eq!(
        (&first.json()["reads"], &first.json()["also"]),
        (&json!(3), &Value::Null)
    );
    let second = exposure(auditor, &subject_two).await;
    assert_eq!(
        (tickets(&second), &second.json()["reads"]),
        (vec![two.no.clone()], &json!(2))
    );
    assert_eq!(second.json()["also"][0]["subject"], subject_one);
    assert!(second.json()["also"][0]["until"].is_string(), "{}", second.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

async fn reads(world: &World, app: &Arc<callervault::http::App>, body: &Value) -> u64 {
    let [auditor, dpo] = world.actors(app, ["auditor", "dpo"]);
    let request = Request::post("/v1/audit/shown", body).header("approval-reason", "a%20letter");
    let answer = auditor.with(dpo, &request).await.is(200);
    answer.json()["reads"].as_u64().unwrap()
}

/// In the report two records count as one caller from the merge on, also with what was read before.
#[tokio::test]
async fn the_report_counts_one_caller() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at("2026-12-01T01:00:00Z".parse().unwrap()));
    let app = world.open_at(clock as Arc<_>).await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let one = world
        .case_of(&app, "C1", json!({"callback_number": NUMBER, "name": NAME}))
        .await;
    let two = world.case_of(&app, "C1", json!({"callback_number": NUMBER})).await;
    let (subject, _) = (world.subject(&app, &one).await, world.subject(&app, &two).await);
    let most_read = async || {
        let report = auditor.get("/v1/audit/report?day=2026-12-01").await.is(200);
        report.json()["most_read"].clone()
    };
    assert_eq!(most_read().await.as_array().unwrap().len(), 2);
    let of_agent = async |case: &Case| Case {
        reference: agent.get(case.ticket()).await.at("/caller/ref"),
        no: case.no.clone(),
    };
    let merging = merge(&of_agent(&one).await, &of_agent(&two).await);
    agent.with(auditor, &merging).await.is(200);
    assert_eq!(
        most_read().await,
        json!([{"subject": subject, "reads": 2, "readers": 1}])
    );
}
