//! A row that cannot even be read, or is gone, is one finding: `fsck` names it and goes on.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use callervault::vault::life::fsck;
use rusqlite::Connection;
use serde_json::json;

use crate::store::attacks::scene;
use crate::support::process::{passphrase_file, run};
use crate::support::{World, caller, intake, passphrase};

/// Everything on disk, to be put back.
fn keep(world: &World) -> BTreeMap<PathBuf, Vec<u8>> {
    world.settle();
    let read = |path: PathBuf| (path.clone(), std::fs::read(path).unwrap());
    world.files().into_iter().map(read).collect()
}

fn put_back(world: &World, kept: &BTreeMap<PathBuf, Vec<u8>>) {
    for path in world.files().into_iter().filter(|path| !kept.contains_key(path)) {
        std::fs::remove_file(path).unwrap();
    }
    for (path, bytes) in kept {
        std::fs::write(path, bytes).unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
    }
}

/// Store, edit, and the place and words of the finding.
const DATA: [(&str, &str, &str); 17] = [
    (
        "UPDATE log_entry SET leaf_hash = x'00' WHERE idx = 3",
        "log entry 3",
        "does not have the hash",
    ),
    (
        "UPDATE log_entry SET body = 'words' WHERE idx = 3",
        "log_entry row 4",
        "never writes",
    ),
    (
        "DELETE FROM log_entry WHERE idx BETWEEN 3 AND 5",
        "log entries 3 to 5",
        "is missing",
    ),
    ("UPDATE log_head SET root = x'00'", "log head", "never writes"),
    ("DELETE FROM log_head", "log head", "is missing"),
    (
        "UPDATE reference SET sealed_id = x'00' WHERE department = '00'",
        "reference of department 00",
        "does not open",
    ),
    (
        "UPDATE reference SET sealed_id = 7 WHERE department = '00'",
        "reference row 1",
        "never writes",
    ),
    (
        "DELETE FROM reference WHERE department = 'C1'",
        "reference of department C1",
        "was given out",
    ),
    (
        "DELETE FROM reference WHERE department = '00'",
        "reference of department 00",
        "was given out",
    ),
    ("UPDATE ticket SET state = 'lost'", "ticket row 1", "never writes"),
    ("UPDATE caller SET version = 'x'", "caller row 2", "never writes"),
    ("UPDATE principal SET roles = x'00'", "principal row 1", "never writes"),
    ("UPDATE custody SET at = 'x'", "custody row 1", "never writes"),
    (
        "UPDATE blind_index SET certain = 'x'",
        "blind_index row 1",
        "never writes",
    ),
    (
        "DELETE FROM sealed_field WHERE field = 'name'",
        "field name of caller",
        "is missing",
    ),
    ("UPDATE caller SET fields = 'name'", "caller 00", "was edited"),
    (
        "UPDATE replay SET leaf_index = leaf_index - 1",
        "remembered answer",
        "not its own",
    ),
];
const KEYS: [(&str, &str, &str); 3] = [
    (
        "UPDATE record_key SET generation = 'x'",
        "record_key row 1",
        "never writes",
    ),
    (
        "DELETE FROM record_key WHERE record_kind = 'ticket'",
        "record key of ticket",
        "is missing",
    ),
    (
        "DELETE FROM record_key WHERE record_kind = 'caller'",
        "record key of caller 00",
        "is missing",
    ),
];

#[tokio::test]
async fn each_damaged_row_is_named_and_the_check_goes_on() {
    let scene = scene().await;
    let world = &scene.world;
    let app = world.open().await;
    let body = intake(caller("赵六", "13800003333")).to_string();
    let key = [("idempotency-key", "once")];
    let taken = world.call(&app, "agent", "POST", "/v1/intake", &key, &body).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    drop(app);
    let kept = keep(world);
    let cases = DATA.iter().map(|case| (&world.places.data, case));
    for (path, (sql, place, words)) in cases.chain(KEYS.iter().map(|case| (&world.places.keys, case))) {
        assert!(Connection::open(path).unwrap().execute(sql, []).unwrap() > 0, "{sql}");
        let findings = world.fsck().await;
        let named = |finding: &fsck::Finding| finding.place.starts_with(place) && finding.what.contains(words);
        assert!(findings.iter().any(named), "{sql}: {findings:?}");
        put_back(world, &kept);
    }
    assert_eq!(world.fsck().await, []);
}

fn fence(world: &World) -> (i64, Vec<u8>) {
    let keys = Connection::open(&world.places.keys).unwrap();
    keys.query_row("SELECT size, root FROM fence", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

#[tokio::test]
async fn a_damaged_row_is_exit_code_1() {
    let scene = scene().await;
    scene.edit("UPDATE log_entry SET leaf_hash = x'00' WHERE idx = 3");
    let directory = scene.world.dir.path();
    let passphrase = passphrase_file(directory);
    let (directory, passphrase) = (directory.to_str().unwrap(), passphrase.to_str().unwrap());
    let output = run(&["fsck", "--dir", directory, "--passphrase-file", passphrase]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The data store of before a call, beside the key store of after it: what a crash between the two leaves. The fence, which
/// is written last, is that of before.
#[tokio::test]
async fn orphan_keys_are_named_and_harmless() {
    let scene = scene().await;
    let world = &scene.world;
    let data = keep(world);
    let fence = fence(world);
    let app = world.open().await;
    let taken = world
        .post(&app, "agent", "/v1/intake", &intake(json!({"name": "赵六"})))
        .await;
    assert_eq!(taken.status, 201);
    drop(app);
    world.settle();
    std::fs::write(&world.places.data, &data[&world.places.data]).unwrap();
    let keys = Connection::open(&world.places.keys).unwrap();
    keys.execute("UPDATE fence SET size = ?1, root = ?2", fence).unwrap();
    drop(keys);
    let report = fsck::check(&world.places, &passphrase(), &|_| {}).await.unwrap();
    assert_eq!(report.findings, []);
    let records: Vec<&str> = report.orphan_keys.iter().map(|key| key.record).collect();
    assert_eq!(records, ["caller", "ticket"]);
    let keys = Connection::open(&world.places.keys).unwrap();
    for orphan in report.orphan_keys {
        let sql = "SELECT record_kind FROM record_key LIMIT 1 OFFSET ?1";
        let kind: String = keys
            .query_row(sql, [i64::try_from(orphan.position - 1).unwrap()], |row| row.get(0))
            .unwrap();
        assert_eq!(kind, orphan.record, "the position leads to the row");
    }
}
