//! Files of secrets: whose they may be and who else may read them, by the real program; as another user where the test runs
//! as root.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustix::process::geteuid;

use crate::support::PASSPHRASE;
use crate::support::process::skipped;

const PROGRAM: &str = env!("CARGO_BIN_EXE_callervault");
const ALLOWED: &str = "--allow-group-secrets";
/// A user and a group that own nothing.
const USER: u32 = 65_534;
const GROUP: u32 = 64_242;

/// A directory with a file for each kind of secret, and command lines that read one and then find neither vault nor server.
struct Scene {
    dir: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let files = [
            ("passphrase", format!("{PASSPHRASE}\n")),
            ("other", format!("{PASSPHRASE}\n")),
            ("token", "cvt_invented\n".to_owned()),
            ("key.pem", signing_key.serialize_pem()),
            ("chain.pem", cert.pem()),
        ];
        for (name, text) in files {
            std::fs::write(scene.path(name), text).unwrap();
            scene.set(name, 0o600);
        }
        scene
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn set(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// The line that reads this secret.
    fn line(&self, secret: &str) -> Vec<String> {
        let place = |name: &str| self.path(name).to_str().unwrap().to_owned();
        let line = match secret {
            "passphrase" => vec!["fsck", "--dir", "DIR", "--passphrase-file", "passphrase"],
            "token" => vec!["audit", "roles", "--url", "http://127.0.0.1:1", "--token-file", "token"],
            _ => vec![
                "serve",
                "--dir",
                "DIR",
                "--passphrase-file",
                "other",
                "--tls-cert",
                "chain.pem",
                "--tls-key",
                "key.pem",
            ],
        };
        let word = |word: &&str| match *word {
            "DIR" => place("no-vault"),
            "passphrase" | "other" | "token" | "chain.pem" | "key.pem" => place(word),
            word => word.to_owned(),
        };
        line.iter().map(word).collect()
    }

    /// What the program says of this secret. One that is taken leads to what is not there.
    fn said(&self, mut program: Command, secret: &str, more: &[&str]) -> Said {
        program.current_dir(self.dir.path());
        Said::of(&program.args(self.line(secret)).args(more).output().unwrap())
    }

    fn here(&self, secret: &str, more: &[&str]) -> Said {
        self.said(Command::new(PROGRAM), secret, more)
    }
}

struct Said {
    code: Option<i32>,
    words: String,
}

impl Said {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code(),
            words: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    #[track_caller]
    fn is_taken(&self) {
        let missing = ["no-vault", "127.0.0.1:1"].iter().any(|what| self.words.contains(what));
        assert!(self.code == Some(3) && missing, "{:?} {}", self.code, self.words);
    }

