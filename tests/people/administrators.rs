//! Administrators and auditors: made by two, and silenced by two; what one person could do before does not rise with an account.

use callervault::store::rows::Cell;
use serde_json::json;

use crate::support::approvals::new_auditor;
use crate::support::rows::{self, Rows, Store};
use crate::support::{PEOPLE, Request, World};

#[tokio::test]
async fn an_administrator_is_made_by_two() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let make = new_auditor("auditor-2");
    let asked = admin.send(make.clone()).await.is(202);
    let leaf = auditor.entry(&asked).await;
    assert_eq!(leaf["link"]["roles"], "auditor");
    let named = leaf["link"].get("account").is_some();
    assert!(!named, "a name stays out of the log: {leaf}");
    let page = auditor.get("/v1/approvals").await.json();
    let about = &page["items"][0]["about"]["account"];
    assert_eq!(about, "auditor-2", "who decides sees what would be done");

    let made = admin.with(auditor, &make).await.is(201);
    let leaf = auditor.entry(&made).await;
    assert_eq!(leaf["act"], "admin.administrator");
    assert!(leaf["approver"].is_string() && leaf["approver"] != leaf["actor"]);
    let issue = Request::post(format!("{PEOPLE}/{}/tokens", made.at("/id")), &json!({}));
    let token = admin.with(auditor, &issue).await.is(201);
    assert!(token.at("/token").starts_with("cvt_"));
    // The name is taken now: the approval is not used up by what did not happen.
    let id = admin.approved_by(auditor, &make).await;
    admin.send(make.approved(&id)).await.fails(409, "taken");
    assert_eq!(auditor.state(&id).await, "approved");
    // What one may do alone needs no approval.
    let handler = json!({"name": "handler-9", "department": "C1", "roles": ["handler"], "kind": "person"});
    admin.post(PEOPLE, &handler).await.is(201);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The handler's account gets a role that takes two persons.
fn rise(world: &World) -> Request {
    let auditor = json!({"roles": ["auditor"], "active": true});
    Request::put(world.account("handler-c1"), &auditor).version(1)
}

/// The rows of the handler's tokens.
fn tokens<'d>(world: &World, data: &'d Store) -> Rows<'d> {
    data.rows("api_token").of("principal", rows::id(world.id("handler-c1")))
}

#[tokio::test]
async fn a_token_issued_alone_does_not_rise_with_its_account() {
    let (world, app) = World::new().await;
    let [admin, auditor, handler] = world.actors(&app, ["security-admin", "auditor", "handler-c1"]);
    admin.with(auditor, &rise(&world)).await.is(200);
    // A token from before is void.
    handler.get("/v1/audit/checkpoint").await.is(401);
    // Whoever edits the rows cannot carry it across: its row has the epoch that it was issued in, and its own code.
    drop(app);
    assert_eq!(tokens(&world, &world.data()).set("epoch", 2), 1);
    let app = world.open().await;
    let edited = world.actor(&app, "handler-c1").get("/v1/audit/checkpoint").await;
    edited.fails(500, "integrity");
}

/// A row editor marks a token as revoked while the account rises, and puts the row back afterwards.
#[tokio::test]
async fn a_token_hidden_while_its_account_rises_stays_void() {
    let (world, app) = World::new().await;
    let [admin, auditor, handler] = world.actors(&app, ["security-admin", "auditor", "handler-c1"]);
    assert_eq!(tokens(&world, &world.data()).set("revoked_at", 1), 1);
    admin.with(auditor, &rise(&world)).await.is(200);
    assert_eq!(tokens(&world, &world.data()).set("revoked_at", Cell::Null), 1);
    handler.get("/v1/audit/checkpoint").await.is(401);
}

#[tokio::test]
async fn nobody_silences_those_who_watch_alone() {
    let (world, app) = World::new().await;
    let [admin, auditor, dpo] = world.actors(&app, ["security-admin", "auditor", "dpo"]);
    let tokens = format!("{}/tokens", world.account("auditor"));
    let listed = admin.get(&*tokens).await;
    let revoke = Request::delete(format!("{tokens}/{}", listed.at("/items/0/id")));
    let id = admin.ask(&revoke).await;
    // The auditor is still there.
    auditor.get("/v1/approvals").await.is(200);
    // Whom the asker has made is no second person.
    dpo.approve(&id).await.fails(403, "own-request");
    // The owner is one, here: it is their own that goes.
    auditor.approve(&id).await.is(200);
    admin.send(revoke.approved(&id)).await.is(200);
    auditor.get("/v1/approvals").await.is(401);
}
