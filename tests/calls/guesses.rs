//! How often one principal may ask what tells something about a caller: `limits.toml`, held over restarts.

use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::model::limits::Limits;
use callervault::model::principals::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::approvals::service;
use crate::support::{Actor, Answer, Case, NAME, NUMBER, Request, World, caller, intake};

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
    case: Case,
}

impl Guesser {
    async fn new() -> (Self, Arc<App>) {
        let world = World::closed().await;
        let clock = Arc::new(Fixed::at(start()));
        let app = world.open_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
        let case = world.case(&app, "C1").await;
        (Self { world, clock, case }, app)
    }

    async fn open(&self) -> Arc<App> {
        self.world.open_at(Arc::clone(&self.clock) as Arc<dyn Clock>).await
    }

    fn at(&self, seconds: i64) {
        self.clock.set(start() + SignedDuration::from_secs(seconds));
    }

    async fn guess(&self, app: &Arc<App>) -> Answer {
        let handler = self.world.actor(app, "handler-c1");
        handler.verify(&self.case, "callback_number", "13800000000").await
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

impl Actor<'_> {
    /// Takes calls until one is refused with this problem: how many were taken, and the refusal.
    async fn take_until(self, problem: &str, caller: impl Fn(usize) -> Value) -> (usize, Answer) {
        for nth in 0.. {
            let answer = self.intake(caller(nth)).await;
            if answer.status != 201 {
                return (nth, answer.fails(429, problem));
            }
        }
        unreachable!("calls are taken until one is refused")
    }
}

/// Each has a number of their own.
fn numbered(nth: usize) -> Value {
    json!({"caller_number": format!("138{nth:08}")})
}

/// Nobody can be found by this.
fn nameless(_: usize) -> Value {
    json!({"salutation": "女士"})
}

async fn limited(world: &World, limits: &str) -> Arc<App> {
    std::fs::write(world.places.policies.join("limits.toml"), limits).unwrap();
    world.open_at(Arc::new(Fixed::at(start()))).await
}

/// A world with a service account that takes calls, and nothing that serves it.
async fn with_platform() -> World {
    let (mut world, app) = World::new().await;
    let web = service("platform-web", Role::Agent);
    world.hire(&app.vault().unwrap(), "security-admin", web).await;
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
    let world = World::closed().await;
    let app = limited(&world, SMALL).await;
    let [agent, other, auditor] = world.actors(&app, ["agent", "other-agent", "auditor"]);
    let (count, refused) = agent.take_until("too-many-guesses", numbered).await;
    assert_eq!(count, 3);
    assert_eq!(auditor.entry(&refused).await["why"], "too-many-guesses");

    // Calls of which nobody can be found are taken on, up to the limit on calls.
    let (count, refused) = other.take_until("too-many-intakes", nameless).await;
    assert_eq!(count, 5);
    assert!(wait(&refused) >= 60);
}

#[tokio::test]
async fn a_platform_may_have_limits_of_its_own_and_a_person_may_not() {
    let world = with_platform().await;
    let app = limited(&world, SMALL).await;
    let [platform, person] = world.actors(&app, ["platform-web", "other-agent"]);
    let (count, _) = platform.take_until("too-many-intakes", numbered).await;
    assert_eq!(count, 70);
    let (count, _) = person.take_until("too-many-guesses", numbered).await;
    assert_eq!(count, 3);
}

#[tokio::test]
async fn a_call_sent_again_is_no_second_call() {
    let world = World::closed().await;
    let app = limited(&world, SMALL).await;
    let agent = world.actor(&app, "agent");
    let call = Request::post("/v1/intake", &intake(caller(NAME, NUMBER))).once("one");
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(agent.send(call.clone()).await.status);
    }
    assert!(statuses.iter().all(|status| *status < 300), "{statuses:?}");
    let other = |_| caller("李四光", "13700002222");
    let (count, _) = agent.take_until("too-many-guesses", other).await;
    assert_eq!(count, 2, "and it was one guess");
}

#[tokio::test]
async fn limits_that_are_not_understood_keep_the_vault_shut_and_others_change_the_policys_hash() {
    let world = World::closed().await;
    let hash = async |limits: &str| {
        let app = limited(&world, limits).await;
        world.actor(&app, "handler-c1").get("/v1/tickets").await.is(200);
        let page = world.actor(&app, "auditor").get("/v1/audit/events?limit=1").await;
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
    let platform = world.actor(&app, "platform-web");
    let mut taken = 0;
    for nth in 0..620 {
        // 02:00:05 lies at the edge of two slots of ten seconds, four seconds apart: 02:00:09 and 02:00:10.
        clock.set(start() + SignedDuration::from_secs(4 + nth % 2));
        taken += usize::from(platform.intake(nameless(0)).await.status == 201);
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
    let platform = world.actor(&app, "platform-web");
    let mut taken = 0;
    for nth in 0..100 {
        clock.set(start() + SignedDuration::from_secs(20 * nth));
        taken += usize::from(platform.intake(nameless(0)).await.status == 201);
    }
    assert_eq!(taken, 90);
}
