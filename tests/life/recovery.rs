//! A security administrator whose token is lost gets a new one: begun by two persons, seen by everybody, stopped by one, and only then
//! finished.

use std::path::Path;
use std::process::Output;
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::http::App;
use callervault::model::principals::Role;
use callervault::vault::Error;
use callervault::vault::life::open::Running;
use callervault::vault::life::recover::Recovery;
use callervault::vault::life::restart::Two;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::life::restart::{ADMIN, restarted};
use crate::support::approvals::{person, service};
use crate::support::copies::words;
use crate::support::process::{passphrase_file, run, secret_file};
use crate::support::{PEOPLE, Request, World};

/// 2026-11-02T12:00:00Z: before any time at which this is run.
const NOON: Timestamp = Timestamp::constant(1_793_620_800, 0);
pub(crate) const REASON: &str = "both phones were lost on a journey";
const STOP: &str = "/v1/admin/recovery/stop";
const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub(crate) fn stop() -> Request {
    Request::bare("POST", STOP)
}

/// A vault that was made at noon, and its time.
pub(crate) struct Scene {
    pub(crate) world: World,
    pub(crate) app: Arc<App>,
    clock: Arc<Fixed>,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(Fixed::at(NOON));
        let (world, app) = World::made(clock.clone(), Running::patient()).await;
        Self { world, app, clock }
    }

    /// The process ends, and another begins.
    pub(crate) async fn again(self) -> Self {
        let Self { world, app, clock } = self;
        drop(app);
        let app = world.open_at(clock.clone()).await;
        Self { world, app, clock }
    }

    pub(crate) fn later(&self, hours: i32) {
        self.clock.set(NOON + HOUR * hours);
    }

    async fn start(&self, two: Option<[&str; 2]>, delay: Option<SignedDuration>) -> Result<Timestamp, Error> {
        let two = two.map(|[asker, approver]| Two {
            asker: self.world.token(asker),
            approver: self.world.token(approver),
        });
        let recovery = Recovery {
            account: ADMIN,
            two,
            reason: REASON,
            delay,
        };
        let ready_at = self.app.vault().unwrap().start_recovery(&recovery).await?;
        self.served().await;
        Ok(ready_at)
    }

    /// A server begins.
    async fn served(&self) {
        self.app.vault().unwrap().note_unlock("serve").await.unwrap();
    }

    pub(crate) async fn started(&self) {
        self.start(Some(["auditor", "system-admin"]), None).await.unwrap();
    }

    pub(crate) async fn finish(&self) -> Result<String, Error> {
        self.served().await;
        let issued = self.app.vault().unwrap().finish_recovery().await?;
        assert_eq!(issued.account, ADMIN);
        Ok(issued.token.to_string())
    }

    async fn ready(&self) -> String {
        self.world.actor(&self.app, "nobody").get("/readyz").await.is(200).text
    }

    pub(crate) async fn pending(&self) -> bool {
        let metrics = self.world.metrics(&self.app).await;
        metrics.contains("callervault_recovery_pending 1\n")
    }

    /// What the log has of recoveries, newest first.
    async fn entries(&self) -> Vec<Value> {
        let auditor = self.world.actor(&self.app, "auditor");
        let found = auditor.get("/v1/audit/events?act=admin.recover").await.is(200).json();
        let entries = found["entries"].as_array().unwrap().iter();
        entries.map(|entry| entry["leaf"].clone()).collect()
    }

    async fn ends_sound(self) {
        drop(self.app);
        assert_eq!(self.world.fsck().await, []);
    }
}

/// The name of a problem.
pub(crate) fn problem<T>(done: Result<T, Error>) -> String {
    match done {
        Err(Error::Bad(kind)) => kind.name.to_owned(),
        Err(other) => other.to_string(),
        Ok(_) => "done".to_owned(),
    }
}

