//! What older versions of keys made moves to the newest while everybody works, and what a crash on the way leaves.

use std::sync::Arc;

use callervault::http::App;
use callervault::model::key_roles::Suite;
use callervault::store::KeyStore;
use callervault::store::rows::{DATA, WrappedKey};
use callervault::store::sqlite::SqliteKeys;
use callervault::vault::keys::rewrap::Step;
use serde_json::{Value, json};

use crate::keys::rotation::{before, rotated, rotated_to, works};
use crate::support::approvals::merge;
use crate::support::rows::Store;
use crate::support::suites::{first_byte, other_than, suite};
use crate::support::{Actor, Answer, Case, NAME, NUMBER, Request, World, caller};

/// The roles of which something moves.
pub(crate) const MOVED: [&str; 3] = ["kek", "row", "index"];

impl Actor<'_> {
    /// Starts a rewrap.
    pub(crate) async fn rewrap(self, body: &Value) -> Answer {
        self.send(Request::post("/v1/keys/rewrap", body)).await
    }

    /// The newest rewrap of a role.
    pub(crate) async fn rewrap_of(self, role: &str) -> Value {
        let keys = self.get("/v1/keys").await.is(200).json();
        let lines = keys["rewraps"].as_array().unwrap().clone();
        lines.into_iter().find(|line| line["role"] == role).unwrap()
    }

    /// How much is left under a version of a key.
    pub(crate) async fn left(self, role: &str, version: u8) -> Value {
        let keys = self.get("/v1/keys").await.is(200).json();
        let keys = keys["keys"].as_array().unwrap().clone();
        let is_it = |key: &&Value| key["role"] == role && key["version"] == version;
        keys.iter().find(is_it).unwrap()["left"].clone()
    }
}

/// A number, and the name of whoever has it.
pub(crate) fn person(at: u64) -> (String, String) {
    let number = format!("1380{at:07}");
    let name = number[4..]
        .bytes()
        .map(|digit| "零一二三四五六七八九".chars().nth((digit - b'0').into()).unwrap());
    (format!("赵{}", name.collect::<String>()), number)
}

/// Takes a step. Whether there was one to take.
pub(crate) async fn step(app: &Arc<App>) -> bool {
    app.vault().unwrap().rewrap_step().await.unwrap() != Step::Idle
}

/// Takes all steps there are.
pub(crate) async fn all_steps(app: &Arc<App>) {
    while step(app).await {}
}

/// Moves what was made with one key.
pub(crate) async fn rewrapped(world: &World, app: &Arc<App>, role: &str) {
    let system = world.actor(app, "system-admin");
    system.rewrap(&json!({"role": role})).await.is(200);
    all_steps(app).await;
}

async fn all_rotated(world: &World, app: &Arc<App>) {
    all_rotated_to(world, app, suite()).await;
}

/// Gives each key whose values can move a version of this suite.
pub(crate) async fn all_rotated_to(world: &World, app: &Arc<App>, suite: Suite) {
    for role in MOVED {
        rotated_to(world, app, role, suite).await.is(200);
    }
}

/// The versions of a role's key that what can be moved was made with.
pub(crate) fn used(world: &World, role: &str) -> Vec<u8> {
    let (data, keys) = (world.data(), world.keys());
    let first = |cells: Vec<Vec<u8>>| cells.into_iter().map(|cell| cell[0]);
    let mut versions: Vec<u8> = match role {
        "kek" => keys.rows("record_key").column("kek"),
        "index" => first(data.rows("blind_index").column("value")).collect(),
        _ => {
            let coded = DATA.iter().map(|table| table()).filter(|table| table.coded);
            coded
                .flat_map(|table| first(data.rows(table.name).column("mac")))
                .collect()
        }
    };
    versions.sort_unstable();
    versions.dedup();
    versions
}

/// Every sealed field, as it stands.
fn fields(data: &Store) -> Vec<Vec<u8>> {
    data.rows("sealed_field").column("sealed")
}

