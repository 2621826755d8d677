//! A row that was edited keeps its caller, and ends neither the run nor the preview.

use std::sync::Arc;
use std::time::Duration;

use callervault::http::App;
use callervault::vault::calls::retention::RetentionStep;
use serde_json::json;

use crate::calls::retention::{LATE, closed, in_days, in_force, lookup, preview, run};
use crate::life::restart::restarted;
use crate::log::counts::grown;
use crate::support::cells::IntoCell;
use crate::support::{NUMBER, World};

/// What the log calls the caller of a ticket.
fn subject_of(world: &World, no: &str) -> String {
    world.data().rows("ticket").of("no", no).first("subject")
}

async fn ready(world: &World, app: &Arc<App>) -> String {
    world.actor(app, "nobody").get("/readyz").await.is(200).text
}

/// One caller each with an edited time of closing, ticket, record, count, and a time that can be no time; and one with nothing.
#[tokio::test]
async fn an_edited_row_keeps_its_caller_and_nobody_else() {
    let (world, app) = World::unlimited().await;
    let mut nos = Vec::new();
    for n in 0..6 {
        nos.push(closed(&world, &app, "赵六一", &format!("1370000222{n}")).await.no);
    }
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 0);
    assert!(!ready(&world, &app).await.contains("retention:"));
    drop(app);
    // A start reads counts from the newest entries; these lie behind.
    drop(grown(&world).await);
    let data = world.data();
    let ticket = |at: usize| data.rows("ticket").of("no", &*nos[at]);
    let closing = |at: usize| data.rows("closed").of("ticket", ticket(at).cells("id").remove(0));
    closing(0).set("closed_at", 1);
    ticket(1).add("received_at", 1);
    data.rows("caller")
        .of("subject", &*subject_of(&world, &nos[2]))
        .add("created_at", 1);
    assert_eq!(
        data.rows("tally")
            .of("subject", &*subject_of(&world, &nos[3]))
            .set("count", 77),
        1
    );
    closing(4).set("mac", "no code");
    drop(data);

    let app = world.open_at(in_days(LATE)).await;
    let told = preview(&world, &app).await;
    // A count is looked at when something is logged.
    assert_eq!(
        (&told["next_run"]["due"], &told["next_run"]["faulty"]),
        (&json!(2), &json!(4)),
        "{told}"
    );
    assert_eq!(run(&app).await, 1);
    assert_eq!(lookup(&world, &app, "13700002225").await, 0);
    let told = preview(&world, &app).await;
    assert_eq!((&told["erased"], &told["faulty"]), (&json!(1), &json!(5)), "{told}");
    let ready = ready(&world, &app).await;
    assert!(
        ready.contains("retention: the newest run kept 5 callers or tickets"),
        "{ready}"
    );
    assert_eq!(
        app.vault().unwrap().one_retention_step().await.unwrap(),
        RetentionStep::Idle
    );
    drop(app);
    assert_eq!(world.data().rows("caller").count(), 5);
}

/// Places that nobody has checked lead past their rows: what is no id, and what is the id of no ticket.
#[tokio::test]
async fn a_row_in_a_wrong_place_is_passed_by() {
    let (world, app) = World::unlimited().await;
    closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    in_force(&world, &app, None).await;
    drop(app);
    let data = world.data();
    for at in [
        "no id".into_cell(),
        (&b"short"[..]).into_cell(),
        (&[7_u8; 16][..]).into_cell(),
    ] {
        data.insert(&data.rows("closed").kept_first().with("ticket", at).with("closed_at", 1));
    }
    drop(data);
    let app = world.open_at(in_days(LATE)).await;
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["next_run"]["due"], &told["next_run"]["faulty"]),
        (&json!(2), &json!(2)),
        "{told}"
    );
    assert_eq!(run(&app).await, 2);
    drop(app);
    world.is_found("closed row", "never writes").await;
}

/// Somebody has put a record beside a caller's that says it was merged into it, so that the caller cannot be removed. That is tried a few times,
/// and the others are erased.
#[tokio::test]
async fn who_cannot_be_erased_does_not_keep_the_others_waiting() {
    let (world, app) = World::unlimited().await;
    let first = closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    drop(app);
    let data = world.data();
    let caller = data.rows("caller").of("subject", &*subject_of(&world, &first.no));
    let beside = caller.kept().with("merged_into", caller.cells("id").remove(0));
    data.insert(&beside.with("id", &[7_u8; 16][..]).with("subject", "nobody"));
    drop(data);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    let vault = app.vault().unwrap();
    let ended = async {
        while world.data().rows("retention").first::<u64>("faulty") == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = vault.keep_retention() => unreachable!("it goes on for as long as it is polled"),
        () = ended => {}
    }
    drop(vault);
    let told = preview(&world, &app).await;
    assert_eq!((&told["erased"], &told["faulty"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(lookup(&world, &app, "13700002221").await, 0);
}

/// An older state of the run, by which it would begin again on the same day, or erase more.
#[tokio::test]
async fn an_older_row_of_the_run_is_found() {
    let (world, app) = World::unlimited().await;
    closed(&world, &app, "王小明", NUMBER).await;
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    let mut kept = Vec::new();
    loop {
        kept.push(world.data().rows("retention").kept());
        let step = app.vault().unwrap().one_retention_step().await.unwrap();
        if step == RetentionStep::Idle {
            break;
        }
    }
    let found = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=retention.end")
        .await
        .is(200)
        .json();
    let leaf = &found["entries"][0]["leaf"];
    assert_eq!(
        (&leaf["link"]["erased"], &leaf["link"]["faulty"]),
        (&json!("1"), &json!("0")),
        "{found}"
    );
    assert_eq!(leaf["approver"], json!(world.id("auditor")));
    drop(app);
    assert_eq!(world.fsck().await, []);
    let last = kept.pop().unwrap();
    assert_eq!(kept.len(), 3, "put in force, begun, erased; then ended");
    for older in &kept {
        world.data().put_back(older);
        world
            .is_found(
                "periods of retention",
                "is not what the log says was last written there",
            )
            .await;
    }
    world.data().rows("retention").delete();
    world.is_found("@retention/callers", "is not there").await;
    world.data().insert(&last);
    assert_eq!(world.fsck().await, []);
}

/// A ticket that was closed again, on an older copy of the data store: the time of before is not the one of now.
#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_closing_from_another_copy_is_found() {
    let (mut world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let yesterday = world.backup();
    let app = world.open().await;
    world.ended(&app, &case.no).await;
    drop(app);
    let earlier = world.data().rows("closed").kept();
    world.restore(&yesterday);
    let token = restarted(&world);
    let app = world.open().await;
    world.readmitted(&app.vault().unwrap(), &token).await;
    world.ended(&app, &case.no).await;
    drop(app);
    assert_eq!(world.fsck().await, []);
    world.data().put_back(&earlier);
    let place = format!("closing of ticket {}", case.no);
    world
        .is_found(&place, "is not at the time of the step that closed the ticket")
        .await;
}
