//! Many records under way at once, and a run that is told to stop.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::World;
use crate::support::imported::{Imported, json_lines, record};

/// Each states the same new person; without an order among them, most would find nobody.
#[tokio::test]
async fn records_of_one_person_make_one_caller() {
    let world = World::closed().await;
    let of = |id: usize, number: &str, name: &str| {
        record(
            &format!("R{id}"),
            &[("/caller/mobile", number.into()), ("/caller/name", name.into())],
        )
    };
    let mut records: Vec<_> = (0..80).map(|id| of(id, "17382288236", "周凤兰")).collect();
    records.extend((80..160).map(|id| of(id, &format!("1738228{id:04}"), "周凤兰")));
    let found = world.import_bytes("calls.jsonl", json_lines(&records), &[]);
    found.took(160, 0, 0);
    assert!(
        found.said.contains("(79 repeat callers certain, 0 tentative)"),
        "{}",
        found.said
    );
    assert_eq!(world.fsck().await, []);
}

#[tokio::test]
async fn lists_are_in_the_order_of_lines() {
    let world = World::closed().await;
    let records: Vec<_> = (0..300)
        .map(|id| {
            record(
                &format!("R{id}"),
                &[("/category", if id % 3 == 0 { "nonsense" } else { "noise" }.into())],
            )
        })
        .collect();
    let found = world.import_bytes("calls.jsonl", json_lines(&records), &[]);
    found.took(200, 0, 100);
    let lines: Vec<u64> = found.rejected().into_iter().map(|(line, ..)| line).collect();
    let expected: Vec<u64> = (0..300).filter(|id| id % 3 == 0).map(|id| id + 1).collect();
    assert_eq!(lines, expected);
}

/// The bound on what is read ahead: a pipe of this many records is not empty before most of them are under way.
const RECORDS: usize = 3_000;

#[tokio::test]
async fn a_run_that_is_told_to_stop_sums_up_and_can_be_run_again() {
    let world = World::closed().await;
    let records: Vec<_> = (0..RECORDS).map(|id| record(&format!("R{id}"), &[])).collect();
    let lines = json_lines(&records);
    let mut process = world
        .importing("agent", &["--lists", world.dir.path().to_str().unwrap(), "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = process.stdin.take().unwrap();
    pipe.write_all(lines.as_bytes()).unwrap();
    // The pipe stays open: only the signal ends the run.
    let interrupted = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .unwrap();
    assert!(interrupted.success());
    let stopped = Imported::of(process.wait_with_output().unwrap(), "stdin".into());
    drop(pipe);
    assert_eq!(stopped.code, Some(3), "{}", stopped.fault);
    assert!(
        stopped.fault.contains("stopped by a signal\n  run it again"),
        "{}",
        stopped.fault
    );
    let summary = stopped.said.strip_prefix("standard input: ").unwrap();
    let taken: u64 = summary.split(' ').next().unwrap().parse().unwrap();
    assert!(taken > 0 && taken <= RECORDS as u64, "{summary}");
    let again = world.import_bytes("calls.jsonl", lines, &[]);
    again.took(RECORDS as u64 - taken, taken, 0);
    assert_eq!(world.fsck().await, []);
}
