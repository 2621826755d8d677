//! Rotating and rewrapping every key of a vault with a million callers while 32 clients reveal and 8 take calls over HTTP on loopback.
//! `cargo bench --bench keyring`; another number of callers after `--`.
//!
//! Every answer must be the right one. It tells how long reveals take before and meanwhile, in the same run, how many record keys a
//! second are rewrapped when nobody else works, and how much more memory the process has meanwhile. `fsck` finds nothing at the end.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[path = "scene/callers.rs"]
mod callers;
mod scene;

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use callervault::clock::System;
use callervault::http::{App, Listen, serve};
use callervault::vault::life::fsck;
use callervault::vault::life::open::{Places, Running};
use callervault::vault::{Rates, Vault};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use self::callers::grow;
use self::scene::{Scene, passphrase, scene};

const CALLERS: u64 = 1_000_000;
const READERS: usize = 32;
const WRITERS: usize = 8;
/// Tickets that the readers go through.
const CASES: u64 = 64;
/// How long reveals are measured before anything is rotated.
const BEFORE: Duration = Duration::from_secs(20);
const ROLES: [&str; 5] = ["kek", "row", "index", "reference", "log"];

type Http = Client<HttpConnector, Body>;

/// A vault that is served, and its clients' way to it.
struct Server {
    http: Http,
    base: String,
    system: String,
    auditor: String,
}

