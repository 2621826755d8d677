//! Whole sessions through the router: who may, who may not, and what bad input gets.

use serde_json::{Value, json};

use crate::support::{World, caller, intake};

const NUMBER: &str = "13900001111";

#[tokio::test]
async fn a_department_reads_one_field_and_others_are_refused() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;

    let clear = world.reveal(&app, "handler-c1", &reference, &no, "clear").await;
    assert_eq!(
        (clear.status, clear.at("/fields/callback_number")),
        (200, format!("+86{NUMBER}")),
        "{}",
        clear.text
    );
    assert_eq!(clear.headers["cache-control"], "no-store");
    let masked = world.reveal(&app, "handler-c1", &reference, &no, "masked").await;
    assert_eq!(masked.at("/fields/callback_number"), "139****1111");
    let indexes =
        [&clear, &masked].map(|answer| answer.json().pointer("/audit/index").and_then(Value::as_u64).unwrap());
    assert_eq!(indexes[1], indexes[0] + 1, "one leaf a read");

    // The handler of another department, with a reference of its own to the same caller.
    let (other, own) = world.ticket_at(&app, "W2", caller("王小明", NUMBER)).await;
    assert_ne!(own, reference);
    assert_eq!(world.reveal(&app, "handler-w2", &own, &no, "clear").await.status, 403);
    assert_eq!(
        world.reveal(&app, "handler-w2", &own, &other, "clear").await.status,
        200
    );

    let closed = world
        .post(
            &app,
            "handler-c1",
            &format!("/v1/tickets/{no}/close"),
            &json!({"reason": "完成"}),
        )
        .await;
    assert_eq!(closed.at("/state"), "closed", "{}", closed.text);
    let refused = world.reveal(&app, "handler-c1", &reference, &no, "masked").await;
    assert_eq!(refused.status, 403);
    assert!(
        refused.at("/detail").starts_with("The ticket is closed"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn a_ticket_of_others_looks_like_one_that_does_not_exist() {
    let (world, app) = World::new().await;
    let (no, _) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let nowhere = callervault::model::ticket_no::TicketNo::new(123_456_789_012)
        .unwrap()
        .to_string();
    let answers = [
        world.get(&app, "handler-w2", &format!("/v1/tickets/{no}")).await,
        world.get(&app, "handler-w2", &format!("/v1/tickets/{nowhere}")).await,
    ];
    let told = |text: &str| text.split('.').next().unwrap().to_owned();
    assert_eq!(answers[0].status, 403);
    assert_eq!(answers[0].status, answers[1].status);
    assert_eq!(told(&answers[0].at("/detail")), told(&answers[1].at("/detail")));
}

#[tokio::test]
async fn a_repeat_caller_is_matched_as_the_data_says() {
    let (world, app) = World::new().await;
    let take = async |caller: Value| world.post(&app, "agent", "/v1/intake", &intake(caller)).await;
    // Its last character is the check digit of the others.
    let id = "110108204107057338";
    let first = take(json!({"name": "王小明", "caller_number": NUMBER, "id_no": id})).await;
    assert_eq!(
        (first.status, first.at("/caller/matched").as_str()),
        (201, "new"),
        "{}",
        first.text
    );

    let same_id = take(json!({"name": "王晓明", "caller_number": "13700002222", "id_no": id})).await;
    assert_eq!(same_id.at("/caller/matched"), "certain");
    assert_eq!(same_id.at("/caller/ref"), first.at("/caller/ref"));

    let stranger = take(json!({"name": "李四光", "caller_number": "13700002222"})).await;
    assert_eq!(
        stranger.at("/caller/matched"),
        "tentative",
        "a recycled number is not a person"
    );
    assert_ne!(stranger.at("/caller/ref"), first.at("/caller/ref"));
    let told = stranger.json();
    assert_eq!(
        told["caller"]["candidates"],
        Value::Null,
        "whose number it is, is not told: {told}"
    );
    assert_eq!(told["caller"]["more_candidates"], true);

    let same_name = take(json!({"name": "李四光", "caller_number": "13700002222", "email": "a@example.com"})).await;
    assert_eq!(same_name.at("/caller/matched"), "certain");
    assert_eq!(same_name.at("/caller/ref"), stranger.at("/caller/ref"));
    assert!(
        same_name
            .json()
            .pointer("/caller/on_file")
            .unwrap()
            .as_array()
            .unwrap()
            .contains(&json!("email"))
    );
}

#[tokio::test]
async fn verify_says_yes_or_no_and_opens_nothing() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let ask = async |value: &str| {
        let body = json!({"ticket": no, "purpose": "handle", "field": "callback_number", "value": value});
        world
            .post(&app, "handler-c1", &format!("/v1/callers/{reference}/verify"), &body)
            .await
    };
    let yes = ask("139 0000 1111").await;
    assert_eq!(yes.json()["match"], json!(true));
    assert!(!yes.text.contains(NUMBER), "{}", yes.text);
    assert_eq!(ask("13900001112").await.json()["match"], json!(false));
    assert_eq!(ask("no number at all").await.json()["match"], json!(false));
}

#[tokio::test]
async fn two_departments_references_do_not_join() {
    let (world, app) = World::new().await;
    let person = || caller("王小明", NUMBER);
    let (_, first) = world.ticket_at(&app, "C1", person()).await;
    let (_, second) = world.ticket_at(&app, "W2", person()).await;
    let (_, again) = world.ticket_at(&app, "C1", person()).await;
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
async fn idempotency_keys_replay_or_conflict() {
    let (world, app) = World::new().await;
    let send = async |body: &Value| {
        let key = [("idempotency-key", "call-17")];
        world
            .call(&app, "agent", "POST", "/v1/intake", &key, &body.to_string())
            .await
    };
    let body = intake(caller("王小明", NUMBER));
    let first = send(&body).await;
    let again = send(&body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    assert_eq!(first.text, again.text, "the same answer, byte for byte");
    let other = send(&intake(caller("李四光", NUMBER))).await;
    assert_eq!(
        (other.status, other.problem().as_str()),
        (422, "idempotency-key-reused")
    );
}

#[tokio::test]
async fn a_correction_needs_the_version_that_was_read() {
    let (world, app) = World::new().await;
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(caller("王小明", NUMBER)))
        .await;
    let (no, reference) = (taken.at("/ticket/no"), taken.at("/caller/ref"));
    let path = format!("/v1/callers/{reference}");
    let page = world.get(&app, "agent", &format!("{path}?purpose=intake")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let tag = page.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({"ticket": no, "reason": "听错", "fields": {"callback_number": "13700009999"}}).to_string();
    let patch = async |headers: &[(&str, &str)]| world.call(&app, "agent", "PATCH", &path, headers, &body).await;
    assert_eq!(patch(&[]).await.problem(), "if-match-required");
    assert_eq!(patch(&[("if-match", "17")]).await.problem(), "bad-if-match");
    let done = patch(&[("if-match", &tag)]).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let stale = patch(&[("if-match", &tag)]).await;
    assert_eq!((stale.status, stale.problem().as_str()), (412, "stale"));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn bad_input_is_told_without_its_value() {
    let (world, app) = World::new().await;
    let secret = "13912345678";
    let long = "长".repeat(4001);
    let with = |pointer: &str, value: Value| {
        let mut body = intake(caller("王小明", NUMBER));
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    let mut unknown = intake(caller("王小明", NUMBER));
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
    for (body, status, problem) in cases {
        let answer = world.call(&app, "agent", "POST", "/v1/intake", &[], &body).await;
        assert_eq!(
            (answer.status, answer.problem().as_str()),
            (status, problem),
            "{}",
            answer.text
        );
        assert!(
            !answer.text.contains("1391234567") && !answer.text.contains("199003071234"),
            "{}",
            answer.text
        );
    }
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let purpose = json!({"ticket": no, "purpose": "curiosity", "fields": ["name"], "form": "clear"});
    let path = format!("/v1/callers/{reference}/reveal");
    assert_eq!(world.post(&app, "handler-c1", &path, &purpose).await.status, 400);
    let mistyped = format!("/v1/callers/{}/reveal", reference.replace(char::is_numeric, "Z"));
    assert_eq!(world.post(&app, "handler-c1", &mistyped, &purpose).await.status, 400);
    assert_eq!(
        world.get(&app, "nobody", "/v1/tickets").await.problem(),
        "unauthenticated"
    );
    assert_eq!(world.get(&app, "agent", "/v1/nothing").await.problem(), "no-route");
    drop(app);
    assert_eq!(world.fsck().await, [], "nothing was half-written");
}

#[tokio::test]
async fn a_revoked_token_and_a_lost_role_end_at_once() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    let id = world.id("handler-c1").to_owned();
    let tokens = world
        .get(&app, "security-admin", &format!("/v1/admin/principals/{id}/tokens"))
        .await;
    let token = tokens.at("/items/0/id");
    let path = format!("/v1/admin/principals/{id}");
    let both = json!({"roles": ["auditor", "handler"], "active": true}).to_string();
    let set = async |body: &str| {
        world
            .call(&app, "security-admin", "PUT", &path, &[("if-match", "\"1\"")], body)
            .await
    };
    assert_eq!(set(&both).await.problem(), "roles-exclude");
    let analyst = json!({"roles": ["analyst"], "active": true}).to_string();
    assert_eq!(set(&analyst).await.status, 200);
    assert_eq!(
        world.reveal(&app, "handler-c1", &reference, &no, "clear").await.status,
        403
    );
    let revoked = world
        .call(
            &app,
            "security-admin",
            "DELETE",
            &format!("{path}/tokens/{token}"),
            &[],
            "",
        )
        .await;
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(
        world
            .reveal(&app, "handler-c1", &reference, &no, "clear")
            .await
            .problem(),
        "unauthenticated"
    );
}

#[tokio::test]
async fn a_locked_vault_answers_nothing() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
    assert_eq!(
        world
            .post(&app, "security-admin", "/v1/keys/lock", &json!({}))
            .await
            .status,
        403
    );
    assert_eq!(
        world
            .post(&app, "system-admin", "/v1/keys/lock", &json!({}))
            .await
            .status,
        200
    );
    assert_eq!(
        world
            .reveal(&app, "handler-c1", &reference, &no, "clear")
            .await
            .problem(),
        "locked"
    );
    assert_eq!(world.get(&app, "nobody", "/readyz").await.status, 503);
    assert_eq!(world.get(&app, "nobody", "/livez").await.status, 200);
}
