//! Values as people and exchanges have them, through the API: what is taken, what is taken as left out, what is shown.

use std::sync::Arc;

use callervault::http::App;
use serde_json::{Value, json};

use crate::support::{Answer, Request, World, intake};

async fn take(world: &World, app: &Arc<App>, call: &Value) -> Answer {
    world.actor(app, "agent").post("/v1/intake", call).await
}

/// The names of the fields on file after a call.
fn on_file(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 201, "{}", answer.text);
    serde_json::from_value(answer.json()["caller"]["on_file"].clone()).unwrap()
}

/// What a handler is shown of one field of a new caller.
async fn shown(world: &World, app: &Arc<App>, field: &str, value: &str, form: &str) -> String {
    let case = world.case_of(app, "C1", json!({ field: value })).await;
    let reveal = world.actor(app, "handler-c1").reveal(&case);
    let answer = reveal.fields(&[field]).form(form).await.is(200);
    answer.at(&format!("/fields/{field}"))
}

#[tokio::test]
async fn numbers_are_kept_in_one_form_and_masked_by_what_they_are() {
    let (world, app) = World::unlimited().await;
    for (stated, clear, masked) in [
        ("400-810-0080", "+864008100080", "400*****80"),
        ("01095588", "+861095588", "010*****"),
        ("013812345678", "+8613812345678", "138****5678"),
        ("010-62345678分机8003", "+861062345678;ext=8003", "010******78"),
        ("010/62345678", "+861062345678", "010******78"),
        ("138−1234−5678", "+8613812345678", "138****5678"),
        ("\u{202d}13812345678\u{202c}", "+8613812345678", "138****5678"),
        ("+44 020 7946 0958", "+442079460958", "+442*******58"),
        ("+683 4000", "+6834000", "+683****"),
    ] {
        assert_eq!(shown(&world, &app, "callback_number", stated, "clear").await, clear);
        assert_eq!(shown(&world, &app, "callback_number", stated, "masked").await, masked);
    }
}

#[tokio::test]
async fn a_withheld_number_is_no_number() {
    let (world, app) = World::unlimited().await;
    for withheld in [
        "anonymous",
        "Anonymous",
        "unknown",
        "Restricted",
        "PRIVATE",
        "withheld",
        "unavailable",
        "sip:anonymous@anonymous.invalid",
        "Unknown Number",
        "No Caller ID",
        "N/A",
        "null",
        "匿名",
        "未知号码",
        "主叫号码隐藏",
        "无",
        "-",
        "—",
        "/",
        "0",
        "00000000",
        "+266696687",
        "\u{200e}anonymous",
    ] {
        let call = intake(json!({"caller_number": withheld, "callback_number": "13900001111", "name": "王小明"}));
        let taken = take(&world, &app, &call).await;
        assert_eq!(on_file(&taken), ["callback_number", "name"], "{withheld}");
        assert_eq!(taken.json()["left_out"], Value::Null, "nothing was stated: {withheld}");
    }
    // Elsewhere it is no number, either.
    let body = json!({"field": "caller_number", "value": "anonymous", "purpose": "intake"});
    let looked = world.actor(&app, "agent").post("/v1/callers/lookup", &body).await;
    assert_eq!(looked.problem(), "invalid-field");
}

#[tokio::test]
async fn an_empty_value_is_none() {
    let (world, app) = World::unlimited().await;
    for empty in [
        json!(""),
        json!("  "),
        json!("\u{3000}"),
        json!("\u{200b}\u{feff}"),
        json!("\n"),
        Value::Null,
    ] {
        let mut call = intake(json!({"salutation": "女士"}));
        for field in [
            "name",
            "caller_number",
            "id_no",
            "id_document",
            "home_address",
            "email",
            "wechat",
            "plate",
        ] {
            call["caller"][field] = empty.clone();
        }
        call["ticket"]["incident_place"] = empty.clone();
        let taken = take(&world, &app, &call).await;
        assert_eq!(on_file(&taken), ["salutation"], "{empty}");
        assert_eq!(taken.json()["left_out"], Value::Null);
        call["ticket"]["text"] = empty;
        assert_eq!(take(&world, &app, &call).await.problem(), "text-missing");
    }
    let twice = intake(json!({}))
        .to_string()
        .replace("\"caller\":{}", "\"caller\":{\"name\":null,\"name\":\"王小明\"}");
    let refused = world
        .actor(&app, "agent")
        .send(Request::bare("POST", "/v1/intake").body(twice));
    refused.await.fails(400, "bad-json");
}

