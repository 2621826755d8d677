//! How often one principal may ask what tells something about a caller: `limits.toml`, held over restarts.

use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::model::limits::Limits;
use callervault::model::principals::{PrincipalKind, Role};
use callervault::vault::people::NewPrincipal;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::{Answer, World, caller, intake};

const NUMBER: &str = "13900001111";

/// Seconds after which the answer says to try again.
fn wait(answer: &Answer) -> i64 {
    answer.headers["retry-after"].to_str().unwrap().parse().unwrap()
}

fn start() -> Timestamp {
    "2026-12-01T02:00:05Z".parse().unwrap()
}

struct Guesser {
    world: World,
    clock: Arc<Fixed>,
    path: String,
    no: String,
}

impl Guesser {
    async fn new() -> (Self, Arc<App>) {
        let (world, app) = World::new().await;
        drop(app);
        let clock = Arc::new(Fixed::at(start()));
        let app = world.open_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
        let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", NUMBER)).await;
        let path = format!("/v1/callers/{reference}/verify");
        (Self { world, clock, path, no }, app)
    }

    async fn open(&self) -> Arc<App> {
        self.world.open_at(Arc::clone(&self.clock) as Arc<dyn Clock>).await
    }

    fn at(&self, seconds: i64) {
        self.clock.set(start() + SignedDuration::from_secs(seconds));
    }

    async fn guess(&self, app: &Arc<App>) -> Answer {
        let body = json!({"ticket": self.no, "purpose": "handle", "field": "callback_number", "value": "13800000000"});
        self.world.post(app, "handler-c1", &self.path, &body).await
    }

    /// How many of so many guesses are answered.
    async fn answered(&self, app: &Arc<App>, guesses: usize) -> usize {
        let mut answered = 0;
        for _ in 0..guesses {
            let answer = self.guess(app).await;
            assert!([200, 429].contains(&answer.status), "{}", answer.text);
            answered += usize::from(answer.status == 200);
        }
        answered
    }
}

#[tokio::test]
async fn thirty_in_any_minute_and_sixty_in_any_hour() {
    let (guesser, app) = Guesser::new().await;
    assert_eq!(guesser.answered(&app, 40).await, 30, "in the first minute");
    let refused = guesser.guess(&app).await;
    assert_eq!(refused.problem(), "too-many-guesses");
    let retry = wait(&refused);
    assert!((60..=70).contains(&retry), "{retry}");

    guesser.at(retry - 1);
    assert_eq!(guesser.answered(&app, 1).await, 0, "before the time that was named");
    guesser.at(retry);
    assert_eq!(guesser.answered(&app, 40).await, 30, "at that time");

    // The hour's limit is reached; the minute's is not.
    guesser.at(300);
    let refused = guesser.guess(&app).await;
    let retry = wait(&refused);
    assert!((3300..=3310).contains(&retry), "{retry}");
    guesser.at(300 + retry - 1);
    assert_eq!(guesser.answered(&app, 1).await, 0);
    guesser.at(300 + retry);
    assert_eq!(guesser.answered(&app, 1).await, 1);
}

#[tokio::test]
async fn a_restart_forgets_no_guess() {
    let (guesser, app) = Guesser::new().await;
    assert_eq!(guesser.answered(&app, 20).await, 20);
    drop(app);
    let app = guesser.open().await;
    assert_eq!(guesser.answered(&app, 20).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_sent_at_once_do_not_pass_the_limit_together() {
    let (guesser, app) = Guesser::new().await;
    let guesser = Arc::new(guesser);
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let (guesser, app) = (Arc::clone(&guesser), Arc::clone(&app));
        guesses.spawn(async move { guesser.guess(&app).await.status });
    }
    let statuses = guesses.join_all().await;
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        30,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 429).count(),
        30,
        "{statuses:?}"
    );
}

/// Takes calls until one is refused: how many were taken, and the refusal.
async fn taken(world: &World, app: &Arc<App>, who: &str, call: impl Fn(usize) -> Value) -> (usize, Answer) {
    for nth in 0.. {
        let answer = world.post(app, who, "/v1/intake", &call(nth)).await;
        if answer.status != 201 {
            return (nth, answer);
        }
    }
    unreachable!("calls are taken until one is refused")
}

async fn limited(world: &World, limits: &str) -> Arc<App> {
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    world.open_at(Arc::new(Fixed::at(start()))).await
}

/// A world with a service account that takes calls, and nothing that serves it.
async fn with_platform() -> World {
    let (mut world, app) = World::new().await;
    let web = NewPrincipal {
        name: "platform-web".to_owned(),
        department: "H0".parse().unwrap(),
        roles: vec![Role::Agent],
        kind: PrincipalKind::Service,
    };
    world.hire(app.vault(), "security-admin", web).await;
    drop(app);
    world
}

const SMALL: &str = "
    [guesses]
    minute = 3
    hour = 10
    [intakes]
    minute = 5
    hour = 10
    [accounts.platform-web]
    guesses = { minute = 80, hour = 90 }
    intakes = { minute = 70, hour = 90 }
    [accounts.other-agent]
    guesses = { minute = 80, hour = 90 }
