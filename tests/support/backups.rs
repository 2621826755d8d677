//! Backups as an administrator makes and restores them, from the command line.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::World;
use crate::support::copies::words;
use crate::support::process::{passphrase_file, run, secret_file};
use crate::support::served::{LONG, Served};

/// A served vault, and a directory for backups of it.
pub(crate) struct Desk {
    pub(crate) served: Served,
    pub(crate) files: tempfile::TempDir,
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Runs the program while the vault is served in this process.
pub(crate) fn apart(arguments: &[&str]) -> Output {
    tokio::task::block_in_place(|| run(arguments))
}

/// It ends with this code and says these words.
#[track_caller]
pub(crate) fn ends(output: &Output, code: i32, said: &str) {
    let all = words(output);
    assert_eq!(output.status.code(), Some(code), "{all}");
    assert!(all.contains(said), "{said}: {all}");
}

/// A verb for a server, with the token of one of the world's staff.
pub(crate) fn command(world: &World, base: &str, who: &str, arguments: &[&str]) -> Command {
    let token = world.dir.path().join(format!("token-{who}"));
    secret_file(&token, world.token(who));
    let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
    command
        .args(arguments)
        .args(["--url", base, "--token-file", text(&token)]);
    command
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::of(World::closed().await).await
    }

    /// A world that nobody has opened.
    pub(crate) async fn of(world: World) -> Self {
        Self {
            served: Served::of(world, LONG, false).await,
            files: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn world(&self) -> &World {
        &self.served.world
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}", self.served.address)
    }

    /// A file that is not there yet.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// Runs a verb as one of the staff.
    pub(crate) fn run(&self, who: &str, arguments: &[&str]) -> Output {
        let mut command = command(self.world(), &self.base(), who, arguments);
        tokio::task::block_in_place(|| command.output().unwrap())
    }

    /// Runs a verb of a system administrator that takes an auditor's approval.
    pub(crate) async fn run_with_two(&self, arguments: &[&str]) -> Output {
        let asked = self.run("system-admin", &[arguments, &["--json"]].concat());
        ends(&asked, 5, "\"approval\"");
        let asked: Value = serde_json::from_slice(&asked.stdout).unwrap();
        let id = asked["approval"]["id"].as_str().unwrap();
        let auditor = self.world().actor(&self.served.app, "auditor");
        auditor.approve(id).await.is(200);
        self.run("system-admin", &[arguments, &["--approval", id]].concat())
    }

    /// Both stores in files of these names, at one moment.
    pub(crate) async fn both(&self, data: &str, keys: &str) -> [PathBuf; 2] {
        let files = [self.file(data), self.file(keys)];
        let arguments = ["backup", "--data", text(&files[0]), "--keys", text(&files[1])];
        ends(
            &self.run_with_two(&arguments).await,
            0,
            "key store of test.invalid/log/1",
        );
        files
    }

    /// The data store in a file of this name.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        let file = self.file(name);
        let output = self.run("system-admin", &["backup", "--data", text(&file)]);
        ends(&output, 0, "data store of test.invalid/log/1");
        file
    }

    /// The log's key.
    pub(crate) async fn key(&self) -> String {
        let keys = self
            .world()
            .actor(&self.served.app, "auditor")
            .get("/v1/audit/keys")
            .await
            .text;
        keys.lines().next().unwrap().to_owned()
    }

    /// Restores these files into a directory below the files' own, with the rules of this world.
    pub(crate) fn restore(&self, to: &str, files: &[&Path], more: &[&str]) -> Output {
        restored(self.world(), &self.file(to), files, more)
    }

    /// The vault is locked. Returns once nobody has its stores open: tasks that were under way let go of them by and by.
    pub(crate) async fn lock(&self) {
        self.served.app.door().lock_at_signal().await;
        let places = &self.world().places;
        for store in [&places.data, &places.keys] {
            let lock = File::open(store.with_extension("lock")).unwrap();
            tokio::task::block_in_place(|| lock.lock().unwrap());
        }
    }
}

/// Restores these files into a directory, with the rules of this world.
pub(crate) fn restored(world: &World, to: &Path, files: &[&Path], more: &[&str]) -> Output {
    let passphrase = passphrase_file(world.dir.path());
    let files: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let always = [
        "--dir",
        text(to),
        "--policies",
        text(&world.places.policies),
        "--passphrase-file",
        text(&passphrase),
    ];
    apart(&[&["restore"], &files[..], &always, more].concat())
}

/// What a backup's manifest says, once it is verified.
pub(crate) fn verified(file: &Path, key: &str, more: &[&str]) -> Value {
    let output = apart(&[&["backup", "verify", text(file), "--key", key, "--json"], more].concat());
    ends(&output, 0, "sha256");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What lies in a directory, by name.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// What lies beside the stores that is a copy of one.
pub(crate) fn copies(world: &World) -> Vec<String> {
    let beside = [&world.places.data, &world.places.keys].map(|store| names(store.parent().unwrap()));
    let all = beside.into_iter().flatten();
    all.filter(|name| name.starts_with("copy-")).collect()
}

/// Returns once no copy lies there any more: a thread that was at work on one has ended.
pub(crate) fn forgotten(world: &World) {
    for _ in 0..12_000 {
        if copies(world).is_empty() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert_eq!(copies(world), [""; 0]);
}
