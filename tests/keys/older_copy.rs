//! An older copy of the data store beside today's key store: everybody is back but those who were erased, whatever key was destroyed since.
//! Opening the next log shows what is shown once first, and whatever ends it in the middle, the next start goes on.

use std::sync::Arc;

use callervault::clock::System;
use callervault::http::App;
use callervault::randomness;
use callervault::vault::Vault;
use callervault::vault::life::restart::{Restarted, Two};
use serde_json::{Value, json};

use crate::keys::destroyed::destroyed;
use crate::keys::rewrap::rewrapped;
use crate::keys::rotation::rotated;
use crate::life::restart::{ADMIN, REASON, restart, restart_with, restarted, token_in};
use crate::support::copies::words;
use crate::support::{NAME, NUMBER, World, caller, passphrase};

pub(super) const OTHER: &str = "13900007777";

/// The next log is opened on the copy that is there, and everybody has a token of it.
pub(super) async fn goes_on(world: &mut World) -> Arc<App> {
    let token = restarted(world);
    assert_eq!(world.fsck().await, [], "the next log");
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    app
}

/// The next log is opened, and the process ends as soon as the token was shown.
async fn cut_short(world: &World) -> Restarted {
    let two = Two {
        asker: world.token("system-admin"),
        approver: world.token("auditor"),
    };
    let passphrase = passphrase();
    let restart = Vault::restart(
        &world.places,
        &passphrase,
        Arc::new(System),
        Arc::new(randomness::System),
        &two,
        REASON,
        Some(ADMIN),
    );
    restart.await.unwrap()
}

fn under_way(world: &World) -> bool {
    world.keys().rows("erasing_again").count() == 1
}

/// What a start does before anybody is served.
pub(super) async fn started(app: &Arc<App>) {
    app.vault().unwrap().note_unlock("test").await.unwrap();
}

/// `destroyed_at` of a version of a key.
async fn when(world: &World, app: &Arc<App>, role: &str) -> Value {
    let listed = world.actor(app, "system-admin").get("/v1/keys").await.is(200).json();
    let keys = listed["keys"].as_array().unwrap().clone();
    let is_it = |key: &&Value| key["role"] == role && key["version"] == 1;
    keys.iter().find(is_it).unwrap()["destroyed_at"].clone()
}

/// Nothing in the data store rests on a key-encryption key, and nothing in a copy from after its rewrap on a key of blind indexes.
#[tokio::test]
async fn a_copy_in_which_nothing_rests_on_a_destroyed_key_brings_everybody_back() {
    for (role, after_rewrap) in [("kek", false), ("kek", true), ("index", true)] {
        let (mut world, app) = World::new().await;
        let case = world.case(&app, "C1").await;
        if after_rewrap {
            rotated(&world, &app, role).await.is(200);
            rewrapped(&world, &app, role).await;
        }
        drop(app);
        let older = world.backup();
        let app = world.open().await;
        if !after_rewrap {
            rotated(&world, &app, role).await.is(200);
            rewrapped(&world, &app, role).await;
        }
        destroyed(&world, &app, role, 1).await.is(200);
        drop(app);
        world.restore(&older);
        let refused = world.refusal().await;
        assert!(refused.contains("the log was cut"), "{role}: {refused}");

        let app = goes_on(&mut world).await;
        let [handler, agent, auditor] = world.actors(&app, ["handler-c1", "agent", "auditor"]);
        let shown = handler.reveal(&case).clear().await.is(200);
        assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
        let again = agent.intake(caller(NAME, NUMBER)).await.is(201);
        assert_eq!(again.at("/caller/matched"), "certain", "{role}");
        // The vault knows of the destruction again, and its log says who has said so.
        assert!(when(&world, &app, role).await.is_string(), "{role}");
        let first = auditor.entry_at(0).await;
        assert_eq!(first["link"]["destroyed"], format!("{role}/1"));
        let digests = first["digest"].as_object().unwrap();
        assert!(digests.contains_key(&format!("@destroyed-key/{role}/1")), "{first}");
        drop(app);
        assert_eq!(world.fsck().await, [], "{role}");
        drop(world.open().await);
    }
}

/// A copy from before the rewrap of blind indexes cannot be opened: nothing in it could be found any more.
#[tokio::test]
async fn a_copy_in_which_something_rests_on_a_destroyed_key_is_refused_by_name() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    rotated(&world, &app, "index").await.is(200);
    drop(app);
    let older = world.backup();
    let app = world.open().await;
    rewrapped(&world, &app, "index").await;
    destroyed(&world, &app, "index", 1).await.is(200);
    drop(app);
    let newer = world.backup();
    world.restore(&older);
    let named = "version 1 of the key index was destroyed since, and something in it was made with that version";
    let refused = world.refusal().await;
    assert!(refused.contains(named), "{refused}");
    let before = world.backup();
    let told = restart(&world, "system-admin", "auditor", REASON);
    assert_ne!(told.status.code(), Some(0));
    assert!(words(&told).contains(named), "{}", words(&told));
    assert!(world.backup() == before, "nothing was changed");
    world.is_found("keyring", named).await;
    world.restore(&newer);
    assert_eq!(world.fsck().await, []);
    drop(world.open().await);
}

/// A key store of which somebody has emptied a key, beside a log that is all there.
#[tokio::test]
async fn a_destruction_that_nobody_asked_for_is_no_older_copy() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    drop(app);
    let keys = world.keys();
    keys.rows("keyring")
        .of("role", "kek")
        .of("version", 1)
        .set("wrapped", &[0_u8; 0][..]);
    drop(keys);
    let refused = world.refusal().await;
    assert!(refused.contains("the log does not say so"), "{refused}");
    world
        .is_found(
            "keyring",
            "version 1 of the key kek was destroyed, and the log does not say so",
        )
        .await;
}

