//! The statement to a caller: what is held, who has read it, and that nothing is left out.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::approvals::merge;
use crate::support::rows::Store;
use crate::support::{Answer, Case, NAME, NUMBER, Request, World, caller, report};

/// The officer's reference to the caller of a case.
pub(crate) async fn officers(world: &World, app: &Arc<App>, case: &Case) -> (String, String) {
    let subject = world.subject(app, case).await;
    let reference = world.officers_reference(app, &subject).await;
    (subject, reference)
}

pub(crate) async fn statement(world: &World, app: &Arc<App>, reference: &str, query: &str) -> Answer {
    let path = format!("/v1/callers/{reference}/statement?limit=200{query}");
    world.actor(app, "dpo").get(path).await
}

pub(crate) fn entries(statement: &Value) -> &Vec<Value> {
    statement["entries"].as_array().unwrap()
}

/// The numbers of a statement's entries, newest first.
fn numbers(statement: &Value) -> Vec<u64> {
    let numbered = entries(statement).iter();
    numbered.filter_map(|line| line["number"].as_u64()).collect()
}

pub(crate) fn restrict(reference: &str) -> Request {
    let body = json!({"reason": "the caller contests the address"});
    Request::post(format!("/v1/callers/{reference}/restrict"), &body)
}

pub(crate) fn unrestrict(reference: &str) -> Request {
    let path = format!("/v1/callers/{reference}/unrestrict");
    Request::bare("POST", path).header("approval-reason", "checked%20and%20right")
}

#[tokio::test]
async fn a_statement_has_every_read_and_names_no_person() {
    let (world, app) = World::new().await;
    let [handler, w2] = world.actors(&app, ["handler-c1", "handler-w2"]);
    let case = world.case(&app, "C1").await;
    let other = world.case_of(&app, "W2", caller("李四光", "13900007777")).await;
    handler.reveal(&case).clear().await.is(200);
    handler.verify(&case, "callback_number", NUMBER).await.is(200);
    w2.reveal(&other).clear().await.is(200);
    // Somebody tries a ticket of another caller: the statement does not say which.
    let tried = Case {
        reference: case.reference.clone(),
        no: other.no.clone(),
    };
    handler.reveal(&tried).clear().await.is(403);
    let (subject, reference) = officers(&world, &app, &case).await;
    let first = statement(&world, &app, &reference, "").await.is(200);
    let told = first.json();
    assert_eq!(told["subject"], json!(subject));
    assert_eq!(
        told["held"]["fields"],
        json!(["callback_number", "caller_number", "name", "salutation"])
    );
    assert_eq!(told["held"]["tickets"][0]["no"], json!(case.no));
    assert_eq!(told["held"]["tickets"][0]["fields"], json!(["dispatch_reason", "text"]));
    let shown = entries(&told)
        .iter()
        .find(|line| line["form"] == "clear" && line["what"] == "shown");
    let shown = shown.unwrap();
    for (key, value) in [
        ("department", "C1"),
        ("department_name", "Department C1"),
        ("role", "handler"),
        ("purpose", "handle"),
        ("ticket", case.no.as_str()),
    ] {
        assert_eq!(shown[key], value, "{shown}");
    }
    assert_eq!(
        (&shown["fields"], &shown["emergency"]),
        (&json!(["callback_number"]), &json!(false))
    );
    let refused = entries(&told).iter().find(|line| line["what"] == "refused").unwrap();
    assert_eq!(refused.get("ticket"), None, "{refused}");
    assert!(entries(&told).iter().any(|line| line["what"] == "compared"));
    // No person, no value, nothing of the other caller.
    for never in [world.id("handler-c1"), "handler-c1", NUMBER, NAME, other.no.as_str()] {
        assert!(!first.text.contains(never), "{never}: {}", first.text);
    }
    is_whole(&world, &app, &reference, &first).await;
}

