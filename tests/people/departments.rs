//! Departments are named, known by the city's own code, closed and merged; those who send tickets find them by name.

use callervault::model::principals::Role;
use callervault::vault::people::NewPrincipal;
use serde_json::{Value, json};

use crate::support::approvals::person;
use crate::support::{Actor, Answer, PEOPLE, Request, World, caller};

const DEPARTMENTS: &str = "/v1/admin/departments";

fn named(code: &str, version: u64, body: &Value) -> Request {
    Request::put(format!("{DEPARTMENTS}/{code}"), body).version(version)
}

fn close(code: &str, version: u64, body: &Value) -> Request {
    Request::post(format!("{DEPARTMENTS}/{code}/close"), body).version(version)
}

fn off(world: &World, account: &str) -> Request {
    Request::bare("POST", format!("{}/switch-off", world.account(account)))
}

/// The codes of a list.
async fn codes(who: Actor<'_>, query: &str) -> Vec<String> {
    let page = who.get(format!("/v1/departments{query}")).await.is(200).json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_department_gets_another_name_and_keeps_its_code() {
    let (world, app) = World::new().await;
    let [admin, auditor, handler] = world.actors(&app, ["security-admin", "auditor", "handler-c1"]);
    let case = world.case(&app, "C1").await;
    let body = json!({"name": "水务局", "city_code": "11310000MB2F3013XX"});
    let set = admin.send(named("C1", 1, &body)).await.is(200);
    assert_eq!(set.headers["etag"], "\"2\"");
    let now = set.json();
    assert_eq!(
        (&now["name"], &now["city_code"], &now["state"]),
        (&body["name"], &body["city_code"], &json!("open"))
    );
    let leaf = auditor.entry(&set).await;
    assert_eq!(leaf["act"], "admin.department");
    assert_eq!(leaf["link"], json!({"department": "C1", "deed": "name"}), "and no name");
    // Its references are the same, and it is called by its new name.
    handler.reveal(&case).masked().await.is(200);
    assert_eq!(handler.get("/v1/me").await.at("/department/name"), "水务局");
    // A version that was not the one seen, and a code that another department has.
    admin.send(named("C1", 1, &body)).await.fails(412, "stale");
    admin.send(named("W2", 1, &body)).await.fails(409, "taken");
    let bare = Request::put(format!("{DEPARTMENTS}/C1"), &body);
    admin.send(bare).await.fails(428, "if-match-required");
    let none = json!({"name": "水务局"});
    let set = admin.send(named("C1", 2, &none)).await.is(200);
    assert_eq!(set.json().get("city_code"), None);
    for (name, city_code) in [
        ("", None),
        ("a\u{7}", None),
        ("水务局", Some("")),
        ("水务局", Some("1 2")),
        ("水务局", Some("\t")),
    ] {
        let body = json!({"name": name, "city_code": city_code});
        admin.send(named("C1", 3, &body)).await.fails(422, "bad-department");
    }
    for who in ["agent", "dispatcher", "auditor", "system-admin"] {
        let refused = world.actor(&app, who).send(named("C1", 3, &none)).await;
        refused.fails(403, "refused");
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn who_sends_tickets_finds_departments_by_name() {
    let (world, app) = World::new().await;
    let [admin, dispatcher] = world.actors(&app, ["security-admin", "dispatcher"]);
    for (code, name, city_code) in [
        ("Q1", "青浦区水务局", "31-118"),
        ("Q2", "青浦区公安局", "31-119"),
        ("Q3", "青浦", "31-120"),
    ] {
        let new = json!({"code": code, "name": name, "kind": "organ", "city_code": city_code});
        admin.post(DEPARTMENTS, &new).await.is(201);
    }
    let whole = "?name=%E9%9D%92%E6%B5%A6";
    assert_eq!(codes(dispatcher, whole).await, ["Q3", "Q2", "Q1"], "by name");
    let mut query = format!("{whole}&limit=1");
    let mut seen = Vec::new();
    loop {
        let page = dispatcher.get(format!("/v1/departments{query}")).await.is(200);
        seen.push(page.at("/items/0/code"));
        match page.json()["next"].as_str() {
            Some(next) if seen.len() < 5 => query = format!("{whole}&limit=1&after={next}"),
            _ => break,
        }
    }
    seen.retain(|code| !code.is_empty());
    assert_eq!(seen, ["Q3", "Q2", "Q1"], "page by page");
    assert_eq!(codes(dispatcher, "?city_code=31-119").await, ["Q2"]);
    assert_eq!(codes(dispatcher, "?city_code=31-119&name=x").await, [""; 0]);
    assert_eq!(codes(dispatcher, "?name=x").await, [""; 0]);
    // One that was closed is not among them.
    let closed = admin.send(close("Q2", 1, &json!({}))).await.is(200);
    assert_eq!(codes(dispatcher, whole).await, ["Q3", "Q1"]);
    assert_eq!(codes(dispatcher, "?city_code=31-119").await, [""; 0]);
    // Its city code is free for another, and the log says which it was.
    assert_eq!(closed.json().get("city_code"), None, "{}", closed.text);
    let leaf = world.actor(&app, "auditor").entry(&closed).await;
    assert_eq!(leaf["link"]["city_code_before"], "31-119");
    let heir = json!({"name": "青浦", "city_code": "31-119"});
    admin.send(named("Q3", 1, &heir)).await.is(200);
    assert_eq!(codes(dispatcher, "?city_code=31-119").await, ["Q3"]);
    for who in ["agent", "handler-c1", "auditor", "dpo", "system-admin"] {
        world
            .actor(&app, who)
            .get("/v1/departments")
            .await
            .fails(403, "refused");
    }
    let list = dispatcher.get("/v1/departments").await;
    let leaf = world.actor(&app, "auditor").entry(&list).await;
    assert_eq!(
        (&leaf["act"], &leaf["purpose"]),
        (&json!("department.list"), &json!("dispatch"))
    );
}

#[tokio::test]
async fn a_department_is_closed_once_nothing_depends_on_it() {
    let (world, app) = World::new().await;
    let [admin, auditor, dispatcher, agent] = world.actors(&app, ["security-admin", "auditor", "dispatcher", "agent"]);
    let case = world.case(&app, "C1").await;
    let end = async |body: Value| admin.send(close("C1", 1, &body)).await;
    end(json!({})).await.fails(409, "department-in-use");
    admin.send(off(&world, "handler-c1")).await.is(200);
    let held = end(json!({})).await;
    assert!(held.at("/detail").contains("tickets"), "{}", held.text);
    held.fails(409, "department-in-use");
    world.ended(&app, &case.no).await;
    end(json!({"into": "C1"})).await.fails(422, "bad-successor");
    end(json!({"into": "X9"})).await.fails(404, "not-found");
    let merged = end(json!({"into": "W2"})).await.is(200);
    assert_eq!(
        (merged.at("/state"), merged.at("/successor")),
        ("merged".to_owned(), "W2".to_owned())
    );
    let leaf = auditor.entry(&merged).await;
    assert_eq!(leaf["link"], json!({"department": "C1", "deed": "merge", "into": "W2"}));
    // It gets no tickets, no accounts, no work, no name.
    let other = agent.take(caller("李四光", "13700002222")).await;
    dispatcher
        .dispatch(&other.no, "C1")
        .await
        .fails(409, "department-closed");
    let new = json!({"name": "handler-9", "department": "C1", "roles": ["handler"], "kind": "person"});
    admin.post(PEOPLE, &new).await.fails(409, "department-closed");
    let on = json!({"roles": ["handler"], "active": true});
    let on = Request::put(world.account("handler-c1"), &on).version(2);
    admin.send(on).await.fails(409, "department-closed");
    let there = Request::post(format!("{}/move", world.account("agent")), &json!({"department": "C1"})).version(1);
    admin.send(there).await.fails(409, "department-closed");
    for again in [close("C1", 2, &json!({})), named("C1", 2, &json!({"name": "C1"}))] {
        admin.send(again).await.fails(409, "department-closed");
    }
    admin
        .send(close("W2", 1, &json!({"into": "C1"})))
        .await
        .fails(409, "department-in-use");
    admin.send(off(&world, "handler-w2")).await.is(200);
    admin
        .send(close("W2", 1, &json!({"into": "C1"})))
        .await
        .fails(409, "department-closed");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A centre is not closed while a ticket that it took may come back to it.
#[tokio::test]
async fn a_department_that_took_an_open_ticket_is_in_use() {
    let (mut world, app) = World::new().await;
    let admin = world.actor(&app, "security-admin");
    let centre = json!({"code": "H9", "name": "H9", "kind": "centre"});
    admin.post(DEPARTMENTS, &centre).await.is(201);
    let there = NewPrincipal {
        department: "H9".parse().unwrap(),
        roles: vec![Role::Agent, Role::Dispatcher],
        ..person("agent-h9", Role::Agent)
    };
    world.hire(&app.vault().unwrap(), "security-admin", there).await;
    let [admin, agent] = world.actors(&app, ["security-admin", "agent-h9"]);
    let case = agent.take(caller("李四光", "13700002222")).await;
    agent.dispatch(&case.no, "C1").await.is(200);
    admin.send(off(&world, "agent-h9")).await.is(200);
    let end = async || admin.send(close("H9", 1, &json!({}))).await;
    end().await.fails(409, "department-in-use");
    let on = json!({"roles": ["agent", "dispatcher"], "active": true});
    let on = Request::put(world.account("agent-h9"), &on).version(2);
    admin.send(on).await.is(200);
    let tokens = format!("{}/tokens", world.account("agent-h9"));
    let token = admin.post(tokens, &json!({})).await.is(201).at("/token");
    let withdraw = Request::post(format!("{}/withdraw", case.ticket()), &json!({"reason": "诉求人撤诉"}));
    let withdraw = withdraw.header("authorization", format!("Bearer {token}"));
    world.actor(&app, "nobody").send(withdraw).await.is(200);
    admin.send(off(&world, "agent-h9")).await.is(200);
    end().await.is(200);
}

/// What the two of them do, both decided on before either is done: the log's writer is kept waiting until each has come to it.
async fn at_once(world: &World, one: (Actor<'_>, Request), other: (Actor<'_>, Request)) -> [Answer; 2] {
    let held = world.data();
    held.hold();
    let let_go = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        held.give_up();
    };
    let (one, other, ()) = tokio::join!(one.0.send(one.1), other.0.send(other.1), let_go);
    [one, other]
}

#[tokio::test]
async fn of_a_closing_and_what_needs_the_department_one_happens() {
    let (world, app) = World::new().await;
    let [admin, dispatcher, agent] = world.actors(&app, ["security-admin", "dispatcher", "agent"]);
    admin.send(off(&world, "handler-c1")).await.is(200);
    let case = agent.take(caller("李四光", "13700002222")).await;
    let body = json!({"department": "C1", "reason": "请核查"});
    let sent = Request::post(format!("{}/dispatch", case.ticket()), &body);
    let answers = at_once(&world, (admin, close("C1", 1, &json!({}))), (dispatcher, sent)).await;
    one_of(answers);

    let new = json!({"code": "C9", "name": "C9", "kind": "organ"});
    admin.post(DEPARTMENTS, &new).await.is(201);
    let new = json!({"name": "handler-9", "department": "C9", "roles": ["handler"], "kind": "person"});
    let made = Request::post(PEOPLE, &new);
    one_of(at_once(&world, (admin, close("C9", 1, &json!({}))), (admin, made)).await);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[track_caller]
fn one_of(answers: [Answer; 2]) {
    let [one, other] = answers.map(|answer| answer.status);
    let done = [one, other].iter().filter(|status| **status < 300).count();
    let stale = [one, other].contains(&412);
    assert!(done == 1 && stale, "{one} and {other}");
}
