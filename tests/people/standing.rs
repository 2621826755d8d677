//! People leave: switched off in one call, or moved to another department. Their tokens end for good, and nothing goes with them.

use std::sync::Arc;

use callervault::http::App;
use serde_json::json;

use crate::support::{Actor, Answer, NAME, NUMBER, PEOPLE, Request, World, caller, report};

/// A member of staff with a token that was issued later.
struct Later<'w> {
    nobody: Actor<'w>,
    token: String,
}

impl<'w> Later<'w> {
    /// A new token for an account.
    async fn issue(world: &'w World, app: &'w Arc<App>, account: &str) -> Self {
        let [admin, nobody] = world.actors(app, ["security-admin", "nobody"]);
        let issued = admin
            .post(format!("{}/tokens", world.account(account)), &json!({}))
            .await
            .is(201);
        Self {
            nobody,
            token: issued.at("/token"),
        }
    }

    async fn send(&self, request: Request) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        self.nobody.send(request.header("authorization", bearer)).await
    }
}

fn off(world: &World, account: &str) -> Request {
    Request::bare("POST", format!("{}/switch-off", world.account(account)))
}

fn set(world: &World, account: &str, version: u64, role: &str, active: bool) -> Request {
    let body = json!({"roles": [role], "active": active});
    Request::put(world.account(account), &body).version(version)
}

fn to(world: &World, account: &str, version: u64, department: &str) -> Request {
    let body = json!({"department": department});
    Request::post(format!("{}/move", world.account(account)), &body).version(version)
}

#[tokio::test]
async fn who_was_switched_off_needs_a_new_token() {
    let (world, app) = World::new().await;
    let [admin, auditor, handler] = world.actors(&app, ["security-admin", "auditor", "handler-c1"]);
    let done = admin.send(off(&world, "handler-c1")).await.is(200);
    assert_eq!(
        (&done.json()["active"], &done.json()["version"]),
        (&json!(false), &json!(2))
    );
    let leaf = auditor.entry(&done).await;
    assert_eq!(leaf["act"], "admin.principal");
    assert_eq!(leaf["link"]["principal"], world.id("handler-c1"));
    assert_eq!(
        (&leaf["link"]["active_before"], &leaf["link"]["active"]),
        (&json!("true"), &json!("false"))
    );
    assert!(
        !leaf.to_string().contains("handler-c1"),
        "a name stays out of the log: {leaf}"
    );
    handler.get("/v1/me").await.is(401);
    admin.send(off(&world, "handler-c1")).await.fails(409, "switched-off");
    admin.send(set(&world, "handler-c1", 2, "handler", true)).await.is(200);
    handler.get("/v1/me").await.is(401);
    let later = Later::issue(&world, &app, "handler-c1").await;
    later.send(Request::get("/v1/me")).await.is(200);
    // By the other way likewise.
    admin.send(set(&world, "handler-c1", 3, "handler", false)).await.is(200);
    admin.send(set(&world, "handler-c1", 4, "handler", true)).await.is(200);
    later.send(Request::get("/v1/me")).await.is(401);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn nobody_switches_off_or_moves_those_who_watch_alone() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    for request in [
        off(&world, "auditor"),
        to(&world, "auditor", 1, "C1"),
        off(&world, "system-admin"),
    ] {
        admin.send(request).await.is(202);
    }
    auditor.get("/v1/approvals").await.is(200);
    for request in [off(&world, "security-admin"), to(&world, "security-admin", 1, "C1")] {
        admin.send(request).await.fails(403, "own-roles");
    }
    // With a second person it is done, once.
    let away = off(&world, "system-admin");
    let id = admin.approved_by(auditor, &away).await;
    admin.send(away.clone().approved(&id)).await.is(200);
    world.actor(&app, "system-admin").get("/v1/me").await.is(401);
    admin.send(away.approved(&id)).await.fails(403, "not-approved");
    for who in ["agent", "dispatcher", "auditor", "system-admin", "dpo"] {
        let refused = world.actor(&app, who).send(off(&world, "handler-w2")).await;
        assert!([401, 403].contains(&refused.status), "{who}");
    }
}