/// Every number from the newest to the first, and no gap; asking is in the next statement, and in the log.
async fn is_whole(world: &World, app: &Arc<App>, reference: &str, first: &Answer) {
    let told = first.json();
    let count = told["number"].as_u64().unwrap();
    assert_eq!(numbers(&told), (1..count).rev().collect::<Vec<_>>());
    assert_eq!(told["gaps"], json!([]));
    let next = statement(world, app, reference, "").await.is(200).json();
    let asked = &entries(&next)[0];
    assert_eq!(
        (&asked["act"], &asked["what"]),
        (&json!("caller.statement"), &json!("rights"))
    );
    assert_eq!(asked["index"], json!(first.index()));
    assert_eq!(
        world.actor(app, "auditor").entry(first).await["act"],
        "caller.statement"
    );
}

#[tokio::test]
async fn only_an_officer_is_given_one_by_their_own_reference() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let (_, reference) = officers(&world, &app, &case).await;
    for who in [
        "agent",
        "dispatcher",
        "handler-c1",
        "auditor",
        "security-admin",
        "system-admin",
    ] {
        for reference in [&reference, &case.reference] {
            let path = format!("/v1/callers/{reference}/statement");
            world.actor(&app, who).get(path).await.fails(403, "refused");
            let refuse = Request::post(
                format!("/v1/callers/{reference}/refusals"),
                &json!({"request": "erase", "ground": "must-be-kept"}),
            );
            for request in [restrict(reference), unrestrict(reference), refuse] {
                world.actor(&app, who).send(request).await.fails(403, "refused");
            }
        }
    }
    statement(&world, &app, &case.reference, "").await.fails(403, "refused");
    for (query, status, problem) in [
        ("&identified_by=salutation", 422, "identifies-nobody"),
        ("&identified_by=id_no", 422, "identifies-nobody"),
        ("&after=bm90aGluZw", 400, "bad-cursor"),
        ("&lang=fr", 400, "bad-query"),
        ("&number=13900001111", 400, "bad-query"),
    ] {
        let answer = statement(&world, &app, &reference, query).await;
        assert!(!answer.text.contains(NUMBER));
        assert_eq!(
            (answer.status / 100, answer.problem().is_empty()),
            (4, false),
            "{query}"
        );
        answer.fails(status, problem);
    }
}

#[tokio::test]
async fn a_long_statement_comes_in_pages_that_leave_nothing_out() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    for _ in 0..30 {
        handler.reveal(&case).masked().await.is(200);
    }
    let (_, reference) = officers(&world, &app, &case).await;
    let mut all = Vec::new();
    let mut after = String::new();
    let mut pages = 0;
    loop {
        let path = format!("/v1/callers/{reference}/statement?limit=7{after}");
        let page = world.actor(&app, "dpo").get(path).await.is(200).json();
        assert_eq!(page.get("held").is_some(), pages == 0);
        assert_eq!(page["gaps"], json!([]));
        all.extend(numbers(&page));
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert!(pages > 4);
    assert_eq!(all, (1..=all.len() as u64).rev().collect::<Vec<_>>());
    // Another caller's statement does not take the mark.
    let other = world.case_of(&app, "W2", caller("李四光", "13900007777")).await;
    let (_, other) = officers(&world, &app, &other).await;
    let page = world
        .actor(&app, "dpo")
        .get(format!("/v1/callers/{reference}/statement?limit=7"))
        .await;
    let next = page.at("/next");
    statement(&world, &app, &other, &format!("&after={next}"))
        .await
        .fails(400, "bad-cursor");
}

