//! What a restore has unpacked of a key store is overwritten before it is deleted, whoever deletes it.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::World;
use crate::support::backups::{Desk, ends, names};

const KEPT: &[u8] = b"bytes of a key store";

/// A directory that a restore to `keys` has left which was killed, and another name of the file in it, by which it can still be read.
fn left(beside: &Path, other: &Path) -> PathBuf {
    let left = beside.join(".keys.restoring");
    DirBuilder::new().mode(0o700).create(&left).unwrap();
    std::fs::write(left.join("keystore.db"), KEPT).unwrap();
    std::fs::write(left.join("keystore.db-wal"), KEPT).unwrap();
    std::fs::hard_link(left.join("keystore.db"), other.join("store")).unwrap();
    std::fs::hard_link(left.join("keystore.db-wal"), other.join("wal")).unwrap();
    left
}

fn inode(path: &Path) -> Option<u64> {
    path.metadata().ok().map(|file| file.ino())
}

fn are_overwritten(other: &Path) {
    for name in ["store", "wal"] {
        let bytes = std::fs::read(other.join(name)).unwrap();
        assert_eq!(bytes, [0; KEPT.len()], "{name}");
    }
}

/// It finds no store: the restore was killed before it put one into place.
#[tokio::test]
async fn a_start_overwrites_what_a_killed_restore_left() {
    let world = World::closed().await;
    let other = tempfile::tempdir().unwrap();
    let keys = world.places.keys.parent().unwrap();
    let left = left(keys.parent().unwrap(), other.path());
    let aside = other.path().join("aside");
    std::fs::rename(keys, &aside).unwrap();
    assert!(world.refusal().await.contains("no store"));
    are_overwritten(other.path());
    assert!(!left.exists());
    std::fs::rename(&aside, keys).unwrap();
    drop(world.open().await);
}

/// Somebody who may write beside the stores has a start overwrite nothing of ours.
#[tokio::test]
async fn what_others_put_there_is_not_followed() {
    let world = World::closed().await;
    let keys = world.places.keys.parent().unwrap();
    let restoring = keys.parent().unwrap().join(".keys.restoring");
    std::os::unix::fs::symlink(keys, &restoring).unwrap();
    drop(world.open().await);
    std::fs::remove_file(&restoring).unwrap();

    DirBuilder::new().mode(0o755).create(&restoring).unwrap();
    std::fs::hard_link(&world.places.keys, restoring.join("keystore.db")).unwrap();
    drop(world.open().await);
    std::fs::remove_dir_all(&restoring).unwrap();

    DirBuilder::new().mode(0o700).create(&restoring).unwrap();
    std::os::unix::fs::symlink(&world.places.keys, restoring.join("keystore.db")).unwrap();
    drop(world.open().await);
    assert!(!restoring.exists());
    drop(world.open().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_the_next_restore_and_one_that_fails_keeps_nothing() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    desk.world().data().rows("ticket").set("kind", "inquiry");
    let [data, keys] = desk.both("data", "keys").await;
    desk.lock().await;
    let (new, other) = (desk.file("new"), tempfile::tempdir().unwrap());
    std::fs::create_dir(&new).unwrap();
    left(&new, other.path());
    // The key store that it unpacks, caught while it is being checked, and not the one that was left.
    let (staged, caught) = (new.join(".keys.restoring/keystore.db"), other.path().join("caught"));
    let (old, ended) = (inode(&staged).unwrap(), Arc::new(AtomicBool::new(false)));
    let catch = {
        let (staged, caught, ended) = (staged.clone(), caught.clone(), Arc::clone(&ended));
        std::thread::spawn(move || {
            while !ended.load(Ordering::SeqCst) && inode(&caught).is_none() {
                if inode(&staged).is_some_and(|new| new != old) {
                    let _ = std::fs::hard_link(&staged, &caught);
                }
            }
        })
    };
    ends(&desk.restore("new", &[&data, &keys], &[]), 1, "nothing was restored");
    ended.store(true, Ordering::SeqCst);
    catch.join().unwrap();
    are_overwritten(other.path());
    let bytes = std::fs::read(&caught).unwrap();
    assert!(
        !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0),
        "{} bytes",
        bytes.len()
    );
    assert_eq!(names(&new), [""; 0]);
}
