//! Callers are erased after a period, once two persons have put it in force: those who are due, and nobody else.

use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::http::App;
use callervault::vault::calls::retention::RetentionStep;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::life::restart::restarted;
use crate::support::{Answer, Case, NUMBER, Request, World, caller};

const PREVIEW: &str = "/v1/retention/preview?limit=200";

/// So many days from now.
pub(crate) fn in_days(days: i64) -> Arc<dyn Clock> {
    let later = Timestamp::now()
        .checked_add(SignedDuration::from_hours(24 * days))
        .unwrap();
    Arc::new(Fixed::at(later))
}

/// Years after the period of each kind.
pub(crate) const LATE: i64 = 2_000;

fn enforce(periods: &str, most: Option<u32>) -> Request {
    let body = json!({"periods": periods, "most": most});
    Request::post("/v1/retention/enforce", &body).header("approval-reason", "the%20decree")
}

pub(crate) async fn preview(world: &World, app: &Arc<App>) -> Value {
    world.actor(app, "dpo").get(PREVIEW).await.is(200).json()
}

/// Two persons put the file in force.
pub(crate) async fn in_force(world: &World, app: &Arc<App>, most: Option<u32>) -> Answer {
    let [dpo, auditor] = world.actors(app, ["dpo", "auditor"]);
    let periods = preview(world, app).await["periods"].as_str().unwrap().to_owned();
    dpo.with(auditor, &enforce(&periods, most)).await.is(200)
}

/// Steps until there is nothing more to do.
pub(crate) async fn run(app: &Arc<App>) -> u32 {
    let mut erased = 0;
    loop {
        match app.vault().unwrap().one_retention_step().await.unwrap() {
            RetentionStep::Erased => erased += 1,
            RetentionStep::Turned => {}
            RetentionStep::Idle | RetentionStep::Kept => return erased,
        }
    }
}

/// A closed case of a caller.
pub(crate) async fn closed(world: &World, app: &Arc<App>, name: &str, number: &str) -> Case {
    let case = world.case_of(app, "C1", caller(name, number)).await;
    world.ended(app, &case.no).await;
    case
}

pub(crate) async fn lookup(world: &World, app: &Arc<App>, number: &str) -> usize {
    let found = world.actor(app, "agent").lookup(number).await.is(200).json();
    found["callers"].as_array().unwrap().len()
}

#[tokio::test]
async fn who_is_past_the_period_is_erased_and_nobody_else() {
    let (world, app) = World::new().await;
    closed(&world, &app, "王小明", NUMBER).await;
    // Held, restricted, and one with another ticket that is open.
    let held = closed(&world, &app, "李四光", "13900007771").await;
    let restricted = closed(&world, &app, "赵六一", "13900007772").await;
    closed(&world, &app, "周七巧", "13900007773").await;
    world.case_of(&app, "W2", caller("周七巧", "13900007773")).await;
    let dpo = world.actor(&app, "dpo");
    for (case, path, body) in [
        (&held, "holds", json!({"reason": "court 7", "review": "2026-11-30"})),
        (&restricted, "restrict", json!({"reason": "contested"})),
    ] {
        let found = world
            .actor(&app, "auditor")
            .get(format!("/v1/audit/events?ticket={}", case.no))
            .await
            .is(200)
            .json();
        let subject = found["entries"][0]["leaf"]["subject"].as_str().unwrap().to_owned();
        let reference = world.officers_reference(&app, &subject).await;
        let set = dpo.post(format!("/v1/callers/{reference}/{path}"), &body).await;
        assert!(set.status < 300, "{}", set.text);
    }
    // Nothing is due today, and nothing happens without two persons.
    assert_eq!(preview(&world, &app).await["items"], json!([]));
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    let before = preview(&world, &app).await;
    assert_eq!(before["in_force"], json!(false));
    assert_eq!(before["items"][0]["tickets"], json!(4), "{before}");
    let next = &before["next_run"];
    assert_eq!(
        (&next["due"], &next["kept"], &next["early"]),
        (&json!(1), &json!(2), &json!(1)),
        "{before}"
    );
    assert_eq!(before["overdue_holds"].as_array().map(Vec::len), Some(1));
    assert_eq!(run(&app).await, 0);
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 1);
    assert_eq!(lookup(&world, &app, NUMBER).await, 0);
    for number in ["13900007771", "13900007772", "13900007773"] {
        assert_eq!(lookup(&world, &app, number).await, 1, "{number}");
    }
    is_logged(&world, &app, &before["periods"]).await;
    let ready = world.actor(&app, "nobody").get("/readyz").await.is(200);
    assert!(ready.text.contains("holds: 1 "), "{}", ready.text);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// A hold counts, whatever the caller's own row says: an older one of it was put back.
