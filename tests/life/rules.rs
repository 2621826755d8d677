//! The files that decide who sees what, and who opened the vault.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::World;
use crate::support::process::{Server, passphrase_file, run};

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn policies_that_others_may_write_are_refused() {
    let world = World::closed().await;
    let directory = &world.places.policies;
    for path in [directory.clone(), directory.join("fields.toml")] {
        let right = std::fs::metadata(&path).unwrap().permissions().mode();
        for wrong in [right | 0o020, right | 0o002] {
            mode(&path, wrong);
            let error = world.try_open().await.err().expect("refused").to_string();
            assert!(error.contains("others than the owner may write"), "{error}");
            assert!(error.contains(&path.display().to_string()), "{error}");
        }
        mode(&path, right);
    }
    world.open().await;
}

#[tokio::test]
async fn a_file_of_policies_with_a_wrong_name_is_not_passed_over() {
    let world = World::closed().await;
    let wrong = world.places.policies.join("need_to_know.cedar");
    std::fs::write(&wrong, "forbid (principal, action, resource);").unwrap();
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.starts_with(&wrong.display().to_string()), "{error}");
    assert!(
        error.contains("need-to-know.cedar"),
        "the names that there are: {error}"
    );
}

#[tokio::test]
async fn a_directory_of_policies_that_was_named_must_be_there() {
    let world = World::closed().await;
    let passphrase = passphrase_file(world.dir.path());
    let (directory, passphrase) = (world.dir.path().to_str().unwrap(), passphrase.to_str().unwrap());
    let nowhere = world.dir.path().join("nowhere");
    let args = ["fsck", "--dir", directory, "--passphrase-file", passphrase];
    let named = [&args[..], &["--policies", nowhere.to_str().unwrap()]].concat();
    let output = run(&named);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("there is no directory of policies"), "{said}");
}

/// The ways in which the vault was unlocked, as the log has them.
async fn ways(world: &World) -> Vec<String> {
    let app = world.open().await;
    let auditor = world.actor(&app, "auditor");
    let found = auditor.get("/v1/audit/events?act=vault.unlock").await;
    let entries = found.json()["entries"].as_array().cloned().unwrap_or_default();
    let way = |entry: &Value| {
        let leaf = &entry["leaf"];
        format!(
            "{} {}",
            leaf["link"]["way"].as_str().unwrap(),
            leaf["node"].as_str().unwrap()
        )
    };
    entries.iter().rev().map(way).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_unlock_is_in_the_log() {
    let world = World::closed().await;
    drop(Server::start(world.dir.path()));
    let passphrase = passphrase_file(world.dir.path());
    let (directory, passphrase) = (world.dir.path().to_str().unwrap(), passphrase.to_str().unwrap());
    let fsck = ["fsck", "--dir", directory, "--passphrase-file", passphrase];
    let output = run(&fsck);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let output = run(&[&fsck[..], &["--copy"]].concat());
    assert_eq!(output.status.code(), Some(0), "a copy is left as it is");
    let ways = ways(&world).await;
    assert_eq!(ways.len(), 2, "{ways:?}");
    assert!(ways[0].starts_with("serve "), "{ways:?}");
    assert_eq!(ways[1], "fsck fsck");
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn words_that_cannot_be_read_keep_the_vault_shut() {
    let (world, app) = World::new().await;
    drop(app);
    std::fs::write(world.places.policies.join("words.toml"), "nobody = [").unwrap();
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(error.starts_with("words.toml: "), "{error}");
}
