//! Those who work with a vault, and what they ask of it.

use std::fmt::{Display, Formatter};
use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request as HttpRequest};
use callervault::http::{App, router};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{World, caller, intake};

/// A name and a number, of the caller whom most tests are about.
pub(crate) const NAME: &str = "王小明";
pub(crate) const NUMBER: &str = "13900001111";

/// One of the staff, with a token.
#[derive(Clone, Copy)]
pub(crate) struct Actor<'w> {
    app: &'w Arc<App>,
    token: Option<&'w str>,
}

/// A ticket and its caller, as one department has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) no: String,
    pub(crate) reference: String,
}

/// A request, whoever sends it.
#[derive(Clone)]
pub(crate) struct Request {
    method: &'static str,
    pub(crate) path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
    /// The peer of its connection, where it comes by one.
    peer: Option<SocketAddr>,
}

/// An answer.
pub(crate) struct Answer {
    /// The request, for the message of a test that fails.
    asked: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
}

impl World {
    /// One of the staff; somebody without a token where none is of that name.
    pub(crate) fn actor<'w>(&'w self, app: &'w Arc<App>, name: &str) -> Actor<'w> {
        let token = self.tokens.get(name).map(String::as_str);
        Actor { app, token }
    }

    /// Some of the staff.
    pub(crate) fn actors<'w, const N: usize>(&'w self, app: &'w Arc<App>, names: [&str; N]) -> [Actor<'w>; N] {
        names.map(|name| self.actor(app, name))
    }

    /// A call by the usual caller that a department has signed for.
    pub(crate) async fn case(&self, app: &Arc<App>, department: &str) -> Case {
        self.case_of(app, department, caller(NAME, NUMBER)).await
    }

    /// A call by this caller that a department has signed for.
    pub(crate) async fn case_of(&self, app: &Arc<App>, department: &str, caller: Value) -> Case {
        let case = self.sent_of(app, department, caller).await;
        self.signed(app, &case.no, department).await;
        case
    }

    /// A call by the usual caller, dispatched to a department, which has not signed for it yet.
    pub(crate) async fn sent(&self, app: &Arc<App>, department: &str) -> Case {
        self.sent_of(app, department, caller(NAME, NUMBER)).await
    }

    async fn sent_of(&self, app: &Arc<App>, department: &str, caller: Value) -> Case {
        let [agent, dispatcher] = self.actors(app, ["agent", "dispatcher"]);
        let taken = agent.take(caller).await;
        dispatcher.dispatch(&taken.no, department).await.is(200);
        let ticket = self.handler(app, department).get(taken.ticket()).await;
        Case {
            no: taken.no,
            reference: ticket.at("/caller/ref"),
        }
    }

    /// The handler of a department.
    pub(crate) fn handler<'w>(&'w self, app: &'w Arc<App>, department: &str) -> Actor<'w> {
        self.actor(app, &format!("handler-{}", department.to_lowercase()))
    }

    /// A department signs for a ticket that it was sent.
    pub(crate) async fn signed(&self, app: &Arc<App>, no: &str, department: &str) {
        self.handler(app, department).step(no, "sign", json!({})).await.is(200);
    }

    /// Ends a ticket, wherever it stands: its caller takes it back.
    pub(crate) async fn ended(&self, app: &Arc<App>, no: &str) {
        let why = json!({"reason": "诉求人撤诉"});
        self.actor(app, "dispatcher").step(no, "withdraw", why).await.is(200);
    }
}

impl Actor<'_> {
    /// Sends a request and waits for its answer.
    pub(crate) async fn send(self, request: Request) -> Answer {
        let asked = request.to_string();
        let mut builder = HttpRequest::builder().method(request.method).uri(request.path);
        if let Some(token) = self.token {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        if !request.body.is_empty() {
            builder = builder.header("content-type", "application/json");
        }
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some(peer) = request.peer {
            builder = builder.extension(ConnectInfo(peer));
        }
        let request = builder.body(Body::from(request.body)).unwrap();
        let answer = router(Arc::clone(self.app)).oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Answer {
            asked,
            status: parts.status.as_u16(),
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    pub(crate) async fn get(self, path: impl Into<String>) -> Answer {
        self.send(Request::get(path)).await
    }

    pub(crate) async fn post(self, path: impl Into<String>, body: &Value) -> Answer {
        self.send(Request::post(path, body)).await
    }

    /// Takes a call by this caller.
    pub(crate) async fn intake(self, caller: Value) -> Answer {
        self.post("/v1/intake", &intake(caller)).await
    }

    /// Takes a call by this caller, and has the ticket and the caller from the answer.
    pub(crate) async fn take(self, caller: Value) -> Case {
        self.intake(caller).await.is(201).case()
    }

    pub(crate) async fn dispatch(self, no: &str, department: &str) -> Answer {
        let body = json!({"department": department, "reason": "请核查"});
        self.step(no, "dispatch", body).await
    }

    /// Takes a ticket one step on.
    pub(crate) async fn step(self, no: &str, step: &str, body: Value) -> Answer {
        self.post(format!("/v1/tickets/{no}/{step}"), &body).await
    }

    /// Corrects fields of a caller, as an agent who has seen this version.
    pub(crate) async fn correct(self, case: &Case, version: u64, fields: Value) -> Answer {
        let body = json!({"ticket": case.no, "reason": "听错", "fields": fields});
        self.send(Request::patch(case.caller(), &body).version(version)).await
    }

    /// Which callers have this number.
    pub(crate) async fn lookup(self, number: &str) -> Answer {
        let body = json!({"field": "caller_number", "value": number, "purpose": "intake"});
        self.post("/v1/callers/lookup", &body).await
    }

    /// Compares a value with a field of a caller, to handle the case.
    pub(crate) async fn verify(self, case: &Case, field: &str, value: &str) -> Answer {
        let body = json!({"ticket": case.no, "purpose": "handle", "field": field, "value": value});
        self.post(format!("{}/verify", case.caller()), &body).await
    }
}

/// Fields to be shown: of a caller the callback number, of a ticket its text, and to handle the case, unless it is said otherwise.
pub(crate) struct Reveal<'w> {
    actor: Actor<'w>,
    path: String,
    body: Value,
}

impl<'w> Actor<'w> {
    /// Asks to see something of a case's caller.
    pub(crate) fn reveal(self, case: &Case) -> Reveal<'w> {
        Reveal {
            actor: self,
            path: format!("{}/reveal", case.caller()),
            body: json!({"ticket": case.no, "purpose": "handle", "fields": ["callback_number"]}),
        }
    }

    /// Asks to see something of a ticket itself.
    pub(crate) fn reveal_of_ticket(self, no: &str) -> Reveal<'w> {
        Reveal {
            actor: self,
            path: format!("/v1/tickets/{no}/reveal"),
            body: json!({"purpose": "handle", "fields": ["text"]}),
        }
    }
}

