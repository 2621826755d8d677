//! A real process, killed with SIGKILL under load: what it acknowledged is still there.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use rusqlite::{Connection, OpenFlags, params};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

/// Longest wait for something that has to happen.
const PATIENCE: Duration = Duration::from_secs(120);
const NUMBER: &str = "19899990000";
const CLIENTS: u32 = 4;
const ROUNDS: u32 = 50;
const ROUNDS_A_CHECK: u32 = 5;

/// A demo vault on disk that no process serves, and its staff's tokens.
pub(crate) struct DemoVault {
    pub(crate) dir: PathBuf,
    tokens: BTreeMap<String, String>,
    _home: TempDir,
}

impl DemoVault {
    pub(crate) fn make() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().join("vault");
        let mut demo = Command::new(env!("CARGO_BIN_EXE_callervault"))
            .args(["demo", "--listen", "127.0.0.1:0", "--dir"])
            .arg(&dir)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map(Process)
            .unwrap();
        let credentials = until("the demo to write its credentials", || {
            assert!(
                demo.0.try_wait().unwrap().is_none(),
                "the demo ended before it was asked to"
            );
            let text = std::fs::read_to_string(dir.join("credentials.json")).ok()?;
            serde_json::from_str::<Value>(&text).ok()
        });
        kill_process(Pid::from_child(&demo.0), Signal::TERM).unwrap();
        assert!(demo.0.wait().unwrap().success(), "the demo stops cleanly");
        let tokens = credentials["principals"].as_array().unwrap().iter();
        let tokens = tokens
            .map(|one| (string(one, "/name"), string(one, "/token")))
            .collect();
        Self {
            dir,
            tokens,
            _home: home,
        }
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
        command.arg(verb).arg("--dir").arg(&self.dir);
        command.arg("--passphrase-file").arg(self.dir.join("passphrase"));
        command.stdin(Stdio::null());
        command
    }

    pub(crate) fn serve(&self) -> Server<'_> {
        let mut command = self.command("serve");
        command.args(["--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let child = Process(child);
        let (address, bound) = mpsc::channel();
        // Reads to the end, so that the process never waits for somebody to read what it says.
        let said = std::thread::spawn(move || {
            let mut said = String::new();
            for line in lines.map_while(Result::ok) {
                let entry: Value = serde_json::from_str(&line).unwrap_or_default();
                if entry.pointer("/fields/message") == Some(&json!("serving")) {
                    // Nobody waits for a second address.
                    let _ = address.send(string(&entry, "/fields/address"));
                }
                said.push_str(&line);
                said.push('\n');
            }
            said
        });
        let Ok(address) = bound.recv_timeout(PATIENCE) else {
            drop(child);
            panic!("serve did not start:\n{}", said.join().unwrap());
        };
        Server {
            vault: self,
            base: format!("http://{address}"),
            child,
        }
    }

    /// Every row, leaf and key.
    fn fsck(&self) {
        let output = self.command("fsck").output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A serving process. Dropped, it is killed.
pub(crate) struct Server<'v> {
    vault: &'v DemoVault,
    base: String,
    child: Process,
}

/// An HTTP answer that arrived whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Server<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// `None` if the connection broke before the whole answer was there.
    fn call(&self, agent: &Agent, who: &str, path: &str, key: Option<&str>, body: Option<&Value>) -> Option<Answer> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.vault.tokens[who]));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = match body {
            None => agent.run(request.body(()).unwrap()),
            Some(body) => agent.run(
                request
                    .header("content-type", "application/json")
                    .body(body.to_string())
                    .unwrap(),
            ),
        };
        let mut answer = answer.ok()?;
        let text = answer.body_mut().read_to_string().ok()?;
        Some(Answer {
            status: answer.status().as_u16(),
            body: serde_json::from_str(&text).unwrap_or_default(),
        })
    }

    pub(crate) fn get(&self, who: &str, path: &str) -> Answer {
        self.call(&agent(), who, path, None, None).unwrap()
    }

    pub(crate) fn post(&self, who: &str, path: &str, body: &Value) -> Answer {
        self.call(&agent(), who, path, None, Some(body)).unwrap()
    }

    /// A new ticket that C1 holds.
    pub(crate) fn ticket_at_c1(&self, number: &str) -> Held {
        let taken = self.post("agent", "/v1/intake", &call_from(number));
        assert_eq!(taken.status, 201, "{}", taken.body);
        let no = string(&taken.body, "/ticket/no");
        let dispatch = json!({"department": "C1", "reason": "请核查"});
        let sent = self.post("dispatcher", &format!("/v1/tickets/{no}/dispatch"), &dispatch);
        assert_eq!(sent.status, 200, "{}", sent.body);
        let seen = self.get("handler-c1", &format!("/v1/tickets/{no}"));
        let reference = string(&seen.body, "/caller/ref");
        Held {
            path: format!("/v1/callers/{reference}/reveal"),
            ask: json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"}),
        }
    }
}

/// What the handler of C1 asks to read a caller's number.
pub(crate) struct Held {
    pub(crate) path: String,
    pub(crate) ask: Value,
}

fn agent() -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE));
    config.build().new_agent()
}

pub(crate) fn call_from(number: &str) -> Value {
    json!({
        "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": {"name": "王小明", "caller_number": number, "callback_number": number},
        "ticket": {"kind": "complaint", "category": "noise", "township": "110108", "text": "夜间施工扰民。"},
    })
}

fn string(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {pointer} in {value}")).to_owned()
}

fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(done) = done() {
            return done;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a client was told.
struct Acknowledged {
    /// Of an intake; a reveal has none.
    ticket: Option<String>,
    index: u64,
    leaf_hash: Vec<u8>,
}

impl Acknowledged {
    fn new(answer: &Answer, ticket: Option<String>) -> Self {
        let hash = string(&answer.body, "/audit/leaf_hash");
        Self {
            ticket,
            index: answer.body["audit"]["index"].as_u64().unwrap(),
            leaf_hash: BASE64.decode(hash.as_bytes()).unwrap(),
        }
    }
}

/// One of those who call. It remembers the intake that got no answer and sends it again after the restart.
struct Client {
    number: u32,
    taken: u32,
    unanswered: bool,
}

impl Client {
    /// Intakes and reveals in turn, until the process is gone.
    fn run(&mut self, server: &Server<'_>, held: &Held, told: &mpsc::Sender<Acknowledged>) {
        let agent = agent();
        loop {
            let key = format!("client-{}-call-{}", self.number, self.taken);
            let body = call_from(&format!("199{}{:07}", self.number, self.taken));
            self.unanswered = true;
            let Some(answer) = server.call(&agent, "agent", "/v1/intake", Some(&key), Some(&body)) else {
                return;
            };
            // The log's deadline passed: nothing was promised, and the same key asks again.
            if answer.status == 503 {
                continue;
            }
            assert_eq!(answer.status, 201, "{}", answer.body);
            self.unanswered = false;
            self.taken += 1;
            let ticket = string(&answer.body, "/ticket/no");
            // The one who listens goes on to the end.
            told.send(Acknowledged::new(&answer, Some(ticket))).unwrap();

            let Some(answer) = server.call(&agent, "handler-c1", &held.path, None, Some(&held.ask)) else {
                return;
            };
            if answer.status == 503 {
                continue;
            }
            assert_eq!(answer.status, 200, "{}", answer.body);
            assert_eq!(string(&answer.body, "/fields/callback_number"), format!("+86{NUMBER}"));
            told.send(Acknowledged::new(&answer, None)).unwrap();
        }
    }
}

/// `SplitMix64`: the same rounds in every run.
fn mixed(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Serves under load and kills at a point that the round decides.
fn round(round: u32, vault: &DemoVault, held: &Held, clients: &mut [Client], acknowledged: &mut Vec<Acknowledged>) {
    let random = mixed(round.into());
    let answers = 1 + random % 48;
    let turns = (random >> 32) % 64;
    let mut server = vault.serve();
    let (told, hear) = mpsc::channel();
    // The threads hold the server too, so the process is killed by its id.
    let pid = Pid::from_child(&server.child.0);
    let heard = std::thread::scope(|scope| {
        for client in clients {
            let (server, told) = (&server, told.clone());
            scope.spawn(move || client.run(server, held, &told));
        }
        drop(told);
        let mut heard = true;
        for _ in 0..answers {
            let one = hear.recv_timeout(PATIENCE);
            heard &= one.is_ok();
            acknowledged.extend(one);
            if !heard {
                break;
            }
        }
        // Somewhere within what the others are at.
        (0..turns).for_each(|_| std::thread::yield_now());
        kill_process(pid, Signal::KILL).unwrap();
        acknowledged.extend(hear.iter());
        heard
    });
    let ended = server.child.0.wait().unwrap();
    assert_eq!(ended.signal(), Some(9), "it served until it was killed: {ended}");
    assert!(heard, "answers come while it serves");
}

/// What was acknowledged stands in the data store.
fn check(data: &Path, acknowledged: &[Acknowledged]) {
    let store = Connection::open_with_flags(data, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut ticket = store.prepare("SELECT 1 FROM ticket WHERE no = ?").unwrap();
    let mut leaf = store.prepare("SELECT leaf_hash FROM log_entry WHERE idx = ?").unwrap();
    for one in acknowledged {
        if let Some(no) = &one.ticket {
            assert!(ticket.exists(params![no]).unwrap(), "an acknowledged ticket is lost");
        }
        let index = i64::try_from(one.index).unwrap();
        let found: Result<Vec<u8>, _> = leaf.query_row(params![index], |row| row.get(0));
        assert_eq!(found.as_ref(), Ok(&one.leaf_hash), "entry {index}");
    }
}

fn tickets(data: &Path) -> usize {
    let store = Connection::open_with_flags(data, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count: i64 = store
        .query_row("SELECT count(*) FROM ticket", [], |row| row.get(0))
        .unwrap();
    usize::try_from(count).unwrap()
}

#[test]
fn kill_nine_loses_no_acknowledged_write() {
    let rounds = std::env::var("CALLERVAULT_CRASH_ROUNDS").map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    let vault = DemoVault::make();
    let data = vault.dir.join("data").join("vault.db");
    let held = vault.serve().ticket_at_c1(NUMBER);
    let before = tickets(&data);
    let mut clients: Vec<Client> = (0..CLIENTS)
        .map(|number| Client {
            number,
            taken: 0,
            unanswered: false,
        })
        .collect();
    let mut acknowledged = Vec::new();
    for number in 0..rounds {
        // Starting is itself a check: it proves the log before it serves.
        round(number, &vault, &held, &mut clients, &mut acknowledged);
        check(&data, &acknowledged);
        if (number + 1) % ROUNDS_A_CHECK == 0 || number + 1 == rounds {
            vault.fsck();
        }
    }
    // Once each: what was sent again after a restart was taken the first or the second time, not both.
    let taken = acknowledged.iter().filter(|one| one.ticket.is_some()).count();
    let unanswered = clients.iter().filter(|client| client.unanswered).count();
    let added = tickets(&data) - before;
    assert!(
        (taken..=taken + unanswered).contains(&added),
        "{taken} {unanswered} {added}"
    );
    let mut indexes: Vec<u64> = acknowledged.iter().map(|one| one.index).collect();
    indexes.sort_unstable();
    indexes.dedup();
    assert!(!indexes.is_empty());
}
