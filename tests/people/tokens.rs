//! A token has a label, a time to expire, and the day on which it was last used.

use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::store::statements::statements;
use crate::support::rows::id;
use crate::support::{Actor, Request, World};

/// 2026-11-30T09:00:00Z.
pub(crate) const MORNING: Timestamp = Timestamp::constant(1_796_029_200, 0);

/// Where an account's tokens are.
fn tokens(world: &World, name: &str) -> String {
    format!("{}/tokens", world.account(name))
}

/// The newest token of an account, as the list has it.
async fn newest(admin: Actor<'_>, tokens: &str) -> Value {
    admin.get(tokens).await.is(200).json()["items"][0].clone()
}

#[tokio::test]
async fn a_token_is_good_for_so_long_and_says_what_it_is_for() {
    let world = World::closed().await;
    let app = world.open_at(Arc::new(Fixed::at(MORNING))).await;
    let admin = world.actor(&app, "security-admin");
    let tokens = tokens(&world, "handler-c1");
    for (expires, at) in [
        (json!("90d"), json!("2027-02-28T09:00:00.000Z")),
        (json!("12h"), json!("2026-11-30T21:00:00.000Z")),
        (json!("2027-01-01T00:00:00+08:00"), json!("2026-12-31T16:00:00.000Z")),
        (Value::Null, Value::Null),
    ] {
        let issued = admin
            .post(&*tokens, &json!({"expires": expires, "label": "crm-sync"}))
            .await
            .is(201);
        assert_eq!(issued.json()["expires_at"], at, "{expires}");
    }
    let listed = admin.get(&*tokens).await.json();
    let line = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|line| line["expires_at"] == "2027-02-28T09:00:00.000Z");
    assert_eq!(line.unwrap()["label"], "crm-sync", "{listed}");
    for expires in ["90", "0d", "-1d", "3661d", "tomorrow", "2026-11-30T08:59:59Z"] {
        let refused = admin.post(&*tokens, &json!({"expires": expires})).await;
        refused.fails(422, "bad-expiry");
    }
    for label in ["", "王小明", "13900001111", "a b"] {
        let refused = admin.post(&*tokens, &json!({"label": label})).await;
        assert!(!refused.text.contains("13900001111"));
        refused.fails(422, "bad-label");
    }
}

/// The second person reads what the token is for; the log does not have that word.
#[tokio::test]
async fn a_label_is_told_to_who_approves_and_not_logged() {
    let (world, app) = World::new().await;
    let [admin, auditor] = world.actors(&app, ["security-admin", "auditor"]);
    let issue = Request::post(
        tokens(&world, "auditor"),
        &json!({"label": "reading-room", "expires": "30d"}),
    );
    let asked = admin.send(issue).await.is(202);
    let about = auditor.get("/v1/approvals").await.json()["items"][0]["about"].clone();
    assert_eq!(about["label"], "reading-room", "{about}");
    assert_eq!(about["expires"], "30 days after issue");
    let leaf = auditor.entry(&asked).await;
    assert_eq!(leaf["link"]["expires"], "30 days after issue", "{leaf}");
    assert!(!leaf.to_string().contains("reading-room"), "{leaf}");
}

/// A world in which time is set, and its handler has not been there yet.
struct Scene {
    world: World,
    app: Arc<App>,
    clock: Arc<Fixed>,
}

impl Scene {
    async fn new() -> Self {
        let world = World::closed().await;
        let clock = Arc::new(Fixed::at(MORNING));
        let app = world.open_at(clock.clone()).await;
        Self { world, app, clock }
    }

    /// The day on which the handler's token was last used.
    async fn last_used(&self) -> Value {
        let admin = self.world.actor(&self.app, "security-admin");
        newest(admin, &tokens(&self.world, "handler-w2")).await["last_used"].clone()
    }

    /// What an act of the handler costs the data store.
    async fn act(&self) -> u64 {
        let [before, _] = statements(&self.world, &self.app).await;
        self.world
            .actor(&self.app, "handler-w2")
            .get("/v1/tickets")
            .await
            .is(200);
        statements(&self.world, &self.app).await[0] - before
    }

    fn later(&self, hours: i64) {
        self.clock.set(MORNING + SignedDuration::from_hours(hours));
    }
}

#[tokio::test]
async fn the_day_of_the_last_act_is_written_once() {
    let mut scene = Scene::new().await;
    assert_eq!(scene.last_used().await, Value::Null);
    let row = || -> (Vec<u8>, u64) {
        let data = scene.world.data();
        let tokens = data.rows("api_token").of("principal", id(scene.world.id("handler-w2")));
        (tokens.first("mac"), tokens.first("version"))
    };
    let before = row();
    let first = scene.act().await;
    assert_eq!(scene.last_used().await, "2026-11-30");
    let usual = scene.act().await;
    assert_eq!(scene.act().await, usual);
    assert!(first > usual, "the first act of the day writes it: {first} {usual}");
    assert_eq!(row(), before, "the token's own row is as it was");

    // Another process reads once that it is written.
    drop(scene.app);
    scene.app = scene.world.open_at(scene.clock.clone()).await;
    assert_eq!(scene.act().await, usual + 1);
    assert_eq!(scene.act().await, usual);

    scene.later(24);
    assert_eq!(scene.act().await, first);
    assert_eq!(scene.last_used().await, "2026-12-01");
    // A clock that is set back makes no day earlier.
    scene.later(0);
    assert_eq!(scene.act().await, usual);
    assert_eq!(scene.last_used().await, "2026-12-01");
    let Scene { world, app, .. } = scene;
    drop(app);
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_refusal_is_an_act_and_what_is_not_logged_is_none() {
    let scene = Scene::new().await;
    let handler = scene.world.actor(&scene.app, "handler-w2");
    handler.post("/v1/tickets/1/burn", &json!({})).await;
    assert_eq!(scene.last_used().await, Value::Null, "nothing was decided");
    handler.get("/v1/audit/checkpoint").await.is(403);
    assert_eq!(scene.last_used().await, "2026-11-30");
}

/// Two at once are the first act of the day, and neither is in the way of the other.
#[tokio::test]
async fn two_first_acts_at_once() {
    let scene = Scene::new().await;
    let handler = scene.world.actor(&scene.app, "handler-w2");
    let (one, other) = tokio::join!(handler.get("/v1/tickets"), handler.get("/v1/tickets"));
    one.is(200);
    other.is(200);
    assert_eq!(scene.last_used().await, "2026-11-30");
}
