//! `GET /v1/tickets` with 10,000 and with a million tickets, as ratios measured in one run. `cargo bench --bench tickets`.
//!
//! Two copies of one vault. In one of them most tickets are copied until there are a million, older and less urgent than those that
//! were taken; a copy has no genuine code, but no page that is asked for comes to one. Both are asked in turn, through the router.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[expect(dead_code, reason = "the founders do not work here")]
mod scene;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use callervault::clock::System;
use callervault::http::{App, router};
use callervault::vault::life::open::{Places, Running};
use callervault::vault::{Rates, Vault};
use http_body_util::BodyExt;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt;

use self::scene::{Scene, passphrase, scene};

const TAKEN: u64 = 10_000;
const GROWN: u64 = 1_000_000;
/// One call in so many is sent to the organ.
const SENT: u64 = 10;
/// Calls under way at once while the vault is filled.
const CALLS: usize = 64;
const ROUNDS: usize = 201;
const NEWEST: &str = "order=newest";
/// Pages of 50 from the newest to where the deep one begins.
const DEEP: usize = 90;

/// A vault, served without a network.
struct Served {
    routes: Router,
}

impl Served {
    async fn open(dir: &Path) -> Self {
        let many = "{ minute = 1000000, hour = 1000000 }";
        let places = Places::below(dir);
        std::fs::create_dir_all(&places.policies).unwrap();
        std::fs::write(
            places.policies.join("limits.toml"),
            format!("intakes = {many}\nguesses = {many}\n"),
        )
        .unwrap();
        let rates = Rates {
            requests: std::num::NonZeroU32::MAX,
            ..Rates::default()
        };
        let running = Running {
            rates,
            ..Running::default()
        };
        let vault = Vault::open_with(&places, &passphrase(), Arc::new(System), "bench", running).await;
        Self {
            routes: router(App::new(vault.unwrap())),
        }
    }

    async fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Value {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {token}"));
        let request = match body {
            Value::Null => request.body(Body::empty()),
            body => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
        };
        let answer = self.routes.clone().oneshot(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        let answer: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(status < 300, "{status} {answer}");
        answer
    }

    async fn list(&self, token: &str, query: &str) -> (Duration, Value) {
        let start = Instant::now();
        let page = self
            .call(token, "GET", &format!("/v1/tickets{query}"), &Value::Null)
            .await;
        (start.elapsed(), page)
    }
}

/// Takes the calls of one of `CALLS` callers who ring all day, and sends some of them on.
async fn take(served: &Served, scene: &Scene, caller: usize) {
    let per_caller = TAKEN / CALLS as u64;
    for call in 0..per_caller {
        let intake = json!({
            "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
            "caller": {"callback_number": format!("139{:08}", caller as u64 * per_caller + call)},
            "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "urgency": "urgent", "text": "测试"},
        });
        let taken = served.call(&scene.agent, "POST", "/v1/intake", &intake).await;
        if call % SENT == 0 {
            let path = format!("/v1/tickets/{}/dispatch", taken["ticket"]["no"].as_str().unwrap());
            let sent = json!({"department": "C1", "reason": "测试"});
            served.call(&scene.dispatcher, "POST", &path, &sent).await;
        }
    }
}

/// Takes the calls, so many at a time.
async fn fill(served: &Arc<Served>, scene: &Arc<Scene>) {
    let start = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLS {
        let (served, scene) = (Arc::clone(served), Arc::clone(scene));
        callers.spawn(async move { take(&served, &scene, caller).await });
    }
    callers.join_all().await;
    println!("{TAKEN} calls taken in {:.1?}", start.elapsed());
}

/// Copies the oldest tickets, each older and less urgent than all that were taken, until there are so many.
fn grow(places: &Places) {
    let database = Connection::open(&places.data).unwrap();
    let copies = (GROWN - TAKEN).div_ceil(TAKEN);
    let names: Vec<String> = database
        .prepare("SELECT name FROM pragma_table_info('ticket')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let copied = names.iter().map(|name| match name.as_str() {
        "id" => "randomblob(16)",
        "no" => "printf('%02d%s', ?1, no)",
        "created_at" => "created_at - ?1 * 86400000",
        other => other,
    });
    let columns = copied.collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO ticket SELECT {columns} FROM ticket WHERE length(no) = 14");
    database.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    for copy in 1..=copies {
        database.execute(&sql, [i64::try_from(copy).unwrap()]).unwrap();
    }
    database
        .execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            std::fs::set_permissions(&target, entry.metadata().unwrap().permissions()).unwrap();
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// One kind of page in both vaults, asked in turn.
async fn compare(what: &str, small: &Served, large: &Served, token: &str, query: &str) {
    let (mut in_small, mut in_large) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        in_small.push(small.list(token, query).await.0);
        in_large.push(large.list(token, query).await.0);
    }
    let (small, large) = (median(in_small), median(in_large));
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    println!("{what}: {small:.2?} in 10,000, {large:.2?} in a million: {ratio:.2}");
}

async fn run() {
    let scene = Arc::new(scene().await);
    let small = Arc::new(Served::open(scene.dir.path()).await);
    fill(&small, &scene).await;
    drop(small);
    let grown = tempfile::tempdir().unwrap();
    copy(scene.dir.path(), grown.path());
    grow(&Places::below(grown.path()));

    let small = Served::open(scene.dir.path()).await;
    let large = Served::open(grown.path()).await;
    let mut after = String::new();
    for _ in 0..DEEP {
        let page = small.list(&scene.dispatcher, &format!("?{NEWEST}{after}")).await.1;
        after = format!("&after={}", page["next"].as_str().unwrap());
    }
    let (centre, organ) = (&scene.dispatcher, &scene.handler);
    let newest = |rest: &str| format!("?{NEWEST}{rest}");
    compare("the centre's 50 newest", &small, &large, centre, &newest("")).await;
    compare("the centre's 200 newest", &small, &large, centre, &newest("&limit=200")).await;
    compare("the 91st page of them", &small, &large, centre, &newest(&after)).await;
    compare("an organ's 50 newest", &small, &large, organ, &newest("")).await;
    compare("the centre's queue, 50", &small, &large, centre, "").await;
    compare("an organ's queue, 50", &small, &large, organ, "").await;
    compare(
        "an organ's queue of one state, 50",
        &small,
        &large,
        organ,
        "?state=dispatched",
    )
    .await;
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if std::env::args().any(|argument| argument == "--bench") {
        tokio::runtime::Runtime::new().unwrap().block_on(run());
    }
}
