//! A server that starts locked is unlocked by the passphrase, while it runs. Wrong ones are delayed, counted and told in the log.

use std::sync::Arc;

use callervault::clock::{Clock, Fixed, System};
use callervault::http::{App, ConnectionLimits, ForwardedIn, Proxies};
use callervault::vault::life::door::Door;
use callervault::vault::life::open::{Opening, Running};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Answer, NUMBER, PASSPHRASE, Request, World, caller, intake};

/// After any time at which the copied vault was made.
pub(crate) const NOON: Timestamp = Timestamp::constant(4_102_488_000, 0);
/// Never a client's: a name for the header of a proxy on this machine.
const PROXY: &str = "127.0.0.1";
const WRONG: &str = "incorrect donkey battery";

impl World {
    /// A server that was started without the passphrase.
    pub(crate) async fn locked(&self) -> Arc<App> {
        self.locked_at(Arc::new(System)).await
    }

    pub(crate) async fn locked_at(&self, clock: Arc<dyn Clock>) -> Arc<App> {
        let opening = Opening::new(self.places.clone(), clock, "test", Running::patient());
        let proxies = Proxies {
            trusted: vec![format!("{PROXY}/32").parse().unwrap()],
            named_in: ForwardedIn::XForwardedFor,
        };
        App::behind(
            Door::locked(opening).await.unwrap(),
            ConnectionLimits::default(),
            proxies,
        )
    }
}

/// A passphrase that is sent on the machine itself.
pub(crate) fn unlock(passphrase: &str) -> Request {
    Request::post("/v1/keys/unlock", &json!({"passphrase": passphrase})).from("127.0.0.1")
}

/// One that comes from the network, through a proxy that does TLS.
fn from_network(passphrase: &str) -> Request {
    unlock(passphrase).header("x-forwarded-for", "203.0.113.7")
}

/// The leaf of the newest unlock.
pub(crate) async fn told(world: &World, app: &Arc<App>) -> Value {
    let found = world
        .actor(app, "auditor")
        .get("/v1/audit/events?act=vault.unlock")
        .await;
    found.json()["entries"][0]["leaf"]["link"].clone()
}

fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

#[tokio::test]
async fn it_starts_locked_and_is_unlocked() {
    let world = World::closed().await;
    let app = world.locked().await;
    let [nobody, agent, auditor] = world.actors(&app, ["nobody", "agent", "auditor"]);
    nobody.get("/livez").await.is(200);
    nobody.get("/openapi.json").await.is(200);
    let ready = nobody.get("/readyz").await.fails(503, "locked");
    assert!(ready.text.contains("callervault unlock"), "{}", ready.text);
    let metrics = world.metrics(&app).await;
    assert!(metrics.contains("callervault_locked 1\n"), "{metrics}");
    assert!(!metrics.contains("callervault_log_entries"), "{metrics}");
    let claim = json!({"account": "agent", "code": "7K3M-9QX2-04TD-VB8N-H5"});
    nobody.post("/v1/tokens/claim", &claim).await.fails(503, "locked");
    nobody.get("/v1/me").await.fails(503, "locked");
    let call = intake(caller("王小明", NUMBER));
    agent.post("/v1/intake", &call).await.fails(503, "locked");
    // Nothing of it is open: whoever has the passphrase may open it elsewhere.
    assert_eq!(world.fsck().await, []);

    let unlocked = nobody.send(unlock(PASSPHRASE)).await.is(200);
    let leaf = auditor.entry_at(unlocked.json()["index"].as_u64().unwrap()).await;
    assert_eq!((&leaf["act"], &leaf["node"]), (&json!("vault.unlock"), &json!("test")));
    assert_eq!(leaf["link"], json!({"way": "unlock"}));
    nobody.get("/readyz").await.is(200);
    assert!(world.metrics(&app).await.contains("callervault_locked 0\n"));
    let case = world.case(&app, "C1").await;
    let shown = world.actor(&app, "handler-c1").reveal(&case).clear().await.is(200);
    assert_eq!(shown.at("/fields/callback_number"), format!("+86{NUMBER}"));
    nobody.send(unlock(PASSPHRASE)).await.fails(409, "already-unlocked");
    nobody.send(unlock(WRONG)).await.fails(409, "already-unlocked");
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn each_wrong_passphrase_makes_the_next_wait_also_after_a_restart() {
    let (world, clock) = (World::closed().await, Arc::new(Fixed::at(NOON)));
    let app = world.locked_at(clock.clone()).await;
    let nobody = world.actor(&app, "nobody");
    let mut now = NOON;
    for (tries, wait) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)] {
        let wrong = nobody.send(unlock(WRONG)).await.fails(403, "wrong-passphrase");
        assert!(
            wrong.at("/detail").contains(&format!(" {wait} s")),
            "{tries}: {}",
            wrong.text
        );
        // The right one is not looked at either.
        now += seconds(wait - 1);
        clock.set(now);
        let early = nobody.send(unlock(PASSPHRASE)).await.fails(429, "unlock-too-soon");
        assert_eq!(early.headers["retry-after"], "1");
        if tries < 7 {
            now += seconds(1);
            clock.set(now);
        }
    }
    drop(app);
    let app = world.locked_at(clock.clone()).await;
    let nobody = world.actor(&app, "nobody");
    nobody.send(unlock(PASSPHRASE)).await.fails(429, "unlock-too-soon");
    clock.set(now + seconds(1));
    nobody.send(unlock(PASSPHRASE)).await.is(200);
    let link = json!({"way": "unlock", "wrong_machine": "7", "wrong_since": "2100-01-01T12:00:00.000Z"});
    assert_eq!(told(&world, &app).await, link);
    // What is told is forgotten.
    let app = {
        drop(app);
        world.locked_at(clock).await
    };
    world.actor(&app, "nobody").send(unlock(PASSPHRASE)).await.is(200);
    assert_eq!(told(&world, &app).await, json!({"way": "unlock"}));
}

