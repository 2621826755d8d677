//! What takes two persons: asked, approved by somebody else, done once. And every way around it that was thought of.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::store::rows::Cell;
use callervault::vault::people::NewPrincipal;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::rows::{self, Rows, Store};
use crate::support::{Answer, World, caller};

pub(crate) const RESOLVE: &str = "/v1/audit/resolve";
const NAME: &str = "王小明";
const NUMBER: &str = "13900001111";

pub(crate) fn person(name: &str, role: Role) -> NewPrincipal {
    NewPrincipal {
        name: name.to_owned(),
        department: "H0".parse().unwrap(),
        roles: vec![role],
        kind: PrincipalKind::Person,
    }
}

/// The entry that an answer names.
pub(crate) async fn entry(world: &World, app: &Arc<App>, answer: &Answer) -> Value {
    let index = answer.json().pointer("/audit/index").and_then(Value::as_u64);
    let index = index.expect(&answer.text);
    let entry = world.get(app, "auditor", &format!("/v1/audit/events/{index}")).await;
    entry.json()["leaf"].clone()
}

/// A caller whose ticket C1 holds: the subject that the log calls them, and the ticket.
pub(crate) async fn subject(world: &World, app: &Arc<App>) -> (Value, String) {
    let (no, reference) = world.ticket_at(app, "C1", caller(NAME, NUMBER)).await;
    let read = world.reveal(app, "handler-c1", &reference, &no, "masked").await;
    let subject = entry(world, app, &read).await["subject"].clone();
    (json!({"subject": subject}), no)
}

pub(crate) async fn decide(world: &World, app: &Arc<App>, who: &str, id: &str, what: &str) -> Answer {
    let path = format!("/v1/approvals/{id}/{what}");
    world.call(app, who, "POST", &path, &[], "").await
}

pub(crate) async fn send(world: &World, app: &Arc<App>, who: &str, id: &str, body: &Value) -> Answer {
    let header = [("approval", id)];
    world.call(app, who, "POST", RESOLVE, &header, &body.to_string()).await
}

