//! Reveals a second over HTTP on loopback with 64 clients, as ratios measured in one run: to the same router answering a
//! constant (`/livez`), and to one commit per reveal. `cargo bench --bench reveal`.
//!
//! What a shared commit saves is the flush, so the second ratio is the disk's as much as the program's: the bench says how
//! long a flush takes here, and measures again with every flush made `SLOWER_MS` longer, as on the disk of a modest server
//! (needs a C compiler).
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot go on has failed, and it prints"
)]

#[expect(dead_code, reason = "the founders do not work here")]
mod scene;

use std::io::Write;
use std::num::NonZeroU32;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use callervault::clock::System;
use callervault::http::{App, Listen, serve};
use callervault::vault::Rates;
use callervault::vault::Vault;
use callervault::vault::life::open::{Places, Running};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use self::scene::{Scene, passphrase, scene};

const CLIENTS: usize = 64;
const ROUNDS: usize = 3;
const SECONDS: Duration = Duration::from_secs(3);
const FLUSHES: u32 = 200;
const SLOWER_MS: &str = "4";
/// In the environment of the second run.
const FLUSH_MS: &str = "FLUSH_MS";

type Http = Client<HttpConnector, Body>;

async fn call(http: &Http, token: &str, method: &str, url: &str, body: &Value) -> (u16, Value) {
    let request = Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", format!("Bearer {token}"));
    let request = match body {
        Value::Null => request.body(Body::empty()),
        body => request
            .header("content-type", "application/json")
            .body(Body::from(body.to_string())),
    };
    let answer = http.request(request.unwrap()).await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

/// Answers a second with 64 clients.
async fn rate(http: &Http, token: &str, method: &'static str, url: &str, body: &Value) -> f64 {
    let count = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        let (http, token, url, body) = (http.clone(), token.to_owned(), url.to_owned(), body.clone());
        let count = Arc::clone(&count);
        clients.push(tokio::spawn(async move {
            while start.elapsed() < SECONDS {
                let (status, answer) = call(&http, &token, method, &url, &body).await;
                assert_eq!(status, 200, "{answer}");
                count.fetch_add(1, Ordering::Relaxed);
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    count.load(Ordering::Relaxed) as f64 / start.elapsed().as_secs_f64()
}

/// Constant and reveals a second, and reads a commit, of one server.
async fn measure(scene: &Scene, http: &Http, batch: usize) -> (f64, f64, f64) {
    let places = Places::below(scene.dir.path());
    let running = Running {
        batch,
        // 64 clients ask as one handler.
        rates: Rates {
            requests: NonZeroU32::MAX,
            ..Rates::default()
        },
        ..Running::default()
    };
    let vault = Vault::open_with(&places, &passphrase(), Arc::new(System), "bench", running)
        .await
        .unwrap();
    let app = App::new(vault);
    let (bound, address) = tokio::sync::oneshot::channel();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let stopping = async move {
        let _ = stopped.await;
    };
    let heard = move |address, _| bound.send(address).unwrap_or_default();
    let serving = tokio::spawn(serve(
        Arc::clone(&app),
        Listen::plain("127.0.0.1:0".parse().unwrap()),
        None,
        heard,
        stopping,
    ));
    let base = format!("http://{}", address.await.unwrap());
    let intake = json!({
        "call": {"channel": "phone", "received_at": "2026-11-01T09:00:00+08:00"},
        "caller": {"callback_number": "13900001111"},
        "ticket": {"kind": "complaint", "category": "noise", "township": "310113", "text": "测试"},
    });
    let (_, taken) = call(http, &scene.agent, "POST", &format!("{base}/v1/intake"), &intake).await;
    let no = taken["ticket"]["no"].as_str().unwrap().to_owned();
    let sent = json!({"department": "C1", "reason": "测试"});
    call(
        http,
        &scene.dispatcher,
        "POST",
        &format!("{base}/v1/tickets/{no}/dispatch"),
        &sent,
    )
    .await;
    let sign = format!("{base}/v1/tickets/{no}/sign");
    call(http, &scene.handler, "POST", &sign, &json!({})).await;
    let (_, page) = call(
        http,
        &scene.handler,
        "GET",
        &format!("{base}/v1/tickets/{no}"),
        &Value::Null,
    )
    .await;
    let url = format!("{base}/v1/callers/{}/reveal", page["caller"]["ref"].as_str().unwrap());
    let ask = json!({"ticket": no, "purpose": "handle", "fields": ["callback_number"], "form": "clear"});

    let constant = rate(http, "", "GET", &format!("{base}/livez"), &Value::Null).await;
    let vault = app.vault().unwrap();
    let stats = vault.log_stats();
    let (entries, commits) = (stats.entries(), stats.commits());
    let reveals = rate(http, &scene.handler, "POST", &url, &ask).await;
    let group = (stats.entries() - entries) as f64 / (stats.commits() - commits) as f64;
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    (constant, reveals, group)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// How long one flush takes here, in milliseconds, the mean of some.
fn flush_ms(dir: &Path) -> f64 {
    let mut file = std::fs::File::create(dir.join("flushed")).unwrap();
    let start = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 4096]).unwrap();
        file.sync_data().unwrap();
    }
    start.elapsed().as_secs_f64() * 1000.0 / f64::from(FLUSHES)
}

/// This bench again, in a process whose flushes take longer.
fn again_with_slower_flushes() {
    let dir = tempfile::tempdir().unwrap();
    let shim = dir.path().join("slow-flush.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .arg(&shim)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/slow-flush.c"))
        .arg("-ldl")
        .status();
    if !built.is_ok_and(|status| status.success()) {
        println!("not measured with slower flushes: there is no C compiler");
        return;
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .arg("--bench")
        .env("LD_PRELOAD", &shim)
        .env(FLUSH_MS, SLOWER_MS)
        .status();
    assert!(status.unwrap().success());
}

fn main() {
    // `cargo test` runs benches without this flag, in a build whose figures would say nothing.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    tokio::runtime::Runtime::new().unwrap().block_on(compare());
    if std::env::var_os(FLUSH_MS).is_none() {
        again_with_slower_flushes();
    }
}

async fn compare() {
    let http: Http = Client::builder(TokioExecutor::new()).build_http();
    let scene = scene().await;
    println!("a flush takes {:.2} ms", flush_ms(scene.dir.path()));
    let (mut to_constant, mut to_single) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (constant, reveals, group) = measure(&scene, &http, usize::MAX).await;
        let (_, single, _) = measure(&scene, &http, 1).await;
        println!("constant {constant:.0}/s, reveals {reveals:.0}/s ({group:.1} a commit), one a commit {single:.0}/s");
        to_constant.push(reveals / constant);
        to_single.push(reveals / single);
    }
    println!(
        "reveals to a constant: {:.2}; to one commit each: {:.1} (medians)",
        median(to_constant),
        median(to_single)
    );
}
