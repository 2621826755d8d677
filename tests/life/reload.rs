//! Rules that are replaced while the vault is open.

use callervault::model::limits::Limits;
use callervault::policy::Policy;
use serde_json::json;

use crate::support::{NAME, NUMBER, Request, World, caller};

/// Puts words of one of the files in the place of others.
fn edit(world: &World, file: &str, from: &str, to: &str) {
    let path = world.places.policies.join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[tokio::test]
async fn a_policy_that_is_replaced_decides_from_then_on_and_the_log_says_so() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let before = handler.reveal(&case).clear().await.is(200);
    assert!(
        !app.vault().unwrap().reread_rules(&world.places).await.unwrap(),
        "nothing has changed"
    );
    assert_eq!(
        auditor.get("/v1/audit/events?act=vault.rules").await.json()["entries"],
        json!([])
    );
    let path = world.places.policies.join("need-to-know.cedar");
    let mut text = Policy::SHIPPED_POLICIES.to_owned();
    text.push_str(
        "\n@id(\"test.nobody\")\nforbid (principal, action == CallerVault::Action::\"field.reveal\", resource);\n",
    );
    std::fs::write(&path, text).unwrap();
    handler.reveal(&case).clear().await.is(200);
    assert!(app.vault().unwrap().reread_rules(&world.places).await.unwrap());
    let after = handler.reveal(&case).clear().await.fails(403, "refused");
    let found = auditor.get("/v1/audit/events?act=vault.rules").await;
    let entry = &found.json()["entries"][0]["leaf"];
    assert_eq!(entry["actor"], "0".repeat(32), "{}", found.text);
    let policies = [auditor.entry(&before).await, auditor.entry(&after).await].map(|leaf| leaf["policy"].clone());
    assert_ne!(policies[0], policies[1]);
    assert_eq!(entry["policy"], policies[1]);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_field_that_is_declared_while_the_vault_is_open() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    let mut with_nickname = caller(NAME, NUMBER);
    with_nickname["nickname"] = json!("阿明");
    agent.intake(with_nickname.clone()).await.fails(422, "unknown-field");
    let field = "[[field]]\nname = \"nickname\"\nzh = \"昵称\"\nen = \"Nickname\"\nrecord = \"caller\"\ntype = \"label\"\nclass = \"personal\"\ngroup = \"name\"\nmask = \"name\"\n\n";
    edit(
        &world,
        "fields.toml",
        "[[field]] # 姓名",
        &format!("{field}[[field]] # 姓名"),
    );
    app.vault().unwrap().reread_rules(&world.places).await.unwrap();
    agent.intake(with_nickname).await.is(201);
    // What is on file under a field's name keeps it declared: these rules are bad, and the others go on.
    edit(&world, "fields.toml", field, "");
    let error = app
        .vault()
        .unwrap()
        .reread_rules(&world.places)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("nickname"), "{error}");
    let mut other = caller(NAME, NUMBER);
    other["nickname"] = json!("小明");
    agent.intake(other).await.is(201);
    drop(app);
    assert!(world.try_open().await.is_err(), "nor does the vault open with them");
}

#[tokio::test]
async fn limits_that_are_replaced_hold_from_then_on() {
    let (world, app) = World::new().await;
    let agent = world.actor(&app, "agent");
    for _ in 0..3 {
        agent.lookup(NUMBER).await.is(200);
    }
    let limits = Limits::SHIPPED.replacen("minute = 30", "minute = 4", 1);
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    app.vault().unwrap().reread_rules(&world.places).await.unwrap();
    agent.lookup(NUMBER).await.is(200);
    agent.lookup(NUMBER).await.fails(429, "too-many-guesses");
}

/// From now on it takes two to give a role that one person has given: what one person issued is void, not what two have.
#[tokio::test]
async fn tokens_of_one_person_end_where_the_roles_take_two_from_now_on() {
    let (world, app) = World::new().await;
    let [admin, auditor, nobody] = world.actors(&app, ["security-admin", "auditor", "nobody"]);
    let tokens = Request::post(format!("{}/tokens", world.account("handler-w2")), &json!({}));
    let codes = Request::post(format!("{}/codes", world.account("handler-w2")), &json!({}));
    let alone = admin.send(tokens.clone()).await.is(201).at("/token");
    let me = |token: &str| Request::get("/v1/me").header("authorization", format!("Bearer {token}"));
    nobody.send(me(&alone)).await.is(200);
    let code = admin.send(codes).await.is(201).at("/code");
    let claim = json!({"account": "handler-w2", "code": code});
    let fetched = nobody.post("/v1/tokens/claim", &claim).await.is(201).at("/token");

    let path = world.places.policies.join("need-to-know.cedar");
    let more = r#"
        @id("city.handlers-approve")
        permit (principal == CallerVault::Role::"handler", action == CallerVault::Action::"approval.approve", resource);
    "#;
    std::fs::write(&path, format!("{}{more}", Policy::SHIPPED_POLICIES)).unwrap();
    assert!(app.vault().unwrap().reread_rules(&world.places).await.unwrap());
    nobody.send(me(&alone)).await.is(401);
    nobody.send(me(&fetched)).await.is(401);
    nobody.send(me(world.token("auditor"))).await.is(200);
    let by_two = admin.with(auditor, &tokens).await.is(201).at("/token");
    nobody.send(me(&by_two)).await.is(200);
}
