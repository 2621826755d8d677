//! What takes two persons: asked, approved by somebody else, done once. And every way around it that was thought of.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::model::principals::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::support::approvals::{new_auditor, person, resolve, service};
use crate::support::rows;
use crate::support::{Actor, Answer, NAME, NUMBER, Request, World, caller};

const NONE: &str = "00000000000000000000000000000000";

/// The auditor's list begins with what the officer has asked.
async fn lists(auditor: Actor<'_>, asked: &Answer, subject: &str) {
    let page = auditor.get("/v1/approvals?limit=1").await.json();
    let line = &page["items"][0];
    assert_eq!(line["id"], asked.at("/approval/id"));
    assert_eq!(line["action"], "subject.resolve");
    assert_eq!(line["subject"], subject);
    assert_eq!(line["asker"]["account"], "dpo");
    assert_eq!(line["asker"]["department"], "H0");
    assert_eq!(line["state"], "asked");
    assert_eq!(line["expires_at"], asked.at("/approval/expires_at"));
    assert_eq!(
        page["next"],
        asked.at("/approval/id"),
        "the older ones are on the next page"
    );
}

#[tokio::test]
async fn asked_approved_and_done_once() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let case = world.case(&app, "C1").await;
    let subject = world.subject(&app, &case).await;
    let request = resolve(&subject);
    let asked = dpo.send(request.clone()).await.is(202);
    let id = asked.at("/approval/id");
    let leaf = auditor.entry(&asked).await;
    assert_eq!(
        (&leaf["act"], &leaf["subject"]),
        (&json!("approval.ask"), &json!(subject))
    );

    lists(auditor, &asked, &subject).await;
    for who in ["agent", "handler-c1", "security-admin", "system-admin"] {
        let who = world.actor(&app, who);
        who.get("/v1/approvals").await.is(403);
        who.approve(&id).await.is(403);
    }

    let early = dpo.send(request.clone().approved(&id)).await;
    auditor
        .finds_refused(&early, "not-approved", "has not been approved yet")
        .await;
    let approved = auditor.approve(&id).await.is(200);
    assert_eq!(approved.at("/state"), "approved");
    let leaf = auditor.entry(&approved).await;
    assert_eq!(leaf["link"]["asker"], world.id("dpo"), "both are named: {leaf}");
    assert_eq!(leaf["link"]["decision"], "approved");
    assert_eq!(leaf["actor"], world.id("auditor"));

    let done = dpo.send(request.clone().approved(&id)).await.is(200);
    assert!(done.at("/caller/ref").starts_with("H0"), "{}", done.text);
    assert_eq!(done.json()["tickets"], json!([case.no]));
    let shown = [NAME, NUMBER].iter().any(|value| done.text.contains(value));
    assert!(!shown, "{}", done.text);
    let leaf = auditor.entry(&done).await;
    assert_eq!(leaf["act"], "subject.resolve");
    assert_eq!(leaf["actor"], world.id("dpo"));
    assert_eq!(leaf["approver"], world.id("auditor"));
    assert_eq!(leaf["subject"], subject);
    let used_up = leaf["digest"].get(format!("@approval/{id}")).is_some();
    assert!(used_up, "used up with the act: {leaf}");

    let again = dpo.send(request.approved(&id)).await;
    auditor.finds_refused(&again, "not-approved", "has been used").await;
    assert_eq!(auditor.state(&id).await, "used");
    let late = auditor.approve(&id).await;
    auditor.finds_refused(&late, "approval-closed", "has been used").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn it_is_this_request_of_this_asker_or_none() {
    let (mut world, app) = World::new().await;
    world
        .hire(&app.vault().unwrap(), "security-admin", person("dpo-2", Role::Dpo))
        .await;
    let [dpo, other_dpo] = world.actors(&app, ["dpo", "dpo-2"]);
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let subject = world.subject(&app, &world.case(&app, "C1").await).await;
    let same = world.subject(&app, &world.case(&app, "C1").await).await;
    assert_eq!(subject, same, "one caller is one subject");
    let foreign = world.case_of(&app, "W2", caller("李四光", "13700002222")).await;
    let other = resolve(&world.subject(&app, &foreign).await);
    let request = resolve(&subject);

    let id = dpo.approved_by(other_dpo, &request).await;
    let changed = dpo.send(other.approved(&id)).await;
    auditor.finds_refused(&changed, "not-approved", "another request").await;
    let unknown_to_all = "You have no such approval";
    let stolen = other_dpo.send(request.clone().approved(&id)).await;
    let unknown = dpo.send(request.clone().approved(NONE)).await;
    let elsewhere = admin.send(new_auditor("a2").approved(&id)).await;
    for answer in [stolen, unknown, elsewhere] {
        auditor.finds_refused(&answer, "not-approved", unknown_to_all).await;
    }
    let malformed = dpo.send(request.clone().approved("17")).await;
    malformed.fails(400, "bad-approval");
    dpo.send(resolve(&foreign.reference)).await.fails(422, "no-subject");
    for who in ["agent", "auditor", "security-admin", "system-admin"] {
        let answer = world.actor(&app, who).send(request.clone()).await;
        auditor
            .finds_refused(&answer, "refused", "Your role does not allow this")
            .await;
    }

    let id = dpo.ask(&request).await;
    let no = auditor.refuse(&id).await.is(200);
    assert_eq!(no.at("/state"), "refused");
    let refused = dpo.send(request.approved(&id)).await;
    auditor
        .finds_refused(&refused, "not-approved", "refused the request")
        .await;
    let change_of_mind = auditor.approve(&id).await;
    auditor
        .finds_refused(&change_of_mind, "approval-closed", "already been refused")
        .await;
    auditor.approve(NONE).await.is(404);
}