#[tokio::test]
pub(crate) async fn everything_that_can_moves_to_the_newest_keys() {
    let world = World::closed().await;
    let app = world.open().await;
    let there = before(&world, &app).await;
    all_rotated(&world, &app).await;
    let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
    assert!(system.left("kek", 1).await.as_u64().unwrap() > 0);
    assert_eq!(system.left("row", 1).await, Value::Null, "nobody has counted");
    let sealed = fields(&world.data());
    let entry = auditor.entry(&system.rewrap(&json!({})).await.is(200)).await;
    assert_eq!(
        (&entry["act"], &entry["purpose"]),
        (&json!("key.rewrap"), &json!("administer"))
    );
    assert_eq!(entry["link"]["key"], "kek,row,index,reference");
    all_steps(&app).await;
    for role in MOVED {
        assert_eq!(used(&world, role), [2], "{role}");
        let line = system.rewrap_of(role).await;
        assert_eq!(
            (&line["state"], &line["version"], &line["broken"]),
            (&json!("done"), &json!(2), &json!(0))
        );
        assert!(line["moved"].as_u64().unwrap() > 0, "{line}");
    }
    assert_eq!(fields(&world.data()), sealed, "no field was sealed anew");
    assert_eq!([system.left("kek", 1).await, system.left("index", 1).await], [0, 0]);
    assert!(
        system.left("row", 1).await.as_u64().unwrap() > 0,
        "the remembered answer and what was asked before"
    );
    let ended = auditor.get("/v1/audit/events?act=key.rewrapped").await.is(200).json();
    let ended = ended["entries"].as_array().unwrap().clone();
    assert_eq!(ended.len(), 4, "{ended:?}");
    works(&world, &app, &there).await;
    // The second time there is nothing to do.
    system.rewrap(&json!({})).await.is(200);
    all_steps(&app).await;
    assert_eq!(system.rewrap_of("row").await["moved"], 0);
    drop(app);
    assert_eq!(world.fsck().await, []);
    let app = world.open().await;
    world.case(&app, "W2").await;
}

/// The process ended after each of the steps. Each time `fsck` finds nothing, everything works, and the next start goes on.
#[tokio::test]
pub(crate) async fn a_rewrap_that_is_killed_at_any_step_goes_on() {
    killed_at_any_step(suite()).await;
}

/// The same on the way to the other suite: fields are sealed anew too.
#[tokio::test]
pub(crate) async fn a_change_of_suite_that_is_killed_at_any_step_goes_on() {
    let to = other_than(suite());
    let world = killed_at_any_step(to).await;
    assert_eq!(world.first_bytes("sealed_field", "sealed"), [first_byte(to)]);
}

async fn killed_at_any_step(to: Suite) -> World {
    let world = World::closed().await;
    let mut app = world.open().await;
    let case = world.case(&app, "C1").await;
    all_rotated_to(&world, &app, to).await;
    world.actor(&app, "system-admin").rewrap(&json!({})).await.is(200);
    let mut steps = 0;
    while step(&app).await {
        steps += 1;
        drop(app);
        assert_eq!(world.fsck().await, [], "step {steps}");
        app = world.open().await;
        let [agent, handler] = world.actors(&app, ["agent", "handler-c1"]);
        handler.reveal(&case).clear().await.is(200);
        let found = agent.lookup(NUMBER).await.is(200).json();
        assert_eq!(
            found["callers"].as_array().map(Vec::len),
            Some(1),
            "step {steps}: {found}"
        );
    }
    assert!(steps > 10, "{steps}");
    for role in MOVED {
        assert_eq!(used(&world, role), [2], "{role}");
    }
    drop(app);
    world
}