#[tokio::test]
async fn a_hold_keeps_a_caller_whose_row_says_nothing_of_it() {
    let (world, app) = World::new().await;
    let case = closed(&world, &app, "王小明", NUMBER).await;
    let subject = world.subject(&app, &case).await;
    let reference = world.officers_reference(&app, &subject).await;
    let data = world.data();
    let before = data.rows("caller").kept();
    let hold = json!({"reason": "court 7", "review": "2026-11-30"});
    let set = world
        .actor(&app, "dpo")
        .post(format!("/v1/callers/{reference}/holds"), &hold)
        .await;
    assert!(set.status < 300, "{}", set.text);
    drop(app);
    data.put_back(&before);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 0);
    assert_eq!(lookup(&world, &app, NUMBER).await, 1);
}

/// On an older copy of the data store, holds and restrictions since then are missing: two persons say again what is erased.
#[tokio::test(flavor = "multi_thread")]
async fn under_the_next_log_the_periods_are_not_in_force() {
    let (world, app) = World::new().await;
    closed(&world, &app, "王小明", NUMBER).await;
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 0, "nobody is due yet");
    drop(app);
    restarted(&world);
    let app = world.open_at(in_days(LATE)).await;
    assert_eq!(
        app.vault().unwrap().one_retention_step().await.unwrap(),
        RetentionStep::Kept
    );
    assert_eq!(world.data().rows("caller").count(), 1);
}

/// A run that began while the clock was ahead goes no further when the clock is right again.
#[tokio::test]
async fn a_run_that_began_in_the_future_ends() {
    let (world, app) = World::new().await;
    closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "李四光", "13900007771").await;
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    let mut steps = Vec::new();
    while !steps.contains(&RetentionStep::Erased) {
        steps.push(app.vault().unwrap().one_retention_step().await.unwrap());
    }
    drop(app);
    let app = world.open().await;
    assert_eq!(run(&app).await, 0);
    assert_eq!(world.data().rows("caller").count(), 1);
}

/// The entry of the erasure has both persons and the periods, and there is a receipt.
async fn is_logged(world: &World, app: &Arc<App>, periods: &Value) {
    let auditor = world.actor(app, "auditor");
    let found = auditor
        .get("/v1/audit/events?act=caller.erase-due")
        .await
        .is(200)
        .json();
    let leaf = &found["entries"][0]["leaf"];
    assert_eq!(
        (&leaf["actor"], &leaf["approver"]),
        (&json!(world.id("dpo")), &json!(world.id("auditor")))
    );
    assert_eq!(leaf["link"]["periods"], *periods);
    let receipt = auditor
        .get(format!("/v1/erasures/{}", leaf["subject"].as_str().unwrap()))
        .await
        .is(200);
    assert!(receipt.at("/receipt").starts_with("callervault/erasure/1\n"));
}

/// A clock that is set forward makes everybody due: nobody is erased until two persons say how many.
#[tokio::test]
async fn more_than_the_share_is_nobody() {
    let (world, app) = World::unlimited().await;
    let file = callervault::model::retention::RetentionPeriods::SHIPPED.replace("least = 50", "least = 2");
    std::fs::write(world.places.policies.join("retention.toml"), file).unwrap();
    for n in 0..5 {
        closed(&world, &app, "赵六一", &format!("1370000222{n}")).await;
    }
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 0);
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["next_run"]["too_many"], &told["next_run"]["allowed"]),
        (&json!(true), &json!(2))
    );
    assert_eq!(run(&app).await, 0, "nor a little later");
    in_force(&world, &app, Some(5)).await;
    assert_eq!(run(&app).await, 5);
    drop(app);
    assert_eq!(world.fsck().await, []);
}

