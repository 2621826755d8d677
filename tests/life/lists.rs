//! The lists that a city owns: read at the start and again while the vault serves.

use std::os::unix::fs::PermissionsExt;

use callervault::model::lists::Lists;
use data_encoding::BASE64;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::support::{NAME, NUMBER, World, caller, intake};

const RELOAD: &str = "/v1/admin/lists/reload";

/// The shipped lists with something in another's place.
fn with(pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(Lists::SHIPPED.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn call(pointer: &str, value: Value) -> Value {
    let mut call = intake(caller(NAME, NUMBER));
    *call.pointer_mut(pointer).unwrap() = value;
    call
}

#[tokio::test]
async fn everybody_reads_codes_and_labels() {
    let (world, app) = World::new().await;
    let auditor = world.actor(&app, "auditor");
    let before = auditor.get("/v1/audit/events/0").await.index();
    for who in ["agent", "handler-c1", "auditor", "system-admin"] {
        let lists = world.actor(&app, who).get("/v1/lists").await.is(200).json();
        let noise = json!({"code": "noise", "zh": "噪声扰民", "en": "Noise"});
        assert!(lists["categories"].as_array().unwrap().contains(&noise), "{lists}");
        assert_eq!(
            lists["channels"][0],
            json!({"code": "phone", "zh": "电话", "en": "Telephone"})
        );
        assert_eq!(lists["department_kinds"][1]["code"], "organ");
        assert_eq!(lists["townships"], json!([]));
    }
    let after = auditor.get("/v1/audit/events/0").await.index();
    assert_eq!(after, before + 1, "it shows nobody and is no entry of the log");
    world.actor(&app, "nobody").get("/v1/lists").await.is(401);
}

#[tokio::test]
async fn intake_takes_what_is_listed() {
    let world = World::closed().await;
    let own = with(&[
        ("\"noise\"", "\"night-market\""),
        ("    { code = \"web\", zh = \"网站\", en = \"Web form\" },\n", ""),
        (
            "    { code = \"enterprise\", zh = \"企业\", en = \"Public enterprise\" },\n",
            "",
        ),
        (
            "townships = []",
            "townships = [{ code = \"310118101\", zh = \"盈浦街道\", en = \"Yingpu\" }]",
        ),
    ]);
    std::fs::write(world.places.policies.join("lists.toml"), own).unwrap();
    let app = world.open().await;
    let [agent, admin] = world.actors(&app, ["agent", "security-admin"]);
    let mut right = call("/ticket/category", json!("night-market"));
    right["ticket"]["township"] = json!("310118101");
    agent.post("/v1/intake", &right).await.is(201);
    for (pointer, value, problem) in [
        ("/ticket/category", json!("noise"), "bad-category"),
        ("/ticket/township", json!("310113"), "bad-township"),
        ("/call/channel", json!("web"), "bad-channel"),
    ] {
        let mut wrong = right.clone();
        *wrong.pointer_mut(pointer).unwrap() = value;
        agent.post("/v1/intake", &wrong).await.fails(422, problem);
    }
    let department = json!({"code": "E9", "name": "E9", "kind": "enterprise"});
    admin
        .post("/v1/admin/departments", &department)
        .await
        .fails(422, "bad-kind");
}

#[tokio::test]
async fn lists_are_read_again_while_the_vault_serves() {
    let (world, app) = World::new().await;
    let [agent, admin, auditor] = world.actors(&app, ["agent", "security-admin", "auditor"]);
    let case = agent.take(caller(NAME, NUMBER)).await;
    let file = world.places.policies.join("lists.toml");
    let own = with(&[("\"noise\"", "\"night-market\"")]);
    std::fs::write(&file, &own).unwrap();
    let call = call("/ticket/category", json!("night-market"));
    agent.post("/v1/intake", &call).await.fails(422, "bad-category");
    for who in ["agent", "auditor", "system-admin"] {
        world
            .actor(&app, who)
            .post(RELOAD, &json!({}))
            .await
            .fails(403, "refused");
    }
    let read = admin.post(RELOAD, &json!({})).await.is(200);
    let hash = BASE64.encode(digest(&SHA256, own.as_bytes()).as_ref());
    assert_eq!(read.at("/sha256"), hash);
    let leaf = auditor.entry(&read).await;
    assert_eq!(
        (&leaf["act"], &leaf["link"]),
        (&json!("admin.lists"), &json!({"lists": hash}))
    );
    agent.post("/v1/intake", &call).await.is(201);
    // A ticket keeps the category that is listed no more.
    assert_eq!(agent.get(case.ticket()).await.is(200).at("/category"), "noise");

    // What cannot be used changes nothing.
    for wrong in [with(&[("\"noise\"", "\"Noise\"")]), "categories = 3".to_owned()] {
        std::fs::write(&file, wrong).unwrap();
        admin.post(RELOAD, &json!({})).await.fails(422, "bad-lists");
    }
    std::fs::write(&file, Lists::SHIPPED).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o666)).unwrap();
    admin.post(RELOAD, &json!({})).await.fails(422, "bad-lists");
    agent.post("/v1/intake", &call).await.is(201);
    std::fs::remove_file(&file).unwrap();
    admin.post(RELOAD, &json!({})).await.is(200);
    agent.post("/v1/intake", &call).await.fails(422, "bad-category");
}

#[tokio::test]
async fn lists_that_cannot_be_read_keep_the_vault_shut() {
    let world = World::closed().await;
    std::fs::write(world.places.policies.join("lists.toml"), "channels = [").unwrap();
    let error = world.refusal().await;
    assert!(error.starts_with("lists.toml: "), "{error}");
}