#[tokio::test]
async fn a_call_is_taken_without_an_optional_value_that_is_bad_and_says_so() {
    let (world, app) = World::unlimited().await;
    let mut call = intake(json!({
        "name": "王小明", "caller_number": "13900001111", "callback_number": "+4008100080", "email": "nobody", "plate": "京A1234使",
    }));
    call["ticket"]["respondent_name"] = json!("字".repeat(61));
    // Whoever does not ask for it hears of all of them at once, and nothing is stored.
    let refused = take(&world, &app, &call).await;
    assert_eq!((refused.status, refused.problem().as_str()), (422, "invalid-field"));
    let fields = |list: &Value| -> Vec<String> {
        let names = list
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["field"].as_str().unwrap().to_owned());
        names.collect()
    };
    let bad = ["callback_number", "email", "plate", "respondent_name"];
    assert_eq!(fields(&refused.json()["invalid"]), bad);
    assert!(refused.at("/detail").contains("leave_out_invalid"), "{}", refused.text);
    assert_eq!(refused.at("/invalid/0/rule"), "phone-meant-mainland");
    assert!(
        refused.at("/invalid/0/detail").contains("did you mean +86"),
        "{}",
        refused.text
    );

    call["leave_out_invalid"] = json!(true);
    let taken = take(&world, &app, &call).await;
    assert_eq!(on_file(&taken), ["caller_number", "name"]);
    assert_eq!(taken.json()["caller"]["matched"], "new");
    assert_eq!(
        taken.json()["left_out"],
        refused.json()["invalid"],
        "the same fields and rules"
    );
    for value in ["4008100080", "nobody", "1234使", "字字"] {
        assert!(!taken.text.contains(value), "{}", taken.text);
    }
    // A repeated request hears the same.
    let agent = world.actor(&app, "agent");
    let first = agent.send(Request::post("/v1/intake", &call).once("k1")).await;
    let again = agent.send(Request::post("/v1/intake", &call).once("k1")).await;
    assert_eq!(first.text, again.text);
    assert_eq!(fields(&again.json()["left_out"]), bad);
    // What a ticket needs is not left out.
    for (pointer, value, problem) in [
        ("/ticket/text", json!("字".repeat(4_001)), "invalid-field"),
        ("/ticket/category", json!("nothing"), "bad-category"),
        ("/ticket/township", json!("991231"), "bad-township"),
    ] {
        let mut bad = call.clone();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_eq!(take(&world, &app, &bad).await.problem(), problem);
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn what_a_value_must_be_is_told_in_the_language_that_is_asked_for() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let mut call = intake(json!({"callback_number": "+4008100080"}));
    call["leave_out_invalid"] = json!(true);
    let send = async |language: &str| {
        let request = Request::post("/v1/intake", &call).once("one");
        agent
            .send(request.header("accept-language", language))
            .await
            .is(201)
            .json()
    };
    // A repeated request, too, which has the first one's answer.
    let (english, chinese) = (send("en").await, send("zh-CN").await);
    assert_eq!(english["ticket"], chinese["ticket"]);
    let [english, chinese] = [english, chinese].map(|taken| taken["left_out"][0].clone());
    assert_eq!(english["rule"], chinese["rule"]);
    assert!(
        english["detail"].as_str().unwrap().contains("did you mean +86"),
        "{english}"
    );
    assert!(
        chinese["detail"].as_str().unwrap().contains("是否应写 +86"),
        "{chinese}"
    );
}

