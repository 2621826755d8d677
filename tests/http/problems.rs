//! Every error is a problem: one form, a name, a remedy, and nothing of what came in.

use serde_json::json;

use crate::support::{NAME, NUMBER, Request, World, caller, intake};

#[tokio::test]
async fn whatever_is_asked_in_a_wrong_way() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
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
        let answer = agent.send(Request::bare(method, path)).await;
        let answer = answer.fails(status, problem);
        assert_eq!(answer.json()["status"], json!(status));
        assert!(!answer.text.contains("13912345678"), "{}", answer.text);
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    let plain = Request::bare("POST", "/v1/intake").header("content-type", "text/plain");
    agent.send(plain).await.fails(415, "not-json");
    // What is no error stays as it is.
    world.actor(&app, "nobody").get("/docs/").await.is(200);
}

#[tokio::test]
async fn a_name_that_comes_twice() {
    let (world, app) = World::new().await;
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    let good = intake(caller(NAME, NUMBER)).to_string();
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
        let answer = agent.send(Request::bare("POST", "/v1/intake").body(body)).await;
        let answer = answer.fails(400, "bad-json");
        let repeats = answer.text.contains('李') || answer.text.contains("extra");
        assert!(!repeats, "{}", answer.text);
    }
    let case = world.case(&app, "C1").await;
    let no = &case.no;
    let ask = format!(
        "{{\"ticket\":\"{no}\",\"purpose\":\"curiosity\",\"purpose\":\"handle\",\"fields\":[\"name\"],\"form\":\"clear\"}}"
    );
    let ask = Request::bare("POST", format!("{}/reveal", case.caller())).body(ask);
    handler.send(ask).await.fails(400, "bad-json");
    let taken = agent.take(caller(NAME, NUMBER)).await;
    let no = &taken.no;
    let correction = format!(
        "{{\"ticket\":\"{no}\",\"reason\":\"听错\",\"fields\":{{\"callback_number\":\"13700009999\",\
         \"callback_number\":\"13700008888\"}}}}"
    );
    let correction = Request::bare("PATCH", taken.caller()).body(correction);
    agent.send(correction.version(1)).await.fails(400, "bad-json");
}

#[tokio::test]
async fn no_code_in_clear_holds_a_value() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let with = |name: &str, value: &str| {
        let mut body = intake(caller(NAME, NUMBER));
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
        let answer = agent.post("/v1/intake", &with(name, value)).await;
        let answer = answer.fails(422, problem);
        assert!(value.is_empty() || !answer.text.contains(value), "{}", answer.text);
    }
    for township in ["310113", "130102003", "310113102201", "659001", "429004", "810000"] {
        agent.post("/v1/intake", &with("township", township)).await.is(201);
    }
}

#[tokio::test]
async fn a_missing_key_is_told_from_an_edited_row() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let keys = world.keys();
    let key = keys.rows("record_key");
    let edits: [(&dyn Fn(), &str); 3] = [
        (&|| _ = key.set("kek", 9), "no-such-key"),
        (&|| _ = (key.set("kek", 1), key.set("wrapped", [0; 62])), "integrity"),
        (&|| _ = key.delete(), "no-record-key"),
    ];
    for (edit, problem) in edits {
        edit();
        let answer = world.actor(&app, "handler-c1").reveal(&case).clear().await;
        let answer = answer.fails(500, problem);
        assert!(!answer.text.contains(NUMBER));
    }
}

#[tokio::test]
async fn a_request_has_one_name_in_its_answer_its_problem_and_the_log() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let taken = agent.intake(caller(NAME, NUMBER)).await;
    let page = auditor.get("/v1/audit/events?act=intake").await;
    let name = taken.headers["x-request-id"].to_str().unwrap();
    assert_eq!(page.at("/entries/0/leaf/req"), name, "{}", page.text);
    for path in ["/v1/tickets/13912345678", "/nowhere", "/docs/nowhere"] {
        let answer = agent.get(path).await;
        let name = answer.headers["x-request-id"].to_str().unwrap();
        assert_eq!(answer.at("/request_id"), name);
    }
    for path in ["/livez", "/v1/tickets?purpose=intake", "/openapi.json"] {
        let answer = agent.get(path).await.is(200);
        assert_eq!(answer.headers["x-request-id"].len(), 32, "{path}");
    }
}

#[tokio::test]
async fn problems_are_told_in_the_language_that_is_asked_for() {
    let (world, app) = World::new().await;
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    let in_chinese = |request: Request| request.header("accept-language", "zh-CN,zh;q=0.9,en;q=0.5");
    let chinese = agent.send(in_chinese(Request::get("/v1/tickets/1"))).await;
    assert_eq!(chinese.problem(), "mistyped-identifier", "a name has no language");
    assert_eq!(chinese.headers["content-language"], "zh-CN");
    assert_eq!(chinese.at("/detail"), "地址中的工单有误：长度或校验位不对。");
    let lock = in_chinese(Request::bare("POST", "/v1/keys/lock"));
    let refused = handler.send(lock).await.is(403);
    let entry = format!("日志第 {} 条。", refused.index());
    assert!(refused.at("/detail").ends_with(&entry), "{}", refused.text);
    let english = agent.get("/v1/tickets/1").await;
    assert_eq!(english.headers["content-language"], "en");
}

/// What is wrong is told by its place in the declared shape and by the words allowed, never by what came in.
#[tokio::test]
async fn what_does_not_fit_is_told_with_its_place_and_its_rule() {
    let (world, app) = World::new().await;
    let whole = intake(caller(NAME, NUMBER));
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
        let answer = world.actor(&app, "agent").post("/v1/intake", &body).await;
        let answer = answer.fails(400, "bad-json");
        let detail = answer.at("/detail");
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
    let auditor = world.actor(&app, "auditor");
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
        ("/v1/tickets?due_before=13912345678", "a day such as 2026-12-31"),
        ("/v1/tickets?card=green", "`yellow`"),
        ("/v1/tickets?after=1&after=2", "`after` is given twice"),
        (
            "/v1/tickets?phone=13912345678",
            "no such parameter: expected one of `purpose`, `order`, ",
        ),
        ("/v1/tickets?purpose=%ff", "UTF-8"),
    ];
    for (path, told) in cases {
        let answer = auditor.get(path).await.fails(400, "bad-query");
        assert!(answer.at("/detail").contains(told), "{path}: {}", answer.text);
        assert!(!answer.text.contains("13912345678"), "{}", answer.text);
    }
    let right = auditor.get("/v1/audit/events?from=2026-11-01T09:00:00%2B08:00").await;
    right.is(200);
}