/// Who was decided on before a row's code moved is served after it: the row is the same.
#[tokio::test]
pub(crate) async fn what_was_approved_before_a_rewrap_holds_after_it() {
    let (world, app) = World::new().await;
    let [agent, system, auditor] = world.actors(&app, ["agent", "system-admin", "auditor"]);
    let [one, two] = [caller(NAME, NUMBER), json!({"caller_number": NUMBER})];
    let (kept, merged) = (agent.take(one).await, agent.take(two).await);
    let approved = agent.approved_by(auditor, &merge(&kept, &merged)).await;
    rotated(&world, &app, "row").await.is(200);
    system.rewrap(&json!({"role": "row"})).await.is(200);
    all_steps(&app).await;
    assert_eq!(used(&world, "row"), [2]);
    agent.send(merge(&kept, &merged).approved(&approved)).await.is(200);
}

/// A row that somebody edited is not made genuine by it.
#[tokio::test]
pub(crate) async fn an_edited_row_stays_an_edited_row() {
    let (world, app) = World::new().await;
    let case: Case = world.case(&app, "C1").await;
    rotated(&world, &app, "row").await.is(200);
    rotated(&world, &app, "kek").await.is(200);
    world
        .data()
        .rows("ticket")
        .of("no", &*case.no)
        .set("township", "310101");
    let keys = world.keys();
    let key = keys.rows("record_key").of("record_kind", "ticket");
    let mut wrapped: Vec<u8> = key.first("wrapped");
    wrapped[20] ^= 1;
    key.set("wrapped", &*wrapped);
    let system = world.actor(&app, "system-admin");
    system.rewrap(&json!({})).await.is(200);
    all_steps(&app).await;
    for role in ["row", "kek"] {
        let line = system.rewrap_of(role).await;
        assert_eq!((&line["state"], &line["broken"]), (&json!("done"), &json!(1)), "{line}");
    }
    let handler = world.actor(&app, "handler-c1");
    handler.get(case.ticket()).await.fails(500, "integrity");
    drop(app);
    world.is_found(&format!("ticket {}", case.no), "was edited").await;
    world.is_found("record key of ticket", "does not unwrap").await;
}

/// What was erased between reading and writing stays erased.
#[tokio::test]
async fn a_record_key_that_is_gone_is_not_put_back() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    rotated(&world, &app, "kek").await.is(200);
    drop(app);
    let old: Vec<WrappedKey> = SqliteKeys::open(&world.places.keys)
        .unwrap()
        .older_record_keys(2, None, 10)
        .await
        .unwrap();
    assert_eq!(old.len(), 2);
    let kind = old[0].record_kind.as_str();
    world.keys().rows("record_key").of("record_kind", kind).delete();
    let keys = SqliteKeys::open(&world.places.keys).unwrap();
    let new = |key: &WrappedKey| WrappedKey {
        kek: 2,
        wrapped: vec![7; 62],
        ..key.clone()
    };
    let pairs: Vec<_> = old.iter().map(|key| (key.clone(), new(key))).collect();
    assert_eq!(keys.rewrap_record_keys(&pairs).unwrap(), 1);
    assert!(keys.record_key(old[0].record()).await.unwrap().is_none());
    assert_eq!(
        keys.rewrap_record_keys(&pairs).unwrap(),
        0,
        "it is no longer as it was read"
    );
}

/// A step that was composed before a rotation comes after it: the version it moves to may be about to be destroyed.
#[tokio::test]
async fn nothing_moves_to_a_version_that_is_not_the_active_one() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    for _ in 0..2 {
        rotated(&world, &app, "kek").await.is(200);
    }
    drop(app);
    let keys = SqliteKeys::open(&world.places.keys).unwrap();
    let old: Vec<WrappedKey> = keys.older_record_keys(3, None, 10).await.unwrap();
    let to = |kek| {
        let new = |key: &WrappedKey| WrappedKey {
            kek,
            wrapped: vec![7; 62],
            ..key.clone()
        };
        let pairs: Vec<_> = old.iter().map(|key| (key.clone(), new(key))).collect();
        keys.rewrap_record_keys(&pairs).unwrap()
    };
    assert_eq!([to(2), to(3)], [0, 2]);
}

