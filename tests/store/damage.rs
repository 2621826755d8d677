//! A row that cannot even be read, or is gone, is one finding: `fsck` names it and goes on.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use callervault::vault::life::fsck;
use serde_json::json;

use crate::store::attacks::scene;
use crate::support::process::{passphrase_file, run};
use crate::support::rows::{Edit, Store};
use crate::support::{Request, World, caller, intake, passphrase};

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

/// An edit, and the place and words of its finding.
type Damage = (Edit, &'static str, &'static str);

const DATA: [Damage; 17] = [
    (
        |data| _ = data.rows("log_entry").of("idx", 3).set("leaf_hash", [0]),
        "log entry 3",
        "does not have the hash",
    ),
    (
        |data| _ = data.rows("log_entry").of("idx", 3).set("body", "words"),
        "log_entry row 4",
        "never writes",
    ),
    (
        |data| _ = data.rows("log_entry").from("idx", 3).below("idx", 6).delete(),
        "log entries 3 to 5",
        "is missing",
    ),
    (
        |data| _ = data.rows("log_head").set("root", [0]),
        "log head",
        "never writes",
    ),
    (|data| _ = data.rows("log_head").delete(), "log head", "is missing"),
    (
        |data| _ = data.rows("reference").of("department", "00").set("sealed_id", [0]),
        "reference of department 00",
        "does not open",
    ),
    (
        |data| _ = data.rows("reference").of("department", "00").set("sealed_id", 7),
        "reference row 1",
        "never writes",
    ),
    (
        |data| _ = data.rows("reference").of("department", "C1").delete(),
        "reference of department C1",
        "was given out",
    ),
    (
        |data| _ = data.rows("reference").of("department", "00").delete(),
        "reference of department 00",
        "was given out",
    ),
    (
        |data| _ = data.rows("ticket").set("state", "lost"),
        "ticket row 1",
        "never writes",
    ),
    (
        |data| _ = data.rows("caller").set("version", "x"),
        "caller row 2",
        "never writes",
    ),
    (
        |data| _ = data.rows("principal").set("roles", [0]),
        "principal row 1",
        "never writes",
    ),
    (
        |data| _ = data.rows("custody").set("at", "x"),
        "custody row 1",
        "never writes",
    ),
    (
        |data| _ = data.rows("blind_index").set("certain", "x"),
        "blind_index row 1",
        "never writes",
    ),
    (
        |data| _ = data.rows("sealed_field").of("field", "name").delete(),
        "field name of caller",
        "is missing",
    ),
    (
        |data| _ = data.rows("caller").set("fields", "name"),
        "caller 00",
        "was edited",
    ),
    (
        |data| data.rows("replay").add("leaf_index", -1),
        "remembered answer",
        "not its own",
    ),
];
const KEYS: [Damage; 3] = [
    (
        |keys| _ = keys.rows("record_key").set("generation", "x"),
        "record_key row 1",
        "never writes",
    ),
    (
        |keys| _ = keys.rows("record_key").of("record_kind", "ticket").delete(),
        "record key of ticket",
        "is missing",
    ),
    (
        |keys| _ = keys.rows("record_key").of("record_kind", "caller").delete(),
        "record key of caller 00",
        "is missing",
    ),
];

#[tokio::test]
async fn each_damaged_row_is_named_and_the_check_goes_on() {
    let scene = scene().await;
    let world = &scene.world;
    let app = world.open().await;
    let call = Request::post("/v1/intake", &intake(caller("赵六", "13800003333")));
    world.actor(&app, "agent").send(call.once("once")).await.is(201);
    drop(app);
    let kept = keep(world);
    let cases = DATA.iter().map(|case| (&world.places.data, case));
    for (path, (edit, place, words)) in cases.chain(KEYS.iter().map(|case| (&world.places.keys, case))) {
        edit(&Store::open(path));
        let findings = world.fsck().await;
        let named = |finding: &fsck::Finding| finding.place.starts_with(place) && finding.what.contains(words);
        assert!(findings.iter().any(named), "{place} {words}: {findings:?}");
        put_back(world, &kept);
    }
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn a_damaged_row_is_exit_code_1() {
    let scene = scene().await;
    scene.data().rows("log_entry").of("idx", 3).set("leaf_hash", [0]);
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
    let data = world.backup();
    let fence = world.keys().rows("fence").kept();
    let app = world.open().await;
    world.actor(&app, "agent").take(json!({"name": "赵六"})).await;
    drop(app);
    world.restore(&data);
    world.keys().put_back(&fence);
    let report = fsck::check(&world.places, &passphrase(), &|_| {}).await.unwrap();
    assert_eq!(report.findings, []);
    let records: Vec<&str> = report.orphan_keys.iter().map(|key| key.record.as_str()).collect();
    assert_eq!(records, ["caller", "ticket"]);
    let kinds: Vec<String> = world.keys().rows("record_key").column("record_kind");
    for orphan in report.orphan_keys {
        let kind = &kinds[usize::try_from(orphan.position).unwrap() - 1];
        assert_eq!(kind, orphan.record.as_str(), "the position leads to the row");
    }
}