/// A request by the data protection officer: its id.
pub(crate) async fn ask(world: &World, app: &Arc<App>, body: &Value) -> String {
    let asked = world.post(app, "dpo", RESOLVE, body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    asked.at("/approval/id")
}

/// Refused in these words, and in the log.
pub(crate) async fn refused(world: &World, app: &Arc<App>, answer: &Answer, problem: &str, words: &str) {
    assert_eq!(answer.problem(), problem, "{}", answer.text);
    assert!(answer.at("/detail").contains(words), "{}", answer.text);
    assert_eq!(entry(world, app, answer).await["out"], "denied", "{}", answer.text);
}

pub(crate) async fn state(world: &World, app: &Arc<App>, id: &str) -> String {
    let page = world.get(app, "auditor", "/v1/approvals").await.json();
    let lines = page["items"].as_array().unwrap();
    let line = lines.iter().find(|line| line["id"] == id).unwrap();
    line["state"].as_str().unwrap().to_owned()
}

/// An account's id, whoever made it.
pub(crate) async fn id_of(world: &World, app: &Arc<App>, admin: &str, name: &str) -> String {
    let page = world.get(app, admin, "/v1/admin/principals").await.json();
    let all = page["items"].as_array().unwrap();
    let one = all.iter().find(|one| one["name"] == name).unwrap();
    one["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn asked_approved_and_done_once() {
    let (world, app) = World::new().await;
    let (body, no) = subject(&world, &app).await;
    let asked = world.post(&app, "dpo", RESOLVE, &body).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.at("/approval/id");
    let leaf = entry(&world, &app, &asked).await;
    assert_eq!(
        (&leaf["act"], &leaf["subject"]),
        (&json!("approval.ask"), &body["subject"])
    );

    let page = world.get(&app, "auditor", "/v1/approvals?limit=1").await.json();
    let line = &page["items"][0];
    assert_eq!(line["id"], json!(id));
    assert_eq!(line["action"], "subject.resolve");
    assert_eq!(line["subject"], body["subject"]);
    assert_eq!(line["asker"]["account"], "dpo");
    assert_eq!(line["asker"]["department"], "H0");
    assert_eq!(line["state"], "asked");
    assert_eq!(line["expires_at"], json!(asked.at("/approval/expires_at")));
    assert_eq!(page["next"], json!(id), "the older ones are on the next page");
    for who in ["agent", "handler-c1", "security-admin", "system-admin"] {
        assert_eq!(world.get(&app, who, "/v1/approvals").await.status, 403, "{who}");
        assert_eq!(decide(&world, &app, who, &id, "approve").await.status, 403, "{who}");
    }

    let early = send(&world, &app, "dpo", &id, &body).await;
    refused(&world, &app, &early, "not-approved", "Nobody has approved").await;
    let approved = decide(&world, &app, "auditor", &id, "approve").await;
    assert_eq!((approved.status, approved.at("/state").as_str()), (200, "approved"));
    let leaf = entry(&world, &app, &approved).await;
    assert_eq!(leaf["link"]["asker"], json!(world.id("dpo")), "both are named: {leaf}");
    assert_eq!(leaf["link"]["decision"], "approved");
    let auditor = leaf["actor"].clone();

    let done = send(&world, &app, "dpo", &id, &body).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert!(done.at("/caller/ref").starts_with("H0"), "{}", done.text);
    assert_eq!(done.json()["tickets"], json!([no]));
    assert!(
        !done.text.contains(NAME) && !done.text.contains(NUMBER),
        "{}",
        done.text
    );
    let leaf = entry(&world, &app, &done).await;
    assert_eq!(leaf["act"], "subject.resolve");
    assert_eq!((&leaf["actor"], &leaf["approver"]), (&json!(world.id("dpo")), &auditor));
    assert_eq!(leaf["subject"], body["subject"]);
    assert!(
        leaf["digest"].get(format!("@approval/{id}")).is_some(),
        "used up with the act: {leaf}"
    );

    let again = send(&world, &app, "dpo", &id, &body).await;
    refused(&world, &app, &again, "not-approved", "has been used").await;
    assert_eq!(state(&world, &app, &id).await, "used");
    let late = decide(&world, &app, "auditor", &id, "approve").await;
    refused(&world, &app, &late, "approval-closed", "has been used").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn it_is_this_request_of_this_asker_or_none() {
    let (mut world, app) = World::new().await;
    world
        .hire(app.vault(), "security-admin", person("dpo-2", Role::Dpo))
        .await;
    let (body, _) = subject(&world, &app).await;
    let (other, _) = subject(&world, &app).await;
    assert_eq!(body, other, "one caller is one subject");
    let (no, reference) = world.ticket_at(&app, "W2", caller("李四光", "13700002222")).await;
    let read = world.reveal(&app, "handler-w2", &reference, &no, "masked").await;
    let other = json!({"subject": entry(&world, &app, &read).await["subject"]});

    let id = ask(&world, &app, &body).await;
    assert_eq!(decide(&world, &app, "dpo-2", &id, "approve").await.status, 200);
    let changed = send(&world, &app, "dpo", &id, &other).await;
    refused(&world, &app, &changed, "not-approved", "another request").await;
    let stolen = send(&world, &app, "dpo-2", &id, &body).await;
    refused(&world, &app, &stolen, "not-approved", "no such approval of yours").await;
    let unknown = send(&world, &app, "dpo", &"0".repeat(32), &body).await;
    refused(&world, &app, &unknown, "not-approved", "no such approval of yours").await;
    let elsewhere = [("approval", id.as_str())];
    let make = json!({"name": "a2", "department": "H0", "roles": ["auditor"], "kind": "person"}).to_string();
    let elsewhere = world
        .call(
            &app,
            "security-admin",
            "POST",
            "/v1/admin/principals",
            &elsewhere,
            &make,
        )
        .await;
    refused(&world, &app, &elsewhere, "not-approved", "no such approval of yours").await;
    let malformed = send(&world, &app, "dpo", "17", &body).await;
    assert_eq!((malformed.status, malformed.problem().as_str()), (400, "bad-approval"));
    let foreign = world.post(&app, "dpo", RESOLVE, &json!({"subject": reference})).await;
    assert_eq!((foreign.status, foreign.problem().as_str()), (422, "no-subject"));
    for who in ["agent", "auditor", "security-admin", "system-admin"] {
        let answer = world.post(&app, who, RESOLVE, &body).await;
        refused(&world, &app, &answer, "refused", "Your role does not cover this").await;
    }

    let id = ask(&world, &app, &body).await;
    let no = decide(&world, &app, "auditor", &id, "refuse").await;
    assert_eq!((no.status, no.at("/state").as_str()), (200, "refused"));
    let refused_one = send(&world, &app, "dpo", &id, &body).await;
    refused(&world, &app, &refused_one, "not-approved", "was refused").await;
    let change_of_mind = decide(&world, &app, "auditor", &id, "approve").await;
    refused(&world, &app, &change_of_mind, "approval-closed", "refused already").await;
    assert_eq!(
        decide(&world, &app, "auditor", &"0".repeat(32), "approve").await.status,
        404
    );
}

#[tokio::test]
async fn nobody_is_their_own_second_person() {
    let (mut world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let admin = "security-admin";
    world
        .hire(app.vault(), admin, person("second-admin", Role::SecurityAdmin))
        .await;
    world
        .hire(app.vault(), "second-admin", person("dpo-2", Role::Dpo))
        .await;
    let robot = NewPrincipal {
        kind: PrincipalKind::Service,
        ..person("robot", Role::Dpo)
    };
    world.hire(app.vault(), admin, robot).await;

    let id = ask(&world, &app, &body).await;
    let own = decide(&world, &app, "dpo", &id, "approve").await;
    refused(&world, &app, &own, "own-request", "their own request").await;
    let program = decide(&world, &app, "robot", &id, "approve").await;
    refused(&world, &app, &program, "not-a-person", "service account").await;
    let program = world.post(&app, "robot", RESOLVE, &body).await;
    refused(&world, &app, &program, "not-a-person", "service account").await;

    // The officer's account was made by the one who asks.
    let make = json!({"name": "auditor-2", "department": "H0", "roles": ["auditor"], "kind": "person"});
    let asked = world.post(&app, admin, "/v1/admin/principals", &make).await;
    let id = asked.at("/approval/id");
    let creature = decide(&world, &app, "dpo", &id, "approve").await;
    refused(&world, &app, &creature, "own-request", "an account they made").await;
    assert_eq!(
        decide(&world, &app, "dpo-2", &id, "approve").await.status,
        200,
        "made by another"
    );

    // About the auditor's own account.
    let path = format!(
        "/v1/admin/principals/{}/tokens",
        id_of(&world, &app, admin, "auditor").await
    );
    let asked = world.post(&app, "second-admin", &path, &json!({})).await;
    let about = decide(&world, &app, "auditor", &asked.at("/approval/id"), "approve").await;
    refused(&world, &app, &about, "own-request", "about themselves").await;

    // Whoever made the asker's account, in another role now.
    let path = format!("/v1/admin/principals/{}", id_of(&world, &app, admin, admin).await);
    let set = json!({"roles": ["dpo"], "active": true}).to_string();
    let tag = ("if-match", "\"1\"");
    let asked = world.call(&app, "second-admin", "PUT", &path, &[tag], &set).await;
    let id = asked.at("/approval/id");
    assert_eq!(decide(&world, &app, "auditor", &id, "approve").await.status, 200);
    let headers = [("if-match", "\"1\""), ("approval", id.as_str())];
    let done = world.call(&app, "second-admin", "PUT", &path, &headers, &set).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let id = ask(&world, &app, &body).await;
    let maker = decide(&world, &app, admin, &id, "approve").await;
    refused(&world, &app, &maker, "own-request", "that made theirs").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn an_administrator_is_made_by_two() {
    let (world, app) = World::new().await;
    let make = json!({"name": "auditor-2", "department": "H0", "roles": ["auditor"], "kind": "person"});
    let asked = world.post(&app, "security-admin", "/v1/admin/principals", &make).await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let leaf = entry(&world, &app, &asked).await;
    assert_eq!(leaf["link"]["roles"], "auditor");
    assert!(
        leaf["link"].get("account").is_none(),
        "a name stays out of the log: {leaf}"
    );
    let page = world.get(&app, "auditor", "/v1/approvals").await.json();
    assert_eq!(
        page["items"][0]["about"]["account"], "auditor-2",
        "who decides sees what would be done"
    );

    let made = world
        .with_second(&app, "security-admin", "auditor", "/v1/admin/principals", &make)
        .await;
    assert_eq!(made.status, 201, "{}", made.text);
    let leaf = entry(&world, &app, &made).await;
    assert_eq!(leaf["act"], "admin.administrator");
    assert!(leaf["approver"].is_string() && leaf["approver"] != leaf["actor"]);
    let tokens = format!("/v1/admin/principals/{}/tokens", made.at("/id"));
    let token = world
        .with_second(&app, "security-admin", "auditor", &tokens, &json!({}))
        .await;
    assert_eq!(token.status, 201, "{}", token.text);
    assert!(token.at("/token").starts_with("cvt_"));
    // The name is taken now: the approval is not used up by what did not happen.
    let asked = world.post(&app, "security-admin", "/v1/admin/principals", &make).await;
    let id = asked.at("/approval/id");
    assert_eq!(decide(&world, &app, "auditor", &id, "approve").await.status, 200);
    let header = [("approval", id.as_str())];
    let taken = world
        .call(
            &app,
            "security-admin",
            "POST",
            "/v1/admin/principals",
            &header,
            &make.to_string(),
        )
        .await;
    assert_eq!((taken.status, taken.problem().as_str()), (409, "taken"));
    assert_eq!(state(&world, &app, &id).await, "approved");
    // What one may do alone needs no approval.
    let handler = json!({"name": "handler-9", "department": "C1", "roles": ["handler"], "kind": "person"});
    let answer = world
        .post(&app, "security-admin", "/v1/admin/principals", &handler)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_day_later_it_has_expired() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    drop(app);
    let now = Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_at(clock.clone()).await;
    let [approved, asked] = [ask(&world, &app, &body).await, ask(&world, &app, &body).await];
    assert_eq!(decide(&world, &app, "auditor", &approved, "approve").await.status, 200);
    clock.set(now + SignedDuration::from_hours(24));
    let late = send(&world, &app, "dpo", &approved, &body).await;
    refused(&world, &app, &late, "not-approved", "has expired").await;
    let late = decide(&world, &app, "auditor", &asked, "approve").await;
    refused(&world, &app, &late, "approval-closed", "has expired").await;
    assert_eq!(state(&world, &app, &approved).await, "expired");
    assert_eq!(state(&world, &app, &asked).await, "expired");
}

#[tokio::test]
async fn the_second_person_must_still_be_one() {
    let (mut world, app) = World::new().await;
    for name in ["dpo-2", "dpo-3"] {
        let dpo = person(name, Role::Dpo);
        world.hire(app.vault(), "security-admin", dpo).await;
    }
    let (body, _) = subject(&world, &app).await;
    for (name, set) in [
        ("dpo-2", json!({"roles": ["analyst"], "active": true})),
        ("dpo-3", json!({"roles": ["dpo"], "active": false})),
    ] {
        let id = ask(&world, &app, &body).await;
        let path = format!("/v1/admin/principals/{}", world.id(name));
        let page = world.get(&app, "security-admin", "/v1/admin/principals").await.json();
        let all = page["items"].as_array().unwrap().clone();
        let version = all.iter().find(|one| one["name"] == name).unwrap()["version"].clone();
        let change = async |set: &Value, version: u64| {
            let tag = format!("\"{version}\"");
            let set = set.to_string();
            let asked = world
                .call(&app, "security-admin", "PUT", &path, &[("if-match", &tag)], &set)
                .await;
            if asked.status == 200 {
                return;
            }
            let id = asked.at("/approval/id");
            assert_eq!(decide(&world, &app, "auditor", &id, "approve").await.status, 200);
            let headers = [("if-match", tag.as_str()), ("approval", id.as_str())];
            let done = world.call(&app, "security-admin", "PUT", &path, &headers, &set).await;
            assert_eq!(done.status, 200, "{}", done.text);
        };
        let version = version.as_u64().unwrap();
        assert_eq!(decide(&world, &app, name, &id, "approve").await.status, 200);
        change(&set, version).await;
        let gone = send(&world, &app, "dpo", &id, &body).await;
        refused(&world, &app, &gone, "not-approved", "may no longer approve").await;
    }
}

#[tokio::test]
async fn of_two_at_once_one_wins() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let id = ask(&world, &app, &body).await;
    let decisions = tokio::join!(
        decide(&world, &app, "auditor", &id, "approve"),
        decide(&world, &app, "auditor", &id, "refuse"),
    );
    let (first, second) = decisions;
    let mut status = [first.status, second.status];
    status.sort_unstable();
    assert_eq!(status, [200, 409], "{} {}", first.text, second.text);

    let id = ask(&world, &app, &body).await;
    assert_eq!(decide(&world, &app, "auditor", &id, "approve").await.status, 200);
    let (first, second) = tokio::join!(
        send(&world, &app, "dpo", &id, &body),
        send(&world, &app, "dpo", &id, &body),
    );
    let (won, lost) = if first.status == 200 {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!(won.status, 200, "{}", won.text);
    refused(&world, &app, &lost, "not-approved", "has been used").await;
}

#[tokio::test]
async fn rows_of_approvals_are_not_for_editing() {
    let (world, app) = World::new().await;
    let (body, _) = subject(&world, &app).await;
    let id = ask(&world, &app, &body).await;
    let other = ask(&world, &app, &body).await;
    drop(app);
    let data = world.data();
    let auditor: Vec<u8> = data.rows("principal").of("account", "auditor").first("id");
    let approval = data.rows("approval").of("id", rows::id(&id));
    approval.set("state", "approved");
    approval.set("approver", &*auditor);
    assert_eq!(data.rows("approval").of("id", rows::id(&other)).delete(), 1);
    drop(data);
    let app = world.open().await;
    let answer = send(&world, &app, "dpo", &id, &body).await;
    assert_eq!(
        (answer.status, answer.problem().as_str()),
        (500, "integrity"),
        "{}",
        answer.text
    );
    let answer = send(&world, &app, "dpo", &other, &body).await;
    refused(&world, &app, &answer, "not-approved", "no such approval of yours").await;
    drop(app);
    let findings: Vec<String> = world
        .fsck()
        .await
        .into_iter()
        .map(|one| format!("{} {}", one.place, one.what))
        .collect();
    for words in [
        format!("approval {id} was edited: its code does not fit"),
        format!("@approval/{other} was logged and is not there"),
    ] {
        assert!(findings.contains(&words), "{words}: {findings:?}");
    }
}

/// The rows of an account's tokens.
fn tokens<'d>(data: &'d Store, account: &str) -> Rows<'d> {
    data.rows("api_token").of("principal", rows::id(account))
}

#[tokio::test]
async fn a_token_issued_alone_does_not_rise_with_its_account() {
    let (world, app) = World::new().await;
    let account = format!("/v1/admin/principals/{}", world.id("handler-c1"));
    let rise = json!({"roles": ["auditor"], "active": true}).to_string();
    let version = [("if-match", "\"1\"")];
    let asked = world
        .call(&app, "security-admin", "PUT", &account, &version, &rise)
        .await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    let id = asked.at("/approval/id");
    decide(&world, &app, "auditor", &id, "approve").await;
    let header = [version[0], ("approval", id.as_str())];
    let risen = world
        .call(&app, "security-admin", "PUT", &account, &header, &rise)
        .await;
    assert_eq!(risen.status, 200, "{}", risen.text);
    let old = world.get(&app, "handler-c1", "/v1/audit/checkpoint").await;
    assert_eq!(old.status, 401, "a token from before is void: {}", old.text);
    // Whoever edits the rows cannot carry it across: its row has the epoch that it was issued in, and its own code.
    drop(app);
    assert_eq!(tokens(&world.data(), world.id("handler-c1")).set("epoch", 2), 1);
    let app = world.open().await;
    let edited = world.get(&app, "handler-c1", "/v1/audit/checkpoint").await;
    assert_eq!((edited.status, edited.problem().as_str()), (500, "integrity"));
}

/// A row editor marks a token as revoked while the account rises, and puts the row back afterwards.
#[tokio::test]
async fn a_token_hidden_while_its_account_rises_stays_void() {
    let (world, app) = World::new().await;
    let handler = world.id("handler-c1");
    assert_eq!(tokens(&world.data(), handler).set("revoked_at", 1), 1);
    let account = format!("/v1/admin/principals/{}", world.id("handler-c1"));
    let rise = json!({"roles": ["auditor"], "active": true}).to_string();
    let version = ("if-match", "\"1\"");
    let asked = world
        .call(&app, "security-admin", "PUT", &account, &[version], &rise)
        .await;
    let id = asked.at("/approval/id");
    decide(&world, &app, "auditor", &id, "approve").await;
    let header = [version, ("approval", id.as_str())];
    let risen = world
        .call(&app, "security-admin", "PUT", &account, &header, &rise)
        .await;
    assert_eq!(risen.status, 200, "{}", risen.text);
    assert_eq!(tokens(&world.data(), handler).set("revoked_at", Cell::Null), 1);
    let old = world.get(&app, "handler-c1", "/v1/audit/checkpoint").await;
    assert_eq!(old.status, 401, "{}", old.text);
}

#[tokio::test]
async fn nobody_silences_those_who_watch_alone() {
    let (world, app) = World::new().await;
    let auditor = id_of(&world, &app, "security-admin", "auditor").await;
    let tokens = format!("/v1/admin/principals/{auditor}/tokens");
    let listed = world.get(&app, "security-admin", &tokens).await.json();
    let token = format!("{tokens}/{}", listed["items"][0]["id"].as_str().unwrap());
    let asked = world.call(&app, "security-admin", "DELETE", &token, &[], "").await;
    assert_eq!(asked.status, 202, "{}", asked.text);
    assert_eq!(
        world.get(&app, "auditor", "/v1/approvals").await.status,
        200,
        "still there"
    );
    let id = asked.at("/approval/id");
    let made = decide(&world, &app, "dpo", &id, "approve").await;
    assert_eq!(
        made.problem(),
        "own-request",
        "whom the asker has made is no second person"
    );
    // The owner is one, here: it is their own that goes.
    assert_eq!(decide(&world, &app, "auditor", &id, "approve").await.status, 200);
    let header = [("approval", id.as_str())];
    let done = world.call(&app, "security-admin", "DELETE", &token, &header, "").await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(world.get(&app, "auditor", "/v1/approvals").await.status, 401);
}