impl Reveal<'_> {
    /// These fields instead.
    pub(crate) fn fields(mut self, fields: &[&str]) -> Self {
        self.body["fields"] = json!(fields);
        self
    }

    /// For this purpose instead.
    pub(crate) fn purpose(mut self, purpose: &str) -> Self {
        self.body["purpose"] = json!(purpose);
        self
    }

    pub(crate) async fn clear(self) -> Answer {
        self.form("clear").await
    }

    pub(crate) async fn masked(self) -> Answer {
        self.form("masked").await
    }

    pub(crate) async fn form(mut self, form: &str) -> Answer {
        self.body["form"] = json!(form);
        self.actor.post(self.path, &self.body).await
    }
}

impl Case {
    /// Where the caller is found.
    pub(crate) fn caller(&self) -> String {
        format!("/v1/callers/{}", self.reference)
    }

    /// Address and body of a reveal of the callback number, to handle the case.
    pub(crate) fn reveal(&self, form: &str) -> (String, Value) {
        let body = json!({"ticket": self.no, "purpose": "handle", "fields": ["callback_number"], "form": form});
        (format!("{}/reveal", self.caller()), body)
    }

    /// Where the ticket is found.
    pub(crate) fn ticket(&self) -> String {
        format!("/v1/tickets/{}", self.no)
    }
}

impl Request {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::bare("GET", path)
    }

    pub(crate) fn post(path: impl Into<String>, body: &Value) -> Self {
        Self::bare("POST", path).body(body.to_string())
    }

    pub(crate) fn put(path: impl Into<String>, body: &Value) -> Self {
        Self::bare("PUT", path).body(body.to_string())
    }

    pub(crate) fn patch(path: impl Into<String>, body: &Value) -> Self {
        Self::bare("PATCH", path).body(body.to_string())
    }

    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::bare("DELETE", path)
    }

    /// Without a body.
    pub(crate) fn bare(method: &'static str, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: String::new(),
            peer: None,
        }
    }

    /// With another body, byte for byte.
    pub(crate) fn body(mut self, body: impl Into<String>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Of this version of what it changes.
    pub(crate) fn version(self, version: u64) -> Self {
        self.header("if-match", format!("\"{version}\""))
    }

    /// With an approval.
    pub(crate) fn approved(self, id: &str) -> Self {
        self.header("approval", id)
    }

    /// On behalf of the person with this account name.
    pub(crate) fn on_behalf_of(self, account: &str) -> Self {
        self.header("on-behalf-of", account)
    }

    /// By a connection from this address.
    pub(crate) fn from(self, address: &str) -> Self {
        let peer = Some(SocketAddr::new(address.parse().unwrap(), 50_000));
        Self { peer, ..self }
    }

    /// With an idempotency key.
    pub(crate) fn once(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }
}

impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let some: String = self.body.chars().take(200).collect();
        write!(f, "{} {} {some}", self.method, self.path)
    }
}

impl Answer {
    /// Its status is this one.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}: {}", self.asked, self.text);
        self
    }

    /// It is this problem.
    #[track_caller]
    pub(crate) fn fails(self, status: u16, problem: &str) -> Self {
        let told = (self.status, self.problem());
        let right = (status, problem.to_owned());
        assert_eq!(told, right, "{}: {}", self.asked, self.text);
        self
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }

    /// A string somewhere in the answer.
    pub(crate) fn at(&self, pointer: &str) -> String {
        let json = self.json();
        let text = json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    }

    /// Where it stands in the log.
    #[track_caller]
    pub(crate) fn index(&self) -> u64 {
        let index = self.json().pointer("/audit/index").and_then(Value::as_u64);
        assert!(index.is_some(), "not in the log: {}", self.text);
        index.unwrap_or_default()
    }

    /// The name of the problem.
    #[track_caller]
    pub(crate) fn problem(&self) -> String {
        let kind = &self.headers["content-type"];
        assert_eq!(kind, "application/problem+json", "{}", self.text);
        let name = self.at("/type");
        name.trim_start_matches("urn:callervault:problem:").to_owned()
    }

    /// The ticket and the caller that the agent hears of.
    pub(crate) fn case(&self) -> Case {
        Case {
            no: self.at("/ticket/no"),
            reference: self.at("/caller/ref"),
        }
    }
}
