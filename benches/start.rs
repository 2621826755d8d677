//! Starting a vault with 10,000 and with a million callers, as a ratio measured in one run. `cargo bench --bench start`; another
//! number of callers for the large one after `--`.
//!
//! One vault grows, and a copy of it does not. Its callers are made as intake makes them: each with a record key, two sealed fields, entries of blind
//! indexes, a reference, and an entry of the log in the same transaction, through the log's own thread. `fsck` finds nothing in
//! the small one. A million callers take some 3 GB of disk meanwhile.
//!
//! A start is what `serve` does before it listens: it opens both stores, unlocks the keys, proves the log, writes that it was
//! unlocked, and asks whether a field may be shown. Nothing of the files is in the system's memory before it. What the passphrase
//! takes is the same for both and is measured beside it.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[expect(dead_code, reason = "of the staff only the agent works here")]
mod scene;

#[path = "scene/callers.rs"]
mod callers;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use callervault::clock::System;
use callervault::vault::Vault;
use callervault::vault::life::fsck;
use callervault::vault::life::open::{Places, Running};

use self::callers::{grow, parts};
use self::scene::{passphrase, scene};

const SMALL: u64 = 10_000;
const LARGE: u64 = 1_000_000;
const ROUNDS: usize = 11;

/// Forgets what the operating system has in memory of the vault's files.
fn forget(places: &Places) {
    for path in [&places.data, &places.keys, &places.log_index()] {
        let file = File::open(path).unwrap();
        file.sync_all().unwrap();
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    }
}

/// Seconds of starts, and of what the passphrase takes of them.
#[derive(Default)]
struct Started {
    whole: Vec<f64>,
    passphrase: Vec<f64>,
}

impl Started {
    async fn once(&mut self, places: &Places) {
        let begun = Instant::now();
        drop(parts(places).await);
        self.passphrase.push(begun.elapsed().as_secs_f64());
        forget(places);
        let begun = Instant::now();
        let running = Running::default();
        let vault = Vault::open_with(places, &passphrase(), Arc::new(System), "bench", running).await;
        let vault = vault.unwrap();
        vault.note_unlock("serve").await.unwrap();
        assert!(vault.shows_nothing().unwrap().is_none());
        self.whole.push(begun.elapsed().as_secs_f64());
    }

    /// Medians: of the whole, and of what is not the passphrase's.
    fn told(self, callers: u64) -> (f64, f64) {
        let (whole, passphrase) = (median(self.whole), median(self.passphrase));
        println!("start with {callers} callers: {whole:.3} s, of which the passphrase takes {passphrase:.3} s");
        (whole, whole - passphrase)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Copies a vault that nobody has open.
fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            std::fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

async fn run(callers: u64) {
    let scene = scene().await;
    grow(&scene, 0, SMALL).await;
    let kept = tempfile::tempdir().unwrap();
    copy(scene.dir.path(), kept.path());
    let small = Places::below(kept.path());
    let checked = fsck::check(&small, &passphrase(), &|_| {}).await.unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings.first());
    grow(&scene, SMALL, callers).await;
    let large = Places::below(scene.dir.path());
    // In turn: what else the machine does falls on both.
    let (mut of_small, mut of_large) = (Started::default(), Started::default());
    for _ in 0..ROUNDS {
        of_small.once(&small).await;
        of_large.once(&large).await;
    }
    let (small, small_rest) = of_small.told(SMALL);
    let (large, large_rest) = of_large.told(callers);
    println!("ratio of the whole start: {:.2}", large / small);
    println!("ratio without the passphrase: {:.2}", large_rest / small_rest);
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        let large = std::env::args().find_map(|argument| argument.parse().ok());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(run(large.unwrap_or(LARGE)));
    }
}
