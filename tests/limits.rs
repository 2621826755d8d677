//! What one client may hold: half-sent requests are closed or answered, and connections are counted.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use callervault::clock::System;
use callervault::http::{App, Limits, serve};

use crate::support::World;

/// Only to fail rather than hang; nothing is measured.
const FOR_EVER: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(300);
const WHOLE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: vault\r\n\r\n";

/// A world served in this process until the runtime ends.
async fn served(limits: Limits) -> (World, Arc<App>, SocketAddr) {
    let (world, app) = World::new().await;
    drop(app);
    let app = world.open_with(limits, Arc::new(System)).await;
    let (bound, address) = tokio::sync::oneshot::channel();
    let bound = move |address| bound.send(address).unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    tokio::spawn(serve(
        Arc::clone(&app),
        listen,
        None,
        false,
        bound,
        std::future::pending(),
    ));
    let address = address.await.unwrap();
    (world, app, address)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(FOR_EVER)).unwrap();
    stream
}

/// Everything until the server closes.
fn to_the_end(mut stream: &TcpStream) -> String {
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).map_err(|error| error.kind());
    let closed = matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset));
    assert!(closed, "the server keeps a half-sent request open: {end:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One whole request and its answer, the connection left open.
fn answered(mut stream: &TcpStream) {
    stream.write_all(WHOLE).unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"ok\n") {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).unwrap();
        assert!(read > 0, "closed without an answer");
        bytes.extend_from_slice(&piece[..read]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_headers_are_closed() {
    let limits = Limits {
        headers: Duration::from_millis(200),
        ..Limits::default()
    };
    let (_world, _app, address) = served(limits).await;
    tokio::task::block_in_place(|| {
        let starts: [&[u8]; 4] = [
            b"",
            b"GE",
            b"GET /livez HTTP/1.1\r\nhost: vault\r\nx-slow: ",
            b"PRI * HTTP/2.0\r\n\r\nSM",
        ];
        for start in starts {
            let mut stream = connect(address);
            stream.write_all(start).unwrap();
            assert!(!to_the_end(&stream).contains("200 OK"));
        }
        let mut second = connect(address);
        answered(&second);
        second.write_all(&WHOLE[..20]).unwrap();
        to_the_end(&second);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_a_problem_and_is_counted() {
    let limits = Limits {
        request: Duration::from_millis(200),
        ..Limits::default()
    };
    let (world, app, address) = served(limits).await;
    let token = world.token("agent").to_owned();
    tokio::task::block_in_place(|| {
        let mut stream = connect(address);
        write!(
            stream,
            "POST /v1/intake HTTP/1.1\r\nhost: vault\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
        )
        .unwrap();
        let answer = to_the_end(&stream);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains("urn:callervault:problem:too-slow"), "{answer}");
    });
    let metrics = world.get(&app, "nobody", "/metrics").await.text;
    let line = "callervault_http_requests_total{route=\"/v1/intake\",status=\"503\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_one_to_close() {
    let limits = Limits {
        headers: FOR_EVER,
        connections: 2,
        ..Limits::default()
    };
    let (_world, _app, address) = served(limits).await;
    tokio::task::block_in_place(|| {
        let (first, second) = (connect(address), connect(address));
        answered(&first);
        answered(&second);
        let mut third = connect(address);
        third.write_all(WHOLE).unwrap();
        third.set_read_timeout(Some(SOON)).unwrap();
        let early = third.read(&mut [0; 1]).map_err(|error| error.kind());
        assert!(
            matches!(early, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut)),
            "{early:?}"
        );
        drop(first);
        third.set_read_timeout(Some(FOR_EVER)).unwrap();
        answered(&third);
        answered(&second);
    });
}