#[tokio::test]
async fn guesses_from_the_network_do_not_keep_the_machine_waiting() {
    let (world, clock) = (World::closed().await, Arc::new(Fixed::at(NOON)));
    let app = world.locked_at(clock).await;
    let nobody = world.actor(&app, "nobody");
    nobody.send(from_network(WRONG)).await.fails(403, "wrong-passphrase");
    nobody
        .send(from_network(PASSPHRASE))
        .await
        .fails(429, "unlock-too-soon");
    nobody.send(unlock(WRONG)).await.fails(403, "wrong-passphrase");
    drop(app);
    // A start with the passphrase waits for nobody, and tells of them.
    let app = world.open().await;
    app.vault().unwrap().note_unlock("serve").await.unwrap();
    let link = told(&world, &app).await;
    assert_eq!(
        (&link["wrong_network"], &link["wrong_machine"]),
        (&json!("1"), &json!("1"))
    );
    assert_eq!(world.keys().rows("unlock_try").count(), 0);
}

/// From another machine without TLS; where it came by no connection, nobody knows.
#[tokio::test]
async fn a_passphrase_in_clear_is_not_taken() {
    let world = World::closed().await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    let body = json!({"passphrase": PASSPHRASE});
    let request = Request::post("/v1/keys/unlock", &body);
    nobody.send(request.clone()).await.fails(403, "unlock-in-clear");
    for peer in ["203.0.113.7", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1"] {
        nobody
            .send(request.clone().from(peer))
            .await
            .fails(403, "unlock-in-clear");
    }
    for peer in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
        let here = nobody.send(unlock("short").from(peer)).await;
        here.fails(422, "bad-passphrase");
    }
    assert_eq!(world.keys().rows("unlock_try").count(), 0, "none was looked at");
    nobody.send(request.from("::1")).await.is(200);
}

#[tokio::test]
async fn bodies_that_are_no_passphrase() {
    let world = World::closed().await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    let send = async |body: &str| -> Answer { nobody.send(unlock("").body(body)).await };
    send("").await.is(415);
    for body in [
        "{",
        "[]",
        "{}",
        "{\"passphrase\": 123456789012}",
        "{\"password\": \"correct horse battery staple\"}",
    ] {
        let answer = send(body).await.is(400);
        assert!(!answer.text.contains("correct"), "{}", answer.text);
    }
    send(&json!({"passphrase": PASSPHRASE, "more": 1}).to_string())
        .await
        .is(400);
    for text in ["eleven byte", &*"x".repeat(1025)] {
        send(&json!({"passphrase": text}).to_string())
            .await
            .fails(422, "bad-passphrase");
    }
    let long = format!("{{\"passphrase\": \"{}\"}}", "x".repeat(5000));
    send(&long).await.fails(413, "body-too-large");
    assert_eq!(world.keys().rows("unlock_try").count(), 0, "none was looked at");
    // As JSON may write it.
    send("{\"passphrase\":\"correct\\u0020horse battery\\u0020staple\"}")
        .await
        .is(200);
}

#[tokio::test]
async fn two_at_once_unlock_once() {
    let world = World::closed().await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    let (one, other) = tokio::join!(nobody.send(unlock(PASSPHRASE)), nobody.send(unlock(PASSPHRASE)));
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert!(matches!(statuses, [200, 409 | 429]), "{} {}", one.text, other.text);
    let found = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=vault.unlock")
        .await;
    let ways = found.json()["entries"].as_array().unwrap().clone();
    let ways = ways.iter().filter(|entry| entry["leaf"]["link"]["way"] == "unlock");
    assert_eq!(ways.count(), 1, "{}", found.text);
}

#[tokio::test]
async fn another_process_has_the_stores() {
    let world = World::closed().await;
    let app = world.locked().await;
    let nobody = world.actor(&app, "nobody");
    let other = world.open().await;
    nobody.send(unlock(PASSPHRASE)).await.fails(409, "vault-in-use");
    drop(other);
    nobody.send(unlock(PASSPHRASE)).await.is(200);
    let refused = world.refusal().await;
    assert!(refused.contains("another process has"), "{refused}");
}

/// What keeps a vault from a start keeps it from an unlock; the log is proved again.
#[tokio::test]
async fn a_vault_that_does_not_prove_stays_locked() {
    let world = World::closed().await;
    let before = world.backup();
    let app = world.open().await;
    world.case(&app, "C1").await;
    drop(app);
    let app = world.locked().await;
    world.restore(&before);
    let nobody = world.actor(&app, "nobody");
    nobody.send(unlock(PASSPHRASE)).await.fails(503, "not-opened");
    nobody.get("/readyz").await.fails(503, "locked");
}
