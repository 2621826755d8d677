//! Whole sessions through the router: who may, who may not, and what bad input gets.

use callervault::model::ticket_no::TicketNo;
use serde_json::{Value, json};

use crate::support::{Case, NAME, NUMBER, Request, World, caller, intake};

#[tokio::test]
pub(crate) async fn a_department_reads_one_field_and_others_are_refused() {
    let (world, app) = World::new().await;
    let [handler, stranger, auditor] = world.actors(&app, ["handler-c1", "handler-w2", "auditor"]);
    let case = world.case(&app, "C1").await;

    let clear = handler.reveal(&case).clear().await.is(200);
    assert_eq!(clear.at("/fields/callback_number"), format!("+86{NUMBER}"));
    assert_eq!(clear.headers["cache-control"], "no-store");
    let masked = handler.reveal(&case).masked().await;
    assert_eq!(masked.at("/fields/callback_number"), "139****1111");
    assert_eq!(masked.index(), clear.index() + 1, "one leaf a read");

    // The handler of another department, with a reference of its own to the same caller.
    let own = world.case(&app, "W2").await;
    assert_ne!(own.reference, case.reference);
    let mixed = Case {
        no: case.no.clone(),
        ..own.clone()
    };
    stranger.reveal(&mixed).clear().await.is(403);
    stranger.reveal(&own).clear().await.is(200);

    world.ended(&app, &case.no).await;
    let refused = handler.reveal(&case).masked().await.is(403);
    let why = refused.at("/detail");
    assert!(why.starts_with("The ticket is over"), "{why}");

    let leaf = auditor.entry(&clear).await;
    assert_eq!(
        (&leaf["act"], &leaf["ticket"]),
        (&json!("field.reveal"), &json!(case.no))
    );
    let by_number = json!({"named_by": "number"});
    assert_eq!(leaf["link"], by_number, "it is about nothing besides");
}

#[tokio::test]
pub(crate) async fn a_ticket_of_others_looks_like_one_that_does_not_exist() {
    let (world, app) = World::new().await;
    let stranger = world.actor(&app, "handler-w2");
    let there = world.case(&app, "C1").await.no;
    let nowhere = TicketNo::new(123_456_789_012).unwrap().to_string();
    let mut told = Vec::new();
    for no in [there, nowhere] {
        let answer = stranger.get(format!("/v1/tickets/{no}")).await.is(403);
        told.push(answer.at("/detail").split('.').next().unwrap().to_owned());
    }
    assert_eq!(told[0], told[1]);
}

#[tokio::test]
pub(crate) async fn a_repeat_caller_is_matched_as_the_data_says() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    // Its last character is the check digit of the others.
    let id = "110108204107057338";
    let own = json!({"name": NAME, "caller_number": NUMBER, "id_no": id});
    let first = agent.intake(own).await.is(201);
    assert_eq!(first.at("/caller/matched"), "new");

    let same_id = json!({"name": "王晓明", "caller_number": "13700002222", "id_no": id});
    let same_id = agent.intake(same_id).await;
    assert_eq!(same_id.at("/caller/matched"), "certain");
    assert_eq!(same_id.at("/caller/ref"), first.at("/caller/ref"));

    let stranger = json!({"name": "李四光", "caller_number": "13700002222"});
    let stranger = agent.intake(stranger).await;
    let matched = stranger.at("/caller/matched");
    assert_eq!(matched, "tentative", "a recycled number is not a person");
    assert_ne!(stranger.at("/caller/ref"), first.at("/caller/ref"));
    let told = stranger.json()["caller"].clone();
    assert_eq!(
        told["candidates"],
        Value::Null,
        "whose number it is, is not told: {told}"
    );
    assert_eq!(told["more_candidates"], true);

    let same_name = json!({"name": "李四光", "caller_number": "13700002222", "email": "a@example.com"});
    let same_name = agent.intake(same_name).await;
    assert_eq!(same_name.at("/caller/matched"), "certain");
    assert_eq!(same_name.at("/caller/ref"), stranger.at("/caller/ref"));
    let on_file = same_name.json()["caller"]["on_file"].clone();
    assert!(on_file.as_array().unwrap().contains(&json!("email")), "{on_file}");
}

#[tokio::test]
pub(crate) async fn verify_says_yes_or_no_and_opens_nothing() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let yes = handler.verify(&case, "callback_number", "139 0000 1111").await;
    assert_eq!(yes.json()["match"], json!(true));
    assert!(!yes.text.contains(NUMBER), "{}", yes.text);
    for other in ["13900001112", "no number at all"] {
        let no = handler.verify(&case, "callback_number", other).await;
        assert_eq!(no.json()["match"], json!(false));
    }
}

#[tokio::test]
pub(crate) async fn two_departments_references_do_not_join() {
    let (world, app) = World::new().await;
    let [first, second, again] = [
        world.case(&app, "C1").await.reference,
        world.case(&app, "W2").await.reference,
        world.case(&app, "C1").await.reference,
    ];
    assert_eq!(first, again, "inside a department a caller keeps one reference");
    let body = |reference: &str| reference.replace('-', "")[3..14].to_owned();
    assert_ne!(body(&first), body(&second));
    // What a thief of the database has to go by: no row holds the caller's id, and no code of one department's reference stands in
    // another's row.
    let data = world.data();
    let references = data.rows("reference").of("kind", "caller");
    let rows: Vec<(String, Vec<u8>, Vec<u8>)> = references.read(["department", "body", "sealed_id"]);
    assert!(rows.iter().any(|row| row.0 == "C1") && rows.iter().any(|row| row.0 == "W2"));
    let callers: Vec<Vec<u8>> = data.rows("caller").column("id");
    for (at, row) in rows.iter().enumerate() {
        for other in &rows[at + 1..] {
            assert_ne!(row.1, other.1, "{} and {}", row.0, other.0);
        }
        for id in &callers {
            assert!(!row.2.windows(id.len()).any(|window| window == id), "an id in clear");
        }
    }
}

