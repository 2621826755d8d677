//! The same request several times at once: it happens once, and everybody hears the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::calls::import::import;
use crate::support::{Answer, NAME, NUMBER, PEOPLE, Request, World, caller, intake};

const AT_ONCE: usize = 8;

/// Sends it so many times at once: each is decided before any is done. The test's runtime has one thread, and the log's
/// writer is kept waiting until every request has come to it.
async fn at_once(world: &Arc<World>, app: &Arc<App>, who: &'static str, request: Request) -> Vec<Answer> {
    let held = world.data();
    held.hold();
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (world, app, request) = (Arc::clone(world), Arc::clone(app), request.clone());
        sent.spawn(async move { world.actor(&app, who).send(request).await });
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    held.give_up();
    sent.join_all().await
}

/// All are answered alike, byte for byte, and it is a success.
fn alike(answers: &[Answer]) {
    let texts: BTreeSet<&str> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert!(answers.iter().all(|answer| answer.status < 300), "{texts:?}");
    assert_eq!((answers.len(), texts.len()), (AT_ONCE, 1), "{texts:?}");
}

async fn clean(world: &World, app: Arc<App>) {
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn steps_of_a_ticket() {
    let (world, app) = World::new().await;
    let case = world.actor(&app, "agent").take(caller(NAME, NUMBER)).await;
    let world = Arc::new(world);
    let step = |word: &str, body: &Value| Request::post(format!("{}/{word}", case.ticket()), body);
    let to = json!({"department": "C1", "reason": "请核查"});
    let dispatch = step("dispatch", &to).once("one").version(1);
    alike(&at_once(&world, &app, "dispatcher", dispatch).await);
    let sign = step("sign", &json!({})).once("two");
    alike(&at_once(&world, &app, "handler-c1", sign).await);
    clean(&world, app).await;
}

#[tokio::test]
async fn a_call_and_a_correction() {
    let (world, app) = World::new().await;
    let world = Arc::new(world);
    let call = Request::post("/v1/intake", &intake(caller(NAME, NUMBER))).once("one");
    let taken = at_once(&world, &app, "agent", call).await;
    alike(&taken);
    let case = taken[0].case();
    let other = json!({"ticket": case.no, "reason": "听错", "fields": {"callback_number": "13700009999"}});
    let correction = Request::patch(case.caller(), &other).version(1);
    for answer in at_once(&world, &app, "agent", correction.clone().once("one")).await {
        answer.fails(422, "idempotency-key-reused");
    }
    alike(&at_once(&world, &app, "agent", correction.once("two")).await);
    clean(&world, app).await;
}

/// Two records of one person would stay two: from then on neither is certain.
#[tokio::test]
async fn calls_of_one_new_person_at_once_make_one_caller() {
    let (world, app) = World::new().await;
    let world = Arc::new(world);
    let call = Request::post("/v1/intake", &intake(caller(NAME, NUMBER)));
    let taken = at_once(&world, &app, "agent", call).await;
    let callers: BTreeSet<String> = taken.iter().map(|answer| answer.at("/caller/ref")).collect();
    assert!(taken.iter().all(|answer| answer.status == 201), "{callers:?}");
    assert_eq!(callers.len(), 1, "{callers:?}");
    let found = world.actor(&app, "agent").lookup(NUMBER).await.is(200);
    assert_eq!(found.json()["callers"].as_array().unwrap().len(), 1, "{}", found.text);
    clean(&world, app).await;
}

#[tokio::test]
async fn an_administrators_write_takes_no_key() {
    let (world, app) = World::new().await;
    let [admin, system] = world.actors(&app, ["security-admin", "system-admin"]);
    let account = world.account("agent");
    let tokens = format!("{account}/tokens");
    let token = admin.get(&*tokens).await.at("/items/0/id");
    let department = json!({"code": "Z9", "name": "Z", "kind": "organ"});
    let person = json!({"name": "new", "department": "C1", "roles": ["handler"], "kind": "person"});
    let barred = json!({"roles": ["agent"], "active": false});
    for (who, write) in [
        (admin, Request::post("/v1/admin/departments", &department)),
        (admin, Request::post(PEOPLE, &person)),
        // The key is refused before the body is looked at.
        (admin, Request::post(PEOPLE, &json!({}))),
        (admin, Request::put(account, &barred)),
        (admin, Request::post(&*tokens, &json!({}))),
        (admin, Request::delete(format!("{tokens}/{token}"))),
        (system, Request::bare("POST", "/v1/keys/lock")),
    ] {
        let answer = who.send(write.once("one").version(1)).await;
        let answer = answer.fails(400, "idempotency-not-supported");
        assert!(answer.at("/detail").contains("revoke"), "{}", answer.text);
    }
    let listed = admin.get(tokens).await.json();
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(1), "none was issued");
    let [agent, nobody] = world.actors(&app, ["agent", "nobody"]);
    agent.get("/v1/tickets?purpose=intake").await.is(200);
    let document = nobody.get("/openapi.json").await.json();
    let issue = &document["paths"]["/v1/admin/principals/{id}/tokens"]["post"]["responses"]["400"];
    assert!(issue.to_string().contains("idempotency-not-supported"), "{issue}");
}

/// Another writing of the same JSON is the same request; another value is another.
#[tokio::test]
async fn white_space_and_the_order_of_names_do_not_matter() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let send = async |body: &str| {
        let call = Request::bare("POST", "/v1/intake").body(body);
        agent.send(call.once("one")).await
    };
    let call = r#"{"call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": {"name": "王小明", "callback_number": "13900001111"},
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "夜里施工"}}"#;
    let first = send(call).await.is(201);
    let turned = "{\"ticket\":{\"text\":\"\\u591c里施工\",\"township\":\"310113\",\"category\":\"noise\",\"kind\":\"complaint\"},\
        \"caller\":{\"callback_number\":\"13900001111\",\"name\":\"王小明\"},\
        \"call\":{\"received_at\":\"2026-11-01T09:00:00+08:00\",\"channel\":\"phone\"}}";
    let again = send(turned).await.is(201);
    assert_eq!(again.text, first.text, "the first answer");
    for other in [
        call.replace("13900001111", "13900001112"),
        call.replace("夜里施工", "夜里施工 "),
    ] {
        send(&other).await.fails(422, "idempotency-key-reused");
    }
    let twice = call.replace(r#""channel": "phone","#, r#""channel": "phone", "x": 1, "x": 2,"#);
    send(&twice).await.fails(400, "bad-json");
    clean(&world, app).await;
}

#[tokio::test]
async fn an_import_knows_a_record_however_it_is_written() {
    let world = World::closed().await;
    let line = include_str!("../data/calls.jsonl").lines().next().unwrap();
    let record: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    let turned: Vec<String> = record
        .iter()
        .rev()
        .map(|(name, value)| format!("{} : {value}", json!(name)))
        .collect();
    let file = world.dir.path().join("calls.jsonl");
    let take = |line: &str| {
        std::fs::write(&file, line).unwrap();
        let done = import(&world, &file);
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    assert!(take(line).contains("1 lines = 1 taken"), "the first time");
    let words = take(&format!("{{ {} }}", turned.join(" , ")));
    assert!(words.contains("+ 1 already known + 0 rejected"), "{words}");
    // Of two values the program would take the last; another reader of the same line might take the first.
    let twice = line
        .replace("\"C001\"", "\"C901\"")
        .replacen('{', "{\"anonymous\": true, ", 1);
    assert!(twice.contains("\"anonymous\": false"), "{twice}");
    assert!(take(&twice).contains("1 rejected"), "a name that comes twice");
    assert_eq!(world.fsck().await, []);
}
