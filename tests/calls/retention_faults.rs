//! A row that was edited keeps its caller, and ends neither the run nor the preview.

use std::sync::Arc;

use callervault::http::App;
use callervault::vault::Error;
use callervault::vault::calls::retention::{RetentionRun, RetentionStep};
use serde_json::json;

use crate::calls::retention::{LATE, closed, in_days, in_force, lookup, preview, run};
use crate::keys::rotation::rotated;
use crate::life::restart::restarted;
use crate::log::counts::grown;
use crate::support::approvals::erase;
use crate::support::cells::IntoCell;
use crate::support::rows::{Kept, Rows};
use crate::support::{NUMBER, World, caller};

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

/// Somebody has put a record beside a caller's that says it was merged into it, so that the caller cannot be removed.
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
    assert_eq!(run(&app).await, 1);
    let told = preview(&world, &app).await;
    assert_eq!((&told["erased"], &told["faulty"]), (&json!(1), &json!(1)), "{told}");
    assert_eq!(lookup(&world, &app, "13700002221").await, 0);
}

/// Two callers who are due, and a row that makes each erasure come too late, as if somebody had always just changed something.
async fn always_too_late() -> (World, Arc<App>, Kept) {
    let (world, app) = World::unlimited().await;
    closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    rotated(&world, &app, "kek").await.is(200);
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    let versions = world.data().rows("key_version").kept();
    let newer = world
        .data()
        .rows("key_version")
        .kept()
        .with("role", "reference")
        .with("version", 9);
    world.data().insert(&newer);
    (world, app, versions)
}

/// Takes steps until the run is over: how many came too late, and how many callers were erased.
async fn steps(app: &Arc<App>, mut too_late: impl FnMut(u32)) -> (u32, u32) {
    let (mut run, mut late, mut erased) = (RetentionRun::default(), 0, 0);
    loop {
        match app.vault().unwrap().retention_step(&mut run).await {
            Err(Error::Stale) => {
                late += 1;
                too_late(late);
            }
            Ok(RetentionStep::Erased) => erased += 1,
            Ok(RetentionStep::Turned) => {}
            Ok(RetentionStep::Idle | RetentionStep::Kept) => return (late, erased),
            Err(other) => unreachable!("{other}"),
        }
    }
}

/// Each is tried three times, and once more at the end. That is no fault of a row, and the next run takes them.
#[tokio::test]
async fn who_always_comes_too_late_is_left_to_the_next_run() {
    let (world, app, versions) = always_too_late().await;
    assert_eq!(steps(&app, |_| ()).await, (8, 0));
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["erased"], &told["faulty"], &told["put_off"]),
        (&json!(0), &json!(0), &json!(2)),
        "{told}"
    );
    assert!(!ready(&world, &app).await.contains("retention:"));
    let ended = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=retention.end")
        .await;
    assert_eq!(ended.at("/entries/0/leaf/link/put_off"), "2");
    drop(app);
    world.data().put_back(&versions);
    let app = world.open_at(in_days(LATE + 2)).await;
    assert_eq!(steps(&app, |_| ()).await, (0, 2));
    assert_eq!(preview(&world, &app).await["put_off"], json!(0));
}

#[tokio::test]
async fn who_was_put_off_is_tried_once_more_at_the_end() {
    let (world, app, versions) = always_too_late().await;
    let sixth = |late| {
        if late == 6 {
            world.data().put_back(&versions);
        }
    };
    assert_eq!(steps(&app, sixth).await, (6, 2));
    assert_eq!(preview(&world, &app).await["put_off"], json!(0));
}

/// The references of a department whose row was edited would stay, and nobody would know whose they are. That keeps everybody; it is one fault,
/// and no caller's.
#[tokio::test]
async fn an_edited_department_keeps_everybody_and_is_told_once() {
    let (world, app) = World::unlimited().await;
    closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    in_force(&world, &app, None).await;
    assert_eq!(run(&app).await, 0);
    drop(app);
    let sound = world.data().rows("department").kept();
    world.data().rows("department").of("code", "W2").set("name", "nobody's");
    let app = world.open_at(in_days(LATE)).await;
    assert_eq!(run(&app).await, 0);
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["erased"], &told["faulty"], &told["all_kept"]),
        (&json!(0), &json!(0), &json!(true)),
        "{told}"
    );
    let ready = ready(&world, &app).await;
    assert!(ready.contains("retention: the newest run kept everybody"), "{ready}");
    let begun = world
        .actor(&app, "auditor")
        .get("/v1/audit/events?act=retention.begin")
        .await
        .is(200);
    assert_eq!(begun.at("/entries/0/leaf/link/kept"), "all", "{}", begun.text);
    assert_eq!(begun.at("/entries/1/leaf/link/kept"), "");
    drop(app);
    world.is_found("department W2", "was edited").await;
    world.data().put_back(&sound);
    let app = world.open_at(in_days(LATE + 2)).await;
    assert_eq!(run(&app).await, 2);
    assert_eq!(preview(&world, &app).await["all_kept"], json!(false));
}

/// It is edited while the run goes on.
#[tokio::test]
async fn an_edited_department_ends_a_run_that_is_under_way() {
    let (world, app) = World::unlimited().await;
    closed(&world, &app, "王小明", NUMBER).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    drop(app);
    let app = world.open_at(in_days(LATE)).await;
    in_force(&world, &app, None).await;
    while app.vault().unwrap().one_retention_step().await.unwrap() != RetentionStep::Erased {}
    world.data().rows("department").of("code", "W2").set("name", "nobody's");
    assert_eq!(run(&app).await, 0);
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["erased"], &told["faulty"], &told["all_kept"]),
        (&json!(1), &json!(0), &json!(true)),
        "{told}"
    );
}

/// Of two tickets one is open, and its row no longer says whose it is: the caller's tickets are counted, and one is missed.
#[tokio::test]
async fn a_ticket_that_hides_keeps_its_caller() {
    let (world, app) = World::unlimited().await;
    let case = closed(&world, &app, "王小明", NUMBER).await;
    let open = world.case_of(&app, "W2", caller("王小明", NUMBER)).await;
    closed(&world, &app, "赵六一", "13700002221").await;
    let subject = subject_of(&world, &case.no);
    let reference = world.officers_reference(&app, &subject).await;
    in_force(&world, &app, None).await;
    drop(app);
    let data = world.data();
    let hidden = data.rows("ticket").of("no", &*open.no);
    hidden.set("subject", "nobody");
    let app = world.open_at(in_days(LATE)).await;
    let told = preview(&world, &app).await;
    assert_eq!(
        (&told["next_run"]["due"], &told["next_run"]["faulty"]),
        (&json!(1), &json!(1)),
        "{told}"
    );
    assert_eq!(run(&app).await, 1);
    assert_eq!(lookup(&world, &app, NUMBER).await, 1);
    let dpo = world.actor(&app, "dpo");
    dpo.send(erase(&reference)).await.fails(500, "integrity");
    drop(app);
    world
        .is_found(&format!("count of the tickets about {subject}"), "is not their number")
        .await;
    // Nor does an edited count, or none.
    hidden.set("subject", &*subject);
    let edits: [fn(&Rows<'_>) -> usize; 2] = [|rows| rows.set("tickets", 1), |rows| rows.delete()];
    for edit in edits {
        edit(&data.rows("ticket_count").of("subject", &*subject));
        let app = world.open_at(in_days(LATE + 2)).await;
        assert_eq!(preview(&world, &app).await["next_run"]["faulty"], json!(1));
        drop(app);
        world
            .is_found(&format!("count of the tickets about {subject}"), "")
            .await;
    }
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
