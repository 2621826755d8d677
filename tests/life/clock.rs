//! A clock that was set back: the program log says so at the start, and `fsck` names the entries where times go back.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

use callervault::clock::Fixed;
use callervault::vault::life::fsck::{self, Report};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::process::{passphrase_file, run};
use crate::support::{World, passphrase};

/// What the program log says from the start until the server listens.
fn start(world: &World) -> Vec<Value> {
    let mut process = Command::new(env!("CARGO_BIN_EXE_callervault"))
        .args(["serve", "--listen", "127.0.0.1:0", "--dir"])
        .arg(world.dir.path())
        .arg("--passphrase-file")
        .arg(passphrase_file(world.dir.path()))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    for line in BufReader::new(process.stderr.take().unwrap()).lines() {
        let line: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
        let listens = line.pointer("/fields/address").is_some();
        said.push(line);
        if listens {
            break;
        }
    }
    process.kill().unwrap();
    process.wait().unwrap();
    said
}

fn warnings(said: &[Value]) -> Vec<&Value> {
    let behind = |line: &&Value| {
        let message = line
            .pointer("/fields/message")
            .and_then(Value::as_str)
            .unwrap_or_default();
        message.contains("the clock stands behind the newest entry")
    };
    said.iter().filter(behind).collect()
}

async fn report(world: &World) -> Report {
    fsck::check(&world.places, &passphrase(), &|_| {}).await.unwrap()
}

#[tokio::test]
async fn a_clock_behind_the_newest_entry_is_a_warning() {
    let world = World::closed().await;
    let said = start(&world);
    assert!(
        said.len() > 1 && warnings(&said).is_empty(),
        "a clock that is right: {said:?}"
    );

    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let app = world.open_at(Arc::new(Fixed::at(tomorrow))).await;
    world.actor(&app, "auditor").get("/v1/audit/keys").await.is(200);
    drop(app);
    let said = start(&world);
    let warned = warnings(&said);
    assert_eq!(warned.len(), 1, "{said:?}");
    assert_eq!(warned[0]["level"], "WARN");
    let newest = warned[0].pointer("/fields/newest").and_then(Value::as_str);
    assert_eq!(newest, Some(format!("{tomorrow:.3}").as_str()));
    assert!(
        warned[0].to_string().contains("callervault fsck"),
        "what to do: {}",
        warned[0]
    );
}

#[tokio::test]
async fn the_entries_where_times_go_back_are_named() {
    let world = World::closed().await;
    let begin = Timestamp::now() + SignedDuration::from_hours(1);
    let clock = Arc::new(Fixed::at(begin));
    let app = world.open_at(clock.clone()).await;
    let mut entries = Vec::new();
    // Requests that overtake each other are no news; below that, the clock went back, and goes on from there.
    for second in [0, 100, 41, 39, 30, 0, 100, 99] {
        clock.set(begin + SignedDuration::from_secs(second));
        let answer = world.actor(&app, "auditor").get("/v1/approvals").await;
        entries.push((second, answer.index()));
    }
    drop(app);
    let told = report(&world).await;
    assert_eq!(told.findings, [], "no finding");
    let time = |second| format!("{:.3}", begin + SignedDuration::from_secs(second));
    let named: Vec<(u64, &str, &str)> = told
        .times_back
        .iter()
        .map(|back| (back.entry, back.time.as_str(), back.after.as_str()))
        .collect();
    assert_eq!(named, [(entries[3].1, time(39).as_str(), time(100).as_str())]);

    let directory = world.dir.path().to_str().unwrap();
    let passphrase = passphrase_file(world.dir.path());
    let arguments = [
        "fsck",
        "--dir",
        directory,
        "--passphrase-file",
        passphrase.to_str().unwrap(),
    ];
    let checked = run(&arguments);
    assert_eq!(
        checked.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let words = String::from_utf8(checked.stdout).unwrap();
    assert!(
        words.contains(&format!("log entry {}: its time", entries[3].1)),
        "{words}"
    );
}
