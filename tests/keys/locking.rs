//! A vault is locked while it is served: its keys and stores are closed at once, what is under way ends without a value, and it can be
//! unlocked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use callervault::http::App;
use callervault::randomness::{NoRandomness, Randomness, System};
use callervault::vault::life::open::Running;
use serde_json::json;

use crate::keys::unlocking::unlock;
use crate::support::{Answer, NUMBER, PASSPHRASE, Request, World};

fn lock() -> Request {
    Request::bare("POST", "/v1/keys/lock")
}

async fn unlocked(world: &World, app: &Arc<App>) -> Answer {
    world.actor(app, "nobody").send(unlock(PASSPHRASE)).await.is(200)
}

/// The whole of a day: a case is taken and read.
async fn works(world: &World, app: &Arc<App>) {
    let case = world.case(app, "C1").await;
    let shown = world.actor(app, "handler-c1").reveal(&case).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
}

#[tokio::test]
async fn locked_and_unlocked_again_and_again() {
    let (world, app) = World::new().await;
    let [system, nobody, auditor] = world.actors(&app, ["system-admin", "nobody", "auditor"]);
    for _ in 0..3 {
        works(&world, &app).await;
        let locked = system.send(lock()).await.is(200);
        system.send(lock()).await.fails(503, "locked");
        nobody.get("/readyz").await.fails(503, "locked");
        // The stores are closed.
        assert_eq!(world.fsck().await, []);
        unlocked(&world, &app).await;
        let leaf = auditor.entry_at(locked.json()["index"].as_u64().unwrap()).await;
        assert_eq!(leaf["act"], "vault.lock");
        assert_eq!(leaf["actor"], world.id("system-admin"));
    }
    works(&world, &app).await;
}

#[tokio::test]
async fn a_signal_locks_and_the_log_says_so() {
    let (world, app) = World::new().await;
    app.door().lock_at_signal().await;
    world.actor(&app, "nobody").get("/readyz").await.fails(503, "locked");
    // One that finds nothing to do.
    app.door().lock_at_signal().await;
    unlocked(&world, &app).await;
    let found = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=vault.lock")
        .await;
    let entries = found.json()["entries"].as_array().unwrap().clone();
    assert_eq!(entries.len(), 1, "{}", found.text);
    assert_eq!(entries[0]["leaf"]["actor"], "0".repeat(32));
    assert_eq!(entries[0]["leaf"]["link"], json!({"way": "signal"}));
    works(&world, &app).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The disk is busy for longer than the keys wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_that_cannot_be_logged_locks_all_the_same() {
    let (world, app) = World::new().await;
    let other = world.data();
    other.hold();
    let door = Arc::clone(app.door());
    let locking = tokio::spawn(async move { door.lock_at_signal().await });
    app.door().closed().await;
    world.actor(&app, "nobody").get("/readyz").await.fails(503, "locked");
    other.give_up();
    locking.await.unwrap();
    unlocked(&world, &app).await;
    works(&world, &app).await;
}

/// Random bits that are not given before it is said, from a certain draw on.
struct Gate {
    /// Draws that are given before the one that waits. Beyond any number, none waits.
    before: AtomicUsize,
    reached: SyncSender<()>,
    opens: std::sync::Mutex<Receiver<()>>,
    armed: AtomicBool,
}

impl Randomness for Gate {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), NoRandomness> {
        let counted = self.armed.load(Ordering::SeqCst);
        if counted && self.before.fetch_sub(1, Ordering::SeqCst) == 0 {
            self.armed.store(false, Ordering::SeqCst);
            self.reached.send(()).unwrap();
            self.opens.lock().unwrap().recv().unwrap();
        }
        System.fill(bytes)
    }
}

/// The asker was permitted to read, and the entry of the read is made: there the keys go.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_under_way_ends_without_a_value() {
    let world = Arc::new(World::closed().await);
    let ((reached, is_reached), (open, opens)) = (sync_channel(1), sync_channel(1));
    let gate = Arc::new(Gate {
        before: AtomicUsize::new(usize::MAX),
        reached,
        opens: opens.into(),
        armed: AtomicBool::new(false),
    });
    let running = Running {
        randomness: gate.clone(),
        ..Running::patient()
    };
    let app = world.open_running(running).await;
    let case = world.case(&app, "C1").await;
    // The first draw is the name of the request.
    gate.before.store(1, Ordering::SeqCst);
    gate.armed.store(true, Ordering::SeqCst);
    let reading = {
        let (world, app) = (Arc::clone(&world), Arc::clone(&app));
        tokio::spawn(async move { world.actor(&app, "handler-c1").reveal(&case).clear().await })
    };
    tokio::task::spawn_blocking(move || is_reached.recv().unwrap())
        .await
        .unwrap();
    world.actor(&app, "system-admin").send(lock()).await.is(200);
    open.send(()).unwrap();
    let answer = reading.await.unwrap().fails(503, "locked");
    assert!(!answer.text.contains(NUMBER), "{}", answer.text);
    unlocked(&world, &app).await;
    let found = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=field.reveal")
        .await;
    assert_eq!(found.json()["entries"], json!([]), "nothing was read");
    works(&world, &app).await;
}

/// Whichever of the two comes first at each step: the key has its new version whole, or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_lock_while_a_key_is_rotated() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let [system, auditor, handler] = world.actors(&app, ["system-admin", "auditor", "handler-c1"]);
    for role in ["kek", "index", "row", "reference", "log"] {
        let rotate = Request::post("/v1/keys/rotate", &json!({"role": role}));
        let id = system.approved_by(auditor, &rotate).await;
        let (rotated, ()) = tokio::join!(system.send(rotate.approved(&id)), app.door().lock_at_signal());
        assert!(matches!(rotated.status, 200 | 503), "{}", rotated.text);
        unlocked(&world, &app).await;
        handler.reveal(&case).clear().await.is(200);
        works(&world, &app).await;
    }
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A follower that waits for news does not keep the vault from being unlocked again.
#[tokio::test(flavor = "multi_thread")]
async fn one_who_waits_for_news_is_sent_away() {
    let (world, app) = World::new().await;
    let [auditor, system] = world.actors(&app, ["auditor", "system-admin"]);
    let size = world.data().rows("log_entry").count();
    let waiting = auditor.get(format!("/v1/audit/follow?from={size}"));
    let locking = async {
        let locked = system.send(lock()).await.is(200);
        unlocked(&world, &app).await;
        locked
    };
    let (told, _) = tokio::join!(waiting, locking);
    // The lock's own entry is news, if it can still be told.
    assert!(matches!(told.status, 200 | 503), "{}", told.text);
}
