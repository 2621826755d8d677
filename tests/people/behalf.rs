//! A city's platform sends the requests of all its clerks with one service token, and says on whose behalf: the act is the clerk's, in
//! the roles that both hold, and the log names both.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::policy::Policy;
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};

use crate::support::approvals::{person, service};
use crate::support::{Answer, NAME, NUMBER, PEOPLE, Request, World, caller, intake};

/// A service account that may act on behalf of others.
pub(crate) fn platform(name: &str, department: &str, roles: &[Role]) -> NewPrincipal {
    NewPrincipal {
        name: name.to_owned(),
        department: department.parse().unwrap(),
        roles: roles.to_vec(),
        kind: PrincipalKind::Service,
        acts_for: true,
    }
}

/// The centre's platform takes calls and dispatches; that of C1 handles tickets. `both` is a person with both roles of the centre.
pub(crate) async fn staffed() -> (World, Arc<App>) {
    let (mut world, app) = World::unlimited().await;
    let both = NewPrincipal {
        roles: vec![Role::Agent, Role::Dispatcher],
        ..person("both", Role::Agent)
    };
    for new in [
        platform("platform", "H0", &[Role::Agent, Role::Dispatcher]),
        platform("platform-c1", "C1", &[Role::Handler]),
        platform("calls-only", "H0", &[Role::Agent]),
        service("plain-service", Role::Agent),
        both,
    ] {
        world.hire(&app.vault().unwrap(), "security-admin", new).await;
    }
    (world, app)
}

pub(crate) fn call() -> Request {
    Request::post("/v1/intake", &intake(caller(NAME, NUMBER)))
}

fn account_of(me: &Answer) -> Value {
    me.json()["account"].clone()
}

#[tokio::test]
async fn the_act_is_the_clerks_and_the_log_names_both() {
    let (world, app) = staffed().await;
    let [platform, agent, other, auditor] = world.actors(&app, ["platform", "agent", "other-agent", "auditor"]);
    let taken = platform.send(call().on_behalf_of("agent")).await.is(201);
    let leaf = auditor.entry(&taken).await;
    assert_eq!(leaf["actor"], world.id("agent"), "{leaf}");
    assert_eq!(leaf["via"], world.id("platform"), "{leaf}");
    assert_eq!((&leaf["role"], &leaf["out"]), (&json!("agent"), &json!("granted")));
    let tokens = world.actor(&app, "security-admin");
    let tokens = tokens
        .get(format!("{}/tokens", world.account("platform")))
        .await
        .is(200);
    assert_eq!(leaf["token"], tokens.at("/items/0/id"), "the token is the platform's");

    // It is the clerk's own call, whichever way they ask, and nobody else's.
    let case = taken.case();
    agent.reveal(&case).purpose("intake").clear().await.is(200);
    let (path, mut body) = case.reveal("clear");
    body["purpose"] = json!("intake");
    let show = Request::post(path, &body);
    platform.send(show.clone().on_behalf_of("agent")).await.is(200);
    platform
        .send(show.clone().on_behalf_of("other-agent"))
        .await
        .fails(403, "refused");
    platform.send(show).await.fails(403, "refused");
    other
        .reveal(&case)
        .purpose("intake")
        .clear()
        .await
        .fails(403, "refused");

    let search = async |parameter: &str, name: &str| {
        let path = format!("/v1/audit/events?act=intake&{parameter}={}", world.id(name));
        let found = auditor.get(path).await.is(200).json();
        found["entries"].as_array().unwrap().clone()
    };
    for found in [search("actor", "agent").await, search("via", "platform").await] {
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0]["index"], json!(taken.index()));
        assert_eq!(
            (&found[0]["actor_name"], &found[0]["via_name"]),
            (&json!("agent"), &json!("platform"))
        );
    }
    assert_eq!(search("actor", "platform").await, [Value::Null; 0]);
    let mistyped = auditor.get("/v1/audit/events?via=platform").await;
    assert!(mistyped.fails(400, "bad-query").at("/detail").contains("`via`"));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Neither lends the other a role.
#[tokio::test]
async fn no_more_is_permitted_than_to_either() {
    let (world, app) = staffed().await;
    let [platform, calls_only, auditor] = world.actors(&app, ["platform", "calls-only", "auditor"]);
    let no = world.actor(&app, "agent").take(caller(NAME, NUMBER)).await.no;
    let dispatch = |account: &str| {
        let body = json!({"department": "C1", "reason": "请核查"});
        Request::post(format!("/v1/tickets/{no}/dispatch"), &body).on_behalf_of(account)
    };
    let refused = platform.send(dispatch("agent")).await.fails(403, "refused");
    assert_eq!(auditor.entry(&refused).await["actor"], world.id("agent"));
    let refused = calls_only.send(dispatch("both")).await.fails(403, "refused");
    let leaf = auditor.entry(&refused).await;
    assert_eq!(
        (&leaf["act"], &leaf["via"]),
        (&json!("ticket.dispatch"), &json!(world.id("calls-only")))
    );
    platform.send(dispatch("both")).await.is(200);
}

