//! A row that was edited keeps its caller, and ends neither the run nor the preview.

use std::sync::Arc;

use callervault::http::App;
use callervault::vault::calls::retention::RetentionStep;
use serde_json::json;

use crate::calls::retention::{LATE, closed, in_days, in_force, lookup, preview, run};
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
