//! What takes two persons.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::approvals::Reason;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::support::{Actor, Answer, Case, PEOPLE, Request, World};

/// Who a subject of the log is: asked by a data protection officer, approved by an auditor or another officer.
pub(crate) fn resolve(subject: &str) -> Request {
    Request::post("/v1/audit/resolve", &json!({"subject": subject}))
}

/// A new auditor: asked by a security administrator, approved by an auditor.
pub(crate) fn new_auditor(name: &str) -> Request {
    let account = json!({"name": name, "department": "H0", "roles": ["auditor"], "kind": "person"});
    Request::post(PEOPLE, &account)
}

/// A caller and a ticket, as a merge names them.
fn by(case: &Case) -> Value {
    json!({"ref": case.reference, "ticket": case.no})
}

/// Two records become one: asked by an agent, approved by an auditor.
pub(crate) fn merge(kept: &Case, merged: &Case) -> Request {
    let body = json!({"kept": by(kept), "merged": by(merged)});
    Request::post("/v1/callers/merge", &body).header("approval-reason", "the%20same")
}

/// The merge of the record that this ticket was taken for is undone.
pub(crate) fn unmerge(case: &Case) -> Request {
    Request::post("/v1/callers/unmerge", &by(case)).header("approval-reason", "two%20people")
}

/// A caller is erased: asked by a data protection officer, approved by an auditor or another officer.
pub(crate) fn erase(reference: &str) -> Request {
    let path = format!("/v1/callers/{reference}/erase");
    Request::bare("POST", path).header("approval-reason", "asked%20for")
}

/// A person of the centre, to be hired.
pub(crate) fn person(name: &str, role: Role) -> NewPrincipal {
    NewPrincipal {
        name: name.to_owned(),
        department: "H0".parse().unwrap(),
        roles: vec![role],
        kind: PrincipalKind::Person,
        acts_for: false,
    }
}

/// A service account of the centre, to be hired.
pub(crate) fn service(name: &str, role: Role) -> NewPrincipal {
    NewPrincipal {
        kind: PrincipalKind::Service,
        acts_for: false,
        ..person(name, role)
    }
}

/// A reason to approve.
pub(crate) fn seen() -> Reason {
    Reason::new(Zeroizing::new("seen".to_owned())).unwrap()
}

impl World {
    /// What the log calls the caller of a case.
    pub(crate) async fn subject(&self, app: &Arc<App>, case: &Case) -> String {
        let handler = format!("handler-{}", case.reference[..2].to_lowercase());
        let [handler, auditor] = self.actors(app, [&handler, "auditor"]);
        let read = handler.reveal(case).masked().await;
        let entry = auditor.entry(&read).await;
        entry["subject"].as_str().unwrap().to_owned()
    }
}

impl World {
    /// A closed case of a department: what the log calls its caller, and the officer's reference to them.
    pub(crate) async fn closed_case(&self, app: &Arc<App>, case: &Case) -> (String, String) {
        let subject = self.subject(app, case).await;
        self.ended(app, &case.no).await;
        let reference = self.officers_reference(app, &subject).await;
        (subject, reference)
    }

    /// The officer's reference to the caller whom the log calls so.
    pub(crate) async fn officers_reference(&self, app: &Arc<App>, subject: &str) -> String {
        let [dpo, auditor] = self.actors(app, ["dpo", "auditor"]);
        let resolved = dpo.with(auditor, &resolve(subject)).await.is(200);
        resolved.at("/caller/ref")
    }

    /// The caller whom the officer calls so is erased.
    pub(crate) async fn erased(&self, app: &Arc<App>, reference: &str) -> Answer {
        let [dpo, auditor] = self.actors(app, ["dpo", "auditor"]);
        dpo.with(auditor, &erase(reference)).await.is(200)
    }
}

impl Actor<'_> {
    /// Asks for what takes two persons: the approval's id.
    pub(crate) async fn ask(self, request: &Request) -> String {
        self.send(request.clone()).await.is(202).at("/approval/id")
    }

    /// Approves what another has asked for.
    pub(crate) async fn approve(self, id: &str) -> Answer {
        self.post(format!("/v1/approvals/{id}/approve"), &json!({"reason": "seen"}))
            .await
    }

    /// Refuses what another has asked for.
    pub(crate) async fn refuse(self, id: &str) -> Answer {
        self.send(Request::bare("POST", format!("/v1/approvals/{id}/refuse")))
            .await
    }

    /// Asks for what takes two persons, and another approves: the approval's id.
    pub(crate) async fn approved_by(self, second: Actor<'_>, request: &Request) -> String {
        let id = self.ask(request).await;
        second.approve(&id).await.is(200);
        id
    }

    /// Asks for what takes two persons, another approves, and it is sent again.
    pub(crate) async fn with(self, second: Actor<'_>, request: &Request) -> Answer {
        let id = self.approved_by(second, request).await;
        self.send(request.clone().approved(&id)).await
    }

    /// The state of a request for approval, as an auditor reads it.
    pub(crate) async fn state(self, id: &str) -> String {
        let page = self.get("/v1/approvals").await.json();
        let lines = page["items"].as_array().unwrap();
        let line = lines.iter().find(|line| line["id"] == id).unwrap();
        line["state"].as_str().unwrap().to_owned()
    }

    /// The entry of the log that an answer names, as an auditor reads it.
    pub(crate) async fn entry(self, answer: &Answer) -> Value {
        let read = self.get(format!("/v1/audit/events/{}", answer.index())).await.is(200);
        let (named, there) = (answer.at("/audit/leaf_hash"), read.at("/leaf_hash"));
        assert_eq!(named, there, "{}", answer.text);
        read.json()["leaf"].clone()
    }

    /// The entry of the log at this index, as an auditor reads it.
    pub(crate) async fn entry_at(self, index: u64) -> Value {
        let read = self.get(format!("/v1/audit/events/{index}")).await.is(200);
        read.json()["leaf"].clone()
    }

    /// The answer is this problem in these words, and the log has a refusal, as an auditor reads it.
    pub(crate) async fn finds_refused(self, answer: &Answer, problem: &str, words: &str) {
        assert_eq!(answer.problem(), problem, "{}", answer.text);
        assert!(answer.at("/detail").contains(words), "{}", answer.text);
        assert_eq!(self.entry(answer).await["out"], "denied", "{}", answer.text);
    }
}
