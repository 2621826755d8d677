//! Reference data: a form is built from it without a table of one's own.

use std::collections::BTreeSet;

use callervault::model::lists::Lists;
use serde_json::{Value, json};

use crate::support::actors::Request;
use crate::support::{NAME, NUMBER, World};

const REFERENCE: &str = "/v1/reference";

/// The entry of a list with that word.
fn one<'a>(list: &'a Value, key: &str, word: &str) -> &'a Value {
    let entries = list.as_array().unwrap();
    entries.iter().find(|entry| entry[key] == word).unwrap()
}

/// Every list of words, wherever it stands: the words, of which each has its labels.
fn lists(value: &Value, found: &mut Vec<BTreeSet<String>>) {
    match value {
        Value::Object(members) => members.values().for_each(|member| lists(member, found)),
        Value::Array(items) => {
            items.iter().for_each(has_labels);
            let words = items.iter().filter_map(|item| item["code"].as_str());
            found.push(words.map(str::to_owned).collect());
        }
        _ => {}
    }
}

fn has_labels(entry: &Value) {
    let is_han = |c: char| ('\u{4e00}'..'\u{a000}').contains(&c);
    let [zh, en] = ["zh", "en"].map(|language| entry[language].as_str().unwrap());
    assert!(zh.chars().any(is_han), "{entry}");
    assert!(!en.is_empty() && !en.contains('_'), "{entry}");
}