impl Server {
    async fn call(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {token}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
        };
        let answer = self.http.request(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    async fn good(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let (status, answer) = self.call(token, method, path, &[], body).await;
        assert!(status < 300, "{method} {path}: {status} {answer}");
        answer
    }

    /// Asked, approved, done.
    async fn rotate(&self, role: &str) {
        let body = json!({"role": role});
        let asked = self.good(&self.system, "POST", "/v1/keys/rotate", &body).await;
        let id = asked["approval"]["id"].as_str().unwrap();
        let approve = format!("/v1/approvals/{id}/approve");
        self.good(&self.auditor, "POST", &approve, &json!({"reason": "bench"}))
            .await;
        let approval = [("approval", id)];
        let done = self
            .call(&self.system, "POST", "/v1/keys/rotate", &approval, &body)
            .await;
        assert_eq!(done.0, 200, "{}", done.1);
    }

    /// Rewraps until it is done. Record keys, and how long each role took.
    async fn rewrap(&self, role: Option<&str>) -> Value {
        self.good(&self.system, "POST", "/v1/keys/rewrap", &json!({"role": role}))
            .await;
        loop {
            let keys = self.good(&self.system, "GET", "/v1/keys", &Value::Null).await;
            let lines = keys["rewraps"].as_array().unwrap();
            if lines.iter().all(|line| line["state"] == "done") {
                return keys["rewraps"].clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn intake(number: u64) -> Value {
    // No name has digits.
    let digits = number.to_string().into_bytes();
    let name = digits
        .iter()
        .map(|digit| "零一二三四五六七八九".chars().nth(usize::from(digit - b'0')).unwrap());
    let name = format!("赵{}", name.collect::<String>());
    json!({
        "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": {"callback_number": format!("1380{number:07}"), "name": name},
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "测试"},
    })
}

/// Tickets that the handler holds: where to reveal, and with what.
async fn cases(server: &Server, scene: &Scene) -> Vec<(String, Value)> {
    let mut cases = Vec::new();
    for number in 0..CASES {
        let taken = server.good(&scene.agent, "POST", "/v1/intake", &intake(number)).await;
        let no = taken["ticket"]["no"].as_str().unwrap();
        let sent = json!({"department": "C1", "reason": "测试"});
        let dispatch = format!("/v1/tickets/{no}/dispatch");
        server.good(&scene.dispatcher, "POST", &dispatch, &sent).await;
        let sign = format!("/v1/tickets/{no}/sign");
        server.good(&scene.handler, "POST", &sign, &json!({})).await;
        let page = server
            .good(&scene.handler, "GET", &format!("/v1/tickets/{no}"), &Value::Null)
            .await;
        let path = format!("/v1/callers/{}/reveal", page["caller"]["ref"].as_str().unwrap());
        let ask = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});
        cases.push((path, ask));
    }
    cases
}

/// What the clients have seen since they were last asked.
#[derive(Default)]
struct Seen {
    reveals: Mutex<Vec<Duration>>,
    calls: AtomicU64,
    over: AtomicBool,
}

impl Seen {
    /// Median and 99th percentile of reveals since the last time, in milliseconds.
    fn told(&self, when: &str) -> f64 {
        let mut times = std::mem::take(&mut *self.reveals.lock().unwrap());
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1000.0;
        let calls = self.calls.swap(0, Ordering::Relaxed);
        let (median, high) = (at(0.5), at(0.99));
        println!(
            "{when}: {} reveals and {calls} calls; reveals take {median:.2} ms, p99 {high:.2} ms",
            times.len()
        );
        high
    }
}

fn clients(
    server: &Arc<Server>,
    scene: &Arc<Scene>,
    cases: &Arc<Vec<(String, Value)>>,
    seen: &Arc<Seen>,
) -> tokio::task::JoinSet<()> {
    let mut clients = tokio::task::JoinSet::new();
    for first in 0..READERS {
        let (server, scene, cases, seen) = (
            Arc::clone(server),
            Arc::clone(scene),
            Arc::clone(cases),
            Arc::clone(seen),
        );
        clients.spawn(async move {
            for at in first.. {
                if seen.over.load(Ordering::Relaxed) {
                    return;
                }
                let number = at % cases.len();
                let begun = Instant::now();
                let shown = server
                    .good(&scene.handler, "POST", &cases[number].0, &cases[number].1)
                    .await;
                seen.reveals.lock().unwrap().push(begun.elapsed());
                assert_eq!(shown["fields"]["callback_number"], format!("+861380{number:07}"));
            }
        });
    }
    let next = Arc::new(AtomicU64::new(CASES));
    for _ in 0..WRITERS {
        let (server, scene, seen, next) = (
            Arc::clone(server),
            Arc::clone(scene),
            Arc::clone(seen),
            Arc::clone(&next),
        );
        clients.spawn(async move {
            while !seen.over.load(Ordering::Relaxed) {
                let call = intake(next.fetch_add(1, Ordering::Relaxed));
                server.good(&scene.agent, "POST", "/v1/intake", &call).await;
                seen.calls.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    clients
}

/// What the process has in memory, in MiB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// The most that the process has in memory from now on until it is asked.
fn watch_memory() -> impl FnOnce() -> f64 {
    let over = Arc::new(AtomicBool::new(false));
    let ended = Arc::clone(&over);
    let watching = std::thread::spawn(move || {
        let mut most = memory();
        while !ended.load(Ordering::Relaxed) {
            most = most.max(memory());
            std::thread::sleep(Duration::from_millis(50));
        }
        most
    });
    move || {
        over.store(true, Ordering::Relaxed);
        watching.join().unwrap()
    }
}

async fn measure(server: &Arc<Server>, scene: &Arc<Scene>) {
    let cases = Arc::new(cases(server, scene).await);
    // Record keys, with nobody else at work.
    server.rotate("kek").await;
    let begun = Instant::now();
    let lines = server.rewrap(Some("kek")).await;
    let moved = lines[0]["moved"].as_u64().unwrap();
    let rate = moved as f64 / begun.elapsed().as_secs_f64();
    println!("{moved} record keys alone: {rate:.0} a second");

    let seen = Arc::new(Seen::default());
    let mut clients = clients(server, scene, &cases, &seen);
    tokio::time::sleep(BEFORE).await;
    let mut before = seen.told("before");
    let (had, most) = (memory(), watch_memory());
    for role in ROLES {
        server.rotate(role).await;
        if role != "log" {
            let begun = Instant::now();
            let lines = server.rewrap(Some(role)).await;
            let lines = lines.as_array().unwrap();
            let line = lines.iter().find(|line| line["role"] == role).unwrap();
            println!(
                "{role}: {} of {} rows moved in {:.1?}",
                line["moved"],
                line["total"],
                begun.elapsed()
            );
            let meanwhile = seen.told("  meanwhile");
            println!("  p99 to before: {:.2}", meanwhile / before);
        }
    }
    println!(
        "memory: {had:.0} MiB before, at most {:.0} MiB more meanwhile",
        most() - had
    );
    tokio::time::sleep(BEFORE).await;
    before = seen.told("after") / before;
    println!("  p99 to before: {before:.2}");
    seen.over.store(true, Ordering::Relaxed);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

async fn run(callers: u64) {
    let scene = Arc::new(scene().await);
    grow(&scene, 0, callers).await;
    let places = Places::below(scene.dir.path());
    let running = Running {
        rates: Rates {
            requests: NonZeroU32::MAX,
            at_once: NonZeroU32::MAX,
            ..Rates::default()
        },
        limited: false,
        ..Running::default()
    };
    let vault = Vault::open_with(&places, &passphrase(), Arc::new(System), "bench", running).await;
    let (bound, address) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopping = async move {
        let _ = stopped.await;
    };
    let heard = move |address, _| bound.send(address).unwrap_or_default();
    let listen = Listen::plain("127.0.0.1:0".parse().unwrap());
    let serving = tokio::spawn(serve(App::new(vault.unwrap()), listen, None, heard, stopping));
    let token = |account: &str| {
        let founder = scene.founders.iter().find(|(name, _)| name == account);
        founder.unwrap().1.clone()
    };
    let server = Arc::new(Server {
        http: Client::builder(TokioExecutor::new()).build_http(),
        base: format!("http://{}", address.await.unwrap()),
        system: token("system-admin"),
        auditor: token("auditor"),
    });
    measure(&server, &scene).await;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    let checked = fsck::check(&places, &passphrase(), &|_| {}).await.unwrap();
    assert!(checked.findings.is_empty(), "{:?}", checked.findings.first());
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        let callers = std::env::args().find_map(|argument| argument.parse().ok());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(run(callers.unwrap_or(CALLERS)));
    }
}
