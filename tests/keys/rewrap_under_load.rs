//! Every key is rotated and what it made is moved while clients read and write: no request fails. A small `benches/keyring`.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use callervault::http::App;
use callervault::model::key_roles::Suite;
use callervault::vault::Rates;
use callervault::vault::life::open::Running;
use serde_json::json;

use crate::keys::rewrap::{person, used};
use crate::keys::rotation::rotated_to;
use crate::support::process::Server;
use crate::support::suites::{first_byte, other_than, suite};
use crate::support::{Case, NUMBER, Request, World, caller};

const READERS: usize = 3;
const WRITERS: u64 = 1;
/// Between two looks at how far it has come. Nothing is measured.
const A_WHILE: Duration = Duration::from_millis(50);

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_every_key_is_rotated_and_rewrapped() {
    nothing_fails_while_everything_moves(suite()).await;
}

#[tokio::test(flavor = "multi_thread")]
pub(crate) async fn no_request_fails_while_everything_moves_to_the_other_suite() {
    nothing_fails_while_everything_moves(other_than(suite())).await;
}

async fn nothing_fails_while_everything_moves(to: Suite) {
    let (world, app) = World::unlimited().await;
    drop(app);
    let rates = Rates {
        requests: NonZeroU32::MAX,
        ..Rates::default()
    };
    let running = Running {
        rates,
        ..Running::patient()
    };
    let app = world.open_running(running).await;
    let world = Arc::new(world);
    let case = world.case(&app, "C1").await;
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..READERS {
        clients.spawn(reads(
            Arc::clone(&world),
            Arc::clone(&app),
            case.clone(),
            Arc::clone(&over),
        ));
    }
    let next = Arc::new(AtomicU64::new(0));
    for _ in 0..WRITERS {
        clients.spawn(writes(
            Arc::clone(&world),
            Arc::clone(&app),
            Arc::clone(&next),
            Arc::clone(&over),
        ));
    }
    let keeper = Arc::clone(&app);
    let keeping = tokio::spawn(async move { keeper.vault().unwrap().keep_rewrapping().await });
    let system = world.actor(&app, "system-admin");
    for role in ["kek", "row", "index", "reference", "log"] {
        rotated_to(&world, &app, role, to).await.is(200);
    }
    system.send(Request::post("/v1/keys/rewrap", &json!({}))).await.is(200);
    while !is_done(&world, &app).await {
        tokio::time::sleep(A_WHILE).await;
    }
    over.store(true, Ordering::Relaxed);
    let done: u64 = clients.join_all().await.into_iter().sum();
    assert!(done > 10, "{done} requests");
    keeping.abort();
    assert!(keeping.await.is_err());
    drop(app);
    assert_eq!(world.fsck().await, []);
}

async fn is_done(world: &World, app: &Arc<App>) -> bool {
    let keys = world.actor(app, "system-admin").get("/v1/keys").await.is(200).json();
    keys["rewraps"]
        .as_array()
        .unwrap()
        .iter()
        .all(|line| line["state"] == "done")
}

/// One who reads a field again and again. How often.
async fn reads(world: Arc<World>, app: Arc<App>, case: Case, over: Arc<AtomicBool>) -> u64 {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        let handler = world.actor(&app, "handler-c1");
        let shown = handler.reveal(&case).clear().await.is(200);
        assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
        done += 1;
    }
    done
}

/// One who takes calls of new people, and looks each up. How many.
async fn writes(world: Arc<World>, app: Arc<App>, next: Arc<AtomicU64>, over: Arc<AtomicBool>) -> u64 {
    let mut done = 0;
    while !over.load(Ordering::Relaxed) {
        let (name, number) = person(next.fetch_add(1, Ordering::Relaxed));
        let agent = world.actor(&app, "agent");
        agent.intake(caller(&name, &number)).await.is(201);
        let found = agent.lookup(&number).await.is(200).json();
        assert_eq!(found["callers"].as_array().map(Vec::len), Some(1), "{found}");
        done += 1;
    }
    done
}

/// A real process, killed while it rewraps; the next one goes on by itself, and no command is needed.
#[tokio::test]
async fn a_server_that_is_killed_goes_on_when_it_is_started_again() {
    killed_while_everything_moves(suite()).await;
}

/// The same on the way to the other suite: fields are sealed anew too.
#[tokio::test]
pub(crate) async fn a_server_that_is_killed_between_two_suites_goes_on() {
    let to = other_than(suite());
    let world = killed_while_everything_moves(to).await;
    assert_eq!(world.first_bytes("sealed_field", "sealed"), [first_byte(to)]);
}

async fn killed_while_everything_moves(to: Suite) -> World {
    let (world, app) = World::unlimited().await;
    for at in 0..40 {
        let (name, number) = person(at);
        world.actor(&app, "agent").take(caller(&name, &number)).await;
    }
    let roles = ["kek", "row", "index"];
    for role in roles {
        rotated_to(&world, &app, role, to).await.is(200);
    }
    drop(app);
    let start = |body: &serde_json::Value, server: &Server| {
        let (status, answer) = server.post(&world, "system-admin", "/v1/keys/rewrap", body);
        assert_eq!(status, 200, "{answer}");
    };
    for round in 0..3 {
        let mut server = Server::start(world.dir.path());
        if round == 0 {
            // So slowly that it is never done.
            start(&json!({"rate": 1}), &server);
        }
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        assert_eq!(world.fsck().await, [], "round {round}");
    }
    let mut server = Server::start(world.dir.path());
    start(&json!({}), &server);
    for _ in 0..4 {
        server.says("rewrapped");
    }
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
    for role in roles {
        assert_eq!(used(&world, role), [2], "{role}");
    }
    assert_eq!(world.fsck().await, []);
    world
}