/// An agent who took a confidential call goes to the department that handles it.
#[tokio::test]
async fn who_moves_takes_nothing_along() {
    let (world, app) = World::new().await;
    let [admin, auditor, agent, dispatcher] = world.actors(&app, ["security-admin", "auditor", "agent", "dispatcher"]);
    let known = world.case(&app, "C1").await;
    let taken = agent
        .post("/v1/intake", &report(caller(NAME, NUMBER)))
        .await
        .is(201)
        .case();
    let ordinary = agent.take(caller("李四光", "13700002222")).await;
    agent.get(taken.ticket()).await.is(200);
    dispatcher.dispatch(&taken.no, "C1").await.is(200);
    admin.send(set(&world, "agent", 1, "handler", true)).await.is(200);
    let moved = admin.send(to(&world, "agent", 2, "C1")).await.is(200);
    assert_eq!(moved.at("/department"), "C1");
    let link = auditor.entry(&moved).await["link"].clone();
    assert_eq!(
        (&link["department_before"], &link["department"]),
        (&json!("H0"), &json!("C1"))
    );
    agent.get("/v1/me").await.is(401);
    let later = Later::issue(&world, &app, "agent").await;
    // Their new department's cases are theirs.
    let (path, body) = known.reveal("masked");
    later.send(Request::post(path, &body)).await.is(200);
    // The old department's reference is not, nor a ticket that it holds.
    let (path, body) = taken.reveal("masked");
    later.send(Request::post(path, &body)).await.fails(403, "refused");
    let (path, body) = ordinary.reveal("masked");
    later.send(Request::post(path, &body)).await.fails(403, "refused");
    later.send(Request::get(ordinary.ticket())).await.fails(403, "refused");
    // The report they took themselves is now one that their department holds: whom it is from, that department does not learn.
    let page = later.send(Request::get(taken.ticket())).await.is(200);
    assert_eq!(page.json().get("caller"), None, "{}", page.text);
    let page = later.send(Request::get(known.caller())).await.is(200);
    let own = later.send(Request::get(known.ticket())).await.is(200).at("/ticket");
    assert_eq!(page.json()["tickets"], json!([own]), "{}", page.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// An officer who has asked in one department hears nothing in another.
#[tokio::test]
async fn an_approval_does_not_move_with_its_asker() {
    let (world, app) = World::new().await;
    let [admin, auditor, dpo] = world.actors(&app, ["security-admin", "auditor", "dpo"]);
    let subject = world.subject(&app, &world.case(&app, "C1").await).await;
    let resolve = crate::support::approvals::resolve(&subject);
    let id = dpo.approved_by(auditor, &resolve).await;
    let away = to(&world, "dpo", 1, "C1");
    admin.with(auditor, &away).await.is(200);
    let issue = Request::post(format!("{}/tokens", world.account("dpo")), &json!({}));
    let later = Later {
        nobody: world.actor(&app, "nobody"),
        token: admin.with(auditor, &issue).await.is(201).at("/token"),
    };
    let told = later.send(resolve.clone().approved(&id)).await;
    auditor.finds_refused(&told, "not-approved", "moved").await;
}

#[tokio::test]
async fn where_nobody_moves_to() {
    let (world, app) = World::new().await;
    let admin = world.actor(&app, "security-admin");
    for (request, status, problem) in [
        (to(&world, "agent", 2, "C1"), 412, "stale"),
        (to(&world, "agent", 1, "H0"), 409, "same-department"),
        (to(&world, "agent", 1, "X9"), 404, "not-found"),
        (to(&world, "agent", 1, "U1"), 400, "bad-json"),
        (off(&world, "agent").once("one"), 400, "idempotency-not-supported"),
    ] {
        admin.send(request).await.fails(status, problem);
    }
    world.actor(&app, "agent").get("/v1/me").await.is(200);
}

#[tokio::test]
async fn people_are_found_by_the_beginning_of_their_account_name() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let names = async |body| {
        let page = admin.post(format!("{PEOPLE}/find"), &body).await.is(200).json();
        let items = page["items"].as_array().unwrap().clone();
        let names: Vec<String> = items
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect();
        (names, page["next"].clone())
    };
    let (all, _) = names(json!({"name": "handler-"})).await;
    assert_eq!(all, ["handler-c1", "handler-e4", "handler-w2"]);
    let (first, next) = names(json!({"name": "handler-", "limit": 2})).await;
    assert_eq!(first, ["handler-c1", "handler-e4"]);
    let (rest, _) = names(json!({"name": "handler-", "limit": 2, "after": next})).await;
    assert_eq!(rest, ["handler-w2"]);
    assert_eq!(names(json!({"name": "agent"})).await.0, ["agent"]);
    assert_eq!(names(json!({"name": "zz"})).await.0, [""; 0]);
    assert_eq!(names(json!({"name": ""})).await.0.len(), 10);
    let mut of_centre = names(json!({"department": "H0"})).await.0;
    of_centre.sort();
    assert_eq!(of_centre.len(), 7, "{of_centre:?}");
    let mut paged = Vec::new();
    let mut body = json!({"department": "H0", "limit": 3});
    loop {
        let (page, next) = names(body.clone()).await;
        paged.extend(page);
        match next.as_str() {
            Some(next) => body["after"] = json!(next),
            None => break,
        }
    }
    paged.sort();
    assert_eq!(paged, of_centre);
    for neither in [json!({}), json!({"name": "a", "department": "H0"})] {
        let answer = admin.post(format!("{PEOPLE}/find"), &neither).await;
        answer.fails(422, "exactly-one");
    }
    auditor
        .post(format!("{PEOPLE}/find"), &json!({"name": "a"}))
        .await
        .fails(403, "refused");
    let body = json!({"name": "a", "limit": 0});
    admin
        .post(format!("{PEOPLE}/find"), &body)
        .await
        .fails(400, "bad-query");
}
