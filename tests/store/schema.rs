//! Somebody changes the schema: tables without keys, triggers, the history of migrations. Each is named by `fsck`, and
//! nothing is served from such a store.

use rusqlite::Connection;
use serde_json::json;

use crate::store::attacks::{Scene, scene};

impl Scene {
    fn batch(&self, sql: &str) {
        let database = Connection::open(&self.world.places.data).unwrap();
        database.execute_batch(sql).unwrap();
    }

    async fn refused_at_start(&self, words: &str) {
        let error = self.world.refusal().await;
        assert!(error.starts_with("the schema of ") && error.contains(words), "{error}");
        assert!(error.lines().count() >= 2, "no remedy: {error}");
        self.named(words).await;
    }
}

/// A table made anew has no keys: it can hold a ticket twice, and the old, open one first.
#[tokio::test]
async fn an_old_row_in_a_table_without_keys() {
    let scene = scene().await;
    scene.batch("CREATE TABLE kept AS SELECT * FROM ticket WHERE holder = 'C1'");
    scene.batch("PRAGMA journal_mode = DELETE; ALTER TABLE kept RENAME TO kept_aside");
    let old: Vec<u8> = std::fs::read(&scene.world.places.data).unwrap();
    scene.batch("DROP TABLE kept_aside");
    let app = scene.world.open().await;
    let handler = scene.world.actor(&app, "handler-c1");
    handler.step(&scene.case.no, "start", json!({})).await.is(200);
    drop(app);
    assert_eq!(scene.world.fsck().await, []);

    let aside = scene.world.dir.path().join("aside.db");
    std::fs::write(&aside, old).unwrap();
    scene.batch(&format!(
        "PRAGMA foreign_keys = OFF;
         ATTACH '{}' AS aside;
         CREATE TABLE bare AS SELECT * FROM ticket;
         DROP TABLE ticket;
         ALTER TABLE bare RENAME TO ticket;
         INSERT INTO ticket (rowid, id, no, caller, subject, kind, category, township, channel, state, holder, origin, worker, taken_by,
             brought_in, confidential, on_file, received_at, created_at, version, mac)
           SELECT -9223372036854775808, * FROM aside.kept_aside;",
        aside.display()
    ));
    scene
        .refused_at_start("table ticket is not as the migrations make it")
        .await;
    scene.named("is not what the log says was last written there").await;
}

/// Added while the vault serves: the leaf of a read is stored all the same, and the next start is refused.
#[tokio::test]
async fn a_trigger_that_swallows_leaves() {
    let scene = scene().await;
    let app = scene.world.open().await;
    scene.batch("CREATE TRIGGER swallow BEFORE INSERT ON log_entry BEGIN SELECT RAISE(IGNORE); END");
    let read = scene.reveal(&app).await.is(200);
    drop(app);
    let stored: u64 = scene.data().rows("log_entry").last("idx").first("idx");
    assert_eq!(stored, read.index(), "the field left, so its leaf is there");
    scene.refused_at_start("trigger swallow").await;
}

#[tokio::test]
async fn an_index_dropped_a_view_in_a_tables_place_and_another_history() {
    for (sql, words) in [
        ("DROP INDEX blind_index_certain", "index blind_index_certain is missing"),
        (
            "ALTER TABLE custody RENAME TO hidden; CREATE VIEW custody AS SELECT * FROM hidden WHERE version < 2",
            "table custody is missing",
        ),
        (
            "UPDATE refinery_schema_history SET checksum = '1'",
            "the history of migrations",
        ),
        ("DELETE FROM refinery_schema_history", "the history of migrations"),
    ] {
        let scene = scene().await;
        scene.batch(sql);
        scene.refused_at_start(words).await;
    }
}
