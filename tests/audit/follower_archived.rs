//! A follower whose next entries were archived and dropped before it came.

use std::fs::{read_to_string, write};

use super::export::Scene;
use super::follower::{Follower, indexes, position, until};
use super::retention::{drop_below, later};

const BELOW: u64 = 256;

/// A served log whose first 256 bodies are dropped, and what a cursor said of it before: its origin, and the hash of the last
/// entry that was dropped.
async fn archived() -> (Scene, String, String) {
    let (world, app, _) = later(1100).await;
    let auditor = world.actor(&app, "auditor");
    let last = auditor.get(&format!("/v1/audit/events/{}", BELOW - 1)).await.is(200);
    let hash = last.at("/leaf_hash");
    let checkpoint = auditor.get("/v1/audit/checkpoint").await.is(200);
    let origin = checkpoint.text.lines().next().unwrap().to_owned();
    drop_below(&world, &app, BELOW).await.is(200);
    let case = world.case(&app, "C1").await;
    drop(app);
    (Scene::served(world, case, &[]), origin, hash)
}

/// Each entry that is left, once.
fn what_is_left(file: &str) {
    let all = indexes(file);
    assert!(
        !all.is_empty() && all.iter().copied().eq(BELOW..BELOW + all.len() as u64),
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn is_told_where_it_can_go_on() {
    let (scene, ..) = archived().await;
    tokio::task::block_in_place(|| {
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        write(&cursor, "10").unwrap();
        let arguments = ["--format", "native", "--out", &file, "--cursor", &cursor];
        for more in [&[] as &[&str], &["--follow"]] {
            let output = scene.try_export(&[&arguments, more].concat());
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains("entries 10 to 255 were archived and dropped\n"), "{said}");
            assert!(said.contains("give --skip-archived to go on with entry 256"), "{said}");
            assert_eq!(indexes(&file), [0; 0], "nothing is left out in silence");
            assert_eq!(position(&cursor), "10");
        }
        // From the beginning, without a cursor.
        let output = scene.try_export(&["--format", "cef"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("entries 0 to 255 were archived"), "{said}");
        scene.export(&["--format", "native", "--from", "256", "--out", &file]);
        what_is_left(&file);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn goes_on_behind_them_where_that_is_wanted() {
    let (scene, ..) = archived().await;
    tokio::task::block_in_place(|| {
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        write(&cursor, "10").unwrap();
        let arguments = [
            "--format",
            "native",
            "--out",
            &file,
            "--cursor",
            &cursor,
            "--skip-archived",
        ];
        let follower = Follower::start(&scene, &arguments);
        follower.says("entries 10 to 255 were archived and dropped: continuing with entry 256");
        until("the first lines", || !indexes(&file).is_empty());
        scene.grow(2);
        until("news", || {
            let log = read_to_string(&file).unwrap();
            log.matches("\"field.reveal\"").count() >= 2
        });
        drop(follower);
        // Nothing is missing any more.
        let output = scene.export(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("archived"), "{said}");
        what_is_left(&file);
        assert_eq!(position(&cursor), (BELOW + indexes(&file).len() as u64).to_string());
    });
}

/// Its last entry is gone, but the hash of that entry is not.
#[tokio::test(flavor = "multi_thread")]
async fn that_stands_right_behind_them_goes_on_and_is_still_checked() {
    let (scene, origin, hash) = archived().await;
    tokio::task::block_in_place(|| {
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        let arguments = ["--format", "native", "--out", &file, "--cursor", &cursor];
        let other = "A".repeat(hash.len());
        write(&cursor, format!("{BELOW}\n{origin}\n{other}\n")).unwrap();
        let output = scene.try_export(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(
            said.contains("entry 255 of the log is not the one that was exported"),
            "{said}"
        );
        write(&cursor, format!("{BELOW}\n{origin}\n{hash}\n")).unwrap();
        scene.export(&arguments);
        what_is_left(&file);
    });
}
