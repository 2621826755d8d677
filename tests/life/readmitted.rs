//! Who is let in after the next log was opened: the two who opened it, and whom they let in again.

use callervault::vault::life::fsck::Finding;

use crate::life::restart::{ADMIN, REASON, restart, restart_with, restarted, token_in};
use crate::support::approvals::new_auditor;
use crate::support::copies::words;
use crate::support::{Request, World};

const MINE: &str = "/v1/approvals/mine";
const TICKETS: &str = "/v1/tickets?purpose=intake";

/// A token is revoked and an approval used, and both are lost: the data store is put back to before.
async fn lost(world: &World, approval: &str, make: &Request) {
    let old = world.backup();
    let app = world.open().await;
    let [admin, agent] = world.actors(&app, [ADMIN, "agent"]);
    let tokens = format!("{}/tokens", world.account("agent"));
    let token = admin.get(&*tokens).await.at("/items/0/id");
    admin.send(Request::delete(format!("{tokens}/{token}"))).await.is(200);
    agent.get(MINE).await.is(401);
    admin.send(make.clone().approved(approval)).await.is(201);
    drop(app);
    world.restore(&old);
}

/// The two are told whose tokens are good, and who administers or approves.
fn tells(told: &str) {
    assert!(told.contains("All other tokens are void"), "{told}");
    for (account, role) in [
        ("auditor", "auditor"),
        ("dpo", "dpo"),
        (ADMIN, "security_admin"),
        ("system-admin", "system_admin"),
    ] {
        let line = told.lines().any(|line| line.split_whitespace().eq([account, role]));
        assert!(line, "{account}: {told}");
    }
    assert!(!told.contains("handler-c1"), "those alone: {told}");
}

#[tokio::test]
async fn what_was_revoked_and_lost_does_not_live_again() {
    let (mut world, app) = World::new().await;
    let make = new_auditor("auditor-2");
    let [admin, auditor] = world.actors(&app, [ADMIN, "auditor"]);
    let approval = admin.approved_by(auditor, &make).await;
    drop(app);
    lost(&world, &approval, &make).await;

    let done = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", ADMIN]);
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
    tells(&words(&done));
    let app = world.open().await;
    for who in ["agent", "dispatcher", "handler-c1", "dpo", ADMIN] {
        world.actor(&app, who).get(MINE).await.is(401);
    }
    world.actor(&app, "system-admin").get(MINE).await.is(200);
    world.actor(&app, "auditor").get("/v1/approvals").await.is(200);
    world.readmitted(&app.vault().unwrap(), &token_in(&done)).await;
    let [admin, auditor, agent] = world.actors(&app, [ADMIN, "auditor", "agent"]);
    admin.get(MINE).await.is(200);
    agent.get(TICKETS).await.is(200);
    let again = admin.send(make.approved(&approval)).await;
    auditor
        .finds_refused(&again, "approval-stale", "has changed since you asked for it")
        .await;
    let leaf = auditor.get("/v1/audit/events/0").await.json()["leaf"].clone();
    let places = leaf["digest"].as_object().unwrap().keys();
    let tokens = places.filter(|place| place.starts_with("@token/")).count();
    assert_eq!(tokens, 3, "those of the two, and the new one: {leaf}");
    assert_eq!(leaf["link"]["readmitted_role"], "security_admin", "{leaf}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Nobody carries a token across by editing its row: the number of its log is under the row's code.
#[tokio::test]
async fn a_token_of_an_earlier_log_cannot_be_edited_into_the_next() {
    let world = World::closed().await;
    restarted(&world);
    world.data().rows("api_token").of("log", 1).set("log", 2);
    let app = world.open().await;
    let edited = world.actor(&app, "agent").get(TICKETS).await;
    edited.fails(500, "integrity");
    drop(app);
    let findings = world.fsck().await;
    let edited = |one: &Finding| one.what.contains("was edited");
    assert!(findings.iter().any(edited), "{findings:?}");
}

#[tokio::test]
async fn who_can_be_readmitted() {
    let mut world = World::closed().await;
    let before = world.backup();
    for account in ["nobody", "agent", "auditor", "system-admin", "dpo", ""] {
        let refused = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", account]);
        assert_ne!(refused.status.code(), Some(0), "{account}");
        let told = words(&refused);
        assert!(told.contains("role security_admin"), "{account}: {told}");
    }
    assert!(world.backup() == before, "nothing was changed");
    // Without one the two are told that nobody can begin; a second time helps.
    let none = restart(&world, "system-admin", "auditor", REASON);
    let told = words(&none);
    assert_eq!(none.status.code(), Some(0), "{told}");
    assert!(told.contains("--readmit") && !told.contains("cvt_"), "{told}");
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    world.case(&app, "C1").await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}
