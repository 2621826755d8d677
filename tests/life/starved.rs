//! Without random bytes nothing is made, sealed or logged by halves (P10), whichever draw finds none; and nothing in a vault is
//! random but what its randomness gives.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use callervault::clock::{self, Fixed};
use callervault::http::App;
use callervault::randomness::{NoRandomness, Randomness, System};
use callervault::vault::Vault;
use callervault::vault::life::open::{Places, Running};
use callervault::vault::life::restart::Two;
use jiff::Timestamp;
use serde_json::json;

use crate::life::doubt::{Act, Scene, acts, closed, founding, is_empty, stores};
use crate::support::approvals::resolve;
use crate::support::{Answer, Request, World, passphrase};

/// 2026-11-02T12:00:00Z.
const NOON: Timestamp = Timestamp::constant(1_793_620_800, 0);

/// The system's random bytes, so many times and then no more.
pub(crate) struct Draws {
    left: AtomicU64,
    drawn: AtomicU64,
}

impl Draws {
    fn limited(left: u64) -> Arc<Self> {
        let (left, drawn) = (AtomicU64::new(left), AtomicU64::new(0));
        Arc::new(Self { left, drawn })
    }

    pub(crate) fn endless() -> Arc<Self> {
        Self::limited(u64::MAX)
    }

    fn leave(&self, left: u64) {
        self.left.store(left, Ordering::SeqCst);
    }

    pub(crate) fn drawn(&self) -> u64 {
        self.drawn.load(Ordering::SeqCst)
    }
}

impl Randomness for Draws {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let one_less = |left: u64| left.checked_sub(1);
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less);
        left.map_err(|_| NoRandomness)?;
        self.drawn.fetch_add(1, Ordering::SeqCst);
        System.fill(bytes)
    }
}

/// Bytes that follow from a seed.
struct Seeded(Mutex<(u64, u64)>);

impl Randomness for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let mut state = self.0.lock().unwrap();
        for some in bytes.chunks_mut(32) {
            state.1 += 1;
            let message = [state.0.to_be_bytes(), state.1.to_be_bytes()].concat();
            let digest = ring::digest::digest(&ring::digest::SHA256, &message);
            some.copy_from_slice(&digest.as_ref()[..some.len()]);
        }
        Ok(())
    }
}

/// Lets an act have one draw more at each try, until it is done; how many draws it takes, and the answer. Before that, each try changes nothing.
async fn starved(world: &World, app: &Arc<App>, draws: &Draws, act: &Act) -> (u64, Answer) {
    let before = stores(&world.places);
    for left in 0..200 {
        draws.leave(left);
        let answer = act.send(world, app).await;
        if answer.status == act.status {
            draws.leave(u64::MAX);
            return (left, answer);
        }
        closed(&answer, "no-randomness");
        assert_eq!(stores(&world.places), before, "{act} after {left} draws");
    }
    unreachable!("{act} is never done")
}

/// What the log calls the caller who was taken in last.
async fn subject_of_intake(world: &World, app: &Arc<App>) -> String {
    let auditor = world.actor(app, "auditor");
    let found = auditor.get("/v1/audit/events?act=intake").await;
    found.at("/entries/0/leaf/subject")
}

