//! Each role of the keyring gets a second version: nothing looks edited, and everything works as before. By an edit of the key store, from
//! the documented formats alone, and by two persons while the vault is open; and what a crash on the way leaves.

use std::sync::Arc;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use callervault::http::App;
use callervault::model::key_roles::Suite;
use callervault::note::Verifier;
use serde_json::json;

use crate::audit::outsiders::go;
use crate::keys::secrets::{joined, origin, root};
use crate::support::approvals::resolve;
use crate::support::copies::{Copy, caught, copy, holds, ours, words};
use crate::support::{Answer, Case, NAME, NUMBER, Request, World, caller, intake};

/// Gives a role a second version, which is active from then on.
fn rotate(world: &World, role: &str) {
    give(world, role, 2);
}

/// Gives a role this version beside the first one, which is active from then on.
fn give(world: &World, role: &str, version: u8) {
    let keys = world.keys();
    let origin = origin(&keys);
    let aad = joined(&[b"callervault/keyring/1", origin.as_bytes(), role.as_bytes(), &[version]]);
    let nonce = [9; 12];
    let cipher = Aes256Gcm::new_from_slice(&root(&keys, &origin).1).unwrap();
    let payload = Payload {
        msg: &[42; 32],
        aad: &aad,
    };
    let body = cipher.encrypt(&Nonce::from(nonce), payload).unwrap();
    let wrapped = [&[1, version][..], &nonce, &body].concat();
    let first = keys.rows("keyring").of("role", role);
    let next = first
        .kept()
        .with("version", i64::from(version))
        .with("wrapped", &*wrapped);
    first.set("active", 0);
    keys.insert(&next);
}

/// What was there before a key was replaced.
pub(crate) struct Before {
    pub(crate) case: Case,
    taken: Answer,
    asked: String,
    subject: String,
}

/// A call by somebody else.
fn call() -> Request {
    let call = intake(caller("李四光", "13700002222"));
    Request::post("/v1/intake", &call).once("before")
}

pub(crate) async fn before(world: &World, app: &Arc<App>) -> Before {
    let [agent, auditor, dpo] = world.actors(app, ["agent", "auditor", "dpo"]);
    let case = world.case(app, "C1").await;
    let taken = agent.send(call()).await;
    let found = auditor.get("/v1/audit/events?act=ticket.dispatch").await;
    let subject = found.at("/entries/0/leaf/subject");
    Before {
        case,
        taken,
        asked: dpo.ask(&resolve(&subject)).await,
        subject,
    }
}

/// Everything that rests on a key still does its work.
pub(crate) async fn works(world: &World, app: &Arc<App>, before: &Before) {
    let [agent, dispatcher, handler] = world.actors(app, ["agent", "dispatcher", "handler-c1"]);
    let case = &before.case;
    let shown = handler.reveal(case).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
    let verified = handler.verify(case, "callback_number", NUMBER).await.is(200);
    assert_eq!(verified.json()["match"], true);
    let found = agent.lookup(NUMBER).await.is(200).json();
    assert_eq!(found["callers"].as_array().map(Vec::len), Some(1), "{found}");

    let again = agent.send(call()).await;
    assert_eq!(again.text, before.taken.text, "the answer that was remembered");
    let known = agent.intake(caller(NAME, NUMBER)).await.is(201);
    assert_eq!(known.at("/caller/matched"), "certain");
    dispatcher.dispatch(&known.case().no, "W2").await.is(200);
    handler.get(case.ticket()).await.is(200);

    let [auditor, dpo] = world.actors(app, ["auditor", "dpo"]);
    auditor.approve(&before.asked).await.is(200);
    let resolve = resolve(&before.subject).approved(&before.asked);
    dpo.send(resolve).await.is(200);
    let search = format!("/v1/audit/events?subject={}", before.subject);
    let found = auditor.get(search).await.json();
    let acts = found["entries"].as_array().map_or(0, Vec::len);
    assert!(acts >= 4, "one subject before and after: {found}");
}

const ROLES: [&str; 5] = ["kek", "index", "row", "reference", "log"];

#[tokio::test]
pub(crate) async fn a_second_version_of_each_key() {
    for role in ROLES {
        let world = World::closed().await;
        let there = before(&world, &world.open().await).await;
        rotate(&world, role);
        assert_eq!(world.fsck().await, [], "{role}: nothing looks edited");
        works(&world, &world.open().await, &there).await;
        assert_eq!(world.fsck().await, [], "{role}: afterwards");
    }
}

/// A new version of a key: asked by a system administrator, approved by an auditor.
pub(crate) fn new_version(role: &str) -> Request {
    Request::post("/v1/keys/rotate", &json!({"role": role}))
}

pub(crate) async fn rotated(world: &World, app: &Arc<App>, role: &str) -> Answer {
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    system.with(auditor, &new_version(role)).await
}