";

#[tokio::test]
async fn a_call_that_states_who_calls_is_a_guess() {
    let (world, app) = World::new().await;
    drop(app);
    let app = limited(&world, SMALL).await;
    let named = |nth: usize| intake(json!({"caller_number": format!("138{nth:08}")}));
    let (count, refused) = taken(&world, &app, "agent", named).await;
    assert_eq!((count, refused.problem().as_str()), (3, "too-many-guesses"));
    let index = refused.json().pointer("/audit/index").and_then(Value::as_u64).unwrap();
    let entry = world.get(&app, "auditor", &format!("/v1/audit/events/{index}")).await;
    assert_eq!(entry.at("/leaf/why"), "too-many-guesses");

    // Calls of which nobody can be found are taken on, up to the limit on calls.
    let (count, refused) = taken(&world, &app, "other-agent", |_| intake(json!({"salutation": "女士"}))).await;
    assert_eq!((count, refused.problem().as_str()), (5, "too-many-intakes"));
    assert!(wait(&refused) >= 60);
}

#[tokio::test]
async fn a_platform_may_have_limits_of_its_own_and_a_person_may_not() {
    let world = with_platform().await;
    let app = limited(&world, SMALL).await;
    let named = |nth: usize| intake(json!({"caller_number": format!("138{nth:08}")}));
    let (count, refused) = taken(&world, &app, "platform-web", named).await;
    assert_eq!((count, refused.problem().as_str()), (70, "too-many-intakes"));
    let (count, refused) = taken(&world, &app, "other-agent", named).await;
    assert_eq!((count, refused.problem().as_str()), (3, "too-many-guesses"));
}

#[tokio::test]
async fn a_call_sent_again_is_no_second_call() {
    let (world, app) = World::new().await;
    drop(app);
    let app = limited(&world, SMALL).await;
    let key = [("idempotency-key", "one")];
    let body = intake(caller("王小明", NUMBER)).to_string();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(
            world
                .call(&app, "agent", "POST", "/v1/intake", &key, &body)
                .await
                .status,
        );
    }
    assert!(statuses.iter().all(|status| *status < 300), "{statuses:?}");
    let (count, _) = taken(&world, &app, "agent", |_| intake(caller("李四光", "13700002222"))).await;
    assert_eq!(count, 2, "and it was one guess");
}

#[tokio::test]
async fn limits_that_are_not_understood_keep_the_vault_shut_and_others_change_the_policys_hash() {
    let (world, app) = World::new().await;
    drop(app);
    let hash = async |limits: &str| {
        let app = limited(&world, limits).await;
        assert_eq!(world.get(&app, "handler-c1", "/v1/tickets").await.status, 200);
        let page = world.get(&app, "auditor", "/v1/audit/events?limit=1").await;
        page.at("/entries/0/leaf/policy")
    };
    let shipped = hash(Limits::SHIPPED).await;
    assert_eq!(hash(Limits::SHIPPED).await, shipped);
    assert_ne!(hash(SMALL).await, shipped, "who loosens a limit leaves a trace");
    std::fs::write(
        world.places.policies.join("limits.toml"),
        "[guesses]\nminute = 0\nhour = 1\n",
    )
    .unwrap();
    let words = world.try_open().await.err().unwrap().to_string();
    assert!(words.starts_with("limits.toml: "), "{words}");
}

/// Around the edge of a slot requests of both sides alternate; what was taken ahead is not lost with each.
#[tokio::test]
async fn requests_that_overtake_each_other_cost_one_each() {
    let world = with_platform().await;
    let limits = "guesses = { minute = 600, hour = 600 }\nintakes = { minute = 600, hour = 600 }\n[accounts.platform-web]\n\
                  intakes = { minute = 600, hour = 600 }\n";
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    let clock = Arc::new(Fixed::at(start()));
    let app = world.open_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let mut taken = 0;
    for nth in 0..620 {
        // 02:00:05 lies at the edge of two slots of ten seconds, four seconds apart: 02:00:09 and 02:00:10.
        clock.set(start() + SignedDuration::from_secs(4 + nth % 2));
        let body = intake(json!({"salutation": "女士"}));
        taken += usize::from(world.post(&app, "platform-web", "/v1/intake", &body).await.status == 201);
    }
    assert_eq!(taken, 600);
}

/// One call in many slots: shares are given back when their slot is over.
#[tokio::test]
async fn what_was_taken_ahead_and_not_used_is_given_back() {
    let world = with_platform().await;
    let limits = "guesses = { minute = 90, hour = 90 }\nintakes = { minute = 90, hour = 90 }\n";
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    let clock = Arc::new(Fixed::at(start()));
    let app = world.open_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let mut taken = 0;
    for nth in 0..100 {
        clock.set(start() + SignedDuration::from_secs(20 * nth));
        let body = intake(json!({"salutation": "女士"}));
        taken += usize::from(world.post(&app, "platform-web", "/v1/intake", &body).await.status == 201);
    }
    assert_eq!(taken, 90);
}
