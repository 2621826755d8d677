//! Who may not is refused, and the log says who, what and about which ticket: every role against every kind of request.

use std::collections::BTreeMap;
use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};

use crate::support::{Answer, World, caller, intake};

/// One of each role; the handlers of three departments, of which only C1 holds the ticket.
const STAFF: [&str; 12] = [
    "agent",
    "dispatcher",
    "callback",
    "supervisor",
    "analyst",
    "handler-c1",
    "handler-w2",
    "handler-e4",
    "dpo",
    "auditor",
    "security-admin",
    "system-admin",
];

/// A request, what the log calls it, and who may. Everybody else is refused.
struct Request {
    act: &'static str,
    method: &'static str,
    path: String,
    body: Option<Value>,
    may: &'static [&'static str],
    /// It names the ticket, and so must its refusal.
    names_ticket: bool,
}

fn request(
    act: &'static str,
    method: &'static str,
    path: String,
    body: Option<Value>,
    may: &'static [&'static str],
) -> Request {
    Request {
        act,
        method,
        path,
        body,
        may,
        names_ticket: false,
    }
}

fn about_ticket(act: &'static str, path: String, body: Value, may: &'static [&'static str]) -> Request {
    Request {
        names_ticket: true,
        ..request(act, "POST", path, Some(body), may)
    }
}

fn of_the_ticket(no: &str, reference: &str) -> Vec<Request> {
    let caller = format!("/v1/callers/{reference}");
    let ticket = format!("/v1/tickets/{no}");
    let show = |fields: Value, form: &str| json!({"ticket": no, "purpose": "handle", "fields": fields, "form": form});
    let own = |form: &str| json!({"purpose": "handle", "fields": ["text"], "form": form});
    let compare = json!({"ticket": no, "purpose": "handle", "field": "callback_number", "value": "13900001111"});
    vec![
        about_ticket(
            "field.reveal",
            format!("{caller}/reveal"),
            show(json!(["callback_number"]), "clear"),
            &["handler-c1"],
        ),
        about_ticket(
            "field.reveal",
            format!("{caller}/reveal"),
            show(json!(["name"]), "masked"),
            &["handler-c1"],
        ),
        // Nobody may have all of these at once.
        about_ticket(
            "field.reveal",
            format!("{caller}/reveal"),
            show(json!(["name", "email"]), "clear"),
            &[],
        ),
        about_ticket(
            "field.reveal",
            format!("{ticket}/reveal"),
            own("clear"),
            &["handler-c1"],
        ),
        about_ticket(
            "field.reveal",
            format!("{ticket}/reveal"),
            own("masked"),
            &["handler-c1"],
        ),
        about_ticket("field.verify", format!("{caller}/verify"), compare, &["handler-c1"]),
        about_ticket(
            "ticket.dispatch",
            format!("{ticket}/dispatch"),
            json!({"department": "W2", "reason": "请核查"}),
            &["dispatcher"],
        ),
    ]
}

fn of_the_vault() -> Vec<Request> {
    let department = json!({"code": "Z9", "name": "Z9", "kind": "organ"});
    let principal = json!({"name": "new", "department": "C1", "roles": ["handler"], "kind": "person"});
    let lookup = json!({"field": "caller_number", "value": "13900001111", "purpose": "intake"});
    let call = intake(caller("李四光", "13700002222"));
    let get = |act, path: &str, may| request(act, "GET", path.to_owned(), None, may);
    let post = |act, path: &str, body: Value, may| request(act, "POST", path.to_owned(), Some(body), may);
    vec![
        post("intake", "/v1/intake", call, &["agent"]),
        post("caller.lookup", "/v1/callers/lookup", lookup, &["agent"]),
        get("admin.read", "/v1/admin/departments", &["security-admin"]),
        get("admin.read", "/v1/admin/principals", &["security-admin"]),
        post(
            "admin.department",
            "/v1/admin/departments",
            department,
            &["security-admin"],
        ),
        post(
            "admin.principal",
            "/v1/admin/principals",
            principal,
            &["security-admin"],
        ),
        get("log.checkpoint", "/v1/audit/checkpoint", &["auditor"]),
        get("log.tile", "/v1/audit/tile/0/000.p/1", &["auditor"]),
        get("log.read", "/v1/audit/events/0", &["auditor", "dpo"]),
        get("log.search", "/v1/audit/events", &["auditor", "dpo"]),
        get("log.prove", "/v1/audit/events/0/proof", &["auditor"]),
        get("log.prove", "/v1/audit/consistency?old=1&new=2", &["auditor"]),
        get("log.export", "/v1/audit/follow?from=0", &["auditor"]),
        get("log.report", "/v1/audit/report?day=2026-11-01", &["auditor"]),
        post(
            "log.exposure",
            "/v1/audit/exposure",
            json!({"actor": "0".repeat(32)}),
            &["auditor", "dpo"],
        ),
        post("vault.lock", "/v1/keys/lock", json!({}), &["system-admin"]),
    ]
}

async fn send(world: &World, app: &Arc<App>, who: &str, request: &Request) -> Answer {
    let body = request.body.as_ref().map(Value::to_string).unwrap_or_default();
    world.call(app, who, request.method, &request.path, &[], &body).await
}

/// The refusal's entry in the log, as an auditor reads it.
async fn entry(world: &World, app: &Arc<App>, answer: &Answer) -> Value {
    let index = answer
        .json()
        .pointer("/audit/index")
        .and_then(Value::as_u64)
        .expect("where the refusal stands");
    let read = world.get(app, "auditor", &format!("/v1/audit/events/{index}")).await;
    assert_eq!(read.status, 200, "{}", read.text);
    assert_eq!(read.at("/leaf_hash"), answer.at("/audit/leaf_hash"));
    read.json()["leaf"].clone()
}

async fn staffed() -> (World, Arc<App>) {
    let (mut world, app) = World::unlimited().await;
    for (name, role) in [
        ("callback", Role::Callback),
        ("supervisor", Role::Supervisor),
        ("analyst", Role::Analyst),
    ] {
        let new = NewPrincipal {
            name: name.to_owned(),
            department: "H0".parse().unwrap(),
            roles: vec![role],
            kind: PrincipalKind::Person,
        };
        world.hire(app.vault(), "security-admin", new).await;
    }
    (world, app)
}

/// Every account's id by its name.
async fn ids(world: &World, app: &Arc<App>) -> BTreeMap<String, String> {
    let page = world.get(app, "security-admin", "/v1/admin/principals").await.json();
    let items = page["items"].as_array().unwrap();
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    items
        .iter()
        .map(|item| (text(item, "name"), text(item, "id")))
        .collect()
}

#[tokio::test]
async fn each_refusal_is_an_entry_that_says_who_and_what() {
    let (world, app) = staffed().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    let ids = ids(&world, &app).await;
    let requests = of_the_ticket(&no, &reference).into_iter().chain(of_the_vault());
    for request in requests {
        for who in STAFF {
            if request.may.contains(&who) {
                continue;
            }
            let what = format!("{who}: {} {}", request.method, request.path);
            let answer = send(&world, &app, who, &request).await;
            assert_eq!(answer.status, 403, "{what}: {}", answer.text);
            assert!(!answer.text.contains("13900001111"), "{what}");
            let leaf = entry(&world, &app, &answer).await;
            assert_eq!(leaf["out"], "denied", "{what}: {leaf}");
            assert_eq!(leaf["act"], request.act, "{what}: {leaf}");
            assert_eq!(leaf["actor"], ids[who], "{what}: {leaf}");
            assert!(leaf["why"].is_string(), "{what}: {leaf}");
            if request.names_ticket {
                assert_eq!(leaf["ticket"], no, "{what}: {leaf}");
            }
        }
    }
}

/// Without this a rule that refuses everybody would pass the test above.
#[tokio::test]
async fn who_may_is_not_refused() {
    let (world, app) = staffed().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    // The step that gives the ticket away comes last but for the lock.
    let requests = of_the_vault()
        .into_iter()
        .rev()
        .skip(1)
        .chain(of_the_ticket(&no, &reference));
    for request in requests {
        for who in request.may {
            let answer = send(&world, &app, who, &request).await;
            assert!(
                [200, 201].contains(&answer.status),
                "{who}: {} {}: {}",
                request.method,
                request.path,
                answer.text
            );
        }
    }
}
