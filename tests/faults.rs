//! What the operator meets: a wrong passphrase, a store that is missing or newer, a disk that is full. Each is a clear
//! error with its remedy, and nothing is lost or half-written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;
use serde_json::json;

use crate::process::{Server, passphrase_file, run, secret_file, skipped};
use crate::support::{World, caller, intake};

fn fsck(world: &World, passphrase: &Path) -> Output {
    let (directory, passphrase) = (world.dir.path().to_str().unwrap(), passphrase.to_str().unwrap());
    run(&["fsck", "--dir", directory, "--passphrase-file", passphrase])
}

/// Exit code 3, and these words with a remedy on a line of its own.
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(words), "{said}");
    assert!(said.lines().count() >= 2, "no remedy: {said}");
}

#[tokio::test]
async fn a_wrong_passphrase() {
    let (world, app) = World::new().await;
    drop(app);
    let wrong = world.dir.path().join("wrong");
    secret_file(&wrong, "incorrect horse battery staple");
    let output = fsck(&world, &wrong);
    refused(&output, "the passphrase does not open this key store");
    let said = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&said).contains("incorrect horse"));
    let right = passphrase_file(world.dir.path());
    assert_eq!(fsck(&world, &right).status.code(), Some(0), "the right one opens it");
    std::fs::set_permissions(&right, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let output = fsck(&world, &right);
    assert_eq!(output.status.code(), Some(2), "a passphrase that others can read");
}

#[tokio::test]
async fn a_missing_key_store() {
    let (world, app) = World::new().await;
    drop(app);
    let passphrase = passphrase_file(world.dir.path());
    std::fs::remove_file(&world.places.keys).unwrap();
    refused(&fsck(&world, &passphrase), "there is no store at");
    assert!(!world.places.keys.exists(), "no empty one was made in its place");
}

#[tokio::test]
async fn a_newer_schema() {
    for store in ["data", "keys"] {
        let (world, app) = World::new().await;
        drop(app);
        let path = if store == "data" {
            &world.places.data
        } else {
            &world.places.keys
        };
        let sql = "INSERT INTO refinery_schema_history SELECT 9999, 'later', applied_on, checksum
                   FROM refinery_schema_history LIMIT 1";
        assert_eq!(Connection::open(path).unwrap().execute(sql, []).unwrap(), 1);
        let passphrase = passphrase_file(world.dir.path());
        refused(&fsck(&world, &passphrase), "was written by a newer version");
    }
}

/// A small file system of its own, unmounted when the test ends.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs"])
            .arg(at)
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).output();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk() {
    let (world, app) = World::new().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    // The data store moves onto the small disk; the key store stays where it is.
    let data = world.places.data.parent().unwrap();
    let kept = std::fs::read(&world.places.data).unwrap();
    let Some(disk) = SmallDisk::mount(data) else {
        return skipped("a_full_disk: only root may mount a small file system to fill");
    };
    std::fs::write(&world.places.data, kept).unwrap();
    std::fs::set_permissions(&world.places.data, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let filler = data.join("filler");
    tokio::task::block_in_place(|| {
        let server = Server::start(world.dir.path());
        let take = |number: u32| {
            let body = intake(caller("李四光", &format!("137{number:08}")));
            server.post(&world, "agent", "/v1/intake", &body)
        };
        assert_eq!(take(0).0, 201);
        while let Ok(mut file) = std::fs::OpenOptions::new().create(true).append(true).open(&filler) {
            if std::io::Write::write_all(&mut file, &[0; 4096]).is_err() {
                break;
            }
        }
        // What is still free in the write-ahead log takes a few more.
        let mut taken = 1;
        let full = loop {
            let (status, answer) = take(taken);
            if status != 201 {
                break (status, answer);
            }
            taken += 1;
            assert!(taken < 1000, "the disk never fills");
        };
        assert_eq!(
            (full.0, full.1["type"].as_str()),
            (507, Some("urn:callervault:problem:storage-full")),
            "{}",
            full.1
        );
        let ask = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
        let path = format!("/v1/callers/{reference}/reveal");
        let (status, answer) = server.post(&world, "handler-c1", &path, &ask);
        assert_eq!(status, 507, "no log, no plaintext: {answer}");
        assert!(answer.pointer("/fields").is_none());

        std::fs::remove_file(&filler).unwrap();
        assert_eq!(take(taken).0, 201, "space is there again, and it goes on by itself");
        let (status, _) = server.post(&world, "handler-c1", &path, &ask);
        assert_eq!(status, 200);
    });
    assert_eq!(world.fsck().await, [], "nothing was half-written");
    drop(disk);
}
