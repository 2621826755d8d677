//! Many records under way at once, and a run that is told to stop.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

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

fn kill(signal: &str, process: &Child) {
    let sent = Command::new("kill").args([signal, &process.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn a_run_that_is_told_to_stop_sums_up_and_can_be_run_again() {
    stops_and_can_be_run_again("-INT").await;
}

/// The terminal was closed.
#[tokio::test]
async fn a_hangup_stops_a_run_as_ctrl_c_does() {
    stops_and_can_be_run_again("-HUP").await;
}

async fn stops_and_can_be_run_again(signal: &str) {
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
    kill(signal, &process);
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

/// A server that takes one connection, reads the head of a request, and hands it on.
fn asked(listener: &TcpListener) -> std::net::TcpStream {
    let (stream, _) = listener.accept().unwrap();
    let mut head = BufReader::new(stream.try_clone().unwrap());
    let mut line = String::new();
    while head.read_line(&mut line).unwrap() > 2 {
        line.clear();
    }
    stream
}

/// Two files of one record each, on their way to this server.
fn two_files(world: &World, base: &str) -> Child {
    let files = ["a.jsonl", "b.jsonl"].map(|name| world.dir.path().join(name));
    for (file, id) in files.iter().zip(["R1", "R2"]) {
        let unknown = record(id, &[("/remark", "x".into())]);
        std::fs::write(file, json_lines(&[unknown])).unwrap();
    }
    let mut command = world.importing("agent", &["--server", "--url", base, "--unknown", "list"]);
    command.args(files).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// The file has been read to its end, and its only record waits for the server.
#[tokio::test]
async fn a_run_that_waits_for_a_server_can_be_stopped() {
    let world = World::closed().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let process = two_files(&world, &format!("http://{}", listener.local_addr().unwrap()));
    let held_back =
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 86400\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    asked(&listener).write_all(held_back.as_bytes()).unwrap();
    kill("-INT", &process);
    let stopped = Imported::of(process.wait_with_output().unwrap(), "a.jsonl".into());
    assert_eq!(stopped.code, Some(3), "{}", stopped.fault);
    assert!(stopped.said.contains("0 lines = 0 taken"), "{}", stopped.said);
    assert!(
        stopped.said.contains("not taken: remark, in 1 records"),
        "{}",
        stopped.said
    );
    assert!(!stopped.said.contains("b.jsonl"), "{}", stopped.said);
}

#[tokio::test]
async fn no_file_begins_after_a_stop_and_a_second_signal_waits_for_nothing() {
    let world = World::closed().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut process = two_files(&world, &format!("http://{}", listener.local_addr().unwrap()));
    // It is never answered.
    let _held = asked(&listener);
    kill("-INT", &process);
    let mut words = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("a second signal stops at once") {
        line.clear();
        assert!(words.read_line(&mut line).unwrap() > 0);
    }
    kill("-TERM", &process);
    let output = process.wait_with_output().unwrap();
    let mut rest = String::new();
    words.read_to_string(&mut rest).unwrap();
    assert_eq!(output.status.code(), Some(3), "{rest}");
    assert!(rest.contains("stopped by a signal"), "{rest}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("a.jsonl: 0 lines") && !said.contains("b.jsonl"), "{said}");
}

/// A run that is run again writes its lists anew.
#[tokio::test]
async fn what_a_known_record_was_taken_without_is_listed_again() {
    let world = World::closed().await;
    let plate = |id: &str| record(id, &[("/caller/plate", "京A1234使".into())]);
    let first = world.import_bytes("calls.jsonl", json_lines(&[plate("R1")]), &[]);
    first.took(1, 0, 0);
    let told = first.list("left-out");
    let again = world.import_bytes("calls.jsonl", json_lines(&[plate("R1"), plate("R2")]), &[]);
    again.took(1, 1, 0);
    let lists = again.list("left-out");
    assert_eq!(lists.len(), 2);
    assert_eq!(lists[0], told[0]);
}

#[tokio::test]
async fn lists_are_of_this_run_and_of_one_file() {
    let world = World::closed().await;
    let at = |name: &str| world.dir.path().join(name);
    let bad = record(
        "R1",
        &[("/category", "nonsense".into()), ("/caller/plate", "京A1234使".into())],
    );
    world.import_bytes("calls.jsonl", json_lines(&[bad]), &[]).took(0, 0, 1);
    assert!(at("calls.jsonl.rejected.jsonl").exists());
    world
        .import_bytes("calls.jsonl", json_lines(&[record("R1", &[])]), &[])
        .took(1, 0, 0);
    assert!(!at("calls.jsonl.rejected.jsonl").exists(), "of an earlier run");
    // A list is no file of calls.
    std::fs::write(at("calls.jsonl.left-out.jsonl"), "{}\n").unwrap();
    let files = [at("calls.jsonl.left-out.jsonl"), at("calls.jsonl")];
    let output = world.importing("agent", &[]).args(files).output();
    let skipped = Imported::of(output.unwrap(), at("calls.jsonl"));
    assert_eq!(skipped.code, Some(0), "{}", skipped.fault);
    assert!(skipped.fault.contains("skipped"), "{}", skipped.fault);
    // Two files of one name in two directories.
    std::fs::create_dir(at("more")).unwrap();
    std::fs::write(at("more/calls.jsonl"), json_lines(&[record("R2", &[])])).unwrap();
    let lists = ["--lists", world.dir.path().to_str().unwrap()];
    let output = world
        .importing("agent", &lists)
        .args([at("calls.jsonl"), at("more/calls.jsonl")])
        .output();
    let refused = Imported::of(output.unwrap(), at("calls.jsonl"));
    assert_eq!(
        (refused.code, refused.said.as_str()),
        (Some(2), ""),
        "{}",
        refused.fault
    );
    assert!(refused.fault.contains("lists of the same name"), "{}", refused.fault);
}