/// As `rotated`: the new version is of this suite.
pub(crate) async fn rotated_to(world: &World, app: &Arc<App>, role: &str, suite: Suite) -> Answer {
    let [system, auditor] = world.actors(app, ["system-admin", "auditor"]);
    let request = Request::post("/v1/keys/rotate", &json!({"role": role, "suite": suite}));
    system.with(auditor, &request).await
}

/// The versions of a role's key that codes, sealed values and signatures of the last acts were made with.
pub(crate) fn used(world: &World, role: &str) -> Vec<u8> {
    let (data, keys) = (world.data(), world.keys());
    let first = |cells: Vec<Vec<u8>>| cells.into_iter().map(|cell| cell[0]).collect();
    match role {
        "kek" => keys.rows("record_key").column("kek"),
        "index" => first(data.rows("blind_index").column("value")),
        "row" => first(data.rows("ticket").column("mac")),
        "reference" => data.rows("reference").column("version"),
        _ => {
            let checkpoint: String = data.rows("log_head").first("checkpoint");
            let signatures = checkpoint.lines().filter(|line| line.starts_with('\u{2014}'));
            vec![u8::try_from(signatures.count()).unwrap()]
        }
    }
}

#[tokio::test]
pub(crate) async fn each_key_rotates_while_everybody_works() {
    for role in ROLES {
        let world = World::closed().await;
        let app = world.open().await;
        let there = before(&world, &app).await;
        assert!(!used(&world, role).contains(&2), "{role}");
        let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
        let answer = rotated(&world, &app, role).await.is(200);
        assert_eq!(
            (answer.at("/role"), answer.json()["version"].clone()),
            (role.to_owned(), json!(2))
        );
        let leaf = auditor.entry(&answer).await;
        assert_eq!(
            (&leaf["act"], &leaf["link"]["key"]),
            (&json!("key.rotate"), &json!(role))
        );
        assert_eq!(leaf["link"]["version"], "2");
        assert_ne!(leaf["actor"], leaf["approver"]);
        let digests = leaf["digest"].as_object().unwrap();
        assert!(digests.contains_key(&format!("@key/{role}/2")), "{leaf}");
        let listed = system.get("/v1/keys").await.is(200).json();
        let of_role = listed["keys"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|key| key["role"] == role);
        let states: Vec<_> = of_role.map(|key| (&key["version"], &key["active"])).collect();
        assert_eq!(states, [(&json!(1), &json!(false)), (&json!(2), &json!(true))]);

        works(&world, &app, &there).await;
        let stranger = caller("赵六一", "13700003333");
        world.actor(&app, "agent").intake(stranger).await.is(201);
        assert!(used(&world, role).contains(&2), "{role}: what is new is made with it");
        drop(app);
        assert_eq!(world.fsck().await, [], "{role}");
        let app = world.open().await;
        world
            .actor(&app, "handler-c1")
            .reveal(&there.case)
            .clear()
            .await
            .is(200);
        world.case(&app, "W2").await;
        drop(app);
        assert_eq!(world.fsck().await, [], "{role}: after the next start");
    }
}

/// Whoever has only the older public key can go on, and whoever has only the newer one can begin.
#[tokio::test]
pub(crate) async fn a_checkpoint_is_signed_by_the_new_log_key_and_by_the_one_before() {
    let (world, app) = World::new().await;
    let auditor = world.actor(&app, "auditor");
    let keys = async || auditor.get("/v1/audit/keys").await.is(200).text;
    let old = keys().await;
    for _ in 0..2 {
        rotated(&world, &app, "log").await.is(200);
    }
    let now = keys().await;
    let vkeys: Vec<Verifier> = now.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!(vkeys.len(), 3, "{now}");
    assert_eq!(now.lines().last(), old.lines().last());
    let checkpoint = auditor.get("/v1/audit/checkpoint").await.is(200).text;
    let signed = vkeys.iter().map(|vkey| vkey.verify(&checkpoint).is_ok());
    assert_eq!(
        signed.collect::<Vec<_>>(),
        [true, true, false],
        "newest first: {checkpoint}"
    );
}

/// A log whose key was rotated, before verifiers that share no code.
#[tokio::test]
pub(crate) async fn a_rotated_log_is_verified_by_the_keys_that_it_had() {
    let (world, app) = World::new().await;
    let before = copy(&world, &app).await;
    let kept = before.path("checkpoint").display().to_string();
    let older = ["--key", &before.key, "--not-older-than", &kept];
    rotated(&world, &app, "log").await.is(200);
    let once = copy(&world, &app).await;
    assert_ne!(once.key, before.key);
    holds(&once, &older);
    let by = |copy: &Copy, key: &str| Copy {
        key: key.to_owned(),
        ..copy.again()
    };
    holds(&by(&once, &before.key), &older[2..]);
    let not_by_it = "the older checkpoint or proof does not hold";
    caught("the older key is not given", &once, &older[2..], not_by_it);

    rotated(&world, &app, "log").await.is(200);
    let twice = copy(&world, &app).await;
    holds(&twice, &older);
    caught(
        "an outdated key alone",
        &by(&twice, &before.key),
        &older[2..],
        "the checkpoint does not hold",
    );
    if let Some(told) = go(&by(&twice, &format!("{},{}", twice.key, before.key))) {
        assert!(told.status.success(), "{}", words(&told));
    }
    // A key of another log.
    let other = ours(&twice, &["--key", "other.invalid/log/1+aaaaaaaa+AQAA"]);
    assert_eq!(other.status.code(), Some(2), "{}", words(&other));
}

