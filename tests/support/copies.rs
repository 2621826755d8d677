//! Copies of a log, and the two verifiers that check them.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use callervault::http::App;
use callervault::merkle::{TileKind, tiles_of};
use callervault::note::{Checkpoint, Verifier};

use crate::support::World;
use crate::support::process::run;

/// A copy of a log in files, and the key that checks it.
pub(crate) struct Copy {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) key: String,
}

impl Copy {
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Changes a file's bytes.
    pub(crate) fn edit(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = std::fs::read(self.path(name)).unwrap();
        let before = bytes.clone();
        change(&mut bytes);
        assert_ne!(before, bytes, "the attack did not happen: {name}");
        std::fs::write(self.path(name), bytes).unwrap();
    }

    pub(crate) fn again(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = format!("{}/.", self.dir.path().display());
        let copied = Command::new("cp").args(["-r", &from]).arg(dir.path()).status().unwrap();
        assert!(copied.success());
        Self {
            dir,
            key: self.key.clone(),
        }
    }
}

pub(crate) fn put(dir: &Path, path: &str, bytes: &[u8]) {
    let file = dir.join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}

pub(crate) fn signed(key: &str, note: &str) -> Checkpoint {
    Checkpoint::parse(key.parse::<Verifier>().unwrap().verify(note).unwrap()).unwrap()
}

/// Copies the log as any client of C2SP tlog-tiles would.
pub(crate) async fn copy(world: &World, app: &Arc<App>) -> Copy {
    copy_from(world, app, 0).await
}

/// As `copy`, of the log as it was when this checkpoint was signed.
pub(crate) async fn copy_of(world: &World, app: &Arc<App>, note: &str) -> Copy {
    copied(world, app, 0, note).await
}

/// As `copy`, of a log that has dropped the bodies of entries below that index.
pub(crate) async fn copy_from(world: &World, app: &Arc<App>, below: u64) -> Copy {
    let note = world.actor(app, "auditor").get("/v1/audit/checkpoint").await.text;
    copied(world, app, below, &note).await
}

async fn copied(world: &World, app: &Arc<App>, below: u64, note: &str) -> Copy {
    let auditor = world.actor(app, "auditor");
    // The newest comes first.
    let keys = auditor.get("/v1/audit/keys").await.text;
    let key = keys.lines().next().unwrap().to_owned();
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "checkpoint", note.as_bytes());
    for path in tiles_of(signed(&key, note).size).unwrap() {
        if path.kind() == TileKind::Entries && path.first() < below {
            continue;
        }
        let answer = auditor.get(format!("/v1/audit/{path}")).await.is(200);
        put(dir.path(), &path.to_string(), &answer.bytes);
    }
    Copy { dir, key }
}

pub(crate) fn ours(copy: &Copy, more: &[&str]) -> Output {
    let directory = copy.dir.path().to_str().unwrap();
    run(&[&["audit", "verify", directory, "--key", &copy.key], more].concat())
}

pub(crate) fn python(copy: &Copy, more: &[&str]) -> Output {
    Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verify.py"))
        .arg(copy.dir.path())
        .args(["--key", &copy.key])
        .args(more)
        .output()
        .unwrap()
}

pub(crate) fn words(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

/// Both verifiers accept.
pub(crate) fn holds(copy: &Copy, more: &[&str]) {
    for output in [ours(copy, more), python(copy, more)] {
        assert_eq!(output.status.code(), Some(0), "{}", words(&output));
        assert!(words(&output).contains("verified: "), "{}", words(&output));
    }
}

/// Both verifiers refuse; ours in these words.
pub(crate) fn caught(what: &str, copy: &Copy, more: &[&str], our_words: &str) {
    let output = ours(copy, more);
    assert_eq!(output.status.code(), Some(1), "{what}: {}", words(&output));
    assert!(
        words(&output).contains("TAMPERED") && words(&output).contains(our_words),
        "{what}: {}",
        words(&output)
    );
    let output = python(copy, more);
    assert_eq!(output.status.code(), Some(1), "{what}: {}", words(&output));
    assert!(words(&output).contains("TAMPERED"), "{what}: {}", words(&output));
}

/// The log gets so many entries, and a few.
pub(crate) async fn grow(world: &World, app: &Arc<App>, entries: usize) {
    let case = world.case(app, "C1").await;
    let handler = world.actor(app, "handler-c1");
    for _ in 0..entries {
        handler.reveal(&case).masked().await.is(200);
    }
}
