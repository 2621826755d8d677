//! Backups that are not taken: somebody else's in the way, files that were cut, and files of another vault with another log.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use callervault::clock::{Clock, Fixed};
use callervault::model::principals::Role;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::support::approvals::person;
use crate::support::backups::{Desk, apart, copies, ends, forgotten, names, restored, text};
use crate::support::copies::words;
use crate::support::process::{Server, client, passphrase_file, run};
use crate::support::{Actor, Answer, Request, World};

/// For so long a backup that its owner does not ask for stands in the way.
const KEPT: SignedDuration = SignedDuration::from_mins(10);

impl Actor<'_> {
    async fn back_up(self) -> Answer {
        self.send(Request::post("/v1/backups", &json!({"parts": ["data"]})))
            .await
    }

    /// Returns once a backup of one's own can be fetched.
    async fn waits_for(self, backup: &str) {
        while self.get(backup).await.is(200).at("/state") != "done" {
            tokio::task::yield_now().await;
        }
    }
}

/// How many copies of the data store there are.
fn copied(world: &World) -> usize {
    let copies = copies(world);
    copies.iter().filter(|name| name.ends_with(".vault.db")).count()
}

#[tokio::test]
async fn a_backup_that_nobody_fetches_stands_in_the_way_for_ten_minutes() {
    let (mut world, app) = World::new().await;
    world
        .hire(
            &app.vault().unwrap(),
            "security-admin",
            person("other-admin", Role::SystemAdmin),
        )
        .await;
    drop(app);
    let begun = Timestamp::now();
    let clock = Arc::new(Fixed::at(begun));
    let app = world.open_at(Arc::clone(&clock) as Arc<dyn Clock>).await;
    let [one, other] = world.actors(&app, ["system-admin", "other-admin"]);
    let first = one.back_up().await.is(200).at("/id");
    let first = format!("/v1/backups/{first}");
    one.waits_for(&first).await;
    // The id is no right.
    other.get(&*first).await.fails(404, "not-found");
    let nearly = begun + KEPT - SignedDuration::from_secs(1);
    clock.set(nearly);
    other.back_up().await.fails(409, "backup-under-way");
    // Whoever asks for it keeps it for ten minutes more, and what was refused has not.
    one.get(&*first).await.is(200);
    clock.set(begun + KEPT);
    other.back_up().await.fails(409, "backup-under-way");
    assert_eq!(copied(&world), 1);

    clock.set(nearly + KEPT);
    let second = other.back_up().await.is(200).at("/id");
    let second = format!("/v1/backups/{second}");
    one.get(&*first).await.fails(404, "not-found");
    other.waits_for(&second).await;
    assert_eq!(copied(&world), 1, "the first one is deleted");
    // A clock that is set back does not keep the next one waiting until it is as late again.
    clock.set(nearly);
    let third = one.back_up().await.is(200).at("/id");
    one.waits_for(&format!("/v1/backups/{third}")).await;
    drop(app);
    forgotten(&world);
}

/// Whatever end is missing, nothing is restored of it and nothing is left of the try.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_was_cut_restores_nothing() {
    let desk = Desk::new().await;
    desk.world().case(&desk.served.app, "C1").await;
    let [data, keys] = desk.both("data", "keys").await;
    desk.lock().await;
    let whole = std::fs::read(&data).unwrap();
    let cut = desk.file("cut");
    for left in [
        0,
        100,
        512,
        1_500,
        whole.len() / 2,
        whole.len() - 1_024,
        whole.len() - 1,
    ] {
        std::fs::write(&cut, &whole[..left]).unwrap();
        let output = desk.restore("new", &[&cut, &keys], &[]);
        assert_eq!(output.status.code(), Some(1), "{left}: {}", words(&output));
        assert!(words(&output).contains("TAMPERED"), "{left}: {}", words(&output));
        let new = desk.file("new");
        assert!(!new.exists() || names(&new).is_empty(), "{left}: {:?}", names(&new));
    }
    ends(&desk.restore("new", &[&data, &keys], &[]), 0, "0 findings");
}

/// A vault whose log has another name, and a backup of its data store.
fn of_another_log(directory: &Path) -> (PathBuf, String) {
    let (dir, passphrase) = (text(directory), passphrase_file(directory));
    let tokens = directory.join("tokens");
    let init = [
        "init",
        "--dir",
        dir,
        "--origin",
        "other.invalid/log/7",
        "--tokens-dir",
        text(&tokens),
        "--passphrase-file",
        text(&passphrase),
    ];
    ends(&run(&init), 0, "other.invalid/log/7");
    let server = Server::start(directory);
    let file = directory.join("data-of-another");
    let token = tokens.join("system-admin.token");
    let backup = [
        "backup",
        "--data",
        text(&file),
        "--url",
        &server.base,
        "--token-file",
        text(&token),
    ];
    ends(&run(&backup), 0, "data store of other.invalid/log/7");
    let token = std::fs::read_to_string(tokens.join("auditor.token")).unwrap();
    let keys = client()
        .get(format!("{}/v1/audit/keys", server.base))
        .header("authorization", format!("Bearer {}", token.trim()))
        .call();
    let keys = keys.unwrap().body_mut().read_to_string().unwrap();
    (file, keys.trim().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_of_another_log_is_refused() {
    let desk = Desk::new().await;
    let [data, keys] = desk.both("data", "keys").await;
    let key = desk.key().await;
    desk.lock().await;
    let other = tempfile::tempdir().unwrap();
    let (others, others_key) = tokio::task::block_in_place(|| of_another_log(other.path()));
    for (file, key) in [(&others, &key), (&data, &others_key)] {
        let verified = apart(&["backup", "verify", text(file), "--key", key]);
        ends(&verified, 1, "not signed by the known key");
    }
    let verified = apart(&["backup", "verify", text(&others), "--key", &others_key, "--json"]);
    ends(&verified, 0, "other.invalid/log/7");
    let told: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(told["log"], "other.invalid/log/7");
    // Beside our keys: by what the manifests say, by a key that is known, and by our key store alone.
    ends(&desk.restore("new", &[&others, &keys], &[]), 1, "of another");
    ends(
        &desk.restore("new", &[&others, &keys], &["--key", &key]),
        1,
        "not signed by the known key",
    );
    let world = desk.world();
    let away = world.dir.path().join("data-today");
    std::fs::rename(world.dir.path().join("data"), &away).unwrap();
    let output = restored(world, world.dir.path(), &[&others], &[]);
    ends(&output, 3, "another vault");
    assert!(!world.dir.path().join("data").exists());
    std::fs::rename(away, world.dir.path().join("data")).unwrap();
    assert_eq!(world.fsck().await, []);
}
