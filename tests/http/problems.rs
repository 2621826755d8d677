//! Every error is a problem: one form, a name, a remedy, and nothing of what came in.

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
    let keys = world.keys();
    let key = keys.rows("record_key");
    let edits: [(&dyn Fn(), &str); 3] = [
        (&|| _ = key.set("kek", 9), "no-such-key"),
        (&|| _ = (key.set("kek", 1), key.set("wrapped", [0; 62])), "integrity"),
        (&|| _ = key.delete(), "no-record-key"),
    ];
    for (edit, problem) in edits {
        edit();
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

#[tokio::test]
async fn a_request_has_one_name_in_its_answer_its_problem_and_the_log() {
    let (world, app) = World::new().await;
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", NUMBER)))
        .await;
    let page = world.get(&app, "auditor", "/v1/audit/events?act=intake").await;
    let name = taken.headers["x-request-id"].to_str().unwrap();
    assert_eq!(page.at("/entries/0/leaf/req"), name, "{}", page.text);
    for path in ["/v1/tickets/13912345678", "/nowhere", "/docs/nowhere"] {
        let answer = world.get(&app, "agent", path).await;
        assert_eq!(
            answer.at("/request_id"),
            answer.headers["x-request-id"].to_str().unwrap()
        );
    }
    for path in ["/livez", "/v1/tickets?purpose=intake", "/openapi.json"] {
        let answer = world.get(&app, "agent", path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["x-request-id"].len(), 32, "{path}");
    }
}

#[tokio::test]
async fn problems_are_told_in_the_language_that_is_asked_for() {
    let (world, app) = World::new().await;
    let asked = [("accept-language", "zh-CN,zh;q=0.9,en;q=0.5")];
    let chinese = world.call(&app, "agent", "GET", "/v1/tickets/1", &asked, "").await;
    assert_eq!(chinese.problem(), "mistyped-identifier", "a name has no language");
    assert_eq!(chinese.headers["content-language"], "zh-CN");
    assert_eq!(chinese.at("/detail"), "地址中的工单编号有误：长度或校验位不对。");
    let refused = world
        .call(&app, "handler-c1", "POST", "/v1/keys/lock", &asked, "")
        .await;
    assert_eq!(refused.status, 403);
    let index = refused.json()["audit"]["index"].as_u64().unwrap();
    assert!(
        refused.at("/detail").ends_with(&format!("日志第 {index} 条。")),
        "{}",
        refused.text
    );
    let english = world.get(&app, "agent", "/v1/tickets/1").await;
    assert_eq!(english.headers["content-language"], "en");
}

/// What is wrong is told by its place in the declared shape and by the words allowed, never by what came in.
#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place_and_its_rule() {
    let (world, app) = World::new().await;
    let whole = intake(caller("王小明", NUMBER));
    let changed = |pointer: &str, value: serde_json::Value| {
        let mut body = whole.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    let mut unknown = whole.clone();
    unknown["call"]["13912345678"] = json!(1);
    let mut missing = whole.clone();
    missing["ticket"].as_object_mut().unwrap().remove("kind");
    let cases = [
        (
            changed("/call/channel", json!("13912345678")),
            "`call.channel`",
            "`phone`",
        ),
        (changed("/ticket/kind", json!(13_912_345_678_u64)), "`ticket.kind`", ""),
        (changed("/caller/name", json!(["13912345678"])), "`caller.name`", ""),
        (unknown, "`call", "`channel`"),
        (missing, "`ticket`", "`kind` is missing"),
    ];
    for (body, place, rule) in cases {
        let answer = world.post(&app, "agent", "/v1/intake", &body).await;
        let detail = answer.at("/detail");
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-json"),
            "{detail}"
        );
        assert!(
            detail.contains(place) && detail.contains(rule),
            "{place} {rule}: {detail}"
        );
        assert!(!answer.text.contains("13912345678"), "{}", answer.text);
    }
}

#[tokio::test]
async fn what_a_parameter_may_be_is_told() {
    let (world, app) = World::new().await;
    let cases = [
        ("/v1/tickets?limit=0", "`limit`: expected a number from 1 to 200"),
        ("/v1/tickets?limit=201", "from 1 to 200"),
        ("/v1/approvals?limit=1000", "from 1 to 200"),
        ("/v1/audit/follow?from=0&limit=0", "from 1 to 200"),
        ("/v1/audit/events?limit=0", "from 1 to 200"),
        ("/v1/audit/events?from=2026-11-01T09:00:00", "%2B"),
        ("/v1/audit/events?from=2026-11-01T09:00:00+08:00", "%2B"),
        ("/v1/audit/events?act=field.revael", "`field.reveal`"),
        ("/v1/audit/events?field=phone", "`callback_number`"),
        ("/v1/audit/events?role=boss", "`handler`"),
        ("/v1/tickets?purpose=fun", "`handle`"),
        ("/v1/tickets?after=1&after=2", "`after` is there twice"),
        (
            "/v1/tickets?phone=13912345678",
            "no such parameter: expected one of `purpose`, `after`, `limit`",
        ),
        ("/v1/tickets?purpose=%ff", "UTF-8"),
    ];
    for (path, told) in cases {
        let answer = world.get(&app, "auditor", path).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (400, "bad-query"),
            "{path}: {}",
            answer.text
        );
        assert!(answer.at("/detail").contains(told), "{path}: {}", answer.text);
        assert!(!answer.text.contains("13912345678"), "{}", answer.text);
    }
    let right = world
        .get(&app, "auditor", "/v1/audit/events?from=2026-11-01T09:00:00%2B08:00")
        .await;
    assert_eq!(right.status, 200, "{}", right.text);
}