#[tokio::test]
async fn two_persons_begin_it_and_it_is_finished_after_a_day() {
    let scene = Scene::new().await;
    assert_eq!(scene.ready().await, "ready\n");
    let ready_at = scene.start(Some(["auditor", "system-admin"]), None).await.unwrap();
    assert_eq!(ready_at, NOON + HOUR * 24);
    let entries = scene.entries().await;
    let leaf = &entries[0];
    assert_eq!(leaf["actor"], scene.world.id("auditor"));
    assert_eq!(leaf["approver"], scene.world.id("system-admin"));
    assert_eq!(leaf["link"]["deed"], "start");
    assert_eq!(leaf["link"]["principal"], scene.world.id(ADMIN));
    assert_eq!(leaf["link"]["ready_at"], "2026-11-03T12:00:00.000Z");
    assert_eq!(leaf["link"]["reason"], REASON);
    assert!(!leaf.to_string().contains(ADMIN), "a name stays out of the log: {leaf}");

    // Whoever serves it next tells of it as well.
    let scene = scene.again().await;
    let told = scene.ready().await;
    assert!(
        told.contains("\nrecovery: ") && told.contains("2026-11-03T12:00:00.000Z"),
        "{told}"
    );
    assert!(!told.contains(ADMIN) && scene.pending().await, "{told}");

    scene.later(23);
    assert_eq!(problem(scene.finish().await), "recovery-too-early");
    scene.world.actor(&scene.app, ADMIN).get(PEOPLE).await.is(200);
    scene.later(24);
    let token = scene.finish().await.unwrap();
    scene.world.actor(&scene.app, ADMIN).get(PEOPLE).await.is(401);
    let vault = scene.app.vault().unwrap();
    let session = vault.authenticate(&token, vault.new_request().unwrap()).await.unwrap();
    vault.list_principals(&session, None, 10).await.unwrap();
    drop(vault);
    assert_eq!(scene.ready().await, "ready\n");
    assert!(!scene.pending().await);
    let entries = scene.entries().await;
    assert_eq!(entries[0]["link"]["deed"], "finish");
    assert_eq!(entries[0]["link"]["roles"], "security_admin", "for the view of roles");
    assert_eq!(entries[0]["actor"], "0".repeat(32), "whoever has the passphrase");
    assert_eq!(problem(scene.finish().await), "no-recovery");
    scene.ends_sound().await;
}

#[tokio::test]
async fn anybody_who_watches_over_the_vault_stops_it_alone() {
    let scene = Scene::new().await;
    for who in ["auditor", "dpo", "system-admin", ADMIN] {
        scene.started().await;
        let [watcher, handler] = scene.world.actors(&scene.app, [who, "handler-c1"]);
        handler.send(stop()).await.fails(403, "refused");
        let stopped = watcher.send(stop()).await.is(200);
        let leaf = scene
            .world
            .actor(&scene.app, "auditor")
            .entry_at(stopped.json()["index"].as_u64().unwrap())
            .await;
        assert_eq!(leaf["act"], "admin.recover-stop");
        assert_eq!(leaf["actor"], scene.world.id(who));
        watcher.send(stop()).await.fails(409, "no-recovery");
        assert_eq!(scene.ready().await, "ready\n");
        scene.later(24);
        assert_eq!(
            problem(scene.app.vault().unwrap().finish_recovery().await),
            "no-recovery"
        );
        scene.later(0);
    }
    scene.ends_sound().await;
}

/// Nobody could see it: the vault was served for a moment, or not at all.
#[tokio::test]
async fn the_vault_is_served_for_half_of_the_delay_at_least() {
    let scene = Scene::new().await;
    scene.started().await;
    scene.later(11);
    scene.served().await;
    scene.later(24);
    let vault = scene.app.vault().unwrap();
    assert_eq!(problem(vault.finish_recovery().await), "recovery-not-served");
    scene.world.actor(&scene.app, "auditor").get(PEOPLE).await.is(403);
    scene.finish().await.unwrap();
}

#[tokio::test]
async fn it_takes_the_right_two_and_time_enough() {
    let mut scene = Scene::new().await;
    for new in [
        service("auditing-service", Role::Auditor),
        person("auditor-2", Role::Auditor),
    ] {
        scene.world.hire(&scene.app.vault().unwrap(), ADMIN, new).await;
    }
    let before = scene.world.data().rows("log_entry").count();
    for (two, why) in [
        (["auditor", "auditor"], "not-two-recoverers"),
        (["auditor", "handler-c1"], "not-two-recoverers"),
        (["agent", "auditor"], "not-two-recoverers"),
        (["auditor", ADMIN], "not-two-recoverers"),
        (["auditor", "auditing-service"], "not-two-recoverers"),
    ] {
        assert_eq!(problem(scene.start(Some(two), None).await), why, "{two:?}");
    }
    let two = Some(["auditor-2", "dpo"]);
    for (two, minutes) in [(two, 59), (None, 72 * 60 - 1)] {
        let short = scene.start(two, Some(SignedDuration::from_mins(minutes))).await;
        assert_eq!(problem(short), "delay-too-short");
    }
    for account in ["handler-c1", "auditor", "nobody-of-that-name", ""] {
        let recovery = Recovery {
            account,
            two: None,
            reason: REASON,
            delay: None,
        };
        let refused = scene.app.vault().unwrap().start_recovery(&recovery).await;
        assert_eq!(problem(refused), "not-to-be-recovered", "{account}");
    }
    let personal = Recovery {
        account: ADMIN,
        two: None,
        reason: "ask 13900001111",
        delay: None,
    };
    let refused = scene.app.vault().unwrap().start_recovery(&personal).await;
    assert_eq!(problem(refused), "bad-restart-reason");
    assert_eq!(
        scene.world.data().rows("log_entry").count(),
        before,
        "nothing was begun"
    );

    assert_eq!(scene.start(two, Some(HOUR)).await.unwrap(), NOON + HOUR);
    assert_eq!(problem(scene.start(two, None).await), "recovery-under-way");
    scene.app.vault().unwrap().cancel_recovery().await.unwrap();
    assert_eq!(scene.entries().await[0]["link"]["deed"], "cancel");
    assert_eq!(
        problem(scene.app.vault().unwrap().cancel_recovery().await),
        "no-recovery"
    );
    // With the passphrase alone it takes a week.
    assert_eq!(scene.start(None, None).await.unwrap(), NOON + HOUR * (7 * 24));
    assert_eq!(scene.entries().await[0]["actor"], "0".repeat(32));
}

