//! A report does not tell whom it is from: not the unit that holds it, and in the centre only the agent who took the call.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::http::App;
use callervault::model::fields::FieldSet;
use callervault::model::ids::RecordKind;
use serde_json::{Value, json};

use crate::support::{Answer, World, caller, intake};

/// A confidential report of one of three callers who are known to C1 from ordinary tickets.
struct Report {
    world: World,
    app: Arc<App>,
    /// Number of the report, which C1 holds.
    no: String,
    /// C1's references: the reporter's first, then two others'.
    known: [String; 3],
    /// Numbers of their ordinary tickets, in the same order.
    tickets: [String; 3],
}

async fn report() -> Report {
    let (world, app) = World::new().await;
    let people = [
        ("王小明", "13900001111"),
        ("李四光", "13700002222"),
        ("赵六", "13600003333"),
    ];
    let (mut known, mut tickets) = (Vec::new(), Vec::new());
    for (name, number) in people {
        let (no, reference) = world.ticket_at(&app, "C1", caller(name, number)).await;
        known.push(reference);
        tickets.push(no);
    }
    let mut body = intake(caller(people[0].0, people[0].1));
    body["ticket"]["kind"] = json!("report");
    body["caller"]["email"] = json!("reporter@example.com");
    let taken = world.post(&app, "agent", "/v1/intake", &body).await;
    assert_eq!(
        taken.at("/caller/matched"),
        "new",
        "a report is joined with no other call: {}",
        taken.text
    );
    let own = taken.at("/caller/ref");
    let correction = json!({"ticket": taken.at("/ticket/no"), "reason": "听错了", "fields": {"salutation": "先生"}});
    let etag = [("if-match", "\"1\"")];
    let path = format!("/v1/callers/{own}");
    let corrected = world
        .call(&app, "agent", "PATCH", &path, &etag, &correction.to_string())
        .await;
    assert_eq!(corrected.status, 200, "{}", corrected.text);
    let no = taken.at("/ticket/no");
    let sent = json!({"department": "C1", "reason": "请核查"});
    let sent = world
        .post(&app, "dispatcher", &format!("/v1/tickets/{no}/dispatch"), &sent)
        .await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    Report {
        world,
        app,
        no,
        known: known.try_into().unwrap(),
        tickets: tickets.try_into().unwrap(),
    }
}

/// All of an answer that its asker sees, but for what is another in each answer.
fn seen(answer: &Answer) -> (u16, Value, Vec<(String, String)>) {
    let mut body = answer.json();
    let index = body.pointer("/audit/index").map(Value::to_string).unwrap_or_default();
    for word in ["audit", "request_id", "instance"] {
        body.as_object_mut().unwrap().remove(word);
    }
    let detail = body["detail"].as_str().unwrap_or_default().replace(&index, "N");
    body["detail"] = json!(detail);
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-length" && *name != "x-request-id");
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (answer.status, body, headers.collect())
}

#[tokio::test]
async fn whoever_asks_about_a_report_hears_the_same_of_everybody() {
    let report = report().await;
    let ask = async |reference: &str, what: &str, body: &Value| {
        let path = format!("/v1/callers/{reference}/{what}");
        report.world.post(&report.app, "handler-c1", &path, body).await
    };
    let fields = FieldSet::shipped().unwrap();
    for field in fields.of(RecordKind::Caller) {
        let name = field.name().as_str();
        let mut asks = Vec::new();
        for form in ["clear", "masked"] {
            asks.push((
                "reveal",
                json!({"ticket": report.no, "purpose": "handle", "fields": [name], "form": form}),
            ));
        }
        if field.index().is_some() {
            let value = json!({"ticket": report.no, "purpose": "handle", "field": name, "value": "13900001111"});
            asks.push(("verify", value));
        }
        for (what, body) in asks {
            let mut answers = Vec::new();
            for reference in &report.known {
                answers.push(seen(&ask(reference, what, &body).await));
            }
            assert_eq!(answers[0].0, 403, "{what} {name}: {:?}", answers[0]);
            assert_eq!(answers[0], answers[1], "{what} {name}");
            assert_eq!(answers[1], answers[2], "{what} {name}");
        }
    }
}

#[tokio::test]
async fn what_a_report_adds_to_a_file_shows_in_no_other_ticket() {
    let report = report().await;
    let page = async |reference: &str| {
        let path = format!("/v1/callers/{reference}");
        report.world.get(&report.app, "handler-c1", &path).await
    };
    let mut names = Vec::new();
    for (reference, no) in report.known.iter().zip(&report.tickets) {
        let page = page(reference).await;
        assert_eq!(
            page.json()["tickets"],
            json!([no]),
            "no report among them: {}",
            page.text
        );
        assert_eq!(page.json()["version"], Value::Null);
        names.push(page.json()["on_file"].clone());
    }
    assert_eq!(
        names[0], names[1],
        "the e-mail and the correction of the report do not show"
    );
    let named: BTreeSet<&str> = names[0].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(
        named,
        BTreeSet::from(["callback_number", "caller_number", "name", "salutation"])
    );
}