#[tokio::test]
async fn without_randomness_at_any_draw_of_any_act() {
    let scene = Scene::new().await;
    let world = &scene.world;
    let draws = Draws::endless();
    let running = Running {
        randomness: draws.clone(),
        ..Running::patient()
    };
    let app = world.open_running(running).await;
    for act in acts(&scene) {
        let (taken, _) = starved(world, &app, &draws, &act).await;
        // At least the request's id and the entry's; what an intake seals, and an account's or a token's id and secret, besides.
        let least = match act.request.path.as_str() {
            "/v1/intake" => 10,
            "/v1/admin/principals" => 3,
            path if path.ends_with("/tokens") => 4,
            _ => 2,
        };
        assert!(taken >= least, "{act}: {taken}");
    }
    let resolve = resolve(&subject_of_intake(world, &app).await);
    let reasoned = resolve.clone().header("approval-reason", "complaint");
    let asking = Act::new("dpo", reasoned, 202);
    // Besides: the id of what is asked and the reason's nonce.
    let (taken, asked) = starved(world, &app, &draws, &asking).await;
    assert!(taken >= 4, "{taken}");
    let id = asked.at("/approval/id");
    let yes = Request::post(format!("/v1/approvals/{id}/approve"), &json!({"reason": "seen"}));
    starved(world, &app, &draws, &Act::new("auditor", yes, 200)).await;
    let acting = Act::new("dpo", resolve.approved(&id), 200);
    starved(world, &app, &draws, &acting).await;
    let codes = Request::post(format!("{}/codes", world.account("agent")), &json!({}));
    let code = world
        .actor(&app, "security-admin")
        .send(codes)
        .await
        .is(201)
        .at("/code");
    let claim = Request::post("/v1/tokens/claim", &json!({"account": "agent", "code": code}));
    // Besides: the token. Its id was drawn with the code.
    let (taken, _) = starved(world, &app, &draws, &Act::new("nobody", claim, 201)).await;
    assert!(taken >= 3, "{taken}");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn requests_without_randomness_are_told_apart() {
    let world = World::closed().await;
    let running = Running {
        randomness: Draws::limited(0),
        ..Running::patient()
    };
    let app = world.open_running(running).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer = world.actor(&app, "handler-c1").get("/v1/tickets").await;
        closed(&answer, "no-randomness");
        ids.push(answer.at("/request_id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn no_vault_is_made_without_randomness() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::below(dir.path());
    let clock = clock::System;
    let make = |draws| Vault::init(&places, &passphrase(), &founding(), &clock, draws);
    let all = Draws::endless();
    drop(make(all.clone()).unwrap().keep());
    std::fs::remove_dir_all(dir.path().join("data")).unwrap();
    std::fs::remove_dir_all(dir.path().join("keys")).unwrap();
    // The vault's id, the salt, root key and five others with their nonces, and for three accounts two ids and a token; the entry.
    assert!(all.drawn() >= 24, "{}", all.drawn());
    for left in 0..all.drawn() {
        let error = make(Draws::limited(left)).err().expect("refused").to_string();
        assert_eq!(
            error, "the operating system gives no random bytes\n  check /dev/urandom",
            "after {left} draws"
        );
        assert!(is_empty(dir.path()), "after {left} draws");
    }
    drop(make(Draws::limited(all.drawn())).unwrap().keep());
}

#[tokio::test]
async fn no_log_is_followed_by_another_without_randomness() {
    let world = World::closed().await;
    let two = Two {
        asker: world.token("system-admin"),
        approver: world.token("auditor"),
    };
    let clock = Arc::new(clock::System);
    let before = stores(&world.places);
    for left in 0.. {
        let (secret, draws) = (passphrase(), Draws::limited(left));
        let readmit = Some("security-admin");
        let restarted = Vault::restart(&world.places, &secret, clock.clone(), draws, &two, "a test", readmit).await;
        let Err(error) = restarted else {
            // The request's id, a token and its id, the approval's and the entry's.
            assert_eq!(left, 5);
            break;
        };
        assert!(error.to_string().contains("no random bytes"), "{error}");
        assert_eq!(stores(&world.places), before, "after {left} draws");
    }
    assert_eq!(world.fsck().await, []);
}

/// Nothing in a vault comes from anywhere but its clock and its randomness.
#[tokio::test]
async fn one_seed_makes_one_vault() {
    let mut made = Vec::new();
    for seed in [7, 7, 8] {
        let clock = Arc::new(Fixed::at(NOON));
        let running = Running {
            randomness: Arc::new(Seeded(Mutex::new((seed, 0)))),
            ..Running::patient()
        };
        let (world, app) = World::made(clock, running).await;
        let [handler, auditor, dpo] = world.actors(&app, ["handler-c1", "auditor", "dpo"]);
        let case = world.case(&app, "C1").await;
        let shown = handler.reveal(&case).clear().await.is(200);
        let id = auditor.entry(&shown).await["id"].as_str().unwrap().to_owned();
        // RFC 9562 §5.7: 48 bits of milliseconds since 1970, the version.
        assert_eq!(
            format!("{}{}", &id[..8], &id[9..13]),
            format!("{:012x}", NOON.as_millisecond())
        );
        assert_eq!(&id[14..15], "7");
        let subject = subject_of_intake(&world, &app).await;
        dpo.with(auditor, &resolve(&subject)).await.is(200);
        drop(app);
        made.push(stores(&world.places));
    }
    assert!(made[0]["vault.db: log_entry"].len() > 20);
    for (name, rows) in &made[0] {
        assert_eq!(rows, &made[1][name], "{name}");
    }
    assert_ne!(made[0]["vault.db: log_head"], made[2]["vault.db: log_head"]);
}
