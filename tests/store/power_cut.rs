//! The power fails under load: the disk loses what was not flushed, or any part of it. What was acknowledged is there, every
//! field that was shown has its leaf, and the next start goes on.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use callervault::atomic_file;
use serde_json::Value;

use crate::support::World;
use crate::support::load::{Acknowledged, Loaded, are_of_both_kinds, are_there};
use crate::support::process::{Server, skipped};
use crate::support::unflushed::{Left, Medium};
use crate::support::unflushed_disk::Disk;

const CUTS: [Left; 8] = [
    Left::Nothing,
    Left::AllButLast,
    Left::OnlyLast,
    Left::EverySecond,
    Left::Halves,
    Left::Within("data"),
    Left::Within("keys"),
    Left::Everything,
];

/// Answers before each round's end. Within some hundred, SQLite moves a write-ahead log into its database more than once.
const ROUNDS: [usize; 4] = [1, 10, 37, 250];
/// So many flushes of each write-ahead log in each round, evenly spread.
const FLUSHES: usize = 2;

fn disk_over(directory: &Path) -> Option<Disk> {
    let disk = Disk::over(directory);
    if let Err(error) = &disk {
        skipped(&format!(
            "power_cut: without FUSE (/dev/fuse, and root or fusermount3) no power can be cut: {error}"
        ));
    }
    disk.ok()
}

#[test]
fn the_disk_of_these_tests_loses_what_was_not_flushed() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("old"), "flushed").unwrap();
    let Some(disk) = disk_over(directory.path()) else {
        return;
    };
    let mut old = fs::OpenOptions::new().append(true).open(at("old")).unwrap();
    old.write_all(b", and more").unwrap();
    old.sync_data().unwrap();
    old.write_all(b", and lost").unwrap();
    old.write_all(b", and the last").unwrap();
    assert_eq!(
        fs::read(at("old")).unwrap(),
        b"flushed, and more, and lost, and the last"
    );
    // Its content is flushed, its name is not.
    let mut nameless = File::create(at("nameless")).unwrap();
    nameless.write_all(b"a").unwrap();
    nameless.sync_all().unwrap();
    drop((old, nameless));
    let medium = disk.taken_off();

    let left = |left: Left| {
        medium.cut_at(medium.moment()).after(left).put_into(directory.path());
        let text = fs::read_to_string(at("old")).unwrap();
        (text, fs::read(at("nameless")).ok())
    };
    assert_eq!(left(Left::Nothing), ("flushed, and more".to_owned(), None));
    assert_eq!(left(Left::AllButLast), ("flushed, and more, and lost".to_owned(), None));
    let only_last = format!("flushed, and more{}, and the last", "\0".repeat(", and lost".len()));
    assert_eq!(left(Left::OnlyLast), (only_last, Some(b"a".to_vec())));
    let everything = "flushed, and more, and lost, and the last".to_owned();
    assert_eq!(left(Left::Everything), (everything, Some(b"a".to_vec())));
}

/// Wherever the power fails, a file that is replaced holds the old bytes or the new ones; once it was said to be replaced, the
/// new ones.
#[test]
fn a_file_that_is_replaced_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "the old bytes").unwrap();
    let Some(disk) = disk_over(directory.path()) else {
        return;
    };
    atomic_file::replace(&path, b"the new bytes").unwrap();
    let replaced = disk.moment();
    let medium = disk.taken_off();
    for left in CUTS.into_iter().filter(|left| !matches!(left, Left::Within(_))) {
        for moment in 0..=medium.moment() {
            medium.cut_at(moment).after(left).put_into(directory.path());
            let text = fs::read_to_string(&path).unwrap();
            let whole = text == "the new bytes" || (moment < replaced && text == "the old bytes");
            assert!(whole, "moment {moment}, {left:?} left: {text:?}");
        }
    }
}

/// What a client was told, and at which moment of the disk it had been told at the latest.
struct Told {
    by: usize,
    what: Acknowledged,
}

