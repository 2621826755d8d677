//! Copies of both stores are of one moment, whatever happens meanwhile: calls, new versions of keys, rewraps, erasures.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::runtime::Handle;

use crate::keys::rewrap::person;
use crate::keys::rotation::rotated;
use crate::support::approvals::erase;
use crate::support::backups::{Desk, ends, text, verified};
use crate::support::copies::words;
use crate::support::{World, caller};

/// Pairs that are made.
const PAIRS: usize = 5;
const WRITERS: u64 = 4;
/// Callers who are erased while pairs are made.
const ERASED: u64 = 6;

/// Takes calls of new people until it is told to stop.
async fn takes_calls(desk: &Desk, next: &AtomicU64, stop: &AtomicBool) {
    while !stop.load(Ordering::SeqCst) {
        let (name, number) = person(next.fetch_add(1, Ordering::SeqCst));
        let agent = desk.world().actor(&desk.served.app, "agent");
        agent.intake(caller(&name, &number)).await.is(201);
    }
}

/// Gives one key after the other a new version, and has what older ones made moved to it. How many there were.
async fn changes_keys(desk: &Desk, stop: &AtomicBool) -> usize {
    let mut count = 0;
    for role in ["kek", "row", "index", "reference", "log"].into_iter().cycle() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        rotated(desk.world(), &desk.served.app, role).await.is(200);
        let system = desk.world().actor(&desk.served.app, "system-admin");
        system.rewrap(&json!({})).await.is(200);
        count += 1;
    }
    count
}

/// Erases one caller after the other. While the keys are copied the last bytes of it wait, and somebody who rotates a key may be faster.
async fn erases(desk: &Desk, references: &[String]) {
    let [dpo, auditor] = desk.world().actors(&desk.served.app, ["dpo", "auditor"]);
    for reference in references {
        loop {
            let done = dpo.with(auditor, &erase(reference)).await;
            if done.status == 200 || done.problem() == "erasure-unfinished" {
                break;
            }
            assert_eq!(done.status / 100, 4, "{}", done.text);
        }
    }
}

/// Both stores in files of their own. An erasure lets every copy go that has not been fetched: then it is made anew.
async fn pair(desk: &Desk, number: usize) -> [PathBuf; 2] {
    let files = ["data", "keys"].map(|part| desk.file(&format!("{part}-{number}")));
    let backup = ["backup", "--data", text(&files[0]), "--keys", text(&files[1])];
    loop {
        let output = desk.run_with_two(&backup).await;
        if output.status.code() == Some(0) {
            return files;
        }
        assert!(words(&output).contains("no such backup"), "{}", words(&output));
    }
}

/// Callers who can be erased, as the officer calls them.
async fn closed(desk: &Desk) -> Vec<String> {
    let (world, app): (&World, _) = (desk.world(), &desk.served.app);
    let mut references = Vec::new();
    for at in 0..ERASED {
        let (name, number) = person(9_000_000 + at);
        let case = world.case_of(app, "C1", caller(&name, &number)).await;
        references.push(world.closed_case(app, &case).await.1);
    }
    references
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_pair_opens_as_it_is_whatever_happened_while_it_was_made() {
    let (world, app) = World::unlimited().await;
    drop(app);
    let desk = Desk::of(world).await;
    let doomed = closed(&desk).await;
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let here = Handle::current();
    let (pairs, changed) = std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| here.block_on(takes_calls(&desk, &next, &stop)));
        }
        let changing = scope.spawn(|| here.block_on(changes_keys(&desk, &stop)));
        let erasing = scope.spawn(|| here.block_on(erases(&desk, &doomed)));
        let made = async {
            let mut pairs = Vec::new();
            for number in 0..PAIRS {
                pairs.push(pair(&desk, number).await);
            }
            pairs
        };
        let pairs = tokio::task::block_in_place(|| here.block_on(made));
        erasing.join().unwrap();
        stop.store(true, Ordering::SeqCst);
        (pairs, changing.join().unwrap())
    });
    assert!(
        changed > 1 && next.load(Ordering::SeqCst) > WRITERS,
        "{changed} {next:?}"
    );
    let keys = desk
        .world()
        .actor(&desk.served.app, "auditor")
        .get("/v1/audit/keys")
        .await
        .text;
    let keys: Vec<&str> = keys.lines().flat_map(|key| ["--key", key]).collect();
    desk.lock().await;
    let mut sizes = Vec::new();
    for (number, files) in pairs.iter().enumerate() {
        let told = files.each_ref().map(|file| verified(file, keys[1], &keys[2..]));
        for part in ["size", "root", "keys", "entry"] {
            assert_eq!(told[0][part], told[1][part], "{part}");
        }
        sizes.push(told[0]["size"].as_u64().unwrap());
        let output = desk.restore(&format!("place-{number}"), &[&files[0], &files[1]], &["--json"]);
        ends(&output, 0, "\"behind\":null");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["report"]["findings"], json!([]), "pair {number}");
    }
    assert!(sizes.is_sorted_by(|one, next| one < next), "{sizes:?}");
}