    #[track_caller]
    fn is_refused(&self, words: &str, remedy: &str) {
        assert!(
            self.code == Some(2) && self.words.contains(words) && self.words.contains(remedy),
            "{:?} {}",
            self.code,
            self.words
        );
        assert!(
            !self.words.contains(PASSPHRASE) && !self.words.contains("cvt_"),
            "{}",
            self.words
        );
    }
}

/// Passphrase, token and TLS key by one rule.
#[test]
fn a_file_is_its_owners_alone_or_also_its_groups_where_that_is_allowed() {
    let scene = Scene::new();
    for (secret, file) in [("passphrase", "passphrase"), ("token", "token"), ("tls key", "key.pem")] {
        for mode in [0o600, 0o400] {
            scene.set(file, mode);
            scene.here(secret, &[]).is_taken();
        }
        for mode in [0o640, 0o440] {
            scene.set(file, mode);
            scene.here(secret, &[]).is_refused("can read it", ALLOWED);
            scene.here(secret, &[ALLOWED]).is_taken();
        }
        for (mode, words, remedy) in [
            (0o644, "other users", "chmod o="),
            (0o604, "other users", "chmod o="),
            (0o602, "other users", "chmod o="),
            (0o660, "can write it", "chmod g-w"),
            (0o620, "can write it", "chmod g-w"),
        ] {
            scene.set(file, mode);
            scene.here(secret, &[ALLOWED]).is_refused(words, remedy);
        }
    }
}

/// The option stands where all others do: in the environment, and in the file above all sections or in a verb's.
#[test]
fn the_option_stands_where_others_stand() {
    let scene = Scene::new();
    scene.set("token", 0o640);
    let settings = scene.path("callervault.toml");
    for text in [
        "allow-group-secrets = true\n",
        "[audit.roles]\nallow-group-secrets = true\n",
        "[audit]\nallow-group-secrets = true\n",
    ] {
        std::fs::write(&settings, text).unwrap();
        scene.here("token", &[]).is_taken();
        let checked = Command::new(PROGRAM).args(["config", "check"]).arg(&settings).output();
        assert!(checked.unwrap().status.success(), "{text}");
    }
    std::fs::write(&settings, "[serve]\nallow-group-secrets = true\n").unwrap();
    scene.here("token", &[]).is_refused("can read it", ALLOWED);
    let mut program = Command::new(PROGRAM);
    program.env("CALLERVAULT_ALLOW_GROUP_SECRETS", "true");
    scene.said(program, "token", &[]).is_taken();
    // Before the verb, too.
    let mut program = Command::new(PROGRAM);
    program.arg(ALLOWED);
    scene.said(program, "token", &[]).is_taken();
}

/// The program as another user, in the groups that are named beside its own.
fn as_another(program: &Path, groups: &str) -> Command {
    let mut command = Command::new("setpriv");
    let ids = [USER, USER].map(|id| id.to_string());
    command
        .args(["--reuid", &ids[0], "--regid", &ids[1], "--groups", groups])
        .arg(program);
    command
}

fn may_change_users() -> bool {
    geteuid().is_root()
        && Command::new("setpriv")
            .arg("--version")
            .output()
            .is_ok_and(|one| one.status.success())
}

/// As a Kubernetes volume with `fsGroup`, Debian's `ssl-cert` and a credential of systemd have them.
#[test]
fn a_file_of_root_that_a_group_reads() {
    if !may_change_users() {
        return skipped("files of other users: only root with setpriv can run the program as another user");
    }
    let scene = Scene::new();
    std::fs::set_permissions(scene.dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    // The build's directory may be root's alone.
    let program = scene.path("callervault");
    std::fs::copy(PROGRAM, &program).unwrap();
    scene.set("callervault", 0o755);
    let groups = format!("{USER},{GROUP}");
    let said = |groups: &str, more: &[&str]| scene.said(as_another(&program, groups), "token", more);
    for mode in [0o440, 0o640] {
        chown(scene.path("token"), Some(0), Some(GROUP)).unwrap();
        scene.set("token", mode);
        said(&groups, &[ALLOWED]).is_taken();
        said(&groups, &[]).is_refused("can read it", ALLOWED);
        let outside = said(&USER.to_string(), &[ALLOWED]);
        assert!(
            outside.code == Some(3) && outside.words.contains("denied"),
            "{}",
            outside.words
        );
    }
    // The user's own, with a group of others.
    chown(scene.path("token"), Some(USER), Some(GROUP)).unwrap();
    said(&USER.to_string(), &[ALLOWED]).is_refused("does not run in that group", "chgrp");
    scene.set("token", 0o400);
    said(&USER.to_string(), &[]).is_taken();
    // Of a third one, who lets this one's group read it.
    chown(scene.path("token"), Some(1000), Some(GROUP)).unwrap();
    scene.set("token", 0o640);
    said(&groups, &[ALLOWED]).is_refused("belongs to another user", "chown");
    // Root can read everything, and still takes no file of another's.
    scene
        .here("token", &[ALLOWED])
        .is_refused("belongs to another user", "chown");
}