/// Serves the world on a disk, under load.
fn round(loaded: &Loaded, round: usize) -> Option<(Vec<Told>, Medium)> {
    let directory = loaded.world.dir.path();
    if round.is_multiple_of(2) {
        // Every other round the write-ahead logs are made anew, under names that are not durable yet.
        loaded.world.settle();
    }
    let disk = disk_over(directory)?;
    let server = Server::start(directory);
    let mut told = Vec::new();
    loaded.until_killed(server, round as u64, ROUNDS[round], |what| {
        told.push(Told {
            by: disk.moment(),
            what,
        });
    });
    Some((told, disk.taken_off()))
}

/// When the power fails and what that leaves: before some flushes, in the middle of checkpoints, and at the end.
fn cuts(medium: &Medium, round: usize) -> Vec<(usize, Left)> {
    let mut cuts = Vec::new();
    // Worst is what the other store has written already.
    for (log, other) in [("vault.db-wal", "keys"), ("keystore.db-wal", "data")] {
        let flushes = medium.before_flushes_of(medium.file(log));
        for at in 1..=FLUSHES {
            let moment = flushes.get(flushes.len() * at / (FLUSHES + 1));
            let left = [Left::Within(other), CUTS[(round * FLUSHES + at) % CUTS.len()]];
            cuts.extend(moment.iter().flat_map(|moment| left.map(|left| (**moment, left))));
        }
    }
    for database in ["vault.db", "keystore.db"] {
        for moment in medium.before_flushes_of(medium.file(database)) {
            cuts.extend([Left::Nothing, Left::EverySecond, Left::Halves].map(|left| (moment, left)));
        }
    }
    // The next round goes on from the last one, which is another each time.
    cuts.extend((0..CUTS.len()).map(|at| (medium.moment(), CUTS[(at + round) % CUTS.len()])));
    cuts
}

/// What is left is whole, goes on, and holds all that was acknowledged.
async fn is_whole(loaded: &Loaded, acknowledged: impl Iterator<Item = &Acknowledged>) {
    let Loaded { world, reveal } = loaded;
    are_there(world, acknowledged);
    fence_is_not_ahead(world);
    assert_eq!(world.fsck().await, []);
    tokio::task::block_in_place(|| {
        let server = Server::start(world.dir.path());
        let (status, shown) = server.post(world, "handler-c1", &reveal.0, &reveal.1);
        assert_eq!(status, 200, "{shown}");
        assert_eq!(
            shown["fields"]["callback_number"],
            Value::from("+8613900001111"),
            "{shown}"
        );
    });
}

fn fence_is_not_ahead(world: &World) {
    let fence: u64 = world.keys().rows("fence").first("size");
    let log: u64 = world.data().rows("log_head").first("size");
    assert!(fence <= log, "the fence is at {fence}, the log at {log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_power_cut_loses_no_acknowledged_write() {
    let loaded = Loaded::new().await;
    let directory = loaded.world.dir.path();
    let mut acknowledged = Vec::new();
    let (mut checkpoints, mut amid_commits) = (0, 0);
    for number in 0..ROUNDS.len() {
        let Some((told, medium)) = tokio::task::block_in_place(|| round(&loaded, number)) else {
            return;
        };
        checkpoints += medium.before_flushes_of(medium.file("vault.db")).len();
        for (moment, left) in cuts(&medium, number) {
            // Shown where it fails.
            eprintln!("round {number}, moment {moment} of {}, {left:?} left", medium.moment());
            let cut = medium.cut_at(moment);
            amid_commits += usize::from(cut.is_amid_writes_to(medium.file("vault.db-wal")));
            cut.after(left).put_into(directory);
            let told = told.iter().filter(|told| told.by <= moment).map(|told| &told.what);
            is_whole(&loaded, acknowledged.iter().chain(told)).await;
        }
        acknowledged.extend(told.into_iter().map(|told| told.what));
    }
    are_of_both_kinds(&acknowledged);
    assert!(checkpoints > 0, "the power fails in the middle of a checkpoint");
    assert!(amid_commits > 0, "the power fails in the middle of a commit");
}