/// The words of each enumeration in the document of the API.
fn enumerations(document: &Value, found: &mut Vec<BTreeSet<String>>) {
    match document {
        Value::Object(members) => {
            if let Some(Value::Array(words)) = members.get("enum") {
                found.push(words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
            }
            members.values().for_each(|member| enumerations(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| enumerations(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_account_reads_it_and_the_log_has_nothing_of_it() {
    let (world, app) = World::new().await;
    let auditor = world.actor(&app, "auditor");
    let before = auditor.get("/v1/audit/events/0").await.index();
    for who in [
        "agent",
        "dispatcher",
        "handler-c1",
        "dpo",
        "auditor",
        "security-admin",
        "system-admin",
    ] {
        world.actor(&app, who).get(REFERENCE).await.is(200);
    }
    let after = auditor.get("/v1/audit/events/0").await.index();
    assert_eq!(after, before + 1);
    world.actor(&app, "nobody").get(REFERENCE).await.is(401);
}

#[tokio::test]
async fn every_word_of_the_api_has_its_labels() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let data = agent.get(REFERENCE).await.is(200).json();
    let (mut told, mut used) = (Vec::new(), Vec::new());
    lists(&data, &mut told);
    let document = agent.get("/openapi.json").await.is(200).json();
    enumerations(&document, &mut used);
    for words in &used {
        assert!(
            told.iter().any(|list| words.is_subset(list)),
            "words without labels: {words:?}"
        );
    }
    assert!(used.len() > 10, "{used:?}");
}

#[tokio::test]
async fn fields_are_as_they_were_declared() {
    let (world, app) = World::new().await;
    let data = world.actor(&app, "agent").get(REFERENCE).await.is(200).json();
    let number = json!({
        "name": "callback_number", "zh": "联系电话", "en": "Callback number", "record": "caller", "type": "phone",
        "class": "personal", "group": "contact", "mask": "phone", "index": "phone", "match": "tentative", "intake": true,
    });
    assert_eq!(one(&data["fields"], "name", "callback_number"), &number);
    let reason = json!({
        "name": "close_reason", "zh": "办结理由", "en": "Reason for closing", "record": "ticket", "type": "text", "max": 1000,
        "class": "personal", "group": "reason", "mask": "hidden", "intake": false,
    });
    assert_eq!(one(&data["fields"], "name", "close_reason"), &reason);
    let close = json!({
        "code": "close", "zh": "办结", "en": "Close", "action": "ticket.close", "from": ["answered", "callback"],
        "to": "closed", "holder": "same", "reason": "close_reason", "purpose": "dispatch",
    });
    assert_eq!(one(&data["transitions"], "code", "close"), &close);
    let agent =
        json!({"code": "agent", "zh": "坐席", "en": "Agent", "purposes": ["intake", "correct"], "alone": false});
    assert_eq!(one(&data["roles"], "code", "agent"), &agent);
    let closed = json!({"code": "closed", "zh": "已办结", "en": "Closed", "open": false});
    assert_eq!(one(&data["ticket_states"], "code", "closed"), &closed);
    let guess = json!({"code": "guess", "zh": "猜测", "en": "Guesses", "minute": 30, "hour": 60});
    assert_eq!(one(&data["limits"], "code", "guess"), &guess);
    assert_eq!(one(&data["actions"], "code", "subject.resolve")["two_persons"], true);
}

/// A program that knows nothing but this answer takes a call and leads it to its end.
#[tokio::test]
async fn a_form_built_from_it_is_taken() {
    let (world, app) = World::new().await;
    let [agent, dispatcher, handler] = world.actors(&app, ["agent", "dispatcher", "handler-c1"]);
    let data = agent.get(REFERENCE).await.is(200).json();
    let (mut caller, mut ticket) = (json!({}), json!({"township": "310113"}));
    for field in data["fields"].as_array().unwrap() {
        let value = match field["type"].as_str().unwrap() {
            "person_name" => NAME,
            "phone" => NUMBER,
            "label" | "line" | "address" | "text" => "某处某事",
            _ => continue,
        };
        let record = if field["record"] == "caller" {
            &mut caller
        } else {
            &mut ticket
        };
        if field["intake"] == true {
            record[field["name"].as_str().unwrap()] = json!(value);
        }
    }
    ticket["kind"] = data["matter_kinds"][0]["code"].clone();
    ticket["category"] = data["lists"]["categories"][0]["code"].clone();
    let channel = &data["lists"]["channels"][0]["code"];
    let call = json!({"call": {"channel": channel, "received_at": "2026-11-01T09:00:00+08:00"}, "caller": caller, "ticket": ticket});
    let taken = agent.post("/v1/intake", &call).await.is(201);
    let case = taken.case();
    let mut state = taken.at("/ticket/state");
    for step in ["dispatch", "sign", "feedback", "review", "pass", "close"] {
        let step = one(&data["transitions"], "code", step);
        assert!(step["from"].as_array().unwrap().contains(&json!(state)), "{step}");
        let mut body = json!({});
        if step["holder"] == "named" {
            body["department"] = json!("C1");
        }
        for text in ["reason", "reply"] {
            if step.get(text).is_some() {
                body[text] = json!("某事");
            }
        }
        let who = if step["purpose"] == "handle" {
            handler
        } else {
            dispatcher
        };
        let answer = who.step(&case.no, step["code"].as_str().unwrap(), body).await.is(200);
        state = answer.at("/state");
        assert_eq!(state, step["to"].as_str().unwrap());
    }
}

/// A program that has it already is told so, until something of it changes.
#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let (world, app) = World::new().await;
    let [agent, auditor] = world.actors(&app, ["agent", "auditor"]);
    let first = agent.get(REFERENCE).await.is(200);
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(first.headers["cache-control"], "private, no-cache");
    let known = |tag: &str| Request::get(REFERENCE).header("if-none-match", tag);
    for tags in [
        tag.clone(),
        format!("W/{tag}"),
        format!("\"other\", {tag}"),
        "*".to_owned(),
    ] {
        let again = auditor.send(known(&tags)).await.is(304);
        assert_eq!(
            (again.text.as_str(), &again.headers["etag"]),
            ("", &first.headers["etag"]),
            "{tags}"
        );
    }
    for tags in ["\"other\"", tag.trim_matches('"'), ""] {
        agent.send(known(tags)).await.is(200);
    }
    let change = |file: &str, from: &str, to: &str| {
        let path = world.places.policies.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|_| Lists::SHIPPED.to_owned());
        assert!(text.contains(from), "{from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    change("lists.toml", "zh = \"噪声扰民\"", "zh = \"噪音\"");
    world
        .actor(&app, "security-admin")
        .post("/v1/admin/lists/reload", &json!({}))
        .await
        .is(200);
    let second = agent.send(known(&tag)).await.is(200);
    assert_eq!(
        one(&second.json()["lists"]["categories"], "code", "noise")["zh"],
        "噪音"
    );
    let lists = agent.get("/v1/lists").await.is(200).json();
    assert_eq!(second.json()["lists"], lists, "one source for both");
    change("fields.toml", "zh = \"车牌\"", "zh = \"车牌号\"");
    app.vault().unwrap().reread_rules(&world.places).await.unwrap();
    let third = agent
        .send(known(second.headers["etag"].to_str().unwrap()))
        .await
        .is(200);
    assert_eq!(one(&third.json()["fields"], "name", "plate")["zh"], "车牌号");
}
