//! Somebody edits the rows of recoveries in the data store: what was stopped is not finished.

use callervault::model::principals::Role;
use callervault::vault::life::recover::Recovery;

use crate::life::recovery::{REASON, Scene, problem, stop};
use crate::life::restart::ADMIN;
use crate::support::approvals::person;

/// Somebody with the data store puts back the row of a recovery that was stopped: the log knows better.
#[tokio::test]
async fn what_was_stopped_is_not_finished_with_an_older_row() {
    let scene = Scene::new().await;
    scene.started().await;
    let open = scene.world.data().rows("recovery").kept();
    scene.world.actor(&scene.app, "auditor").send(stop()).await.is(200);
    scene.world.data().put_back(&open);
    scene.later(24);
    assert_eq!(problem(scene.finish().await), "recovery-not-logged");
    let Scene { world, app, .. } = scene;
    drop(app);
    world.is_found("recovery of", "is not what the log says").await;
}

/// The older row of another administrator's recovery, put back, takes no stop away from the one that is under way.
#[tokio::test]
async fn a_stop_closes_every_open_row() {
    let mut scene = Scene::new().await;
    let other = person("security-admin-2", Role::SecurityAdmin);
    scene.world.hire(&scene.app.vault().unwrap(), ADMIN, other).await;
    let recovery = Recovery {
        account: "security-admin-2",
        two: None,
        reason: REASON,
        delay: None,
    };
    scene.app.vault().unwrap().start_recovery(&recovery).await.unwrap();
    let old = scene.world.data().rows("recovery").kept();
    for (end, hour) in [("stop", 1), ("cancel", 24 * 9)] {
        scene.later(hour);
        scene.app.vault().unwrap().cancel_recovery().await.unwrap();
        scene.started().await;
        scene.world.data().rows("recovery").of("open", 0_i64).delete();
        scene.world.data().insert(&old);
        if end == "stop" {
            let stopped = scene.world.actor(&scene.app, "auditor").send(stop()).await.is(200);
            let auditor = scene.world.actor(&scene.app, "auditor");
            let leaf = auditor.entry_at(stopped.json()["index"].as_u64().unwrap()).await;
            assert_eq!(leaf["link"]["principal"], scene.world.id(ADMIN));
            assert_eq!(leaf["link"]["also"], scene.world.id("security-admin-2"));
        } else {
            scene.app.vault().unwrap().cancel_recovery().await.unwrap();
        }
        assert_eq!(scene.world.data().rows("recovery").of("open", 1_i64).count(), 0);
        assert!(!scene.pending().await);
        scene.later(hour + 24);
        assert_eq!(problem(scene.finish().await), "no-recovery", "{end}");
        scene.world.data().put_back(&old);
    }
}

/// The row is taken away while it is stopped, and put back afterwards: the entry of the stop stands between.
#[tokio::test]
async fn a_row_that_is_hidden_from_a_stop_is_stopped() {
    let scene = Scene::new().await;
    scene.started().await;
    let row = scene.world.data().rows("recovery").kept();
    scene.world.data().rows("recovery").delete();
    scene.world.actor(&scene.app, "auditor").send(stop()).await.is(200);
    scene.world.data().put_back(&row);
    scene.later(24);
    assert_eq!(problem(scene.finish().await), "no-recovery");
}

/// A row that another program wrote neither keeps the vault from being opened nor the recovery from being stopped.
#[tokio::test]
async fn a_row_that_is_edited_is_skipped() {
    let scene = Scene::new().await;
    scene.started().await;
    scene.world.data().rows("recovery").set("ready_at", 0_i64);
    let scene = scene.again().await;
    scene.later(24);
    assert_eq!(problem(scene.finish().await), "recovery-not-logged");
    scene.world.actor(&scene.app, "auditor").send(stop()).await.is(200);
}
