//! Backups and restores that do not come to their end: killed at every step, real processes, and a disk that is full.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::store::full_disk::{Kind, SmallDisk};
use crate::support::backups::{Desk, apart, command, copies, ends, names, restored, text, verified};
use crate::support::copies::words;
use crate::support::dies::{dying, served_at_each_step};
use crate::support::made::empty;
use crate::support::process::{Server, passphrase_file, secret_file, skipped};
use crate::support::{Request, World};

/// Files of backups in a directory: each is whole.
fn are_whole(directory: &Path, key: &str) -> usize {
    let names = names(directory);
    for name in &names {
        assert!(["data", "keys"].contains(&&**name), "{names:?}");
        verified(&directory.join(name), key, &[]);
    }
    names.len()
}

/// Both stores into this directory.
fn both(directory: &Path) -> Vec<String> {
    let [data, keys] = ["data", "keys"].map(|part| text(&directory.join(part)).to_owned());
    ["backup", "--data", &data, "--keys", &keys].map(str::to_owned).into()
}

fn parts() -> Request {
    Request::post("/v1/backups", &json!({"parts": ["data", "keys"]}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_whole_files_or_none() {
    let desk = Desk::new().await;
    let world = desk.world();
    world.case(&desk.served.app, "C1").await;
    let key = desk.key().await;
    let [system, auditor] = world.actors(&desk.served.app, ["system-admin", "auditor"]);
    for step in 1.. {
        let away = desk.file(&format!("away-{step}"));
        std::fs::create_dir(&away).unwrap();
        let approval = system.approved_by(auditor, &parts()).await;
        let mut backup = dying(step, &away, None);
        let token = desk.file("token");
        secret_file(&token, world.token("system-admin"));
        backup.args(both(&away)).args(["--approval", &approval]);
        backup.args(["--url", &desk.base(), "--token-file", text(&token)]);
        let output = tokio::task::block_in_place(|| backup.output().unwrap());
        let whole = are_whole(&away, &key);
        if output.status.code().is_some() {
            ends(&output, 0, "key store of");
            assert_eq!(whole, 2);
            assert!(step > 6, "{step}");
            break;
        }
    }
    // The last one takes the place of what was left.
    assert_eq!(copies(world), [""; 0]);
}

/// A server that dies while it copies: the next start deletes what it has left.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_leaves_no_copy_behind_its_next_start() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    let [system, auditor] = world.actors(&app, ["system-admin", "auditor"]);
    let key = auditor.get("/v1/audit/keys").await.text.trim().to_owned();
    let approval = system.approved_by(auditor, &parts()).await;
    drop(app);
    let away = tempfile::tempdir().unwrap();
    let act = |server: &mut Server| {
        empty(away.path());
        let arguments = [both(away.path()), vec!["--approval".to_owned(), approval.clone()]].concat();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut backup = command(&world, &server.base, "system-admin", &arguments);
        backup.output().unwrap().status.success()
    };
    let left = async |told: bool| {
        let whole = are_whole(away.path(), &key);
        assert!(whole == 2 || !told, "{whole}");
        let app = world.open().await;
        assert_eq!(copies(&world), [""; 0]);
        drop(app);
        assert_eq!(world.fsck().await, []);
    };
    let steps = served_at_each_step(&world, act, left).await;
    assert!(steps > 12, "{steps}");
}

/// As one leaves them that dies in the middle of a copy.
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_a_killed_server_has_left_are_overwritten() {
    let world = World::closed().await;
    let left = [&world.places.data, &world.places.keys].map(|store| {
        let name = store.file_name().unwrap().to_str().unwrap().to_owned();
        let left = store.with_file_name(format!("copy-77.{name}"));
        std::fs::copy(store, &left).unwrap();
        left
    });
    let keys = std::fs::File::open(&left[1]).unwrap();
    drop(world.open().await);
    assert_eq!(copies(&world), [""; 0]);
    let rest = std::io::read_to_string(keys).unwrap();
    assert!(
        !rest.is_empty() && rest.bytes().all(|byte| byte == 0),
        "wrapped keys are overwritten"
    );
    assert_eq!(world.fsck().await, []);
}

/// Whether the vault at this place is whole, and nothing of it is there otherwise.
fn is_whole(world: &World, place: &Path) -> bool {
    let [data, keys] = ["data/vault.db", "keys/keystore.db"].map(|store| place.join(store).exists());
    let (place, policies) = (text(place), text(&world.places.policies));
    let passphrase = passphrase_file(world.dir.path());
    let fsck = ["fsck", "--copy", "--dir", place, "--policies", policies];
    let output = apart(&[&fsck[..], &["--passphrase-file", text(&passphrase)]].concat());
    assert!(keys || !data, "the data store comes last");
    if data {
        ends(&output, 0, " 0 findings");
    } else {
        ends(&output, 3, "there is no store at");
    }
    data
}

/// Restores two backups into a place, and kills it before that step: whether it came to its end.
fn restored_until(step: usize, world: &World, files: [&Path; 2], place: &Path) -> bool {
    let passphrase = passphrase_file(world.dir.path());
    let mut restore = dying(step, place, None);
    restore.args(["restore", text(files[0]), text(files[1]), "--dir", text(place)]);
    restore.args(["--policies", text(&world.places.policies)]);
    restore.args(["--passphrase-file", text(&passphrase)]);
    let output = tokio::task::block_in_place(|| restore.output().unwrap());
    if output.status.code().is_some() {
        ends(&output, 0, "0 findings");
    }
    output.status.code().is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_nothing_that_is_served() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    let [data, keys] = desk.both("data", "keys").await;
    desk.lock().await;
    let world = desk.world();
    for step in 1.. {
        let place = desk.file(&format!("place-{step}"));
        let survived = restored_until(step, world, [&data, &keys], &place);
        let whole = is_whole(world, &place);
        if survived {
            assert!(whole && step > 10, "{step}");
            assert_eq!(names(&place), ["data", "keys"], "nothing is left of the work");
            return;
        }
        if whole {
            continue;
        }
        if place.join("keys").exists() && !names(&place.join("keys")).is_empty() {
            std::fs::remove_dir_all(place.join("keys")).unwrap();
        }
        ends(&restored(world, &place, &[&data, &keys], &[]), 0, "0 findings");
        assert_eq!(names(&place), ["data", "keys"], "what was left is gone");
    }
}

/// A small disk of its own over this directory.
fn small(directory: &Path) -> Option<SmallDisk> {
    let disk = SmallDisk::over(directory, Kind::Tmpfs);
    if disk.is_none() {
        skipped("copies::killed: only root may mount a small disk to fill");
    }
    disk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_nothing_is_left_on_it() {
    let desk = Desk::new().await;
    let away: PathBuf = desk.file("away");
    std::fs::create_dir(&away).unwrap();
    let Some(disk) = small(&away) else { return };
    disk.fill();
    let file = away.join("data");
    let output = desk.run("system-admin", &["backup", "--data", text(&file)]);
    ends(&output, 3, "no space is left on the device");
    assert_eq!(names(&away), ["filler"]);
    // The server has it still.
    let said = words(&output);
    let id = said.split("--resume ").nth(1).unwrap().trim().to_owned();
    disk.free();
    ends(
        &desk.run("system-admin", &["backup", "--data", text(&file), "--resume", &id]),
        0,
        "data store",
    );
    verified(&file, &desk.key().await, &[]);
    ends(
        &desk.run(
            "system-admin",
            &["backup", "--data", text(&desk.file("x")), "--resume", &id],
        ),
        2,
        "no such backup",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_for_a_copy_says_so_and_goes_on() {
    let world = World::closed().await;
    let Some(disk) = small(world.places.data.parent().unwrap()) else {
        return;
    };
    let desk = Desk::of(world).await;
    let (world, app) = (desk.world(), &desk.served.app);
    world.case(app, "C1").await;
    // Room for the log's own work, and not for another store.
    let beside = world.places.data.with_file_name("beside");
    std::fs::write(&beside, vec![0; 1 << 20]).unwrap();
    disk.fill();
    std::fs::remove_file(&beside).unwrap();
    std::fs::write(&beside, vec![0; 800 << 10]).unwrap();
    let system = world.actor(app, "system-admin");
    let begun = system
        .send(Request::post("/v1/backups", &json!({"parts": ["data"]})))
        .await
        .is(200);
    let path = format!("/v1/backups/{}", begun.at("/id"));
    let last = loop {
        let line = system.get(&*path).await;
        if line.status != 200 || line.at("/state") == "done" {
            break line;
        }
        tokio::task::yield_now().await;
    };
    last.fails(507, "storage-full");
    system.get(&*path).await.fails(404, "not-found");
    assert_eq!(copies(world), [""; 0]);
    world.actor(app, "handler-c1").get("/v1/tickets").await.is(200);
}
