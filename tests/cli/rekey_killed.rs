//! A change of holders is killed at every step of it, a real process.

use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;

use age::x25519::Identity;

use crate::cli::shares::{files, opens, program, shared};
use crate::keys::destroyed::is_on_disk;
use crate::support::World;
use crate::support::copies::words;
use crate::support::dies::{at_each_step, dying};

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

/// Killed at every step: either the old shares open the vault or the new ones do, and once it was said, the new ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_holders_that_is_killed_leaves_one_way_in() {
    let world = World::closed().await;
    let old = shared(&world, ["2", "3"], "first");
    let into = world.dir.path().join("second");
    let before: Vec<u8> = world.keys().rows("unlock").first("wrapped_root");
    let act = |step| {
        let mut program = dying(step, world.dir.path(), None);
        program.args(["keys", "rekey", "--dir"]).arg(world.dir.path());
        program
            .args(["--shares", "3", "--threshold", "2", "--shares-dir"])
            .arg(&into);
        for share in &old[..2] {
            program.arg("--share-file").arg(share);
        }
        let output = program.output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap().contains("is in force");
        (told, output.status.code().is_some())
    };
    let left = async |told: bool| {
        let new = files(&into, "txt");
        let (by_old, by_new) = (opens(&world, &old[1..]), new.len() == 3 && opens(&world, &new[1..]));
        assert_ne!(by_old, by_new, "one way, and not both");
        assert!(by_new || !told, "it was said");
        // The next start goes on with it, and nothing of the other one is left.
        let shares = if by_new { &new[..2] } else { &old[..2] };
        starts(&world, shares);
        assert_eq!(is_on_disk(&world, &before), by_old);
        assert!(opens(&world, shares));
    };
    let steps = at_each_step(&world, act, left).await;
    assert!(steps >= 20, "{steps}");
}

/// Opens the vault as any start does.
fn starts(world: &World, shares: &[PathBuf]) {
    let mut program = program(&[&"keys", &"show-log-key", &"--dir", &world.dir.path()]);
    for share in shares {
        program.arg("--share-file").arg(share);
    }
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", words(&output));
}

/// While it hands out, nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_holders_that_is_killed_while_it_hands_out() {
    let world = World::closed().await;
    let old = shared(&world, ["2", "3"], "first");
    killed_while_it_hands_out(&world, &old[..2]);
    assert!(opens(&world, &old[1..]), "nothing has changed");
}