/// An index that hides an entry from the statement cannot hide that one is missing.
#[tokio::test]
async fn an_entry_that_the_index_hides_is_a_gap() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let mut hidden = 0;
    for _ in 0..5 {
        hidden = handler.reveal(&case).clear().await.is(200).index();
    }
    let (_, reference) = officers(&world, &app, &case).await;
    let before = statement(&world, &app, &reference, "").await.is(200).json();
    let number = entries(&before).iter().find(|line| line["index"] == hidden).unwrap()["number"].clone();
    drop(app);
    let index = Store::open(&world.places.log_index());
    index.rows("posting").of("idx", i64::try_from(hidden).unwrap()).delete();
    drop(index);
    let app = world.open().await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    assert!(entries(&told).iter().all(|line| line["index"] != hidden));
    let gap = json!({"record": 1, "first": number, "last": number});
    assert_eq!(told["gaps"], json!([gap]));
    // Also where each page has one line, and the gap is between two.
    let (mut gaps, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/callers/{reference}/statement?limit=1{after}");
        let page = world.actor(&app, "dpo").get(path).await.is(200).json();
        gaps.extend(page["gaps"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(gaps, [gap]);
}

/// A number that is recycled: what was read before it was put on file is not shown to who is identified by it, and not how much there was.
#[tokio::test]
async fn what_was_read_before_a_number_was_on_file_is_not_shown_by_that_number() {
    let (world, app) = World::new().await;
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    let known = json!({"name": NAME, "callback_number": NUMBER, "id_no": "110108204107057338"});
    let case = world.case_of(&app, "C1", known).await;
    for _ in 0..3 {
        handler.reveal(&case).clear().await.is(200);
    }
    let taken = agent.take(json!({"name": NAME, "callback_number": NUMBER})).await;
    let page = agent.get(taken.caller()).await.is(200).json();
    let corrected = agent.correct(
        &taken,
        page["version"].as_u64().unwrap(),
        json!({"callback_number": "13700008888"}),
    );
    let corrected = corrected.await.is(200).index();
    handler.reveal(&case).masked().await.is(200);
    let (_, reference) = officers(&world, &app, &case).await;

    let whole = statement(&world, &app, &reference, "&identified_by=id_no")
        .await
        .is(200)
        .json();
    assert_eq!(whole.get("shown_since"), None);
    assert!(entries(&whole).iter().filter(|line| line["form"] == "clear").count() >= 3);
    for query in ["", "&identified_by=callback_number"] {
        let cut = statement(&world, &app, &reference, query).await.is(200).json();
        assert!(cut["shown_since"].is_string(), "{cut}");
        assert!(
            entries(&cut)
                .iter()
                .all(|line| line["index"].as_u64() >= Some(corrected))
        );
        assert!(entries(&cut).iter().all(|line| line["form"] != "clear"), "{cut}");
        // Numbers count from the first that is shown: nobody is told how many there were before.
        let count = cut["number"].as_u64().unwrap();
        assert_eq!(numbers(&cut), (1..count).rev().collect::<Vec<_>>());
        assert_eq!(cut["gaps"], json!([]));
        assert!(!cut["held"]["tickets"].to_string().contains(&case.no), "{cut}");
    }
}

/// A report has a record of its own, and so a count of its own: what an ordinary call's statement counts says nothing of it.
#[tokio::test]
async fn a_report_is_not_in_the_count_of_the_callers_other_calls() {
    let (world, app) = World::new().await;
    let [agent, dispatcher] = world.actors(&app, ["agent", "dispatcher"]);
    let case = world.case(&app, "C1").await;
    let (_, reference) = officers(&world, &app, &case).await;
    let before = statement(&world, &app, &reference, "").await.is(200).json();
    let taken = agent
        .post("/v1/intake", &report(caller(NAME, NUMBER)))
        .await
        .is(201)
        .case();
    dispatcher.dispatch(&taken.no, "W2").await.is(200);
    let w2 = world.actor(&app, "handler-w2");
    w2.reveal_of_ticket(&taken.no).clear().await;
    let after = statement(&world, &app, &reference, "").await.is(200);
    assert_eq!(
        after.json()["number"].as_u64(),
        before["number"].as_u64().map(|count| count + 1)
    );
    assert!(!after.text.contains(&taken.no));
}

/// Records that were merged: each entry keeps the number of the record that it was about.
#[tokio::test]
async fn merged_records_keep_their_own_numbers() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let call = agent.intake(caller(NAME, NUMBER)).await.is(201);
    let kept = call.case();
    let merged = agent.take(json!({"caller_number": NUMBER})).await;
    for _ in 0..3 {
        let read = agent.reveal(&merged).purpose("intake").fields(&["caller_number"]);
        read.masked().await.is(200);
    }
    agent.with(auditor, &merge(&kept, &merged)).await.is(200);
    let subject = auditor.entry(&call).await["subject"].as_str().unwrap().to_owned();
    let reference = world.officers_reference(&app, &subject).await;
    let told = statement(&world, &app, &reference, "").await.is(200).json();
    assert_eq!(told["gaps"], json!([]), "{told}");
    let of = |record: u64| {
        let lines = entries(&told).iter().filter(move |line| line["record"] == record);
        lines.filter_map(|line| line["number"].as_u64()).collect::<Vec<u64>>()
    };
    let own = told["number"].as_u64().unwrap();
    assert_eq!(of(1), (1..own).rev().collect::<Vec<_>>());
    let second = of(2);
    assert!(second.len() > 2, "{told}");
    assert_eq!(second, (1..=second.len() as u64).rev().collect::<Vec<_>>());
}

/// The department C1 gets another name.
async fn rename(world: &World, app: &Arc<App>, name: &str) {
    let name = json!({"name": name});
    let admin = world.actor(app, "security-admin");
    let read = admin.get("/v1/admin/departments?limit=200").await.is(200).json();
    let items = read["items"].as_array().unwrap();
    let version = items.iter().find(|item| item["code"] == "C1").unwrap()["version"]
        .as_u64()
        .unwrap();
    let renamed = Request::put("/v1/admin/departments/C1", &name).version(version);
    admin.send(renamed).await.is(200);
}

#[tokio::test]
async fn the_page_is_in_the_readers_language_and_escapes_what_stands_in_it() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    rename(&world, &app, "<script>alert('x')</script> & \"局\"").await;
    let (_, reference) = officers(&world, &app, &case).await;
    let page = |accept: &'static str, language: &'static str, query: &str| {
        let path = format!("/v1/callers/{reference}/statement{query}");
        Request::get(path)
            .header("accept", accept)
            .header("accept-language", language)
    };
    let dpo = world.actor(&app, "dpo");
    let html = "text/html,application/xhtml+xml,*/*;q=0.8";
    let zh = dpo.send(page(html, "zh-CN", "")).await.is(200);
    assert_eq!(zh.headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(zh.headers["content-language"], "zh-CN");
    assert!(zh.text.starts_with("<!DOCTYPE html>") && zh.text.contains("个人信息处理情况说明"));
    assert!(
        zh.text.contains("联系电话") && zh.text.contains("第六十五条"),
        "{}",
        zh.text
    );
    assert!(
        !zh.text.contains("<script>") && zh.text.contains("&#60;script&#62;alert"),
        "{}",
        zh.text
    );
    assert!(!zh.text.contains(NUMBER) && !zh.text.contains(NAME));
    // It loads and runs nothing; its own style is the only one.
    let policy = zh.headers["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("style-src 'sha256-"),
        "{policy}"
    );
    let style = zh
        .text
        .split("<style>")
        .nth(1)
        .unwrap()
        .split("</style>")
        .next()
        .unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    assert!(
        policy.contains(&data_encoding::BASE64.encode(digest.as_ref())),
        "{policy}"
    );
    let en = dpo.send(page(html, "zh", "?lang=en")).await.is(200);
    assert!(en.text.contains("Statement on personal information") && en.text.contains("Callback number"));
    assert_eq!(en.headers["content-language"], "en");
    for accept in ["*/*", "application/json", "text/html;q=0.5, application/json"] {
        let json = dpo.send(page(accept, "zh", "")).await.is(200);
        assert!(json.json().is_object(), "{accept}");
        assert_eq!(json.headers["vary"], "Accept, Accept-Language");
    }
}