#[tokio::test]
async fn nobody_is_their_own_second_person() {
    let (mut world, app) = World::new().await;
    let (first, second) = ("security-admin", "second-admin");
    world
        .hire(&app.vault().unwrap(), first, person(second, Role::SecurityAdmin))
        .await;
    world
        .hire(&app.vault().unwrap(), second, person("dpo-2", Role::Dpo))
        .await;
    world
        .hire(&app.vault().unwrap(), first, service("robot", Role::Dpo))
        .await;
    let [admin, second] = world.actors(&app, [first, second]);
    let [dpo, other_dpo, robot] = world.actors(&app, ["dpo", "dpo-2", "robot"]);
    let auditor = world.actor(&app, "auditor");
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);

    let id = dpo.ask(&request).await;
    let own = dpo.approve(&id).await;
    auditor.finds_refused(&own, "own-request", "your own request").await;
    for program in [robot.approve(&id).await, robot.send(request.clone()).await] {
        auditor.finds_refused(&program, "not-a-person", "service account").await;
    }

    // The officer's account was made by the one who asks.
    let id = admin.ask(&new_auditor("auditor-2")).await;
    let creature = dpo.approve(&id).await;
    auditor
        .finds_refused(&creature, "own-request", "an account that you made")
        .await;
    // That one was made by another.
    other_dpo.approve(&id).await.is(200);

    // About the auditor's own account.
    let issue = Request::post(format!("{}/tokens", world.account("auditor")), &json!({}));
    let about = auditor.approve(&second.ask(&issue).await).await;
    auditor.finds_refused(&about, "own-request", "about yourself").await;

    // Whoever made the asker's account, in another role now.
    let set = json!({"roles": ["dpo"], "active": true});
    let set = Request::put(world.account(first), &set).version(1);
    second.with(auditor, &set).await.is(200);
    let maker = admin.approve(&dpo.ask(&request).await).await;
    auditor.finds_refused(&maker, "own-request", "that made yours").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_day_later_it_has_expired() {
    let (world, app) = World::new().await;
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    drop(app);
    let now = Timestamp::now();
    let clock = Arc::new(Fixed::at(now));
    let app = world.open_at(clock.clone()).await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let approved = dpo.approved_by(auditor, &request).await;
    let asked = dpo.ask(&request).await;
    clock.set(now + SignedDuration::from_hours(24));
    let late = dpo.send(request.approved(&approved)).await;
    auditor.finds_refused(&late, "not-approved", "has expired").await;
    let late = auditor.approve(&asked).await;
    auditor.finds_refused(&late, "approval-closed", "has expired").await;
    assert_eq!(auditor.state(&approved).await, "expired");
    assert_eq!(auditor.state(&asked).await, "expired");
}

