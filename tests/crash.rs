//! `kill -9` under load, a real process, round after round: what was acknowledged is there.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::process::{self, Server};
use crate::support::{World, caller, intake};

const ROUNDS: u64 = 50;
const CLIENTS: u64 = 4;

/// Something a client was told is done: entry and leaf hash, and the ticket where one was made.
struct Acknowledged {
    ticket: Option<String>,
    index: u64,
    leaf_hash: String,
}

/// Posts until the server is gone.
fn client(base: &str, token: &str, path: &str, bodies: impl Iterator<Item = Value>, told: &Sender<Acknowledged>) {
    let agent = process::client();
    for body in bodies {
        let request = agent
            .post(format!("{base}{path}"))
            .header("authorization", format!("Bearer {token}"));
        let Ok(mut answer) = request.send_json(&body) else {
            return;
        };
        let status = answer.status().as_u16();
        let Ok(answer) = answer.body_mut().read_json::<Value>() else {
            return;
        };
        if process::not_taken(status, &answer) {
            continue;
        }
        assert!(status < 300, "{answer}");
        let text = |at: &str| answer.pointer(at).and_then(Value::as_str).map(str::to_owned);
        let index = answer.pointer("/audit/index").and_then(Value::as_u64).unwrap();
        let done = Acknowledged {
            ticket: text("/ticket/no"),
            index,
            leaf_hash: text("/audit/leaf_hash").unwrap(),
        };
        if told.send(done).is_err() {
            return;
        }
    }
}

/// Runs clients until so many answers have come, then kills the server in the middle of it.
fn round(world: &World, reveal: &(String, Value), round: u64) -> Vec<Acknowledged> {
    let mut server = Server::start(world.dir.path());
    let (told, answers): (Sender<Acknowledged>, Receiver<Acknowledged>) = channel();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let enough = 5 + round * 7 % 40;
    std::thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (told, base) = (told.clone(), server.base.clone());
            scope.spawn(move || {
                if number % 2 == 0 {
                    let call = |call: u64| {
                        intake(caller(
                            "王小明",
                            &format!("199{:08}", (round * CLIENTS + number) * 10_000 + call),
                        ))
                    };
                    client(&base, world.token("agent"), "/v1/intake", (0..).map(call), &told);
                } else {
                    let bodies = std::iter::repeat_with(|| reveal.1.clone());
                    client(&base, world.token("handler-c1"), &reveal.0, bodies, &told);
                }
            });
        }
        drop(told);
        for done in answers.iter() {
            let mut seen = seen.lock().unwrap();
            seen.push(done);
            if seen.len() as u64 == enough {
                server.process.kill().unwrap();
            }
        }
    });
    server.process.wait().unwrap();
    Arc::into_inner(seen).unwrap().into_inner().unwrap()
}

fn is_there(data: &PathBuf, acknowledged: &[Acknowledged]) {
    let database = Connection::open(data).unwrap();
    for done in acknowledged {
        let sql = "SELECT leaf_hash FROM log_entry WHERE idx = ?1";
        let hash: Vec<u8> = database
            .query_row(sql, [i64::try_from(done.index).unwrap()], |row| row.get(0))
            .expect("an acknowledged leaf");
        assert_eq!(data_encoding::BASE64.encode(&hash), done.leaf_hash);
        if let Some(no) = &done.ticket {
            let held = database
                .prepare("SELECT 1 FROM ticket WHERE no = ?1")
                .unwrap()
                .exists([no])
                .unwrap();
            assert!(held, "an acknowledged ticket");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_nine_loses_no_acknowledged_write() {
    let (world, app) = World::unlimited().await;
    let (no, reference) = world.ticket_at(&app, "C1", caller("王小明", "13900001111")).await;
    drop(app);
    let body = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
    let reveal = (format!("/v1/callers/{reference}/reveal"), body);
    let mut acknowledged = Vec::new();
    for number in 0..ROUNDS {
        acknowledged.extend(tokio::task::block_in_place(|| round(&world, &reveal, number)));
        is_there(&world.places.data, &acknowledged);
    }
    assert!(
        acknowledged.iter().any(|done| done.ticket.is_some()) && acknowledged.iter().any(|done| done.ticket.is_none())
    );
    assert_eq!(world.fsck().await, []);
}