#[tokio::test]
async fn a_word_that_names_nobody_is_left_out_where_a_name_is_on_file() {
    let (world, app) = World::new().await;
    let id_no = "110108204107057338";
    take(&world, &app, &intake(json!({"name": "孙一一", "id_no": id_no}))).await;
    let told = take(&world, &app, &intake(json!({"name": "匿名", "id_no": id_no}))).await;
    assert_eq!(told.at("/caller/matched"), "certain");
    assert_eq!(told.at("/left_out/0/field"), "name", "{}", told.text);
    let same = take(&world, &app, &intake(json!({"name": "孙一一", "id_no": id_no}))).await;
    assert_eq!(same.json()["left_out"], Value::Null, "{}", same.text);
}

#[tokio::test]
async fn a_passport_is_sealed_looked_up_and_masked() {
    let (world, app) = World::new().await;
    let person = json!({"name": "John Smith", "id_document": "护照 E12345678"});
    let first = take(&world, &app, &intake(person)).await;
    let body = json!({"field": "id_document", "value": "passport:e1234 5678", "purpose": "intake"});
    let found = world.actor(&app, "agent").post("/v1/callers/lookup", &body).await;
    assert_eq!(
        found.json()["callers"],
        json!([first.json()["caller"]["ref"]]),
        "{}",
        found.text
    );
    // Number and name are the same person; the number alone, or under another kind, may be.
    let matched = async |document: &str, name: &str| {
        let call = intake(json!({"name": name, "id_document": document}));
        take(&world, &app, &call).await.at("/caller/matched")
    };
    assert_eq!(matched("护照E12345678", "JOHN SMITH").await, "certain");
    assert_eq!(matched("E12345678", "John Smith").await, "tentative");
    assert_eq!(matched("passport:E12345678", "Joan Smythe").await, "tentative");
    assert_eq!(matched("passport:E12345679", "John Smith").await, "new");
    let case = world
        .case_of(&app, "C1", json!({"id_document": "回乡证 H12345678"}))
        .await;
    let reveal = world.actor(&app, "handler-c1").reveal(&case);
    let masked = reveal.fields(&["id_document"]).masked().await;
    assert_eq!(
        masked.at("/fields/id_document"),
        "hk_macao_permit:****",
        "{}",
        masked.text
    );
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn place_codes_of_12_digits_are_taken() {
    let (world, app) = World::new().await;
    for code in [
        "130102001001",
        "140214028003",
        "150103005002",
        "513224100009",
        "310114103029",
    ] {
        let mut call = intake(json!({}));
        call["ticket"]["township"] = json!(code);
        assert_eq!(take(&world, &app, &call).await.status, 201, "{code}");
    }
}

#[tokio::test]
async fn a_call_does_not_lie_a_century_ahead_or_back() {
    let (world, app) = World::new().await;
    let mut call = intake(json!({}));
    call["call"]["received_at"] = json!("2126-01-05T22:41:17+08:00");
    let refused = take(&world, &app, &call).await;
    assert_eq!((refused.status, refused.problem().as_str()), (422, "received-ahead"));
    // Nor before there were hotlines: a wrong year, a wrong unit, no date.
    for (before, status) in [
        ("0001-01-01T00:00:00Z", 422),
        ("1926-01-05T22:41:17+08:00", 422),
        ("1970-01-01T00:00:00Z", 422),
        ("1982-12-31T23:59:59+08:00", 422),
        ("1983-01-01T00:00:00+08:00", 201),
    ] {
        call["call"]["received_at"] = json!(before);
        let answer = take(&world, &app, &call).await;
        assert_eq!(answer.status, status, "{before}");
        assert!(status == 201 || answer.problem() == "received-before", "{before}");
    }
    // A clock that is a little fast is no reason to lose a call.
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    call["call"]["received_at"] = json!(soon.to_string());
    assert_eq!(take(&world, &app, &call).await.status, 201);
}

#[tokio::test]
async fn a_salutation_takes_no_number_behind_it() {
    let (world, app) = World::new().await;
    let mut call = intake(json!({"salutation": "张先生13812345679"}));
    let refused = take(&world, &app, &call).await;
    assert_eq!(refused.at("/invalid/0/field"), "salutation", "{}", refused.text);
    call["leave_out_invalid"] = json!(true);
    assert_eq!(on_file(&take(&world, &app, &call).await), Vec::<String>::new());
}
