//! Several clients at once on a real server: what each was told is done, and whether it is there afterwards.

use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::Value;

use crate::support::process::{self, Server};
use crate::support::{World, caller, intake};

const CLIENTS: u64 = 4;

/// Something a client was told is done: entry and leaf hash, and the ticket where one was made.
pub(crate) struct Acknowledged {
    pub(crate) ticket: Option<String>,
    index: u64,
    leaf_hash: String,
}

/// A world to be served, with a ticket to read for.
pub(crate) struct Loaded {
    pub(crate) world: World,
    /// Address and body of the reveal.
    pub(crate) reveal: (String, Value),
}

impl Loaded {
    pub(crate) async fn new() -> Self {
        let (world, app) = World::unlimited().await;
        let case = world.case(&app, "C1").await;
        drop(app);
        let reveal = case.reveal("clear");
        Self { world, reveal }
    }

    /// Half of the clients take calls and half reveal, until so many answers have come; then kills the server in the middle
    /// of it. `each` is given each answer after a client had it. Each round of one world has a number of its own.
    pub(crate) fn until_killed(
        &self,
        mut server: Server,
        round: u64,
        enough: usize,
        mut each: impl FnMut(Acknowledged),
    ) {
        let (told, answers): (Sender<Acknowledged>, Receiver<Acknowledged>) = channel();
        std::thread::scope(|scope| {
            for number in 0..CLIENTS {
                let (told, base) = (told.clone(), server.base.clone());
                scope.spawn(move || self.client(&base, round * CLIENTS + number, &told));
            }
            drop(told);
            for (before, done) in answers.iter().enumerate() {
                each(done);
                if before + 1 == enough {
                    server.process.kill().unwrap();
                }
            }
        });
        server.process.wait().unwrap();
    }

    fn client(&self, base: &str, number: u64, told: &Sender<Acknowledged>) {
        if number.is_multiple_of(2) {
            let called = |call: u64| intake(caller("王小明", &format!("199{:08}", number * 10_000 + call)));
            let calls = (0..).map(called);
            post(base, self.world.token("agent"), "/v1/intake", calls, told);
        } else {
            let bodies = std::iter::repeat_with(|| self.reveal.1.clone());
            post(base, self.world.token("handler-c1"), &self.reveal.0, bodies, told);
        }
    }
}

/// Posts until the server is gone.
fn post(base: &str, token: &str, path: &str, bodies: impl Iterator<Item = Value>, told: &Sender<Acknowledged>) {
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

/// Every leaf that was told of stands where it was told, as it was told, and every ticket is there.
pub(crate) fn are_there<'a>(world: &World, acknowledged: impl IntoIterator<Item = &'a Acknowledged>) {
    let data = world.data();
    for done in acknowledged {
        let index = i64::try_from(done.index).unwrap();
        let hashes: Vec<Vec<u8>> = data.rows("log_entry").of("idx", index).column("leaf_hash");
        let hashes: Vec<String> = hashes.iter().map(|hash| data_encoding::BASE64.encode(hash)).collect();
        assert_eq!(hashes, [&*done.leaf_hash], "an acknowledged leaf");
        if let Some(no) = &done.ticket {
            assert_eq!(data.rows("ticket").of("no", &**no).count(), 1, "an acknowledged ticket");
        }
    }
}

/// There are both: calls that were taken, and reads.
pub(crate) fn are_of_both_kinds(acknowledged: &[Acknowledged]) {
    for took_a_call in [true, false] {
        assert!(acknowledged.iter().any(|done| done.ticket.is_some() == took_a_call));
    }
}
