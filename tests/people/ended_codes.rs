//! What ends a one-time code before its day is over.

use callervault::model::principals::Role;
use serde_json::json;

use crate::people::codes::{OWNER, Scene, issue};
use crate::support::Request;
use crate::support::approvals::person;
use crate::support::rows::id;

/// Who issued it was barred, and let in again later: what they left behind is worth nothing.
#[tokio::test]
async fn a_code_ends_with_the_standing_of_who_issued_it() {
    let mut scene = Scene::new().await;
    let other = person("security-admin-2", Role::SecurityAdmin);
    scene
        .world
        .hire(&scene.app.vault().unwrap(), "security-admin", other)
        .await;
    let [admin, second, auditor] = scene
        .world
        .actors(&scene.app, ["security-admin", "security-admin-2", "auditor"]);
    let code = second.send(issue(&scene.world, OWNER)).await.is(201).at("/code");
    let set = |version, active: bool| {
        let body = json!({"roles": ["security_admin"], "active": active});
        Request::put(scene.world.account("security-admin-2"), &body).version(version)
    };
    admin.with(auditor, &set(1, false)).await.is(200);
    scene.is_refused(&code).await;
    admin.with(auditor, &set(2, true)).await.is(200);
    scene.is_refused(&code).await;
}

#[tokio::test]
async fn a_code_ends_with_a_token_that_is_issued_or_revoked_and_when_it_is_said() {
    let scene = Scene::new().await;
    let admin = scene.world.actor(&scene.app, "security-admin");
    let tokens = format!("{}/tokens", scene.world.account(OWNER));
    let codes = format!("{}/codes", scene.world.account(OWNER));
    let shown = async || admin.get(tokens.clone()).await.is(200).json();
    assert_eq!(shown().await.get("code"), None, "it never had one");

    let code = scene.code().await;
    let listed = shown().await;
    assert_eq!(listed["code"]["open"], true, "{listed}");
    assert_eq!(listed["code"]["issued_by"], scene.world.id("security-admin"));
    assert!(!listed.to_string().contains(&code), "{listed}");
    let issued = admin.post(tokens.clone(), &json!({})).await.is(201);
    assert_eq!(shown().await["code"]["open"], false);
    scene.is_refused(&code).await;

    let code = scene.code().await;
    let revoke = Request::bare("DELETE", format!("{tokens}/{}", issued.at("/id")));
    admin.send(revoke).await.is(200);
    scene.is_refused(&code).await;

    let code = scene.code().await;
    let end = || Request::bare("DELETE", codes.clone());
    scene
        .world
        .actor(&scene.app, "agent")
        .send(end())
        .await
        .fails(403, "refused");
    let ended = admin.send(end()).await.is(200);
    let leaf = scene
        .world
        .actor(&scene.app, "auditor")
        .entry_at(ended.json()["index"].as_u64().unwrap())
        .await;
    assert_eq!(leaf["link"]["principal"], scene.world.id(OWNER));
    assert_eq!(leaf["link"]["token"], "end-code");
    scene.is_refused(&code).await;
    admin.send(end()).await.fails(404, "not-found");
    assert_eq!(scene.claims().await.len(), 0, "none of these was a wrong code");
    let Scene { world, app } = scene;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A code was used, and somebody with the data store puts its row back: it fetches no second token.
#[tokio::test]
async fn a_code_whose_row_is_put_back_fetches_no_second_token() {
    let scene = Scene::new().await;
    let code = scene.code().await;
    let open = scene.world.data().rows("token_code").kept();
    scene.claim(&code).await.is(201);
    scene.world.data().put_back(&open);
    scene.is_refused(&code).await;
    let of_owner = id(scene.world.id(OWNER));
    assert_eq!(
        scene.world.data().rows("api_token").of("principal", of_owner).count(),
        2
    );
}

/// One role that one person gives in the place of another: the epoch stays, the account is another.
#[tokio::test]
async fn a_code_is_for_the_roles_of_when_it_was_issued() {
    let scene = Scene::new().await;
    let admin = scene.world.actor(&scene.app, "security-admin");
    let code = scene.code().await;
    let body = json!({"roles": ["agent"], "active": true});
    admin
        .send(Request::put(scene.world.account(OWNER), &body).version(1))
        .await
        .is(200);
    scene.is_refused(&code).await;
}
