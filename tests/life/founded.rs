//! A vault is made by `init`: its log gets a name that somebody chose, each administrator their own token, the auditors the key.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use callervault::clock::System;
use callervault::http::App;
use callervault::vault::Vault;
use callervault::vault::life::open::Places;

use crate::support::copies::words;
use crate::support::passphrase;
use crate::support::process::{passphrase_file, run};

const ORIGIN: &str = "vault.example/log/1";
const ACCOUNTS: [&str; 3] = ["auditor", "security-admin", "system-admin"];

/// A directory for a vault, and what `init` says there with these arguments. It has no terminal.
fn init(dir: &Path, arguments: &[&str]) -> Output {
    let passphrase = passphrase_file(dir);
    Command::new("setsid")
        .arg("--wait")
        .arg(env!("CARGO_BIN_EXE_callervault"))
        .args(["init", "--dir"])
        .arg(dir)
        .arg("--passphrase-file")
        .arg(passphrase)
        .args(arguments)
        .output()
        .unwrap()
}

fn token(dir: &Path, account: &str) -> PathBuf {
    dir.join("tokens").join(format!("{account}.token"))
}

#[tokio::test]
async fn each_administrator_gets_a_file_and_the_auditors_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    let arguments = ["--origin", ORIGIN, "--tokens-dir", tokens.to_str().unwrap()];
    let made = init(dir.path(), &arguments);
    assert_eq!(made.status.code(), Some(0), "{}", words(&made));
    assert!(!words(&made).contains("cvt_"), "no token on the terminal");
    let told = words(&made);
    let key = told
        .lines()
        .find_map(|line| line.strip_prefix("log key:"))
        .unwrap()
        .trim();
    assert!(key.starts_with(&format!("{ORIGIN}+")), "{key}");

    let place = dir.path().to_str().unwrap();
    let secret = dir.path().join("passphrase");
    let shown = run(&[
        "keys",
        "show-log-key",
        "--dir",
        place,
        "--passphrase-file",
        secret.to_str().unwrap(),
    ]);
    assert_eq!(String::from_utf8(shown.stdout).unwrap(), format!("{key}\n"));

    let places = Places::below(dir.path());
    let vault = Vault::open(&places, &passphrase(), Arc::new(System), "test")
        .await
        .unwrap();
    let app = App::new(vault);
    for account in ACCOUNTS {
        let file = token(dir.path(), account);
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(file).unwrap();
        let session = app
            .vault()
            .unwrap()
            .authenticate(text.trim(), app.vault().unwrap().new_request().unwrap())
            .await
            .unwrap();
        assert_eq!(session.actor.roles().to_words().replace('_', "-"), account);
        if account == "auditor" {
            assert_eq!(
                app.vault().unwrap().log_keys(&session).await.unwrap(),
                format!("{key}\n")
            );
        }
    }
    let busy = run(&[
        "keys",
        "show-log-key",
        "--dir",
        place,
        "--passphrase-file",
        secret.to_str().unwrap(),
    ]);
    assert_eq!(busy.status.code(), Some(3), "{}", words(&busy));
}

/// What is missing is said before anything is made.
#[test]
fn no_vault_without_a_name_and_a_way_for_the_tokens() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    let tokens = ["--tokens-dir", tokens.to_str().unwrap()];
    let bad = |origin| [&["--origin", origin][..], &tokens].concat();
    for (arguments, words_of) in [
        (tokens.to_vec(), "--origin"),
        (vec!["--origin", ORIGIN], "--tokens-dir"),
        (bad("https://vault.example/log/1"), "without its scheme"),
        (bad("vault example"), "without its scheme"),
        (bad("vault+example"), "without its scheme"),
        (bad(""), "without its scheme"),
    ] {
        let refused = init(dir.path(), &arguments);
        assert_eq!(refused.status.code(), Some(2), "{arguments:?}: {}", words(&refused));
        assert!(words(&refused).contains(words_of), "{arguments:?}: {}", words(&refused));
        let places = Places::below(dir.path());
        assert!(!places.data.exists() && !places.keys.exists(), "{arguments:?}");
    }
}

/// One of the files is there already: no vault is left whose token nobody has, and nobody's file is touched.
#[test]
fn a_vault_whose_tokens_cannot_be_written_is_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let tokens = dir.path().join("tokens");
    let arguments = ["--origin", ORIGIN, "--tokens-dir", tokens.to_str().unwrap()];
    std::fs::create_dir(&tokens).unwrap();
    std::fs::write(token(dir.path(), "auditor"), "somebody else's").unwrap();
    let refused = init(dir.path(), &arguments);
    assert_eq!(refused.status.code(), Some(3), "{}", words(&refused));
    let places = Places::below(dir.path());
    assert!(!places.data.exists() && !places.keys.exists());
    let left: Vec<_> = std::fs::read_dir(&tokens).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(std::fs::read(token(dir.path(), "auditor")).unwrap(), b"somebody else's");
    std::fs::remove_file(token(dir.path(), "auditor")).unwrap();
    let made = init(dir.path(), &arguments);
    assert_eq!(made.status.code(), Some(0), "{}", words(&made));
}
