//! Through the server that serves the vault.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;

use crate::support::imported::{json_lines, record};
use crate::support::process::Server;
use crate::support::{NAME, NUMBER, World, caller};

#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_a_file_once() {
    let world = World::closed().await;
    let file = json_lines(&[
        record(
            "R1",
            &[
                ("/caller/mobile", "17382288236".into()),
                ("/caller/name", "周凤兰".into()),
            ],
        ),
        record(
            "R2",
            &[
                ("/caller/mobile", "17382288236".into()),
                ("/caller/name", "周凤兰".into()),
            ],
        ),
        record("R3", &[("/category", "13912345678".into())]),
        record("R4", &[("/caller/plate", "京A1234使".into())]),
        record("R5", &[("/narrative", "　".into())]),
        record("R6", &[("/caller/phone", "1".into())]),
    ]);
    let server = Server::start(world.dir.path());
    let arguments = ["--server", "--url", server.base.as_str()];
    let found = world.import_bytes("calls.jsonl", &file, &arguments);
    found.took(3, 0, 3);
    assert!(found.said.contains("(1 repeat callers certain"), "{}", found.said);
    let places: Vec<(u64, String)> = found
        .rejected()
        .into_iter()
        .map(|(line, path, _)| (line, path))
        .collect();
    let expected = [(3, "category"), (5, "narrative"), (6, "caller.phone")];
    assert_eq!(places, expected.map(|(line, path)| (line, path.to_owned())));
    assert_eq!(found.list("left-out")[0]["left_out"][0]["field"], "plate");
    world.import_bytes("calls.jsonl", &file, &arguments).took(0, 3, 3);
    let changed = json_lines(&[record("R1", &[])]);
    let other = world.import_bytes("calls.jsonl", changed, &arguments);
    assert_eq!(other.took(0, 0, 1).rejected()[0].1, "id");
    let refused = world.import_as("handler-c1", "calls.jsonl", &file, &arguments);
    assert_eq!(refused.code, Some(4), "{}", refused.fault);
    assert!(
        refused.fault.contains("line 1: the server answers 403"),
        "{}",
        refused.fault
    );
    drop(server);
    assert_eq!(world.fsck().await, []);
}

const TAKEN: &str = r#"{"ticket":{"no":"NO","state":"accepted"},"caller":{"ref":"REF","matched":"new","on_file":[]}}"#;

/// Answers requests one after the other; returns the idempotency key of each.
fn answering(answers: Vec<String>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        let mut keys = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).unwrap() > 2 {
                let (name, value) = line.split_once(':').unwrap_or_default();
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.trim().parse().unwrap(),
                    "idempotency-key" => keys.push(value.trim().to_owned()),
                    _ => {}
                }
                line.clear();
            }
            reader.read_exact(&mut vec![0; length]).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
        keys
    };
    (base, std::thread::spawn(serve))
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
}

#[tokio::test]
async fn a_record_that_is_held_back_is_sent_again_under_its_key() {
    let world = World::closed().await;
    let app = world.open().await;
    let taken = world.actor(&app, "agent").take(caller(NAME, NUMBER)).await;
    drop(app);
    let body = TAKEN.replace("NO", &taken.no).replace("REF", &taken.reference);
    let (base, server) = answering(vec![
        answer("429 Too Many Requests", "retry-after: 0\r\n", "{}"),
        answer("503 Service Unavailable", "retry-after: 0\r\n", "{}"),
        answer("201 Created", "", &body),
    ]);
    let found = world.import_bytes(
        "calls.jsonl",
        json_lines(&[record("R1", &[])]),
        &["--server", "--url", &base],
    );
    found.took(1, 0, 0);
    let keys = server.join().unwrap();
    assert_eq!(keys.len(), 3);
    assert!(
        keys.iter().all(|key| *key == keys[0] && key.starts_with("import:")),
        "{keys:?}"
    );
}
