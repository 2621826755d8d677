//! `kill -9` in the middle of a change of holders, a real process.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use age::x25519::Identity;

use crate::cli::shares::{files, opens, program, shared};
use crate::support::World;

/// When a process is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    /// When so many shares were handed out.
    Handed(usize),
    /// When the data store has been written after that: the log has it.
    Logged,
    /// When the key store has been written after that.
    Stored,
    /// Never: it ends by itself.
    Never,
}

/// Starts a change of holders, kills it at a point, and says whether it had said that it was done.
fn killed(world: &World, old: &[PathBuf], into: &Path, at: Killed) -> bool {
    let mut program = program(&[&"keys", &"rekey", &"--dir", &world.dir.path()]);
    program
        .args(["--shares", "5", "--threshold", "3", "--shares-dir"])
        .arg(into);
    for share in old {
        program.arg("--share-file").arg(share);
    }
    let mut process: Child = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let written = |path: &Path| {
        let beside = format!("{}-wal", path.display());
        std::fs::metadata(beside).map_or(0, |file| file.len())
    };
    let mut first = None;
    while process.try_wait().unwrap().is_none() {
        let handed = files(into, "txt").len();
        let now = [written(&world.places.data), written(&world.places.keys)];
        let [data, keys] = if handed == 5 { *first.get_or_insert(now) } else { now };
        let reached = match at {
            Killed::Handed(count) => handed >= count,
            Killed::Logged => now[0] != data,
            Killed::Stored => now[1] != keys,
            Killed::Never => false,
        };
        if reached {
            // It may have ended in this moment.
            let _ = process.kill();
        }
    }
    let output = process.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap().contains("is in force")
}

/// Kills a change of holders while it hands out: 255 encrypted shares are more than a pipe takes that nobody reads on.
fn killed_while_it_hands_out(world: &World, old: &[PathBuf]) {
    let mut program = program(&[&"keys", &"rekey", &"--dir", &world.dir.path()]);
    program.args(["--shares", "255", "--threshold", "3"]);
    for _ in 0..255 {
        program.args(["--custodian", &Identity::generate().to_public().to_string()]);
    }
    for share in old {
        program.arg("--share-file").arg(share);
    }
    let mut process = program.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = [0; 14];
    process.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(&first, b"share 1 of 255");
    assert!(process.try_wait().unwrap().is_none());
    process.kill().unwrap();
    process.wait().unwrap();
}

/// `kill -9` at every step: either the old shares open the vault or the new ones do, and once it was said, the new ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_holders_that_is_killed_leaves_one_way_in() {
    let world = World::closed().await;
    let mut old = shared(&world, ["3", "5"], "first");
    killed_while_it_hands_out(&world, &old[..3]);
    assert!(opens(&world, &old[1..4]), "nothing has changed");
    let mut changed = 0;
    let points = [
        Killed::Handed(1),
        Killed::Handed(3),
        Killed::Handed(5),
        Killed::Logged,
        Killed::Stored,
        Killed::Stored,
        Killed::Never,
    ];
    for (round, at) in points.into_iter().enumerate() {
        let into = world.dir.path().join(format!("round-{round}"));
        let said = killed(&world, &old[..3], &into, at);
        assert!(said || at != Killed::Never);
        let new = files(&into, "txt");
        let (by_old, by_new) = (opens(&world, &old[2..]), new.len() == 5 && opens(&world, &new[1..4]));
        assert_ne!(by_old, by_new, "{at:?}: one way, and not both");
        assert!(by_new || !said, "{at:?}: it was said");
        if by_new {
            (old, changed) = (new, changed + 1);
        }
    }
    assert!(changed >= 1);
    assert!(opens(&world, &old[..3]));
}
