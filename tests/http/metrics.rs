//! Metrics as monitoring reads them: of the process, and by the conventions of Prometheus.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

use crate::support::World;
use crate::support::process::{Server, client};
use crate::support::tools::{succeeds, tool};

fn scraped(server: &Server) -> String {
    let mut answer = client().get(format!("{}/metrics", server.metrics)).call().unwrap();
    answer.body_mut().read_to_string().unwrap()
}

/// The samples of the process, by name.
fn of_process(text: &str) -> BTreeMap<&str, f64> {
    let samples = text.lines().filter(|line| line.starts_with("process_"));
    samples
        .map(|line| line.split_once(' ').unwrap())
        .map(|(name, value)| (name, value.parse().unwrap()))
        .collect()
}

const LISTEN: [&str; 4] = ["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_process_costs() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let server = Server::start_with(world.dir.path(), "http", &LISTEN);
        let text = scraped(&server);
        let process = of_process(&text);
        let names: Vec<&str> = process.keys().copied().collect();
        let expected = [
            "process_cpu_seconds_total",
            "process_max_fds",
            "process_open_fds",
            "process_resident_memory_bytes",
            "process_start_time_seconds",
            "process_threads",
            "process_virtual_memory_bytes",
        ];
        // Where memory is bounded, the bound is told, too.
        let names: Vec<&str> = names
            .into_iter()
            .filter(|name| *name != "process_virtual_memory_max_bytes")
            .collect();
        assert_eq!(names, expected);
        // Unlocking alone takes the passphrase's work, and the keys have pages.
        assert!(process["process_cpu_seconds_total"] > 0.0);
        assert!(process["process_resident_memory_bytes"] > 1e6);
        assert!(process["process_open_fds"] >= 5.0 && process["process_open_fds"] < process["process_max_fds"]);
        let now = jiff::Timestamp::now().as_second();
        let started = process["process_start_time_seconds"];
        assert!((started - now as f64).abs() < 3600.0, "{started} {now}");
        let again = scraped(&server);
        let again = of_process(&again)["process_cpu_seconds_total"];
        assert!(again >= process["process_cpu_seconds_total"], "a counter");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn others_read_them_and_their_names_follow_the_conventions() {
    let Some(mut reader) = tool("bin/python") else { return };
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let server = Server::start_with(world.dir.path(), "http", &LISTEN);
        let livez = client().get(format!("{}/livez", server.base)).call().unwrap();
        assert_eq!(livez.status(), 200);
        let mut reader = reader
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/metrics.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = reader.stdin.take().unwrap();
        input.write_all(scraped(&server).as_bytes()).unwrap();
        drop(input);
        let output = reader.wait_with_output().unwrap();
        succeeds("the metrics", &output);
        let read = String::from_utf8(output.stdout).unwrap();
        for name in [
            "callervault_http_request_seconds",
            "process_cpu_seconds",
            "callervault_build",
        ] {
            assert!(read.lines().any(|line| line == name), "{name}: {read}");
        }
    });
}

#[tokio::test]
async fn entries_and_commits_are_counted() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    let handler = world.actor(&app, "handler-c1");
    let counted = || {
        let vault = app.vault().unwrap();
        let stats = vault.log_stats();
        (stats.entries(), stats.commits())
    };
    let (entries, commits) = counted();
    for _ in 0..3 {
        handler.reveal(&case).clear().await.is(200);
    }
    assert_eq!(counted(), (entries + 3, commits + 3), "one after the other");
}