#[tokio::test]
async fn the_second_person_must_still_be_one() {
    let (mut world, app) = World::new().await;
    for name in ["dpo-2", "dpo-3"] {
        let dpo = person(name, Role::Dpo);
        world.hire(&app.vault().unwrap(), "security-admin", dpo).await;
    }
    let [dpo, auditor, admin] = world.actors(&app, ["dpo", "auditor", "security-admin"]);
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    for (name, set) in [
        ("dpo-2", json!({"roles": ["analyst"], "active": true})),
        ("dpo-3", json!({"roles": ["dpo"], "active": false})),
    ] {
        let id = dpo.approved_by(world.actor(&app, name), &request).await;
        let change = Request::put(world.account(name), &set).version(1);
        admin.with(auditor, &change).await.is(200);
        let gone = dpo.send(request.clone().approved(&id)).await;
        auditor
            .finds_refused(&gone, "not-approved", "may no longer approve")
            .await;
    }
}

/// An approval ends with the standing of either of the two: it does not wait until they are let in again.
#[tokio::test]
async fn whoever_was_switched_off_and_on_has_approved_nothing() {
    let (mut world, app) = World::new().await;
    for name in ["dpo-2", "dpo-3"] {
        world
            .hire(&app.vault().unwrap(), "security-admin", person(name, Role::Dpo))
            .await;
    }
    let [dpo, auditor, admin] = world.actors(&app, ["dpo", "auditor", "security-admin"]);
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    let by = dpo.approved_by(world.actor(&app, "dpo-2"), &request).await;
    let of = world.actor(&app, "dpo-3").approved_by(auditor, &request).await;
    for (name, version, active) in [
        ("dpo-2", 1, false),
        ("dpo-2", 2, true),
        ("dpo-3", 1, false),
        ("dpo-3", 2, true),
    ] {
        let set = json!({"roles": ["dpo"], "active": active});
        let change = Request::put(world.account(name), &set).version(version);
        admin.with(auditor, &change).await.is(200);
    }
    let gone = dpo.send(request.clone().approved(&by)).await;
    auditor
        .finds_refused(&gone, "not-approved", "may no longer approve")
        .await;
    let token = Request::post(format!("{}/tokens", world.account("dpo-3")), &json!({}));
    let token = admin.with(auditor, &token).await.is(201).at("/token");
    let request = request.approved(&of).header("authorization", format!("Bearer {token}"));
    let gone = world.actor(&app, "nobody").send(request).await;
    auditor
        .finds_refused(&gone, "not-approved", "switched off, moved or given other roles")
        .await;
}

#[tokio::test]
async fn of_two_at_once_one_wins() {
    let (world, app) = World::new().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    let id = dpo.ask(&request).await;
    let (yes, no) = tokio::join!(auditor.approve(&id), auditor.refuse(&id));
    let mut status = [yes.status, no.status];
    status.sort_unstable();
    assert_eq!(status, [200, 409], "{} {}", yes.text, no.text);

    let id = dpo.approved_by(auditor, &request).await;
    let approved = request.approved(&id);
    let (first, second) = tokio::join!(dpo.send(approved.clone()), dpo.send(approved));
    let (won, lost) = if first.status == 200 {
        (first, second)
    } else {
        (second, first)
    };
    won.is(200);
    auditor.finds_refused(&lost, "not-approved", "has been used").await;
}

#[tokio::test]
async fn rows_of_approvals_are_not_for_editing() {
    let (world, app) = World::new().await;
    let request = resolve(&world.subject(&app, &world.case(&app, "C1").await).await);
    let dpo = world.actor(&app, "dpo");
    let [id, other] = [dpo.ask(&request).await, dpo.ask(&request).await];
    drop(app);
    let data = world.data();
    let approval = data.rows("approval").of("id", rows::id(&id));
    approval.set("state", "approved");
    approval.set("approver", rows::id(world.id("auditor")));
    assert_eq!(data.rows("approval").of("id", rows::id(&other)).delete(), 1);
    drop(data);
    let app = world.open().await;
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    let answer = dpo.send(request.clone().approved(&id)).await;
    answer.fails(500, "integrity");
    let answer = dpo.send(request.approved(&other)).await;
    auditor
        .finds_refused(&answer, "not-approved", "You have no such approval")
        .await;
    drop(app);
    let findings = world.fsck().await;
    let findings: Vec<String> = findings
        .iter()
        .map(|one| format!("{} {}", one.place, one.what))
        .collect();
    for words in [
        format!("approval {id} was edited: its code does not fit"),
        format!("@approval/{other} was logged and is not there"),
    ] {
        assert!(findings.contains(&words), "{words}: {findings:?}");
    }
}