#[tokio::test]
pub(crate) async fn a_rotation_in_the_middle_of_a_rewrap() {
    let (world, app) = World::new().await;
    let there = before(&world, &app).await;
    all_rotated(&world, &app).await;
    let system = world.actor(&app, "system-admin");
    system.rewrap(&json!({})).await.is(200);
    for at in 0..6 {
        assert!(step(&app).await);
        if at % 2 == 0 {
            rotated(&world, &app, MOVED[at / 2]).await.is(200);
        }
    }
    all_steps(&app).await;
    for role in MOVED {
        assert_eq!(used(&world, role), [3], "{role}");
    }
    works(&world, &app, &there).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// Two processes, or two tasks, that take the same steps.
#[tokio::test]
pub(crate) async fn two_rewraps_at_once_are_one() {
    let (world, app) = World::new().await;
    let there = before(&world, &app).await;
    all_rotated(&world, &app).await;
    let system = world.actor(&app, "system-admin");
    system.rewrap(&json!({})).await.is(200);
    assert!(step(&app).await && step(&app).await);
    let again = system.rewrap(&json!({"rate": 1_000_000})).await.is(200).json();
    assert_eq!(
        (&again["rewraps"][0]["rate"], &again["rewraps"][0]["state"]),
        (&json!(1_000_000), &json!("running"))
    );
    assert_eq!(again["rewraps"].as_array().map(Vec::len), Some(4));
    tokio::join!(all_steps(&app), all_steps(&app), all_steps(&app));
    for role in MOVED {
        assert_eq!(used(&world, role), [2], "{role}");
    }
    works(&world, &app, &there).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// However fast its steps follow each other, who starts it again is not told that it has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_not_overtaken_by_the_steps() {
    let (world, app) = World::unlimited().await;
    all_rotated(&world, &app).await;
    let system = world.actor(&app, "system-admin");
    let stepping = tokio::spawn({
        let app = Arc::clone(&app);
        async move {
            loop {
                step(&app).await;
            }
        }
    });
    for rate in 1..=40 {
        system.rewrap(&json!({"rate": rate})).await.is(200);
    }
    stepping.abort();
}

/// Nobody's values are opened in the name of somebody who may not any more.
#[tokio::test]
pub(crate) async fn a_rewrap_is_halted_with_the_standing_of_who_started_it() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    all_rotated(&world, &app).await;
    let [system, security, auditor] = world.actors(&app, ["system-admin", "security-admin", "auditor"]);
    system.rewrap(&json!({})).await.is(200);
    let tokens = security
        .get(format!("{}/tokens", world.account("system-admin")))
        .await
        .is(200);
    let token = tokens.at("/items/0/id");
    let revoke = Request::delete(format!("{}/tokens/{token}", world.account("system-admin")));
    let revoked = security.send(revoke.clone()).await;
    if revoked.status == 202 {
        let id = revoked.at("/approval/id");
        auditor.approve(&id).await.is(200);
        security.send(revoke.approved(&id)).await.is(200);
    }
    all_steps(&app).await;
    assert_eq!((used(&world, "kek"), used(&world, "index")), (vec![2], vec![1]));
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn only_a_system_administrator_rewraps() {
    let (world, app) = World::new().await;
    for name in ["auditor", "security-admin", "agent", "dpo"] {
        world.actor(&app, name).rewrap(&json!({})).await.is(403);
    }
    let system = world.actor(&app, "system-admin");
    system
        .rewrap(&json!({"role": "log"}))
        .await
        .fails(422, "nothing-to-rewrap");
    system.rewrap(&json!({"role": "shares"})).await.fails(400, "bad-json");
    system.rewrap(&json!({"rate": 0})).await.fails(400, "bad-json");
    assert_eq!(world.data().rows("rewrap").count(), 0);
}
