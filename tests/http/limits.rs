//! What one client may hold: a connection is closed that sends no request, takes no answer or has had its time, and
//! connections are counted.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use callervault::http::ConnectionLimits;

use crate::http::frames;
use crate::support::World;
use crate::support::process::Server;
use crate::support::served::{FOR_EVER, LARGE, LONG, SOON, Served, Wire, connect};

const MANY: u32 = 60;
const WHOLE: &[u8] = b"GET /livez HTTP/1.1\r\nhost: vault\r\n\r\n";

/// Everything until the server closes.
fn to_the_end(wire: &mut dyn Wire) -> String {
    let mut bytes = Vec::new();
    let end = wire.read_to_end(&mut bytes).map_err(|error| error.kind());
    let closed = matches!(end, Ok(_) | Err(ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof));
    assert!(closed, "the server keeps the connection: {end:?}");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// One whole request and its answer, the connection left open; false where the server has closed it.
fn answered(wire: &mut dyn Wire) -> bool {
    answer(wire).is_some()
}

/// As [`answered`], with the answer.
fn answer(wire: &mut dyn Wire) -> Option<String> {
    if wire.write_all(WHOLE).is_err() {
        return None;
    }
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"ok\n") {
        let mut piece = [0; 1024];
        match wire.read(&mut piece) {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            Ok(_) => return None,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
                return None;
            }
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_sent_headers_are_closed() {
    let limits = ConnectionLimits { headers: SOON, ..LONG };
    let served = Served::plain(limits).await;
    tokio::task::block_in_place(|| {
        let starts: [&[u8]; 4] = [
            b"",
            b"GE",
            b"GET /livez HTTP/1.1\r\nhost: vault\r\nx-slow: ",
            b"PRI * HTTP/2.0\r\n\r\nSM",
        ];
        for start in starts {
            let mut wire = served.connect();
            wire.write_all(start).unwrap();
            assert!(!to_the_end(&mut wire).contains("200 OK"));
        }
        let mut second = served.connect();
        assert!(answered(&mut second));
        second.write_all(&WHOLE[..20]).unwrap();
        to_the_end(&mut second);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_does_not_come_is_closed() {
    let limits = ConnectionLimits { headers: SOON, ..LONG };
    let served = Served::with(limits, true).await;
    tokio::task::block_in_place(|| {
        for start in [&b""[..], b"\x16\x03\x01"] {
            let mut stream = connect(served.address);
            stream.write_all(start).unwrap();
            assert_eq!(to_the_end(&mut stream), "");
        }
        served.answers();
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_a_problem_and_is_counted() {
    let limits = ConnectionLimits {
        request: Duration::from_millis(200),
        ..LONG
    };
    let served = Served::plain(limits).await;
    let token = served.world.token("agent").to_owned();
    tokio::task::block_in_place(|| {
        let mut wire = served.connect();
        write!(
            wire,
            "POST /v1/intake HTTP/1.1\r\nhost: vault\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
        )
        .unwrap();
        let answer = to_the_end(&mut wire);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains("urn:callervault:problem:too-slow"), "{answer}");
    });
    let metrics = served.world.metrics(&served.app).await;
    let line = "callervault_http_requests_total{route=\"/v1/intake\",status=\"503\"} 1";
    assert!(metrics.contains(line), "{metrics}");
}

/// Asks for more than the system keeps for a client, and takes nothing.
fn asks_and_never_reads(wire: &mut dyn Wire, version: u8) {
    let request = format!("GET {LARGE} HTTP/1.1\r\nhost: vault\r\n\r\n");
    match version {
        1 => (0..MANY).for_each(|_| wire.write_all(request.as_bytes()).unwrap()),
        _ => {
            wire.write_all(&frames::preface(frames::WIDE)).unwrap();
            (0..MANY).for_each(|number| wire.write_all(&frames::get(2 * number + 1, LARGE)).unwrap());
        }
    }
    wire.flush().unwrap();
}

/// A client that asks and never reads holds the only connection until the time for writes is over.
#[tokio::test(flavor = "multi_thread")]
async fn slow_readers() {
    let limits = ConnectionLimits {
        write: SOON,
        connections: 1,
        ..LONG
    };
    for secure in [false, true] {
        let served = Served::with(limits, secure).await;
        for version in [1, 2] {
            let mut slow = served.connect();
            served.comes_to(1, 0).await;
            tokio::task::block_in_place(|| {
                asks_and_never_reads(&mut slow, version);
                served.answers();
            });
            // It was there all the time.
            drop(slow);
            served.comes_to(0, 0).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_its_time() {
    for secure in [false, true] {
        let limits = ConnectionLimits { life: SOON, ..LONG };
        let served = Served::with(limits, secure).await;
        tokio::task::block_in_place(|| {
            let mut wire = served.connect();
            assert!(answered(&mut wire), "it is served until then");
            let began = Instant::now();
            while answered(&mut wire) {
                assert!(began.elapsed() < FOR_EVER, "it is served for ever");
            }
            served.answers();
        });
    }
}

/// A client that asks all the time loses no request when its connection has had its time: the last answer says that it closes.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_lost_when_a_connection_has_had_its_time() {
    let limits = ConnectionLimits { life: SOON, ..LONG };
    for secure in [false, true] {
        let served = Served::with(limits, secure).await;
        tokio::task::block_in_place(|| {
            let one_after_the_other = |_| {
                let mut wire = served.connect();
                loop {
                    let answer = answer(&mut wire);
                    assert!(answer.is_some(), "a request was not answered");
                    if answer.is_some_and(|answer| answer.contains("connection: close")) {
                        return;
                    }
                }
            };
            (0..5).for_each(one_after_the_other);
        });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_wait_for_one_to_close() {
    let limits = ConnectionLimits { connections: 2, ..LONG };
    let served = Served::plain(limits).await;
    let ask = |wire: &mut Box<dyn Wire>| tokio::task::block_in_place(|| assert!(answered(wire)));
    let [mut first, mut second, mut third, mut fourth] = [(); 4].map(|()| served.connect());
    ask(&mut first);
    ask(&mut second);
    third.write_all(WHOLE).unwrap();
    served.comes_to(2, 2).await;
    // As many wait as may.
    let mut fifth = served.connect();
    tokio::task::block_in_place(|| assert_eq!(to_the_end(&mut fifth), ""));
    served.comes_to(2, 2).await;
    drop(first);
    served.comes_to(2, 1).await;
    drop(second);
    served.comes_to(2, 0).await;
    ask(&mut third);
    ask(&mut fourth);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_waits_too_long_is_closed() {
    let limits = ConnectionLimits {
        headers: SOON,
        connections: 1,
        ..LONG
    };
    let served = Served::plain(limits).await;
    // Its request is under way for as long as its body does not come.
    let token = served.world.token("agent");
    let begun = format!(
        "POST /v1/intake HTTP/1.1\r\nhost: vault\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{"
    );
    let mut first = served.connect();
    first.write_all(begun.as_bytes()).unwrap();
    served.comes_to(1, 0).await;
    let mut second = served.connect();
    second.write_all(WHOLE).unwrap();
    tokio::task::block_in_place(|| assert_eq!(to_the_end(&mut second), ""));
    served.comes_to(1, 0).await;
    drop(first);
}

/// All connections are taken by clients that never read, and one more waits.
#[tokio::test(flavor = "multi_thread")]
async fn it_stops_at_the_limit_of_connections() {
    for secure in [false, true] {
        let limits = ConnectionLimits {
            grace: SOON,
            connections: 2,
            ..LONG
        };
        let served = Served::with(limits, secure).await;
        let (mut first, mut second) = (served.connect(), served.connect());
        tokio::task::block_in_place(|| {
            asks_and_never_reads(&mut first, 1);
            asks_and_never_reads(&mut second, 2);
        });
        let third = connect(served.address);
        served.comes_to(2, 1).await;
        served.stops().await;
        drop((first, second, third));
    }
}

/// The request under way at the stop is answered; an idle connection is closed at once.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_at_the_stop_is_answered() {
    let served = Served::plain(LONG).await;
    let (mut idle, mut busy) = (served.connect(), served.connect());
    let token = served.world.token("agent").to_owned();
    tokio::task::block_in_place(|| assert!(answered(&mut idle)));
    let head = format!(
        "POST /v1/intake HTTP/1.1\r\nhost: vault\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
    );
    busy.write_all(head.as_bytes()).unwrap();
    // The server asks for the body, so that the request is under way.
    let mut go_on = [0; 25];
    tokio::task::block_in_place(|| busy.read_exact(&mut go_on).unwrap());
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    let answer = std::thread::spawn(move || {
        assert_eq!(to_the_end(&mut idle), "");
        busy.write_all(b"{}").unwrap();
        to_the_end(&mut busy)
    });
    served.stops().await;
    let answer = answer.join().unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

/// The real process, with a client that never reads: SIGTERM ends it.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_with_a_slow_reader_stops() {
    let world = World::closed().await;
    tokio::task::block_in_place(|| {
        let mut server = Server::start(world.dir.path());
        let address = server.base.strip_prefix("http://").unwrap().parse().unwrap();
        let mut slow = connect(address);
        asks_and_never_reads(&mut slow, 1);
        server.terminate();
        let (code, said) = server.ended();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("stopped; keys wiped"), "{said}");
    });
}
