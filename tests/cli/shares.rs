//! A vault that opens by shares, with the real program: `init --shares`, `unlock` by several people, and `keys rekey`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use age::x25519::Identity;
use tempfile::TempDir;

use crate::support::process::{Server, passphrase_file, run, secret_file};
use crate::support::{PASSPHRASE, World};

const HERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

fn said(output: &Output) -> (Option<i32>, String) {
    let said = [&output.stdout[..], &output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

/// Runs the program with options that begin with a verb; some of them are paths.
pub(crate) fn program(options: &[&dyn AsRef<std::ffi::OsStr>]) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_callervault"));
    program.args(options.iter().map(|option| option.as_ref()));
    program
}

fn done(options: &[&dyn AsRef<std::ffi::OsStr>]) -> String {
    let (code, said) = said(&program(options).output().unwrap());
    assert_eq!(code, Some(0), "{said}");
    said
}

fn refused(options: &[&dyn AsRef<std::ffi::OsStr>], code: i32) -> String {
    let (got, said) = said(&program(options).output().unwrap());
    assert_eq!(got, Some(code), "{said}");
    said
}

/// The files of shares in a directory, in the order of their numbers.
pub(crate) fn files(directory: &Path, kind: &str) -> Vec<PathBuf> {
    let file = |number| directory.join(format!("share-{number}.{kind}"));
    (1..=255).map(file).take_while(|file| file.exists()).collect()
}

/// A vault that three of five custodians open, each of whom has an age key of their own.
struct City {
    scene: TempDir,
    keys: Vec<Identity>,
    files: Vec<PathBuf>,
}

impl City {
    fn new() -> Self {
        let scene = tempfile::tempdir().unwrap();
        let dir = scene.path();
        let handed = dir.join("shares");
        let keys: Vec<Identity> = (0..5).map(|_| Identity::generate()).collect();
        let mut init = program(&[&"init", &"--dir", &dir, &"--origin", &"city.invalid/log/1"]);
        init.args(["--shares", "5", "--threshold", "3", "--shares-dir"])
            .arg(&handed);
        init.arg("--tokens-dir").arg(dir.join("tokens"));
        for key in &keys {
            init.args(["--custodian", &key.to_public().to_string()]);
        }
        let (code, words) = said(&init.output().unwrap());
        assert_eq!(code, Some(0), "{words}");
        assert!(words.contains("any 3 of the 5 shares open the vault"), "{words}");
        assert!(!words.contains("cvshare"), "{words}");
        let files = files(&handed, "age");
        assert_eq!(files.len(), 5);
        Self { scene, keys, files }
    }

    fn dir(&self) -> &Path {
        self.scene.path()
    }

    /// A custodian decrypts their share into a file of their own. Nobody else can.
    fn share(&self, number: usize) -> PathBuf {
        let encrypted = std::fs::read(&self.files[number]).unwrap();
        for (other, key) in self.keys.iter().enumerate() {
            assert_eq!(age::decrypt(key, &encrypted).is_ok(), other == number);
        }
        let file = self.dir().join(format!("mine-{number}"));
        let text = age::decrypt(&self.keys[number], &encrypted).unwrap();
        secret_file(&file, std::str::from_utf8(&text).unwrap().trim());
        file
    }

    /// A verb that opens the vault itself, by these shares.
    fn program(&self, verb: &str, shares: &[&PathBuf]) -> Command {
        let mut program = program(&[&verb, &"--dir", &self.dir()]);
        for share in shares {
            program.arg("--share-file").arg(share);
        }
        program
    }
}

#[test]
fn custodians_decrypt_their_shares_and_unlock_together() {
    let city = City::new();
    let mut server = Server::locked(city.dir(), "http", &HERE);
    let unlock = |number: usize| {
        let mut program = program(&[&"unlock", &"--url", &server.base, &"--share-fd", &"0"]);
        program.stdin(std::fs::File::open(city.share(number)).unwrap());
        let (code, said) = said(&program.output().unwrap());
        assert_eq!(code, Some(0), "{said}");
        said
    };
    assert!(unlock(4).contains("1 of 3 shares are in"));
    assert!(unlock(0).contains("2 of 3 shares are in"));
    assert!(unlock(2).contains("unlocked, log entry"));
    done(&[&"status", &"--url", &server.base]);
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
}

/// A command that opens the vault itself takes all of them at once, and so does a start.
#[test]
fn a_command_takes_all_shares_at_once() {
    let city = City::new();
    let [one, other, third] = [1, 3, 4].map(|number| city.share(number));
    let fsck = |shares: &[&PathBuf]| said(&city.program("fsck", shares).output().unwrap());
    let (code, words) = fsck(&[&one, &other, &third]);
    assert!(code == Some(0) && words.contains(" 0 findings"), "{words}");
    let (code, words) = fsck(&[&one, &other]);
    assert!(
        code == Some(2) && words.contains("fewer shares than it takes"),
        "{words}"
    );
    let (code, words) = fsck(&[&one, &one, &third]);
    assert!(code == Some(2) && words.contains("share 2 is in already"), "{words}");
    let mut serve = city.program("serve", &[&third, &one, &other]);
    serve.args(HERE);
    let mut server = Server::of(serve, "http");
    done(&[&"status", &"--url", &server.base]);
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
}

/// Nothing is made of what is wrong, and a key that was taken for another one is not repeated.
#[test]
fn bad_schemes_and_custodians() {
    let scene = tempfile::tempdir().unwrap();
    let dir = scene.path();
    let [one, other] = [(); 2].map(|()| Identity::generate().to_public().to_string());
    let init = |options: &[&str]| {
        let mut program = program(&[&"init", &"--dir", &dir, &"--origin", &"city.invalid/log/1"]);
        program.arg("--tokens-dir").arg(dir.join("tokens"));
        program.arg("--shares-dir").arg(dir.join("shares")).args(options);
        let (code, said) = said(&program.output().unwrap());
        assert_eq!(code, Some(2), "{said}");
        assert!(!dir.join("keys").exists() && !dir.join("data").exists(), "{said}");
        assert!(!dir.join("shares").exists(), "{said}");
        said
    };
    let scheme = "at least 2 and at most the number of shares";
    for (shares, threshold, words) in [
        ("5", "6", scheme),
        ("5", "1", scheme),
        ("5", "0", scheme),
        ("1", "1", scheme),
        ("0", "0", scheme),
        ("256", "3", "256 is not in 0..=255"),
        ("5", "256", "256 is not in 0..=255"),
        ("5", "-1", "unexpected argument '-1'"),
    ] {
        let said = init(&["--shares", shares, "--threshold", threshold]);
        assert!(said.contains(words), "{said}");
    }
    assert!(init(&["--shares", "3"]).contains("--threshold"));
    assert!(init(&["--threshold", "3"]).contains("--shares"));
    let of_two = ["--shares", "2", "--threshold", "2"];
    let custodians = |keys: &[&str]| {
        let keys = keys.iter().flat_map(|key| ["--custodian", key]);
        init(&of_two.into_iter().chain(keys).collect::<Vec<_>>())
    };
    assert!(custodians(&[&one]).contains("2 shares and 1 custodians"));
    assert!(custodians(&[&one, &one]).contains("custodians 1 and 2 are the same"));
    assert!(custodians(&[&one, &other, &one]).contains("custodians 1 and 3 are the same"));
    let secret = "AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSXJD9XD";
    let words = custodians(&[&one, secret]);
    assert!(
        words.contains("custodian 2: not an age public key") && !words.contains(secret),
        "{words}"
    );
    let passphrase = passphrase_file(dir);
    let words = init(&[&of_two[..], &["--passphrase-file", passphrase.to_str().unwrap()]].concat());
    assert!(words.contains("give one of them"), "{words}");
}

/// A vault of a world, changed to shares by the program: the files of them.
pub(crate) fn shared(world: &World, scheme: [&str; 2], into: &str) -> Vec<PathBuf> {
    let (dir, passphrase) = (world.dir.path(), passphrase_file(world.dir.path()));
    let handed = dir.join(into);
    let [threshold, shares] = scheme;
    done(&[
        &"keys",
        &"rekey",
        &"--dir",
        &dir,
        &"--passphrase-file",
        &passphrase,
        &"--shares",
        &shares,
        &"--threshold",
        &threshold,
        &"--shares-dir",
        &handed,
    ]);
    files(&handed, "txt")
}

#[tokio::test(flavor = "multi_thread")]
async fn shares_that_wait_too_long_are_wiped() {
    let world = World::closed().await;
    let shares = shared(&world, ["2", "3"], "shares");
    let timeout = [&HERE[..], &["--share-timeout", "1"]].concat();
    let mut server = Server::locked(world.dir.path(), "http", &timeout);
    let unlock = |share: &PathBuf| done(&[&"unlock", &"--url", &server.base, &"--share-file", share]);
    assert!(unlock(&shares[0]).contains("1 of 2 shares are in"));
    server.says("no further one came in time");
    // It is not in any more: otherwise these two would open it, or it would be a duplicate.
    let unlock = |share: &PathBuf| done(&[&"unlock", &"--url", &server.base, &"--share-file", share]);
    assert!(unlock(&shares[1]).contains("1 of 2 shares are in"));
    server.says("no further one came in time");
    let both = [&shares[2], &shares[0]];
    let said = done(&[
        &"unlock",
        &"--url",
        &server.base,
        &"--share-file",
        both[0],
        &"--share-file",
        both[1],
    ]);
    assert!(said.contains("unlocked, log entry"), "{said}");
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
}

/// Whether the vault opens: `fsck --copy` writes nothing.
pub(crate) fn opens(world: &World, by: &[PathBuf]) -> bool {
    let mut program = program(&[&"fsck", &"--copy", &"--dir", &world.dir.path()]);
    for share in by {
        program.arg("--share-file").arg(share);
    }
    let (code, said) = said(&program.output().unwrap());
    let named = ["is of generation", "fewer shares"]
        .iter()
        .any(|words| said.contains(words));
    assert!(code == Some(0) || named, "{said}");
    code == Some(0)
}

/// Back to a passphrase; the one of before opens nothing any more.
#[tokio::test(flavor = "multi_thread")]
async fn from_shares_to_another_passphrase() {
    let world = World::closed().await;
    let shares = shared(&world, ["2", "2"], "shares");
    let dir = world.dir.path();
    let other = dir.join("other");
    secret_file(&other, "a passphrase of another year");
    let said = done(&[
        &"keys",
        &"rekey",
        &"--dir",
        &dir,
        &"--share-file",
        &shares[1],
        &"--share-file",
        &shares[0],
        &"--new-passphrase-file",
        &other,
    ]);
    assert!(
        said.contains("the new passphrase opens the vault") && said.contains("generation 3"),
        "{said}"
    );
    done(&[&"fsck", &"--dir", &dir, &"--passphrase-file", &other]);
    let old = dir.join("passphrase");
    assert_eq!(std::fs::read_to_string(&old).unwrap().trim(), PASSPHRASE);
    let said = refused(&[&"fsck", &"--dir", &dir, &"--passphrase-file", &old], 3);
    assert!(said.contains("the passphrase does not open this key store"), "{said}");
    let by_shares: [&dyn AsRef<std::ffi::OsStr>; 7] = [
        &"fsck",
        &"--dir",
        &dir,
        &"--share-file",
        &shares[0],
        &"--share-file",
        &shares[1],
    ];
    let said = refused(&by_shares, 3);
    assert!(said.contains("generation 2") && said.contains("generation 3"), "{said}");
    // What is running is in the way, and says so.
    let mut server = Server::locked(dir, "http", &HERE);
    done(&[&"unlock", &"--url", &server.base, &"--passphrase-file", &other]);
    let rekey: [&dyn AsRef<std::ffi::OsStr>; 8] = [
        &"keys",
        &"rekey",
        &"--dir",
        &dir,
        &"--passphrase-file",
        &other,
        &"--new-passphrase-file",
        &old,
    ];
    let said = refused(&rekey, 3);
    assert!(said.contains("another process has"), "{said}");
    server.terminate();
    assert_eq!(server.ended().0, Some(0));
    assert!(run(&["keys", "rekey", "--help"]).status.success());
}
