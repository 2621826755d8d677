//! Every error is a problem: one form, a name, a remedy, and nothing of what came in.

use rusqlite::Connection;
use serde_json::json;

use crate::support::{World, caller, intake};

const NUMBER: &str = "13900001111";

#[tokio::test]
async fn whatever_is_asked_in_a_wrong_way() {
    let (world, app) = World::new().await;
    let cases = [
        ("GET", "/v1/callers/%ff", 400, "mistyped-identifier"),
        ("GET", "/v1/tickets/%ff", 400, "mistyped-identifier"),
        ("POST", "/v1/callers/%ff/reveal", 400, "mistyped-identifier"),
        ("GET", "/v1/tickets/13912345678", 400, "mistyped-identifier"),
        ("GET", "/v1/admin/principals/%ff/tokens", 400, "mistyped-identifier"),
        (
            "DELETE",
            "/v1/admin/principals/%ff/tokens/%fe",
            400,
            "mistyped-identifier",
        ),
        ("GET", "/docs/%ff", 400, "not-understood"),
        ("GET", "/docs/13912345678", 404, "not-understood"),
        ("GET", "/13912345678", 404, "no-route"),
        ("GET", "/v1/intake", 405, "no-method"),
        ("DELETE", "/v1/tickets", 405, "no-method"),
        ("POST", "/v1/intake", 415, "not-json"),
        ("GET", "/v1/tickets?limit=13912345678000", 400, "bad-query"),
        ("GET", "/v1/tickets?phone=13912345678", 400, "bad-query"),
        ("GET", "/v1/tickets?limit=1&limit=2", 400, "bad-query"),
        ("GET", "/v1/tickets?purpose=%ff", 400, "bad-query"),
    ];
    for (method, path, status, problem) in cases {
        let answer = world.call(&app, "agent", method, path, &[], "").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem),
            "{method} {path}: {}",
            answer.text
        );
        assert_eq!(answer.json()["status"], json!(status));
        assert!(!answer.text.contains("13912345678"), "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let kind = [("content-type", "text/plain")];
    let plain = world.call(&app, "agent", "POST", "/v1/intake", &kind, "").await;
    assert_eq!((plain.status, plain.problem().as_str()), (415, "not-json"));
    let whole = world.get(&app, "nobody", "/docs/").await;
    assert_eq!(whole.status, 200, "what is no error stays as it is");
}

#[tokio::test]
async fn a_name_that_comes_twice() {
    let (world, app) = World::new().await;
    let good = intake(caller("王小明", NUMBER)).to_string();
    let twice = |from: &str, to: &str| {
        assert!(good.contains(from), "{good}");
        good.replacen(from, to, 1)
    };
    let bodies = [
        twice("\"name\":", "\"name\":\"李四光\",\"name\":"),
        twice("\"name\":", "\"n\\u0061me\":\"李四光\",\"name\":"),
        twice("\"text\":", "\"text\":\"另一件\",\"text\":"),
        twice("\"kind\":", "\"kind\":\"help\",\"kind\":"),
        twice("\"channel\":", "\"channel\":\"web\",\"channel\":"),
        twice("\"call\":", "\"caller\":{},\"call\":"),
        twice("\"call\":", "\"extra\":{},\"call\":"),
        twice("\"channel\":", "\"extra\":\"web\",\"channel\":"),
    ];
    for body in bodies {
        let answer = world.call(&app, "agent", "POST", "/v1/intake", &[], &body).await;
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad-json"), "{body}");
        assert!(
            !answer.text.contains('李') && !answer.text.contains("extra"),
            "{}",
            answer.text
        );
    }
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let ask = format!(
        "{{\"ticket\":\"{no}\",\"purpose\":\"curiosity\",\"purpose\":\"handle\",\"fields\":[\"name\"],\"form\":\"clear\"}}"
    );
    let path = format!("/v1/callers/{reference}");
    let answer = world
        .call(&app, "handler-c1", "POST", &format!("{path}/reveal"), &[], &ask)
        .await;
    assert_eq!(answer.problem(), "bad-json");
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", NUMBER)))
        .await;
    let (no, path) = (
        taken.at("/ticket/no"),
        format!("/v1/callers/{}", taken.at("/caller/ref")),
    );
    let correction = format!(
        "{{\"ticket\":\"{no}\",\"reason\":\"听错\",\"fields\":{{\"callback_number\":\"13700009999\",\
         \"callback_number\":\"13700008888\"}}}}"
    );
    let answer = world
        .call(&app, "agent", "PATCH", &path, &[("if-match", "\"1\"")], &correction)
        .await;
    assert_eq!(answer.problem(), "bad-json", "{}", answer.text);
}

#[tokio::test]
async fn no_code_in_clear_holds_a_value() {
    let (world, app) = World::new().await;
    let with = |name: &str, value: &str| {
        let mut body = intake(caller("王小明", NUMBER));
        body["ticket"][name] = json!(value);
        body
    };
    let cases = [
        ("category", "zhang_san_13912345678", "bad-category"),
        ("category", "zhang_san", "bad-category"),
        ("category", "Noise", "bad-category"),
        ("category", "", "bad-category"),
        ("township", "139123456780", "bad-township"),
        ("township", "130123456780", "bad-township"),
        ("township", "013912345678", "bad-township"),
        ("township", "13912345678", "bad-township"),
        ("township", "110105194912310", "bad-township"),
        ("township", "991231", "bad-township"),
        ("township", "319905", "bad-township"),
        ("township", "３１０１１３", "bad-township"),
    ];
    for (name, value, problem) in cases {
        let answer = world.post(&app, "agent", "/v1/intake", &with(name, value)).await;
        assert_eq!((answer.status, answer.problem().as_str()), (422, problem), "{value}");
        assert!(value.is_empty() || !answer.text.contains(value), "{}", answer.text);
    }
    for township in ["310113", "130102003", "310113102201", "659001", "429004", "810000"] {
        let answer = world
            .post(&app, "agent", "/v1/intake", &with("township", township))
            .await;
        assert_eq!(answer.status, 201, "{township}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_missing_key_is_told_from_an_edited_row() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let keys = Connection::open(&world.places.keys).unwrap();
    for (sql, problem) in [
        ("UPDATE record_key SET kek = 9", "no-such-key"),
        ("UPDATE record_key SET kek = 1, wrapped = zeroblob(62)", "integrity"),
        ("DELETE FROM record_key", "no-record-key"),
    ] {
        assert!(keys.execute(sql, []).unwrap() > 0);
        let answer = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (500, problem),
            "{}",
            answer.text
        );
        assert!(!answer.text.contains(NUMBER));
    }
}
