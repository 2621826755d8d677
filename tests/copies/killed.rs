//! Backups and restores that do not come to their end: killed at any moment, real processes, and a disk that is full.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;

use crate::store::full_disk::{Kind, SmallDisk};
use crate::support::backups::{Desk, command, copies, ends, names, restored, text, verified};
use crate::support::copies::words;
use crate::support::process::{Server, passphrase_file, skipped};
use crate::support::{Request, World};

/// Moments of a process's life: some of them lie before its end, some behind. Nothing is expected of any of them but what always holds.
const MOMENTS: [u64; 14] = [0, 1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 100, 160, 400];

fn started(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Ends it at that moment, if it has not ended before.
fn killed(mut process: Child, moment: u64) {
    std::thread::sleep(Duration::from_millis(moment));
    let _ = process.kill();
    process.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_killed_leaves_a_whole_file_or_none() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    let key = desk.key().await;
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        let file = desk.file(&format!("data-{n}"));
        let backup = ["backup", "--data", text(&file)];
        let process = started(command(desk.world(), &desk.base(), "system-admin", &backup));
        tokio::task::block_in_place(|| killed(process, moment));
        if file.exists() {
            verified(&file, &key, &[]);
        }
        let others = names(desk.files.path());
        assert!(others.iter().all(|name| name.starts_with("data-")), "{others:?}");
    }
    // The next one takes the place of what was left.
    desk.data("data");
    assert_eq!(copies(desk.world()), [""; 0]);
}

/// A server that dies while it copies: the next start deletes what it has left.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_leaves_no_copy_behind_its_next_start() {
    let (world, app) = World::new().await;
    world.case(&app, "C1").await;
    drop(app);
    let file = world.dir.path().join("backup");
    tokio::task::block_in_place(|| {
        for moment in MOMENTS {
            let mut server = Server::start(world.dir.path());
            let process = started(command(
                &world,
                &server.base,
                "system-admin",
                &["backup", "--data", text(&file)],
            ));
            std::thread::sleep(Duration::from_millis(moment));
            server.process.kill().unwrap();
            server.process.wait().unwrap();
            killed(process, 400);
            if file.exists() {
                std::fs::remove_file(&file).unwrap();
            }
        }
    });
    // As one leaves them that dies in the middle of a copy.
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
    let there = ["data/vault.db", "keys/keystore.db"].map(|store| place.join(store).exists());
    if there != [true, true] {
        let policies = ["--policies", text(&world.places.policies)];
        let passphrase = passphrase_file(world.dir.path());
        let always = [
            "fsck",
            "--copy",
            "--dir",
            text(place),
            "--passphrase-file",
            text(&passphrase),
        ];
        let output = crate::support::backups::apart(&[&always[..], &policies].concat());
        ends(&output, 3, "there is no store at");
        assert!(!there[0], "the data store comes last");
        return false;
    }
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_is_killed_leaves_nothing_that_is_served() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    let [data, keys] = desk.both("data", "keys").await;
    desk.lock().await;
    let world = desk.world();
    let passphrase = passphrase_file(world.dir.path());
    let (mut whole, mut broken) = (0, 0);
    for (n, moment) in MOMENTS.into_iter().chain([3_000]).enumerate() {
        let place = desk.file(&format!("place-{n}"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
        command.args(["restore", text(&data), text(&keys), "--dir", text(&place)]);
        command.args([
            "--policies",
            text(&world.places.policies),
            "--passphrase-file",
            text(&passphrase),
        ]);
        let process = started(command);
        tokio::task::block_in_place(|| killed(process, moment));
        if is_whole(world, &place) {
            whole += 1;
            continue;
        }
        broken += 1;
        if place.join("keys").exists() && !names(&place.join("keys")).is_empty() {
            std::fs::remove_dir_all(place.join("keys")).unwrap();
        }
        ends(&restored(world, &place, &[&data, &keys], &[]), 0, "0 findings");
        assert_eq!(names(&place), ["data", "keys"], "what was left is gone");
    }
    assert!(broken > 0, "{whole} {broken}");
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