/// The file is another than the one that was put in force: nothing is erased, and what was approved for the old one does not count.
#[tokio::test]
async fn a_changed_file_is_put_in_force_anew() {
    let (world, app) = World::new().await;
    closed(&world, &app, "王小明", NUMBER).await;
    let old = preview(&world, &app).await["periods"].as_str().unwrap().to_owned();
    in_force(&world, &app, None).await;
    drop(app);
    let file = callervault::model::retention::RetentionPeriods::SHIPPED.replace("complaint = 36", "complaint = 24");
    std::fs::write(world.places.policies.join("retention.toml"), file).unwrap();
    let app = world.open_at(in_days(LATE)).await;
    assert_eq!(run(&app).await, 0);
    let [dpo, auditor] = world.actors(&app, ["dpo", "auditor"]);
    dpo.send(enforce(&old, None)).await.fails(412, "stale");
    for who in ["agent", "auditor", "system-admin", "security-admin"] {
        world
            .actor(&app, who)
            .send(enforce(&old, None))
            .await
            .fails(403, "refused");
    }
    let new = preview(&world, &app).await["periods"].as_str().unwrap().to_owned();
    let id = dpo.ask(&enforce(&new, None)).await;
    dpo.approve(&id).await.fails(403, "own-request");
    auditor.approve(&id).await.is(200);
    dpo.send(enforce(&new, Some(9)).approved(&id))
        .await
        .fails(403, "not-approved");
    dpo.send(enforce(&new, None).approved(&id)).await.is(200);
    assert_eq!(run(&app).await, 1);
}

/// Whatever of a run was done when the process ended is done; the next goes on with the rest, and the day has one run.
#[tokio::test]
async fn a_run_goes_on_after_an_end() {
    let (world, app) = World::unlimited().await;
    for n in 0..6 {
        closed(&world, &app, "赵六一", &format!("1370000222{n}")).await;
    }
    drop(app);
    let clock = in_days(LATE);
    let app = world.open_at(Arc::clone(&clock)).await;
    in_force(&world, &app, None).await;
    let mut app = app;
    let mut erased = 0;
    for _ in 0..3 {
        while app.vault().unwrap().one_retention_step().await.unwrap() != RetentionStep::Erased {}
        erased += 1;
        drop(app);
        assert_eq!(world.fsck().await, []);
        app = world.open_at(Arc::clone(&clock)).await;
        assert_eq!(preview(&world, &app).await["erased"], json!(erased));
    }
    assert_eq!(run(&app).await, 3);
    let told = preview(&world, &app).await;
    assert_eq!((&told["erased"], &told["next_run"]["due"]), (&json!(6), &json!(0)));
    // Nobody new on the same day.
    assert_eq!(
        app.vault().unwrap().one_retention_step().await.unwrap(),
        RetentionStep::Idle
    );
}

/// A time of closing that somebody edits, or removes, erases nobody early.
#[tokio::test]
async fn an_edited_time_of_closing_erases_nobody() {
    let (world, app) = World::new().await;
    let case = closed(&world, &app, "王小明", NUMBER).await;
    in_force(&world, &app, None).await;
    drop(app);
    let kept = world.data().rows("closed").kept_first();
    world.data().rows("closed").set("closed_at", 1);
    world
        .is_found(&format!("closing of ticket {}", case.no), "was edited")
        .await;
    let app = world.open().await;
    assert_eq!(run(&app).await, 0);
    assert_eq!(preview(&world, &app).await["faulty"], json!(1));
    assert_eq!(lookup(&world, &app, NUMBER).await, 1);
    drop(app);
    world.data().rows("closed").delete();
    world
        .is_found(&format!("ticket {}", case.no), "nothing says since when")
        .await;
    let app = world.open_at(in_days(LATE)).await;
    assert_eq!(run(&app).await, 0);
    drop(app);
    world.data().insert(&kept);
    let app = world.open_at(in_days(LATE + 2)).await;
    assert_eq!(run(&app).await, 1);
}

/// Pages leave nothing out, and hold no personal value.
#[tokio::test]
async fn a_preview_comes_in_pages() {
    let (world, app) = World::unlimited().await;
    for n in 0..3 {
        closed(&world, &app, "赵六一", &format!("1370000222{n}")).await;
    }
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    let dpo = world.actor(&app, "dpo");
    let whole = dpo.get(PREVIEW).await.is(200);
    assert!(!whole.text.contains("1370000"), "{}", whole.text);
    let mut counted = 0;
    let mut after = String::new();
    loop {
        let page = dpo
            .get(format!("/v1/retention/preview?limit=1{after}"))
            .await
            .is(200)
            .json();
        let items = page["items"].as_array().unwrap();
        counted += items.iter().filter_map(|item| item["tickets"].as_u64()).sum::<u64>();
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(counted, 3);
    dpo.get("/v1/retention/preview?after=9.x")
        .await
        .fails(400, "bad-cursor");
    for who in ["agent", "handler-c1", "security-admin", "system-admin"] {
        world.actor(&app, who).get(PREVIEW).await.fails(403, "refused");
    }
    world.actor(&app, "auditor").get(PREVIEW).await.is(200);
}