#[tokio::test]
async fn in_the_centre_only_the_agent_who_took_a_report_follows_its_caller() {
    let report = report().await;
    let envelope = async |who: &str, purpose: &str| {
        let path = format!("/v1/tickets/{}?purpose={purpose}", report.no);
        let read = report.world.get(&report.app, who, &path).await;
        assert_eq!(read.status, 200, "{who}: {}", read.text);
        read.json()["caller"].clone()
    };
    let own = envelope("agent", "intake").await;
    let reference = own["ref"]
        .as_str()
        .expect("the agent's work is about this caller")
        .to_owned();
    for (who, purpose) in [("other-agent", "intake"), ("dispatcher", "dispatch")] {
        assert_eq!(envelope(who, purpose).await, Value::Null, "{who}");
        let path = format!("/v1/callers/{reference}?purpose={purpose}");
        let page = report.world.get(&report.app, who, &path).await;
        assert_eq!(page.json()["tickets"], json!([]), "{who}: {}", page.text);
    }
}

/// Free text about the caller is nobody's who does not deal with the caller.
#[tokio::test]
async fn why_a_caller_was_corrected_is_not_read_by_departments_or_dispatchers() {
    let report = report().await;
    let masked = ["clear", "masked"];
    for form in masked {
        let body =
            json!({"ticket": report.tickets[0], "purpose": "handle", "fields": ["correction_reason"], "form": form});
        let path = format!("/v1/callers/{}/reveal", report.known[0]);
        let answer = report.world.post(&report.app, "handler-c1", &path, &body).await;
        assert_eq!(answer.status, 403, "{form}: {}", answer.text);
    }
}

/// All that C1 hears of the first caller for the sake of an ordinary ticket: each field in each form, compared, and the page.
async fn heard(world: &World, app: &Arc<App>, reference: &str, no: &str) -> Vec<(u16, Value)> {
    let mut heard = Vec::new();
    let fields = FieldSet::shipped().unwrap();
    for field in fields.of(RecordKind::Caller) {
        let name = field.name().as_str();
        for form in ["clear", "masked"] {
            let body = json!({"ticket": no, "purpose": "handle", "fields": [name], "form": form});
            let answer = world
                .post(app, "handler-c1", &format!("/v1/callers/{reference}/reveal"), &body)
                .await;
            heard.push((answer.status, answer.json()["fields"].clone()));
        }
        if field.index().is_some() {
            for value in ["13900001111", "13500007777", "苏D12345", "new@example.com"] {
                let body = json!({"ticket": no, "purpose": "handle", "field": name, "value": value});
                let answer = world
                    .post(app, "handler-c1", &format!("/v1/callers/{reference}/verify"), &body)
                    .await;
                heard.push((answer.status, answer.json()["match"].clone()));
            }
        }
    }
    let page = world.get(app, "handler-c1", &format!("/v1/callers/{reference}")).await;
    heard.push((page.status, page.json()["on_file"].clone()));
    heard
}

/// A unit that asks about an ordinary ticket before and after a report, and about one that came later, hears nothing of the report.
#[tokio::test]
async fn nothing_that_a_report_states_is_heard_by_way_of_ordinary_tickets() {
    let (world, app) = World::unlimited().await;
    let person = || caller("王小明", "13900001111");
    let (no, reference) = world.ticket_at(&app, "C1", person()).await;
    let before = heard(&world, &app, &reference, &no).await;
    assert!(
        before
            .iter()
            .any(|(status, fields)| *status == 200 && *fields != json!({})),
        "the handler sees something"
    );

    let mut report = intake(json!({
        "name": "王小明", "caller_number": "13900001111", "callback_number": "13500007777",
        "plate": "苏D12345", "email": "new@example.com", "id_no": "110108204107057338",
    }));
    report["ticket"]["kind"] = json!("report");
    let taken = world.post(&app, "agent", "/v1/intake", &report).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    assert_ne!(taken.at("/caller/ref"), reference);
    let sent = json!({"department": "C1", "reason": "请核查"});
    let path = format!("/v1/tickets/{}/dispatch", taken.at("/ticket/no"));
    assert_eq!(world.post(&app, "dispatcher", &path, &sent).await.status, 200);
    assert_eq!(heard(&world, &app, &reference, &no).await, before);

    let (later, same) = world.ticket_at(&app, "C1", person()).await;
    assert_eq!(same, reference, "the caller is known from the ordinary call");
    assert_eq!(heard(&world, &app, &reference, &later).await, before);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Whom an agent knows from ordinary calls, the agent does not find behind a colleague's report.
#[tokio::test]
async fn no_colleague_finds_out_who_reported_by_trying() {
    let report = report().await;
    let mut others = Vec::new();
    for (name, number) in [("王小明", "13900001111"), ("李四光", "13700002222")] {
        let taken = report
            .world
            .post(&report.app, "other-agent", "/v1/intake", &intake(caller(name, number)))
            .await;
        others.push(taken.at("/caller/ref"));
    }
    let mut heard = Vec::new();
    for reference in &others {
        let masked = json!({"ticket": report.no, "purpose": "intake", "fields": ["name"], "form": "masked"});
        let path = format!("/v1/callers/{reference}");
        let shown = report
            .world
            .post(&report.app, "other-agent", &format!("{path}/reveal"), &masked)
            .await;
        let correction = json!({"ticket": report.no, "reason": "听错了", "fields": {"salutation": "先生"}}).to_string();
        let etag = [("if-match", "\"999\"")];
        let corrected = report
            .world
            .call(&report.app, "other-agent", "PATCH", &path, &etag, &correction)
            .await;
        heard.push((seen(&shown), seen(&corrected)));
    }
    assert_eq!((heard[0].0.0, heard[0].1.0), (403, 403), "{:?}", heard[0]);
    assert_eq!(heard[0], heard[1], "the reporter and somebody else");
}
