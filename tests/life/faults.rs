//! What the operator meets: a wrong passphrase, a store that is missing or newer. Each is a clear error with its remedy.

use std::path::Path;
use std::process::Output;

use crate::support::World;
use crate::support::process::{passphrase_file, run, secret_file};

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
    let world = World::closed().await;
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
    let world = World::closed().await;
    let passphrase = passphrase_file(world.dir.path());
    std::fs::remove_file(&world.places.keys).unwrap();
    refused(&fsck(&world, &passphrase), "there is no store at");
    assert!(!world.places.keys.exists(), "no empty one was made in its place");
}

#[tokio::test]
async fn a_newer_schema() {
    for store in ["data", "keys"] {
        let world = World::closed().await;
        let store = if store == "data" { world.data() } else { world.keys() };
        let newest = store.rows("refinery_schema_history").last("version").kept();
        store.insert(&newest.with("version", 9999).with("name", "later"));
        drop(store);
        let passphrase = passphrase_file(world.dir.path());
        refused(&fsck(&world, &passphrase), "was written by a newer version");
    }
}
