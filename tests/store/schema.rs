//! Somebody changes the schema: tables without keys, triggers, the history of migrations. Each is named by `fsck`, and
//! nothing is served from such a store. A store of an earlier program is brought up to date.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;

use crate::keys::rotation::{before, rotated, works};
use crate::store::attacks::{Scene, scene};
use crate::support::{World, caller};

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
         INSERT INTO ticket (rowid, id, no, caller, subject, kind, category, township, channel, urgency, state, holder, origin, worker,
             returned_by, due, sign_due, extensions, supervised, solved, taken_by, brought_in, confidential, on_file, received_at,
             created_at, version, mac, turn)
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

/// A key store as an earlier program left it: what its migrations make, with all that there was a place for.
fn as_of(world: &World, version: u32) {
    world.settle();
    let (path, older) = (&world.places.keys, world.places.keys.with_extension("older"));
    let database = Connection::open(&older).unwrap();
    database
        .execute("ATTACH ?1 AS newer", [path.to_str().unwrap()])
        .unwrap();
    let history = "SELECT sql FROM newer.sqlite_schema WHERE name = 'refinery_schema_history'";
    let history: String = database.query_row(history, [], |row| row.get(0)).unwrap();
    database.execute_batch(&history).unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite/keys");
    for number in 1..=version {
        let begins = format!("V{number}__");
        let mut files = std::fs::read_dir(&migrations).unwrap().map(|file| file.unwrap());
        let file = files.find(|file| file.file_name().to_str().unwrap().starts_with(&begins));
        let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
        database.execute_batch(&sql).unwrap();
    }
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let copied = "SELECT 'INSERT INTO main.' || ?1 || ' (' || group_concat(name) || ') SELECT ' || group_concat(name) \
                  || ' FROM newer.' || ?1 FROM pragma_table_info(?1, 'main')";
    let tables: Vec<String> = {
        let mut tables = database.prepare(tables).unwrap();
        let names = tables.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    for table in tables {
        let copied: String = database.query_row(copied, [&table], |row| row.get(0)).unwrap();
        database.execute_batch(&copied).unwrap();
    }
    let forgotten = "DELETE FROM main.refinery_schema_history WHERE version > ?1";
    database.execute(forgotten, [version]).unwrap();
    drop(database);
    std::fs::set_permissions(&older, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::rename(older, path).unwrap();
}

/// A start brings it up to date: everything opens, and nothing of it is lost or has become something else.
#[tokio::test]
async fn a_key_store_of_an_earlier_program_is_brought_up_to_date() {
    for version in [1, 2] {
        let (world, app) = World::new().await;
        let there = before(&world, &app).await;
        let gone = world.case_of(&app, "C1", caller("李四光", "13900007777")).await;
        let (_, reference) = world.closed_case(&app, &gone).await;
        rotated(&world, &app, "kek").await.is(200);
        world.erased(&app, &reference).await;
        drop(app);
        let kept = |world: &World| {
            let mut all = world.keys().everything();
            // How far the log has come, and when the migrations ran.
            all.retain(|table, _| !["fence", "refinery_schema_history"].contains(&&**table));
            all
        };
        let before = kept(&world);
        as_of(&world, version);
        let columns = world.keys().columns("unlock");
        assert!(!columns.iter().any(|column| column == "way"), "{columns:?}");
        drop(world.open().await);
        assert_eq!(kept(&world), before, "from version {version}");
        works(&world, &world.open().await, &there).await;
        assert_eq!(world.fsck().await, []);
    }
}