#[tokio::test]
async fn on_whose_behalf_nobody_acts() {
    let (world, app) = staffed().await;
    let [platform, auditor, admin] = world.actors(&app, ["platform", "auditor", "security-admin"]);
    let off = Request::bare("POST", format!("{}/switch-off", world.account("other-agent")));
    admin.send(off).await.is(200);
    let me = |account: &str| Request::get("/v1/me").on_behalf_of(account);
    for account in [
        "handler-c1",    // in another department
        "other-agent",   // switched off
        "plain-service", // no person
        "platform",      // itself
        "auditor",       // administrators
        "security-admin",
        "dpo", // approves
        "no-such-account",
    ] {
        let refused = platform.send(me(account)).await.fails(403, "not-acted-for");
        let leaf = auditor.entry(&refused).await;
        assert_eq!(
            (&leaf["act"], &leaf["out"]),
            (&json!("account.act-for"), &json!("denied")),
            "{account}"
        );
        assert_eq!(
            (&leaf["why"], &leaf["actor"]),
            (&json!("not-acted-for"), &json!(world.id("platform")))
        );
        let named = (account != "no-such-account").then(|| world.id(account));
        assert_eq!(leaf["link"]["principal"].as_str(), named, "{account}");
        assert!(!leaf.to_string().contains(account), "a name stays out of the log");
    }
    // A handler's platform has no role in common with the centre's clerks, and is in another department.
    let other = world.actor(&app, "platform-c1");
    other.send(me("agent")).await.fails(403, "not-acted-for");
    other.send(me("handler-c1")).await.is(200);
    // A role of its own, where there is none in common.
    let calls_only = world.actor(&app, "calls-only");
    calls_only.send(me("dispatcher")).await.fails(403, "not-acted-for");
}

#[tokio::test]
async fn who_was_not_allowed_to_acts_for_nobody() {
    let (world, app) = staffed().await;
    let auditor = world.actor(&app, "auditor");
    let me = || Request::get("/v1/me").on_behalf_of("agent");
    for who in ["plain-service", "other-agent", "both"] {
        let refused = world.actor(&app, who).send(me()).await.fails(403, "may-not-act-for");
        assert_eq!(auditor.entry(&refused).await["link"]["principal"], world.id("agent"));
    }
    // Those who administer and audit are refused by the policy.
    for who in ["auditor", "security-admin", "system-admin", "dpo"] {
        let refused = world.actor(&app, who).send(me()).await.fails(403, "refused");
        assert_eq!(auditor.entry(&refused).await["act"], "account.act-for");
    }
    for header in ["", "x", "王小明", "Agent", "agent,other-agent", &"a".repeat(65)] {
        let request = Request::get("/v1/me").header("on-behalf-of", header);
        world
            .actor(&app, "platform")
            .send(request)
            .await
            .fails(400, "bad-on-behalf-of");
    }
    let twice = me().on_behalf_of("both");
    world
        .actor(&app, "platform")
        .send(twice)
        .await
        .fails(400, "bad-on-behalf-of");
}

/// A city lets its handlers read the log and approve; a platform does neither for them.
#[tokio::test]
async fn what_is_done_in_person_no_policy_opens() {
    let (world, app) = staffed().await;
    drop(app);
    let permit = r#"
        @id("city.handler")
        permit (
            principal == CallerVault::Role::"handler",
            action in [CallerVault::Action::"approval.own", CallerVault::Action::"intake.mend"],
            resource
        );
    "#;
    let policy = format!("{}{permit}", Policy::SHIPPED_POLICIES);
    std::fs::write(world.places.policies.join("need-to-know.cedar"), policy).unwrap();
    let app = world.open().await;
    let [handler, platform, auditor] = world.actors(&app, ["handler-c1", "platform-c1", "auditor"]);
    let mine = || Request::get("/v1/approvals/mine");
    handler.send(mine()).await.is(200);
    let refused = platform
        .send(mine().on_behalf_of("handler-c1"))
        .await
        .fails(403, "in-person");
    let leaf = auditor.entry(&refused).await;
    assert_eq!(
        (&leaf["why"], &leaf["act"]),
        (&json!("in-person"), &json!("approval.own"))
    );
    assert_eq!(
        (&leaf["actor"], &leaf["via"]),
        (&json!(world.id("handler-c1")), &json!(world.id("platform-c1")))
    );
}