/// The process ended after the new key was stored and before the log had it.
#[tokio::test]
pub(crate) async fn a_key_that_the_log_does_not_know_is_not_used() {
    let (world, app) = World::new().await;
    drop(app);
    for role in ROLES {
        rotate(&world, role);
        let rows = || world.keys();
        rows()
            .rows("keyring")
            .of("role", role)
            .of("version", 2)
            .set("active", 0);
        rows()
            .rows("keyring")
            .of("role", role)
            .of("version", 1)
            .set("active", 1);
    }
    let app = world.open().await;
    world.case(&app, "C1").await;
    let kek: Vec<u8> = world.keys().rows("record_key").column("kek");
    assert_eq!(kek, [1; 2]);
    // The next rotation puts another key in its place.
    let unused: Vec<Vec<u8>> = world.keys().rows("keyring").of("role", "row").column("wrapped");
    rotated(&world, &app, "row").await.is(200);
    let used: Vec<Vec<u8>> = world.keys().rows("keyring").of("role", "row").column("wrapped");
    assert!(used[0] == unused[0] && used[1] != unused[1]);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The process ended after the log had the new key and before the key store said that it is in use.
#[tokio::test]
pub(crate) async fn a_rotation_that_the_log_knows_is_finished() {
    for role in ROLES {
        let (world, app) = World::new().await;
        rotated(&world, &app, role).await.is(200);
        let case = world.case(&app, "C1").await;
        drop(app);
        world
            .keys()
            .rows("keyring")
            .of("role", role)
            .of("version", 2)
            .set("active", 0);
        world
            .keys()
            .rows("keyring")
            .of("role", role)
            .of("version", 1)
            .set("active", 1);
        assert_eq!(world.fsck().await, [], "{role}");
        let app = world.open().await;
        let active: Vec<u8> = world
            .keys()
            .rows("keyring")
            .of("role", role)
            .of("active", 1)
            .column("version");
        assert_eq!(active, [2], "{role}");
        world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    }
}

#[tokio::test]
pub(crate) async fn a_key_store_from_before_a_rotation_is_refused_by_name() {
    let (world, app) = World::new().await;
    rotated(&world, &app, "kek").await.is(200);
    drop(app);
    world.keys().rows("keyring").of("role", "kek").of("version", 2).delete();
    world
        .keys()
        .rows("keyring")
        .of("role", "kek")
        .of("version", 1)
        .set("active", 1);
    let refused = world.refusal().await;
    assert!(refused.contains("it lacks version 2 of the key kek"), "{refused}");
    assert!(refused.contains("restore its newest backup"), "{refused}");
    world.is_found("keyring", "it lacks version 2 of the key kek").await;
}

/// The second of two rotations that were approved side by side would be another than the one that was approved.
#[tokio::test]
pub(crate) async fn an_approval_is_for_one_version() {
    let (world, app) = World::new().await;
    let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
    let request = new_version("index");
    let first = system.approved_by(auditor, &request).await;
    let second = system.approved_by(auditor, &request).await;
    system.send(request.clone().approved(&first)).await.is(200);
    let late = system.send(request.clone().approved(&second)).await;
    auditor.finds_refused(&late, "approval-stale", "changed").await;
    // Another key is another matter.
    let other = system.approved_by(auditor, &new_version("kek")).await;
    system.send(new_version("kek").approved(&other)).await.is(200);
}

#[tokio::test]
async fn a_key_has_at_most_255_versions() {
    let (world, app) = World::new().await;
    drop(app);
    give(&world, "row", 255);
    let app = world.open().await;
    let system = world.actor(&app, "system-admin");
    system.send(new_version("row")).await.fails(409, "no-version-left");
    world.case(&app, "C1").await;
}

#[tokio::test]
async fn one_person_alone_rotates_nothing() {
    let (world, app) = World::new().await;
    let [system, auditor, dpo] = world.actors(&app, ["system-admin", "auditor", "dpo"]);
    let asked = system.send(new_version("row")).await.is(202);
    let id = asked.at("/approval/id");
    system
        .send(new_version("row").approved(&id))
        .await
        .fails(403, "not-approved");
    dpo.approve(&id).await.is(403);
    auditor.approve(&id).await.is(200);
    system
        .send(new_version("log").approved(&id))
        .await
        .fails(403, "not-approved");
    let versions: Vec<u8> = world.keys().rows("keyring").column("version");
    assert_eq!(versions, [1; 5]);
    system.send(new_version("row").approved(&id)).await.is(200);
    system.send(new_version("shares")).await.fails(400, "bad-json");
}
