//! The same request several times at once: it happens once, and everybody hears the same.

use std::collections::BTreeSet;
use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::calls::import::import;
use crate::support::{Answer, World, caller, intake};

const AT_ONCE: usize = 8;
type Headers = &'static [(&'static str, &'static str)];

/// Method, path and body, sent by one of the staff with these headers.
struct Request {
    who: &'static str,
    method: &'static str,
    path: String,
    headers: Headers,
    body: Value,
}

/// Sends it so many times at once: each is decided before any is done. The test's runtime has one thread, and the log's
/// writer is kept waiting until every request has come to it.
async fn at_once(world: &Arc<World>, app: &Arc<App>, request: Request) -> Vec<Answer> {
    let request = Arc::new(request);
    let held = world.data();
    held.hold();
    let mut sent = tokio::task::JoinSet::new();
    for _ in 0..AT_ONCE {
        let (world, app, it) = (Arc::clone(world), Arc::clone(app), Arc::clone(&request));
        sent.spawn(async move {
            let body = it.body.to_string();
            world.call(&app, it.who, it.method, &it.path, it.headers, &body).await
        });
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
    let call = intake(caller("王小明", "13900001111"));
    let no = world.post(&app, "agent", "/v1/intake", &call).await.at("/ticket/no");
    let world = Arc::new(world);
    let step = |who, word: &str, headers, body| Request {
        who,
        method: "POST",
        path: format!("/v1/tickets/{no}/{word}"),
        headers,
        body,
    };
    let seen: Headers = &[("idempotency-key", "one"), ("if-match", "\"1\"")];
    let dispatch = step(
        "dispatcher",
        "dispatch",
        seen,
        json!({"department": "C1", "reason": "请核查"}),
    );
    alike(&at_once(&world, &app, dispatch).await);
    let unseen: Headers = &[("idempotency-key", "two")];
    let close = step("handler-c1", "close", unseen, json!({"reason": "完成"}));
    alike(&at_once(&world, &app, close).await);
    clean(&world, app).await;
}

#[tokio::test]
async fn a_call_and_a_correction() {
    let (world, app) = World::new().await;
    let world = Arc::new(world);
    let call = Request {
        who: "agent",
        method: "POST",
        path: "/v1/intake".to_owned(),
        headers: &[("idempotency-key", "one")],
        body: intake(caller("王小明", "13900001111")),
    };
    let taken = at_once(&world, &app, call).await;
    alike(&taken);
    let correction = |key: Headers| Request {
        who: "agent",
        method: "PATCH",
        path: format!("/v1/callers/{}", taken[0].at("/caller/ref")),
        headers: key,
        body: json!({"ticket": taken[0].at("/ticket/no"), "reason": "听错",
            "fields": {"callback_number": "13700009999"}}),
    };
    let reused: Headers = &[("idempotency-key", "one"), ("if-match", "\"1\"")];
    for answer in at_once(&world, &app, correction(reused)).await {
        assert_eq!(answer.problem(), "idempotency-key-reused", "{}", answer.text);
    }
    let fresh: Headers = &[("idempotency-key", "two"), ("if-match", "\"1\"")];
    alike(&at_once(&world, &app, correction(fresh)).await);
    clean(&world, app).await;
}

#[tokio::test]
async fn an_administrators_write_takes_no_key() {
    let (world, app) = World::new().await;
    let agent = format!("/v1/admin/principals/{}", world.id("agent"));
    let token = world
        .get(&app, "security-admin", &format!("{agent}/tokens"))
        .await
        .at("/items/0/id");
    let writes = [
        (
            "security-admin",
            "POST",
            "/v1/admin/departments".to_owned(),
            r#"{"code": "Z9", "name": "Z", "kind": "organ"}"#,
        ),
        (
            "security-admin",
            "POST",
            "/v1/admin/principals".to_owned(),
            r#"{"name": "new", "department": "C1", "roles": ["handler"], "kind": "person"}"#,
        ),
        (
            "security-admin",
            "PUT",
            agent.clone(),
            r#"{"roles": ["agent"], "active": false}"#,
        ),
        ("security-admin", "POST", format!("{agent}/tokens"), "{}"),
        ("security-admin", "DELETE", format!("{agent}/tokens/{token}"), ""),
        ("system-admin", "POST", "/v1/keys/lock".to_owned(), ""),
        // The key is refused before the body is looked at.
        ("security-admin", "POST", "/v1/admin/principals".to_owned(), "{}"),
    ];
    for (who, method, path, body) in writes {
        let headers = [("idempotency-key", "one"), ("if-match", "\"1\"")];
        let answer = world.call(&app, who, method, &path, &headers, body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "idempotency-not-supported"),
            "{method} {path}: {}",
            answer.text
        );
        assert!(answer.at("/detail").contains("revoke"), "{}", answer.text);
    }
    let tokens = world.get(&app, "security-admin", &format!("{agent}/tokens")).await;
    assert_eq!(
        tokens.json()["items"].as_array().map(Vec::len),
        Some(1),
        "none was issued"
    );
    assert_eq!(world.get(&app, "agent", "/v1/tickets?purpose=intake").await.status, 200);
    let document = world.get(&app, "nobody", "/openapi.json").await.json();
    let issue = &document["paths"]["/v1/admin/principals/{id}/tokens"]["post"]["responses"]["400"];
    assert!(issue.to_string().contains("idempotency-not-supported"), "{issue}");
}

/// Another writing of the same JSON is the same request; another value is another.
#[tokio::test]
async fn white_space_and_the_order_of_names_do_not_matter() {
    let (world, app) = World::new().await;
    let key = [("idempotency-key", "one")];
    let send = async |body: &str| world.call(&app, "agent", "POST", "/v1/intake", &key, body).await;
    let call = r#"{"call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": {"name": "王小明", "callback_number": "13900001111"},
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "夜里施工"}}"#;
    let first = send(call).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let turned = "{\"ticket\":{\"text\":\"\\u591c里施工\",\"township\":\"310113\",\"category\":\"noise\",\"kind\":\"complaint\"},\
        \"caller\":{\"callback_number\":\"13900001111\",\"name\":\"王小明\"},\
        \"call\":{\"received_at\":\"2026-11-01T09:00:00+08:00\",\"channel\":\"phone\"}}";
    let again = send(turned).await;
    assert_eq!((again.status, &again.text), (201, &first.text), "the first answer");
    for other in [
        call.replace("13900001111", "13900001112"),
        call.replace("夜里施工", "夜里施工 "),
    ] {
        let answer = send(&other).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (422, "idempotency-key-reused")
        );
    }
    let twice = send(&call.replace(r#""channel": "phone","#, r#""channel": "phone", "x": 1, "x": 2,"#)).await;
    assert_eq!(
        (twice.status, twice.problem().as_str()),
        (400, "bad-json"),
        "{}",
        twice.text
    );
    clean(&world, app).await;
}

#[tokio::test]
async fn an_import_knows_a_record_however_it_is_written() {
    let (world, app) = World::new().await;
    drop(app);
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
    assert!(words.contains("+ 1 known already + 0 rejected"), "{words}");
    // Of two values the program would take the last; another reader of the same line might take the first.
    let twice = line
        .replace("\"C001\"", "\"C901\"")
        .replacen('{', "{\"anonymous\": true, ", 1);
    assert!(twice.contains("\"anonymous\": false"), "{twice}");
    assert!(take(&twice).contains("1 rejected"), "a name that comes twice");
    assert_eq!(world.fsck().await, []);
}