/// A clock behind the newest entry tells no delay, neither when it is begun nor when it is finished.
#[tokio::test]
async fn a_clock_that_is_set_back_does_not_count() {
    let scene = Scene::new().await;
    scene.later(-1);
    let refused = scene.start(None, None).await;
    assert_eq!(problem(refused), "clock-behind-log");
    scene.later(0);
    scene.started().await;
    scene.later(30);
    scene
        .world
        .actor(&scene.app, "auditor")
        .get("/v1/audit/checkpoint")
        .await
        .is(200);
    scene.later(25);
    assert_eq!(problem(scene.finish().await), "clock-behind-log");
    scene.later(31);
    scene.finish().await.unwrap();
}

/// The account has lost its role meanwhile.
#[tokio::test]
async fn who_is_no_administrator_any_more_gets_no_token() {
    let mut scene = Scene::new().await;
    let other = person("security-admin-2", Role::SecurityAdmin);
    scene.world.hire(&scene.app.vault().unwrap(), ADMIN, other).await;
    scene.started().await;
    let [admin, auditor] = scene.world.actors(&scene.app, ["security-admin-2", "auditor"]);
    let body = json!({"roles": ["security_admin"], "active": false});
    let bar = Request::put(scene.world.account(ADMIN), &body).version(1);
    admin.with(auditor, &bar).await.is(200);
    scene.later(24);
    assert_eq!(problem(scene.finish().await), "not-to-be-recovered");
}

#[tokio::test]
async fn one_of_an_earlier_log_is_not_finished() {
    let scene = Scene::new().await;
    scene.started().await;
    let Scene { world, app, .. } = scene;
    drop(app);
    restarted(&world);
    let app = world.open().await;
    assert_eq!(
        problem(app.vault().unwrap().finish_recovery().await),
        "recovery-not-logged"
    );
    app.vault().unwrap().cancel_recovery().await.unwrap();
}

fn recover(world: &World, deed: &str, more: &[&str]) -> Output {
    let passphrase = passphrase_file(world.dir.path());
    let place = [
        "recover-admin",
        deed,
        "--dir",
        world.dir.path().to_str().unwrap(),
        "--passphrase-file",
        passphrase.to_str().unwrap(),
    ];
    run(&[&place, more].concat())
}

#[tokio::test]
async fn from_the_command_line() {
    let scene = Scene::new().await;
    scene.start(Some(["auditor", "dpo"]), Some(HOUR)).await.unwrap();
    scene.later(1);
    scene.served().await;
    let Scene { mut world, app, .. } = scene;
    let busy = recover(&world, "finish", &[]);
    assert_ne!(busy.status.code(), Some(0), "not while the vault is served");
    drop(app);
    let path = |name: &str| world.dir.path().join(name).to_str().unwrap().to_owned();
    let out = path("new.token");
    let finished = recover(&world, "finish", &["--out", &out]);
    assert_eq!(finished.status.code(), Some(0), "{}", words(&finished));
    assert!(!words(&finished).contains("cvt_"));
    let token = std::fs::read_to_string(&out).unwrap();

    let (one, other) = (path("one"), path("other"));
    secret_file(Path::new(&one), world.token("auditor"));
    secret_file(Path::new(&other), world.token("system-admin"));
    let two = ["--asker-token-file", &*one, "--approver-token-file", &*other];
    let start = [&["--account", ADMIN, "--reason", REASON][..], &two].concat();
    let short = recover(&world, "start", &[&start[..], &["--delay", "59"]].concat());
    assert_eq!(short.status.code(), Some(2), "{}", words(&short));
    let started = recover(&world, "start", &[&start[..], &["--delay", "36h"]].concat());
    assert_eq!(started.status.code(), Some(0), "{}", words(&started));
    let early = path("early.token");
    let refused = recover(&world, "finish", &["--out", &early]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(words(&refused).contains("Not yet"), "{}", words(&refused));
    assert!(!Path::new(&early).exists());
    let cancelled = recover(&world, "cancel", &[]);
    assert_eq!(cancelled.status.code(), Some(0), "{}", words(&cancelled));

    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), token.trim()).await;
    world.actor(&app, ADMIN).get(PEOPLE).await.is(200);
    let unlocks = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=vault.unlock")
        .await;
    let noted = unlocks.text.matches(r#""way":"recover-admin""#).count();
    assert_eq!(noted, 4, "each time that it unlocked the vault: {}", unlocks.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}