#[tokio::test]
pub(crate) async fn idempotency_keys_replay_or_conflict() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let call = |name: &str| Request::post("/v1/intake", &intake(caller(name, NUMBER))).once("call-17");
    let first = agent.send(call(NAME)).await.is(201);
    let again = agent.send(call(NAME)).await;
    assert_eq!(first.text, again.text, "the same answer, byte for byte");
    let other = agent.send(call("李四光")).await;
    other.fails(422, "idempotency-key-reused");
}

#[tokio::test]
pub(crate) async fn a_correction_needs_the_version_that_was_read() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let case = agent.take(caller(NAME, NUMBER)).await;
    let page = agent.get(format!("{}?purpose=intake", case.caller())).await.is(200);
    let tag = page.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({"ticket": case.no, "reason": "听错", "fields": {"callback_number": "13700009999"}});
    let patch = || Request::patch(case.caller(), &body);
    agent.send(patch()).await.fails(428, "if-match-required");
    let number = agent.send(patch().header("if-match", "17")).await;
    number.fails(400, "bad-if-match");
    agent.send(patch().header("if-match", &*tag)).await.is(200);
    let stale = agent.send(patch().header("if-match", &*tag)).await;
    stale.fails(412, "stale");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
pub(crate) async fn bad_input_is_told_without_its_value() {
    let (world, app) = World::new().await;
    let secret = "13912345678";
    let long = "长".repeat(4001);
    let with = |pointer: &str, value: Value| {
        let mut body = intake(caller(NAME, NUMBER));
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let mut unknown = intake(caller(NAME, NUMBER));
    unknown["caller"][secret] = json!("x");
    let cases = [
        (format!("{{\"call\": {secret}"), 400, "bad-json"),
        (with("/caller/name", json!(17)), 400, "bad-json"),
        (with("/ticket/kind", json!(secret)), 400, "bad-json"),
        (with("/call/channel", json!(secret)), 400, "bad-json"),
        (with("/caller/caller_number", json!("1391234567")), 422, "invalid-field"),
        (with("/caller/name", json!(secret)), 422, "invalid-field"),
        (with("/ticket/text", json!(long)), 422, "invalid-field"),
        (with("/ticket/category", json!(secret)), 422, "bad-category"),
        (unknown.to_string(), 422, "unknown-field"),
        (
            with("/caller", json!({"id_no": "110101199003071234"})),
            422,
            "invalid-field",
        ),
        (
            with("/ticket/text", json!("x".repeat(1024 * 1024))),
            413,
            "body-too-large",
        ),
    ];
    let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
    for (body, status, problem) in cases {
        let answer = agent.send(Request::bare("POST", "/v1/intake").body(body)).await;
        let answer = answer.fails(status, problem);
        for value in ["1391234567", "199003071234"] {
            assert!(!answer.text.contains(value), "{}", answer.text);
        }
    }
    let case = world.case(&app, "C1").await;
    handler.reveal(&case).purpose("curiosity").clear().await.is(400);
    let mistyped = Case {
        reference: case.reference.replace(char::is_numeric, "Z"),
        ..case
    };
    handler
        .reveal(&mistyped)
        .clear()
        .await
        .fails(400, "mistyped-identifier");
    let nobody = world.actor(&app, "nobody");
    nobody.get("/v1/tickets").await.fails(401, "unauthenticated");
    agent.get("/v1/nothing").await.fails(404, "no-route");
    drop(app);
    assert_eq!(world.fsck().await, [], "nothing was half-written");
}

#[tokio::test]
pub(crate) async fn a_revoked_token_and_a_lost_role_end_at_once() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [admin, handler] = world.actors(&app, ["security-admin", "handler-c1"]);
    let account = format!("/v1/admin/principals/{}", world.id("handler-c1"));
    let tokens = admin.get(format!("{account}/tokens")).await;
    let token = format!("{account}/tokens/{}", tokens.at("/items/0/id"));
    let set = |roles: &[&str]| Request::put(&*account, &json!({"roles": roles, "active": true})).version(1);
    let both = admin.send(set(&["auditor", "handler"])).await;
    both.fails(422, "roles-exclude");
    admin.send(set(&["analyst"])).await.is(200);
    handler.reveal(&case).clear().await.is(403);
    admin.send(Request::delete(token)).await.is(200);
    handler.reveal(&case).clear().await.fails(401, "unauthenticated");
}

#[tokio::test]
pub(crate) async fn a_locked_vault_answers_nothing() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let lock = async |who: &str| world.actor(&app, who).post("/v1/keys/lock", &json!({})).await;
    lock("security-admin").await.is(403);
    lock("system-admin").await.is(200);
    let [handler, nobody] = world.actors(&app, ["handler-c1", "nobody"]);
    handler.reveal(&case).clear().await.fails(503, "locked");
    nobody.get("/readyz").await.is(503);
    nobody.get("/livez").await.is(200);
}
