//! How many clear reveals a reader may have a day, and the alarms before: at once, over restarts, and over days.

use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::vault::life::open::Running;
use callervault::vault::{Vault, Watching};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::process::Server;
use crate::support::{World, passphrase};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

async fn limited(world: &World, clock: &Arc<Fixed>, limit: u64) -> Arc<App> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    let running = Running {
        watching: Watching {
            limit: Some(limit),
            ..Watching::default()
        },
        ..Running::patient()
    };
    let vault = Vault::open_with(&world.places, &passphrase(), clock, "test", running).await;
    App::new(vault.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_holds_for_many_at_once_and_over_a_restart() {
    let world = Arc::new(World::closed().await);
    // Just before midnight in +08:00.
    let clock = Arc::new(Fixed::at(at("2026-12-01T15:59:00Z")));
    let app = limited(&world, &clock, 10).await;
    let case = world.case(&app, "C1").await;
    let [handler, auditor] = world.actors(&app, ["handler-c1", "auditor"]);
    let mut asks = tokio::task::JoinSet::new();
    for _ in 0..32 {
        let (world, app, case) = (Arc::clone(&world), Arc::clone(&app), case.clone());
        asks.spawn(async move { world.actor(&app, "handler-c1").reveal(&case).clear().await });
    }
    let (shown, held): (Vec<_>, Vec<_>) = asks.join_all().await.into_iter().partition(|one| one.status == 200);
    assert_eq!((shown.len(), held.len()), (10, 22));
    for answer in held {
        let answer = answer.fails(429, "budget-spent");
        let entry = auditor.entry(&answer).await;
        assert_eq!(
            (&entry["out"], &entry["why"]),
            (&json!("denied"), &json!("budget-spent"))
        );
    }
    // The masked form is not limited, and nobody else is.
    handler.reveal(&case).masked().await.is(200);
    drop(app);

    let reveal = async |app: &Arc<App>| world.actor(app, "handler-c1").reveal(&case).clear().await;
    let app = limited(&world, &clock, 10).await;
    reveal(&app).await.is(429);
    drop(app);
    let app = limited(&world, &clock, 11).await;
    reveal(&app).await.is(200);
    reveal(&app).await.is(429);
    // A new day. And back before midnight: the old day is as full as it was.
    clock.set(at("2026-12-01T16:00:00Z"));
    reveal(&app).await.is(200);
    clock.set(at("2026-12-01T15:59:30Z"));
    reveal(&app).await.is(429);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_a_server_is_the_one_it_was_started_with() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let started = ["--listen", "127.0.0.1:0", "--reveal-limit", "1"];
    let server = Server::start_with(world.dir.path(), "http", &started);
    let (path, body) = case.reveal("clear");
    let statuses = [(); 2].map(|()| server.post(&world, "handler-c1", &path, &body).0);
    assert_eq!(statuses, [200, 429]);
}

#[tokio::test]
async fn the_limit_holds_anew_on_a_day_that_the_clock_comes_back_to() {
    let world = World::closed().await;
    let day = |day: u32| at(&format!("2026-12-{day:02}T04:00:00Z"));
    let clock = Arc::new(Fixed::at(day(1)));
    let app = limited(&world, &clock, 2).await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let reveal = async || handler.reveal(&case).clear().await.status;
    assert_eq!([reveal().await, reveal().await, reveal().await], [200, 200, 429]);
    // A month to and fro begins no day anew.
    for ahead in [2, 9, 5, 31] {
        clock.set(day(ahead));
        assert_eq!(reveal().await, 200);
    }
    clock.set(day(1));
    assert_eq!(reveal().await, 429);
    // Farther ahead than is remembered, and back: what was spent is forgotten, and the limit holds anew.
    clock.set(at("2027-01-02T04:00:00Z"));
    assert_eq!(reveal().await, 200);
    clock.set(day(1));
    assert_eq!(
        [reveal().await, reveal().await, reveal().await, reveal().await],
        [200, 200, 429, 429]
    );
}

/// Reveals that were taken ahead yesterday and not used serve nobody today.
#[tokio::test]
async fn what_is_shown_today_is_counted_today() {
    let world = World::closed().await;
    let day = |day: u32| at(&format!("2026-12-{day:02}T04:00:00Z"));
    let clock = Arc::new(Fixed::at(day(1)));
    let app = limited(&world, &clock, 400).await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    for (today, reveals) in [(1, 1), (2, 3)] {
        clock.set(day(today));
        for _ in 0..reveals {
            handler.reveal(&case).clear().await.is(200);
        }
        let me = handler.get("/v1/me").await.is(200).json();
        let mut limits = me["limits"].as_array().unwrap().iter();
        let limit = limits.find(|limit| limit["counted"] == "reveal").unwrap();
        assert_eq!(limit["left"], json!(400 - reveals), "day {today}");
    }
}

/// How often this many reveals a day have raised an alarm.
async fn alarms(world: &World, app: &Arc<App>, level: u64) -> String {
    let text = world.metrics(app).await;
    let name = format!("callervault_reveal_alarms_total{{level=\"{level}\"}} ");
    let count = text.lines().find_map(|line| line.strip_prefix(&name));
    count.unwrap().to_owned()
}

#[tokio::test]
async fn alarms_are_counted_and_the_report_names_them() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at(at("2026-12-01T02:00:00Z")));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let [handler, stranger, auditor] = world.actors(&app, ["handler-c1", "handler-w2", "auditor"]);
    let case = world.case(&app, "C1").await;
    for _ in 0..24 {
        handler.reveal(&case).clear().await.is(200);
    }
    for alarmed in ["0", "1", "1"] {
        assert_eq!(alarms(&world, &app, 25).await, alarmed);
        handler.reveal(&case).clear().await.is(200);
    }
    assert_eq!(alarms(&world, &app, 25).await, "1", "once on a day");
    assert_eq!(alarms(&world, &app, 250).await, "0");
    stranger.reveal(&case).clear().await.is(403);

    let report = auditor.get("/v1/audit/report?day=2026-12-01").await.is(200).json();
    let actor = world.id("handler-c1");
    let alarm = json!([{"day": "2026-12-01", "actor": actor, "actor_name": "handler-c1", "level": 25, "clear": 27}]);
    assert_eq!(report["alarms"], alarm);
    assert_eq!(report["settled"], false);
    let reader = |id: &str| -> Value {
        let readers = report["readers"].as_array().unwrap();
        readers.iter().find(|reader| reader["actor"] == id).unwrap().clone()
    };
    assert_eq!(reader(actor)["clear"], 27);
    assert_eq!(reader(actor)["without_action"], 27);
    assert_eq!(reader(world.id("handler-w2"))["refusals"], 1);
    assert_eq!(report["most_read"][0]["reads"], 27);

    // The day after nothing; and later, when the department has reported, nothing without an act.
    let after = auditor.get("/v1/audit/report?day=2026-12-02").await.json();
    assert_eq!(after["readers"], json!([]));
    handler.step(&case.no, "start", json!({})).await.is(200);
    let without = async || {
        let report = auditor.get("/v1/audit/report?day=2026-11-25&days=7").await.json();
        let readers = report["readers"].as_array().unwrap().clone();
        readers.iter().any(|reader| reader["without_action"] != 0)
    };
    assert!(without().await, "that work has begun says nothing of what came of it");
    let report = json!({"reason": "商家配合", "reply": "已责令整改"});
    handler.step(&case.no, "feedback", report).await.is(200);
    clock.set(at("2026-12-10T02:00:00Z"));
    let report = auditor.get("/v1/audit/report?day=2026-11-25&days=7").await.json();
    let readers = report["readers"].as_array().unwrap();
    assert!(readers.iter().all(|reader| reader["without_action"] == 0));
    assert_eq!(report["settled"], true);
    for query in [
        "",
        "day=2026-13-01",
        "day=2026-12-01&days=0",
        "day=2026-12-01&days=32",
        "day=2026-12-01&day=2026-12-02",
    ] {
        let answer = auditor.get(format!("/v1/audit/report?{query}")).await;
        assert!([400, 422].contains(&answer.status), "{query}: {}", answer.text);
    }
}

/// After a restart it is not known how many of the reveals that were taken ahead were made: the alarm comes rather than not.
#[tokio::test]
async fn an_alarm_is_not_lost_with_what_was_taken_ahead() {
    let world = World::closed().await;
    let clock = Arc::new(Fixed::at(at("2026-12-01T02:00:00Z")));
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let case = world.case(&app, "C1").await;
    for _ in 0..20 {
        let handler = world.actor(&app, "handler-c1");
        handler.reveal(&case).clear().await.is(200);
    }
    drop(app);
    let app = world.open_at(Arc::clone(&clock) as Arc<_>).await;
    let handler = world.actor(&app, "handler-c1");
    let alarms = || {
        app.vault()
            .unwrap()
            .reveal_alarms()
            .map(|(_, count)| count)
            .sum::<u64>()
    };
    let mut reveals = 20;
    while alarms() == 0 {
        handler.reveal(&case).clear().await.is(200);
        reveals += 1;
        assert!(reveals <= 25, "no alarm at the 25th");
    }
}
