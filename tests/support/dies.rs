//! Real processes that are killed at each step of what they do to files, one step after the other, until one comes to its end.
//!
//! What is killed is the program as it is: a library that is preloaded counts its flushes, names and runs of writes (`dies.c`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::World;
use crate::support::made::Files;
use crate::support::process::{Server, client, not_taken, passphrase_file};

/// More steps than any act takes.
const MOST: usize = 1_000;

/// The library, built once in a process.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("dies.so");
        // Another process may be using the one that is there.
        let new = path.with_extension(std::process::id().to_string());
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .arg(&new)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/dies.c"))
            .arg("-ldl")
            .status();
        assert!(
            built.unwrap().success(),
            "the C compiler that built SQLite builds this too"
        );
        std::fs::rename(new, &path).unwrap();
        path
    })
}

/// The program, to be killed before this step of what it does to files below a directory, counted once a file is there.
pub(crate) fn dying(step: usize, below: &Path, once: Option<&Path>) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_callervault"));
    program
        .env("LD_PRELOAD", library())
        .env("DIE_AT", step.to_string())
        .env("DIE_BELOW", below);
    if let Some(once) = once {
        program.env("DIE_ONCE", once);
    }
    program
}

/// Names the step at which a test fails.
struct Named(usize);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let line = format!("killed before step {}\n", self.0);
            let _ = std::io::stderr().write_all(line.as_bytes());
        }
    }
}

/// Tries an act again and again, each time on the same vault, and kills what does it one step later. `act` says whether who asked was told that it
/// is done, and whether the process came to its end by itself; `left` looks at what is left, and hears whether it was told. How many steps there
/// were.
pub(crate) async fn at_each_step(
    world: &World,
    act: impl Fn(usize) -> (bool, bool),
    left: impl AsyncFn(bool),
) -> usize {
    let files = Files::of(world.dir.path());
    for step in 1..MOST {
        files.put_back(world.dir.path());
        let _named = Named(step);
        let (told, survived) = tokio::task::block_in_place(|| act(step));
        assert!(
            told || !survived,
            "step {step}: it comes to its end and has not done it"
        );
        left(told).await;
        if survived {
            return step - 1;
        }
    }
    unreachable!("it takes no end")
}

/// As `at_each_step`, of a server that is asked for an act over HTTP.
pub(crate) async fn served_at_each_step(
    world: &World,
    act: impl Fn(&mut Server) -> bool,
    left: impl AsyncFn(bool),
) -> usize {
    world.settle();
    at_each_step(world, |step| served_until(world, step, &act), left).await
}

/// Serves a world that is asked for an act, and is killed before this step of it: whether it was told that it is done, and whether it would
/// have come to its end.
pub(crate) fn served_until(world: &World, step: usize, act: impl Fn(&mut Server) -> bool) -> (bool, bool) {
    let (directory, once) = (world.dir.path(), world.dir.path().join("once"));
    passphrase_file(directory);
    let program = dying(step, directory, Some(&once));
    let mut server = Server::start_program(program, directory, "http", &["--listen", "127.0.0.1:0"]);
    std::fs::write(once, "").unwrap();
    let told = act(&mut server);
    let survived = told && server.process.try_wait().unwrap().is_none();
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    (told, survived)
}

impl Server {
    /// Posts as one of the world's staff, with an approval: whether that was answered with what is wanted. The server may die meanwhile.
    pub(crate) fn does(&self, world: &World, who: &str, path: &str, body: &Value, approval: Option<&str>) -> bool {
        loop {
            let mut request = client()
                .post(format!("{}{path}", self.base))
                .header("authorization", format!("Bearer {}", world.token(who)));
            if let Some(approval) = approval {
                request = request
                    .header("approval", approval)
                    .header("approval-reason", "asked%20for");
            }
            let answer = if body.is_null() {
                request.send_empty()
            } else {
                request.send_json(body)
            };
            let Ok(mut answer) = answer else { return false };
            let status = answer.status().as_u16();
            let Ok(text) = answer.body_mut().read_to_string() else {
                return false;
            };
            if not_taken(status, &serde_json::from_str(&text).unwrap_or_default()) {
                continue;
            }
            assert_eq!(status, 200, "{text}");
            return true;
        }
    }
}