/// All but the erased, also when the key that theirs was under is destroyed.
#[tokio::test]
async fn a_backup_brings_back_all_but_the_erased_after_a_destruction() {
    let (mut world, app) = World::unlimited().await;
    let (case, other) = (
        world.case(&app, "C1").await,
        world.case_of(&app, "W2", caller("李四光", OTHER)).await,
    );
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    let (_, reference) = world.closed_case(&app, &case).await;
    world.erased(&app, &reference).await;
    rotated(&world, &app, "kek").await.is(200);
    rewrapped(&world, &app, "kek").await;
    destroyed(&world, &app, "kek", 1).await.is(200);
    drop(app);
    world.restore(&yesterday);
    let app = goes_on(&mut world).await;
    let [handler, other_handler, agent] = world.actors(&app, ["handler-c1", "handler-w2", "agent"]);
    other_handler.reveal(&other).clear().await.is(200);
    handler.reveal(&case).clear().await.fails(410, "erased");
    assert_eq!(agent.lookup(NUMBER).await.json()["callers"], json!([]));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The process of the restart ended before anybody was erased again: the next start does it before it serves.
#[tokio::test]
async fn a_start_finishes_what_a_restart_has_begun() {
    let (world, app) = World::unlimited().await;
    let case = world.case(&app, "C1").await;
    let (subject, reference) = world.closed_case(&app, &case).await;
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    world.erased(&app, &reference).await;
    drop(app);
    world.restore(&yesterday);
    drop(cut_short(&world).await);
    let there = || world.data().rows("caller").of("subject", &*subject).count();
    assert!(under_way(&world) && there() == 1);
    assert_eq!(world.fsck().await, [], "erased, and not missing");
    let app = world.open().await;
    started(&app).await;
    assert!(!under_way(&world) && there() == 0);
    let entries = |act: &'static str| {
        let auditor = world.actor(&app, "auditor");
        async move { auditor.get(format!("/v1/audit/events?act={act}")).await.is(200).json()["count"].clone() }
    };
    assert_eq!(entries("caller.erase-again").await, 1);
    // Once it is done it is not done again.
    started(&app).await;
    assert_eq!(entries("caller.erase-again").await, 1);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// One edited row keeps neither the token from being shown nor anybody else from being erased.
#[tokio::test]
async fn a_row_that_was_edited_keeps_nobody_else() {
    let (mut world, app) = World::unlimited().await;
    let (one, other) = (
        world.case(&app, "C1").await,
        world.case_of(&app, "W2", caller("李四光", OTHER)).await,
    );
    let mut subjects = Vec::new();
    let mut references = Vec::new();
    for case in [&one, &other] {
        let (subject, reference) = world.closed_case(&app, case).await;
        subjects.push(subject);
        references.push(reference);
    }
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    for reference in &references {
        world.erased(&app, reference).await;
    }
    drop(app);
    world.restore(&yesterday);
    let edited = |by: i64| {
        let data = world.data();
        data.rows("caller").of("subject", &*subjects[0]).add("version", by);
    };
    edited(1);
    let done = restart_with(&world, "system-admin", "auditor", REASON, &["--readmit", ADMIN]);
    let told = words(&done);
    assert_eq!(done.status.code(), Some(0), "{told}");
    let shown_first = told.find("cvt_").unwrap() < told.find("not erased again").expect(&told);
    assert!(shown_first && told.contains("not erased again  1"), "{told}");
    let there = |at: usize| world.data().rows("caller").of("subject", &*subjects[at]).count();
    assert_eq!((there(0), there(1), under_way(&world)), (1, 0, true));
    world.is_found(&format!("caller {}", subjects[0]), "was edited").await;
    // Each start tries again; it goes on all the same.
    let app = world.open().await;
    started(&app).await;
    assert!(under_way(&world));
    drop(app);
    edited(-1);
    let app = world.open().await;
    started(&app).await;
    assert_eq!((there(0), under_way(&world)), (0, false));
    world.readmitted(&app.vault().unwrap(), &token_in(&done)).await;
    world.actor(&app, "agent").intake(caller(NAME, NUMBER)).await.is(201);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A hold that was lifted before the erasure is in force in the copy: it ends with the caller, and until then keeps no list from being read.
#[tokio::test]
async fn a_hold_of_somebody_who_was_erased_ends() {
    let (mut world, app) = World::unlimited().await;
    let case = world.case(&app, "C1").await;
    let (_, reference) = world.closed_case(&app, &case).await;
    let dpo = world.actor(&app, "dpo");
    let hold = json!({"reason": "court 7", "review": "2027-05-31"});
    let held = dpo.post(format!("/v1/callers/{reference}/holds"), &hold).await.is(201);
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    let lift = format!("/v1/holds/{}/lift", held.at("/id"));
    world
        .actor(&app, "auditor")
        .post(lift, &json!({"reason": "over"}))
        .await
        .is(200);
    world.erased(&app, &reference).await;
    drop(app);
    world.restore(&yesterday);
    let token = {
        let restarted = cut_short(&world).await;
        restarted.readmitted.as_ref().unwrap().token.to_string()
    };
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    let listed = world.actor(&app, "dpo").get("/v1/holds").await.is(200).json();
    let line = &listed["items"][0];
    assert_eq!(
        (&line["id"], &line["caller_gone"]),
        (&json!(held.at("/id")), &json!(true))
    );
    assert_eq!(line["reason"], Value::Null, "nothing of it opens");
    started(&app).await;
    let listed = world.actor(&app, "dpo").get("/v1/holds").await.is(200).json();
    assert_eq!(listed["items"], json!([]));
    drop(app);
    assert_eq!(world.fsck().await, []);
}
