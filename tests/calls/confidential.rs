//! A report does not tell whom it is from: not the unit that holds it, and in the centre only the agent who took the call.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::http::App;
use callervault::model::fields::FieldSet;
use callervault::model::ids::RecordKind;
use serde_json::{Value, json};

use crate::support::{Actor, Answer, Case, NAME, NUMBER, World, caller, report};

/// A confidential report of one of three callers who are known to C1 from ordinary tickets.
struct Report {
    world: World,
    app: Arc<App>,
    /// The report, which C1 holds.
    own: Case,
    /// C1's ordinary cases: the reporter's first, then two others'.
    known: [Case; 3],
}

impl Report {
    async fn new() -> Self {
        let (world, app) = World::new().await;
        let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
        let known = [
            world.case(&app, "C1").await,
            world.case_of(&app, "C1", caller("李四光", "13700002222")).await,
            world.case_of(&app, "C1", caller("赵六", "13600003333")).await,
        ];
        let mut body = report(caller(NAME, NUMBER));
        body["caller"]["email"] = json!("reporter@example.com");
        let taken = agent.post("/v1/intake", &body).await.is(201);
        let matched = taken.at("/caller/matched");
        assert_eq!(matched, "new", "a report is joined with no other call: {}", taken.text);
        let own = taken.case();
        let corrected = agent.correct(&own, 1, json!({"salutation": "先生"})).await;
        corrected.is(200);
        dispatcher.dispatch(&own.no, "C1").await.is(200);
        Self { world, app, own, known }
    }

    fn actor(&self, name: &str) -> Actor<'_> {
        self.world.actor(&self.app, name)
    }

    /// The report, as if this were its caller.
    fn about(&self, known: &Case) -> Case {
        Case {
            no: self.own.no.clone(),
            reference: known.reference.clone(),
        }
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
    let report = Report::new().await;
    let handler = report.actor("handler-c1");
    let alike = |heard: Vec<Answer>, what: &str| {
        let heard: Vec<_> = heard.iter().map(seen).collect();
        assert_eq!(heard[0].0, 403, "{what}: {:?}", heard[0]);
        assert_eq!(heard[0], heard[1], "{what}");
        assert_eq!(heard[1], heard[2], "{what}");
    };
    let fields = FieldSet::shipped().unwrap();
    for field in fields.of(RecordKind::Caller) {
        let name = field.name().as_str();
        let (mut clear, mut masked, mut compared) = (Vec::new(), Vec::new(), Vec::new());
        for known in &report.known {
            let case = report.about(known);
            clear.push(handler.reveal(&case).fields(&[name]).clear().await);
            masked.push(handler.reveal(&case).fields(&[name]).masked().await);
            if field.index().is_some() {
                compared.push(handler.verify(&case, name, NUMBER).await);
            }
        }
        alike(clear, name);
        alike(masked, name);
        if field.index().is_some() {
            alike(compared, name);
        }
    }
}

#[tokio::test]
async fn what_a_report_adds_to_a_file_shows_in_no_other_ticket() {
    let report = Report::new().await;
    let handler = report.actor("handler-c1");
    let mut names = Vec::new();
    for known in &report.known {
        let page = handler.get(known.caller()).await.json();
        let own = handler.get(known.ticket()).await.is(200).at("/ticket");
        assert_eq!(page["tickets"], json!([own]), "no report among them: {page}");
        assert_eq!(page["version"], Value::Null);
        names.push(page["on_file"].clone());
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
    let report = Report::new().await;
    let envelope = async |who: &str, purpose: &str| {
        let path = format!("{}?purpose={purpose}", report.own.ticket());
        let read = report.actor(who).get(path).await.is(200);
        read.json()["caller"].clone()
    };
    let own = envelope("agent", "intake").await;
    let reference = own["ref"].as_str().expect("the agent's work is about this caller");
    for (who, purpose) in [("other-agent", "intake"), ("dispatcher", "dispatch")] {
        assert_eq!(envelope(who, purpose).await, Value::Null, "{who}");
        let path = format!("/v1/callers/{reference}?purpose={purpose}");
        let page = report.actor(who).get(path).await;
        assert_eq!(page.json()["tickets"], json!([]), "{who}: {}", page.text);
    }
}

/// Free text about the caller is nobody's who does not deal with the caller.
#[tokio::test]
async fn why_a_caller_was_corrected_is_not_read_by_departments_or_dispatchers() {
    let report = Report::new().await;
    let handler = report.actor("handler-c1");
    let reason = || handler.reveal(&report.known[0]).fields(&["correction_reason"]);
    reason().clear().await.is(403);
    reason().masked().await.is(403);
}

/// All that C1 hears of a caller for the sake of an ordinary ticket: each field in each form, compared, and the page.
async fn heard(handler: Actor<'_>, case: &Case) -> Vec<(u16, Value)> {
    let mut heard = Vec::new();
    let fields = FieldSet::shipped().unwrap();
    for field in fields.of(RecordKind::Caller) {
        let name = field.name().as_str();
        for form in ["clear", "masked"] {
            let answer = handler.reveal(case).fields(&[name]).form(form).await;
            heard.push((answer.status, answer.json()["fields"].clone()));
        }
        if field.index().is_some() {
            for value in [NUMBER, "13500007777", "苏D12345", "new@example.com"] {
                let answer = handler.verify(case, name, value).await;
                heard.push((answer.status, answer.json()["match"].clone()));
            }
        }
    }
    let page = handler.get(case.caller()).await;
    heard.push((page.status, page.json()["on_file"].clone()));
    heard
}

/// A unit that asks about an ordinary ticket before and after a report, and about one that came later, hears nothing of the report.
#[tokio::test]
async fn nothing_that_a_report_states_is_heard_by_way_of_ordinary_tickets() {
    let (world, app) = World::unlimited().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let before = heard(handler, &case).await;
    let something = |(status, fields): &(u16, Value)| *status == 200 && *fields != json!({});
    assert!(before.iter().any(something), "the handler sees something");

    let report = report(json!({
        "name": NAME, "caller_number": NUMBER, "callback_number": "13500007777",
        "plate": "苏D12345", "email": "new@example.com", "id_no": "110108204107057338",
    }));
    let taken = agent.post("/v1/intake", &report).await.is(201).case();
    assert_ne!(taken.reference, case.reference);
    dispatcher.dispatch(&taken.no, "C1").await.is(200);
    assert_eq!(heard(handler, &case).await, before);

    let later = world.case(&app, "C1").await;
    assert_eq!(
        later.reference, case.reference,
        "the caller is known from the ordinary call"
    );
    assert_eq!(heard(handler, &later).await, before);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Whom an agent knows from ordinary calls, the agent does not find behind a colleague's report.
#[tokio::test]
async fn no_colleague_finds_out_who_reported_by_trying() {
    let report = Report::new().await;
    let colleague = report.actor("other-agent");
    let mut heard = Vec::new();
    for (name, number) in [(NAME, NUMBER), ("李四光", "13700002222")] {
        let case = report.about(&colleague.take(caller(name, number)).await);
        let masked = colleague.reveal(&case).purpose("intake").fields(&["name"]);
        let shown = masked.masked().await;
        let corrected = colleague.correct(&case, 999, json!({"salutation": "先生"})).await;
        heard.push((seen(&shown), seen(&corrected)));
    }
    assert_eq!((heard[0].0.0, heard[0].1.0), (403, 403), "{:?}", heard[0]);
    assert_eq!(heard[0], heard[1], "the reporter and somebody else");
}
