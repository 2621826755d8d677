//! Where a vault lies: who may make one, open one, and get at its files.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use callervault::clock::System;
use callervault::keyring::{Keyring, unlock};
use callervault::merkle::Frontier;
use callervault::model::ids::{PrincipalId, RecordKind, TokenId};
use callervault::model::key_roles::Suite;
use callervault::randomness;
use callervault::store::rows::{HeadRow, One, ReferenceRow, TokenRow, VaultRow};
use callervault::store::sqlite::{NewStore, SqliteData};
use callervault::store::{Conflict, Write};
use callervault::vault::Vault;
use callervault::vault::life::init::Founding;
use callervault::vault::life::open::{OpenError, Places};

use crate::support::process::{passphrase_file, run};
use crate::support::{World, passphrase};

fn init(directory: &Path, passphrase: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
    command
        .arg("init")
        .arg("--dir")
        .arg(directory)
        .arg("--passphrase-file")
        .arg(passphrase)
        .args(["--origin", "test.invalid/log/1", "--tokens-dir"])
        .arg(directory.join("tokens"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn found(places: &Places) -> Result<(), OpenError> {
    let founding = Founding {
        origin: "test.invalid/log/1".to_owned(),
        centre: "H0".parse().unwrap(),
        centre_name: "Centre".to_owned(),
        suite: Suite::Aes,
    };
    Vault::init(places, &passphrase(), &founding, &System, Arc::new(randomness::System))
        .map(|founded| drop(founded.keep()))
}

#[test]
fn two_at_once_make_one_vault() {
    let dir = tempfile::tempdir().unwrap();
    let passphrase = passphrase_file(dir.path());
    for round in 0..3 {
        let place = dir.path().join(format!("vault-{round}"));
        let mut both = [(); 2].map(|()| init(&place, &passphrase).spawn().unwrap());
        let codes = both.each_mut().map(|process| process.wait().unwrap().code().unwrap());
        assert!(codes == [0, 3] || codes == [3, 0], "{codes:?}");
        let (place, passphrase) = (place.to_str().unwrap(), passphrase.to_str().unwrap());
        let output = run(&["fsck", "--dir", place, "--passphrase-file", passphrase]);
        assert_eq!(output.status.code(), Some(0), "the one that was made is whole");
    }
}

/// One of the two places is taken: what is there stays as it is, and what was made beside it goes again.
#[test]
fn a_failed_init_removes_only_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let places = Places::below(dir.path());
    for (taken, free) in [(&places.data, &places.keys), (&places.keys, &places.data)] {
        let directory = taken.parent().unwrap();
        std::fs::create_dir_all(directory).unwrap();
        std::fs::set_permissions(directory, PermissionsExt::from_mode(0o700)).unwrap();
        std::fs::write(taken, "somebody else's").unwrap();
        let error = found(&places).expect_err("refused").to_string();
        assert!(error.starts_with("there is a store at"), "{error}");
        assert_eq!(std::fs::read(taken).unwrap(), b"somebody else's");
        assert!(!free.exists(), "nothing half-made is left");
        std::fs::remove_file(taken).unwrap();
    }
    found(&places).unwrap();
}

#[tokio::test]
async fn two_data_stores_beside_one_key_store() {
    let (mut world, app) = World::new().await;
    let copy = world.dir.path().join("copy");
    std::fs::create_dir(&copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o700)).unwrap();
    let copied = copy.join("vault.db");
    std::fs::copy(&world.places.data, &copied).unwrap();
    world.places.data = copied;
    let error = world.try_open().await.err().expect("refused").to_string();
    assert!(
        error.contains("another process") && error.contains("keystore"),
        "{error}"
    );
    drop(app);
}

#[tokio::test]
async fn files_and_directories_open_to_others() {
    let world = World::closed().await;
    for store in [&world.places.data, &world.places.keys] {
        let beside = store.with_file_name(format!("{}-wal", store.file_name().unwrap().to_str().unwrap()));
        if !beside.exists() {
            std::fs::write(&beside, "").unwrap();
        }
        for (path, right) in [
            (store.as_path(), 0o600),
            (store.parent().unwrap(), 0o700),
            (&beside, 0o600),
        ] {
            for wrong in [right | 0o040, right | 0o004, right | 0o020, right | 0o002] {
                std::fs::set_permissions(path, PermissionsExt::from_mode(wrong)).unwrap();
                let error = world.try_open().await.err().expect("refused").to_string();
                let expected = format!("{} is open to others", path.display());
                assert!(error.starts_with(&expected), "{error}");
            }
            std::fs::set_permissions(path, PermissionsExt::from_mode(right)).unwrap();
        }
    }
    world.open().await;
}

/// The keys of a new vault.
fn keyring() -> Keyring {
    let vault = VaultRow {
        one: One,
        vault: [7; 16],
        origin: "test.invalid/log/1".to_owned(),
    };
    let keys = unlock::create(
        &vault,
        &passphrase(),
        Suite::Aes,
        jiff::Timestamp::UNIX_EPOCH,
        &randomness::System,
    )
    .unwrap();
    unlock::unlock(
        &vault.origin,
        &passphrase(),
        &[keys.root.row],
        &keys.keyring,
        Arc::new(randomness::System),
    )
    .unwrap()
}

/// Two askers mint one reference at once; a row rests on one that is not there.
#[test]
fn what_a_write_meets() {
    let dir = tempfile::tempdir().unwrap();
    let new = NewStore::claim(&dir.path().join("data").join("vault.db")).unwrap();
    let vault = VaultRow {
        one: One,
        vault: [7; 16],
        origin: "test.invalid/log/1".to_owned(),
    };
    let head = HeadRow {
        one: One,
        size: 0,
        root: Frontier::new().root(),
        frontier: Vec::new(),
        checkpoint: String::new(),
    };
    let mut writer = SqliteData::create(&new, &vault, &head).unwrap();
    writer.begin().unwrap();
    for seal in [1, 2] {
        let row = ReferenceRow {
            department: "H0".parse().unwrap(),
            kind: RecordKind::Caller,
            version: 1,
            body: [7; 16],
            sealed_id: vec![seal],
        };
        let outcome = writer.attempt(&[], &[Write::put(row)], 0, &|_, _, _| false).unwrap();
        assert_eq!(outcome, Ok(()), "the same reference, minted twice");
    }
    let token = TokenRow {
        id: TokenId::from_bytes([1; 16]),
        hash: [0; 32],
        principal: PrincipalId::from_bytes([2; 16]),
        label: None,
        created_at: jiff::Timestamp::UNIX_EPOCH,
        expires_at: None,
        revoked_at: None,
        epoch: 1,
        log: 1,
        by_two: false,
        version: 1,
    };
    let token = keyring().protect(token).unwrap();
    let outcome = writer.attempt(&[], &[Write::put(token)], 0, &|_, _, _| false).unwrap();
    assert_eq!(outcome, Err(Conflict::Stale), "nobody has that token already");
}