/// What was decided for a clerk does not happen once the clerk has left, or the platform may no longer act for them.
#[tokio::test]
async fn a_change_of_either_account_comes_before_the_act() {
    let (world, app) = staffed().await;
    let case = world.case(&app, "C1").await;
    let world = Arc::new(world);
    let (path, body) = case.reveal("clear");
    let read = Request::post(path, &body).on_behalf_of("handler-c1");
    let of = |name: &str, body: Value| Request::put(world.account(name), &body).version(1);
    let changes = [
        of(
            "platform-c1",
            json!({"roles": ["handler"], "active": true, "acts_for": false}),
        ),
        of(
            "handler-c1",
            json!({"roles": ["handler", "supervisor"], "active": true}),
        ),
    ];
    world.actor(&app, "platform-c1").send(read.clone()).await.is(200);
    for change in changes {
        let held = world.data();
        held.hold();
        let mut sent = tokio::task::JoinSet::new();
        for (who, request) in [("security-admin", change), ("platform-c1", read.clone())] {
            let (world, app) = (Arc::clone(&world), Arc::clone(&app));
            sent.spawn(async move { world.actor(&app, who).send(request).await.status });
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
        }
        held.give_up();
        let mut statuses = sent.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let again = json!({"roles": ["handler"], "active": true, "acts_for": true});
        let allowed = Request::put(world.account("platform-c1"), &again).version(2);
        world.actor(&app, "security-admin").send(allowed).await;
        world.actor(&app, "platform-c1").send(read.clone()).await.is(200);
    }
}

#[tokio::test]
async fn an_administrator_allows_it_to_service_accounts_alone() {
    let (world, app) = staffed().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let new = |kind: &str, role: &str| json!({"name": "new", "department": "H0", "roles": [role], "kind": kind, "acts_for": true});
    for (kind, role) in [("person", "agent"), ("service", "auditor"), ("service", "dpo")] {
        admin.post(PEOPLE, &new(kind, role)).await.fails(422, "cannot-act-for");
    }
    let set = |name: &str, version: u64, body: Value| {
        let request = Request::put(world.account(name), &body).version(version);
        admin.send(request)
    };
    let allowed = json!({"roles": ["agent"], "active": true, "acts_for": true});
    set("agent", 1, allowed.clone()).await.fails(422, "cannot-act-for");
    let done = set("plain-service", 1, allowed).await.is(200);
    assert_eq!(done.json()["acts_for"], json!(true));
    let leaf = auditor.entry(&done).await;
    assert_eq!(
        (&leaf["link"]["acts_for"], &leaf["link"]["acts_for_before"]),
        (&json!("true"), &json!("false"))
    );
    // A change that does not speak of it leaves it.
    let roles = json!({"roles": ["agent", "callback"], "active": true});
    assert_eq!(
        set("plain-service", 2, roles).await.is(200).json()["acts_for"],
        json!(true)
    );
    set("plain-service", 3, json!({"roles": ["auditor"], "active": true}))
        .await
        .fails(422, "cannot-act-for");
    let to = json!({"department": "C1"});
    let to = Request::post(format!("{}/move", world.account("plain-service")), &to).version(3);
    assert_eq!(
        admin.send(to).await.is(200).json()["acts_for"],
        json!(false),
        "for another department"
    );

    let path = format!("/v1/audit/roles?principal={}", world.id("plain-service"));
    let history = auditor.get(path).await.is(200).json();
    let told = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["acts_for"].clone());
    let told: Vec<Value> = told.collect();
    assert_eq!(told, [json!(false), json!(true), json!(true), Value::Null]);
}

#[tokio::test]
async fn one_learns_for_whom_one_acts() {
    let (world, app) = staffed().await;
    let platform = world.actor(&app, "platform");
    let own = platform.get("/v1/me").await.is(200);
    assert_eq!(
        (account_of(&own), &own.json()["acts_for"]),
        (json!("platform"), &json!(true))
    );
    assert_eq!(own.json().get("via"), None);
    let me = platform
        .send(Request::get("/v1/me").on_behalf_of("agent"))
        .await
        .is(200);
    assert_eq!(
        (account_of(&me), &me.json()["kind"]),
        (json!("agent"), &json!("person"))
    );
    assert_eq!(
        me.json()["via"],
        json!({"id": world.id("platform"), "account": "platform"})
    );
    assert_eq!(me.json()["roles"], json!(["agent"]));
    let calls_only = world.actor(&app, "calls-only");
    let me = calls_only
        .send(Request::get("/v1/me").on_behalf_of("both"))
        .await
        .is(200);
    assert_eq!(
        (&me.json()["roles"], &me.json()["acts_for"]),
        (&json!(["agent"]), &json!(false))
    );
}
