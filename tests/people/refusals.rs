//! Who may not is refused, and the log says who, what and about which ticket: every role against every kind of request.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};

use crate::support::{Case, NUMBER, PEOPLE, Request, World, caller, intake};

const ADMIN: &[&str] = &["security-admin"];

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

/// What the log calls it, the request, and who may. Everybody else is refused.
struct Deed {
    act: &'static str,
    request: Request,
    may: &'static [&'static str],
    /// It names the ticket, and so must its refusal.
    names_ticket: bool,
}

fn deed(act: &'static str, request: Request, may: &'static [&'static str]) -> Deed {
    Deed {
        act,
        request,
        may,
        names_ticket: false,
    }
}

/// What is done for a case that a department works on, and with one that was only sent there.
fn of_the_ticket(case: &Case, sent: &Case) -> Vec<Deed> {
    let about = |act, path: String, body: Value, may| Deed {
        names_ticket: true,
        ..deed(act, Request::post(path, &body), may)
    };
    let show = |fields: &[&str], form: &str, may| {
        let body = json!({"ticket": case.no, "purpose": "handle", "fields": fields, "form": form});
        about("field.reveal", format!("{}/reveal", case.caller()), body, may)
    };
    let own = |form: &str| {
        let body = json!({"purpose": "handle", "fields": ["text"], "form": form});
        about(
            "field.reveal",
            format!("{}/reveal", case.ticket()),
            body,
            &["handler-c1"],
        )
    };
    let compare = json!({"ticket": case.no, "purpose": "handle", "field": "callback_number", "value": NUMBER});
    let away = json!({"department": "W2", "reason": "请核查"});
    vec![
        show(&["callback_number"], "clear", &["handler-c1"]),
        show(&["name"], "masked", &["handler-c1"]),
        // Nobody may have all of these at once.
        show(&["name", "email"], "clear", &[]),
        own("clear"),
        own("masked"),
        about(
            "field.verify",
            format!("{}/verify", case.caller()),
            compare,
            &["handler-c1"],
        ),
        about(
            "ticket.dispatch",
            format!("{}/dispatch", sent.ticket()),
            away,
            &["dispatcher"],
        ),
        about(
            "ticket.feedback",
            format!("{}/feedback", case.ticket()),
            json!({"reason": "商家配合", "reply": "已责令整改"}),
            &["handler-c1"],
        ),
    ]
}

fn of_the_vault() -> Vec<Deed> {
    let department = json!({"code": "Z9", "name": "Z9", "kind": "organ"});
    let principal = json!({"name": "new", "department": "C1", "roles": ["handler"], "kind": "person"});
    let lookup = json!({"field": "caller_number", "value": NUMBER, "purpose": "intake"});
    let call = intake(caller("李四光", "13700002222"));
    let exposure = json!({"actor": "0".repeat(32)});
    let get = |act, path: &str, may| deed(act, Request::get(path), may);
    let post = |act, path: &str, body: &Value, may| deed(act, Request::post(path, body), may);
    vec![
        post("intake", "/v1/intake", &call, &["agent"]),
        post("caller.lookup", "/v1/callers/lookup", &lookup, &["agent"]),
        get("admin.read", "/v1/admin/departments", ADMIN),
        get("admin.read", PEOPLE, ADMIN),
        post("admin.department", "/v1/admin/departments", &department, ADMIN),
        post("admin.principal", PEOPLE, &principal, ADMIN),
        get("log.checkpoint", "/v1/audit/checkpoint", &["auditor"]),
        get("log.tile", "/v1/audit/tile/0/000.p/1", &["auditor"]),
        get("log.read", "/v1/audit/events/0", &["auditor", "dpo"]),
        get("log.search", "/v1/audit/events", &["auditor", "dpo"]),
        get("log.prove", "/v1/audit/events/0/proof", &["auditor"]),
        get("log.prove", "/v1/audit/consistency?old=1&new=2", &["auditor"]),
        get("log.export", "/v1/audit/follow?from=0", &["auditor"]),
        get("log.report", "/v1/audit/report?day=2026-11-01", &["auditor"]),
        post("log.exposure", "/v1/audit/exposure", &exposure, &["auditor", "dpo"]),
        get("key.list", "/v1/keys", &["system-admin"]),
        get("key.list", "/v1/keys/rewraps", &["system-admin"]),
        post("vault.lock", "/v1/keys/lock", &json!({}), &["system-admin"]),
    ]
}

fn of_an_account(world: &World) -> Vec<Deed> {
    let account = world.account("handler-c1");
    let post = |of: &str| Request::post(format!("{account}/{of}"), &json!({}));
    vec![
        deed("admin.token", post("tokens"), ADMIN),
        deed("admin.token", post("codes"), ADMIN),
    ]
}

/// Nobody's account is being recovered: who may stop that is told so.
fn to_stop() -> Deed {
    let stop = Request::post("/v1/admin/recovery/stop", &json!({}));
    deed(
        "admin.recover-stop",
        stop,
        &["auditor", "dpo", "security-admin", "system-admin"],
    )
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
            acts_for: false,
        };
        world.hire(&app.vault().unwrap(), "security-admin", new).await;
    }
    (world, app)
}

#[tokio::test]
async fn each_refusal_is_an_entry_that_says_who_and_what() {
    let (world, app) = staffed().await;
    let auditor = world.actor(&app, "auditor");
    let case = world.case(&app, "C1").await;
    let sent = world.sent(&app, "C1").await;
    let mut deeds = of_the_ticket(&case, &sent);
    deeds.extend(of_the_vault());
    deeds.extend(of_an_account(&world));
    deeds.push(to_stop());
    for deed in deeds {
        for who in STAFF {
            if deed.may.contains(&who) {
                continue;
            }
            let what = format!("{who}: {}", deed.request);
            let answer = world.actor(&app, who).send(deed.request.clone()).await;
            assert_eq!(answer.status, 403, "{what}: {}", answer.text);
            assert!(!answer.text.contains(NUMBER), "{what}");
            let leaf = auditor.entry(&answer).await;
            assert_eq!(leaf["out"], "denied", "{what}: {leaf}");
            assert_eq!(leaf["act"], deed.act, "{what}: {leaf}");
            assert_eq!(leaf["actor"], world.id(who), "{what}: {leaf}");
            assert!(leaf["why"].is_string(), "{what}: {leaf}");
            if deed.names_ticket {
                let ticket = leaf["ticket"].as_str().expect(&what);
                assert!(deed.request.to_string().contains(ticket), "{what}: {leaf}");
            }
        }
    }
}

/// Without this a rule that refuses everybody would pass the test above.
#[tokio::test]
async fn who_may_is_not_refused() {
    let (world, app) = staffed().await;
    let case = world.case(&app, "C1").await;
    let sent = world.sent(&app, "C1").await;
    // The steps that give the tickets away come last but for the lock.
    let before_the_lock = of_the_vault().into_iter().rev().skip(1);
    let deeds = before_the_lock
        .chain(of_an_account(&world))
        .chain(of_the_ticket(&case, &sent));
    for deed in deeds {
        for who in deed.may {
            let answer = world.actor(&app, who).send(deed.request.clone()).await;
            let done = [200, 201].contains(&answer.status);
            assert!(done, "{who}: {}: {}", deed.request, answer.text);
        }
    }
}
