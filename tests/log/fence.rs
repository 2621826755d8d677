//! A data store put back to an older copy, beside a key store that remembers how far the log had come.

use rusqlite::Connection;

use crate::support::{World, caller};

#[tokio::test]
async fn a_data_store_put_back_is_refused_and_says_what_was_lost() {
    let (world, app) = World::new().await;
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    world.settle();
    let old = std::fs::read(&world.places.data).unwrap();
    let count = |sql: &str| -> i64 {
        Connection::open(&world.places.data)
            .unwrap()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    let before = count("SELECT size FROM log_head");
    let app = world.open().await;
    world.ticket_at(&app, "C1", caller("李四光", "13700002222")).await;
    drop(app);
    let after = count("SELECT size FROM log_head");
    assert!(after > before);
    assert_eq!(world.fsck().await, []);

    world.settle();
    std::fs::write(&world.places.data, old).unwrap();
    let error = world.try_open().await.err().expect("refused").to_string();
    let said = format!(
        "it holds {before} entries and had come to {after}; entries {before} to {} are lost",
        after - 1
    );
    assert!(error.contains(&said), "{error}");
    let findings = world.fsck().await;
    assert!(
        findings
            .iter()
            .any(|finding| finding.place == "fence" && finding.what.contains(&said)),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_log_that_begins_otherwise_is_refused() {
    let (world, app) = World::new().await;
    drop(app);
    let keys = Connection::open(&world.places.keys).unwrap();
    assert_eq!(keys.execute("UPDATE fence SET root = zeroblob(32)", []).unwrap(), 1);
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("are not those it had come to"), "{error}");
    assert_eq!(keys.execute("DELETE FROM fence", []).unwrap(), 1);
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.contains("does not say how far"), "{error}");
}

#[tokio::test]
async fn a_fence_behind_the_log_is_harmless() {
    let (world, app) = World::new().await;
    drop(app);
    let row = |path: &std::path::Path, sql: &str| -> (i64, Vec<u8>) {
        Connection::open(path)
            .unwrap()
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
    };
    let kept = row(&world.places.keys, "SELECT size, root FROM fence");
    let app = world.open().await;
    world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    let head = row(&world.places.data, "SELECT size, root FROM log_head");
    assert_eq!(
        row(&world.places.keys, "SELECT size, root FROM fence"),
        head,
        "the fence goes along"
    );
    // As after a loss of power, which may take the last fences.
    let keys = Connection::open(&world.places.keys).unwrap();
    keys.execute(
        "UPDATE fence SET size = ?1, root = ?2",
        rusqlite::params![kept.0, kept.1],
    )
    .unwrap();
    drop(keys);
    drop(world.open().await);
    assert_eq!(world.fsck().await, []);
}
