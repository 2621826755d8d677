//! HTTP/2, frame by frame (RFC 9113), by clients that keep to the protocol and do no more than they must.

use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

use callervault::http::ConnectionLimits;

use crate::support::served::{FOR_EVER, LARGE, LONG, SOON, Served};

const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
const GOAWAY: u8 = 0x7;
const WINDOW_UPDATE: u8 = 0x8;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;
const END_STREAM: u8 = 0x1;
const INITIAL_WINDOW_SIZE: u16 = 0x4;
const CANCEL: u32 = 0x8;
const ENHANCE_YOUR_CALM: u32 = 0xb;
/// The largest window there is.
pub(crate) const WIDE: u32 = (1 << 31) - 1;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The beginning of a connection: each stream's window is so large, and the connection's as large as can be.
pub(crate) fn preface(window: u32) -> Vec<u8> {
    let setting = [&INITIAL_WINDOW_SIZE.to_be_bytes()[..], &window.to_be_bytes()].concat();
    let more = (WIDE - 65_535).to_be_bytes();
    [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        frame(SETTINGS, 0, 0, &setting),
        frame(WINDOW_UPDATE, 0, 0, &more),
    ]
    .concat()
}

/// A whole GET request, its headers from HPACK's static table (RFC 7541, appendix A) or literal.
pub(crate) fn get(stream: u32, path: &str) -> Vec<u8> {
    let literal = |name: u8, value: &str| {
        let length = u8::try_from(value.len()).unwrap();
        [&[name, length], value.as_bytes()].concat()
    };
    let headers = [vec![0x82, 0x86], literal(0x04, path), literal(0x01, "vault")].concat();
    frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers)
}

/// A frame that came: its kind, flags and payload.
struct Came {
    kind: u8,
    flags: u8,
    payload: Vec<u8>,
}

/// The next frame; none once the server has closed.
fn next(wire: &mut impl Read) -> Option<Came> {
    let mut head = [0; 9];
    let mut whole = |bytes: &mut [u8]| match wire.read_exact(bytes) {
        Ok(()) => true,
        Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset) => false,
        Err(error) => unreachable!("the server keeps the connection: {error}"),
    };
    if !whole(&mut head) {
        return None;
    }
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    whole(&mut payload).then_some(Came {
        kind: head[3],
        flags: head[4],
        payload,
    })
}

/// Reads to the end and answers every ping meanwhile; how many there were, and the codes of the GOAWAY frames.
fn answering_pings(wire: &mut (impl Read + Write)) -> (usize, Vec<u32>) {
    let (mut pings, mut codes) = (0, Vec::new());
    let began = Instant::now();
    while let Some(came) = next(wire) {
        assert!(began.elapsed() < FOR_EVER, "the server keeps the connection");
        match came.kind {
            PING if came.flags & ACK == 0 => {
                pings += 1;
                // It may have closed by now.
                let _ = wire.write_all(&frame(PING, ACK, 0, &came.payload));
            }
            GOAWAY => codes.push(u32::from_be_bytes(came.payload[4..8].try_into().unwrap())),
            _ => {}
        }
    }
    (pings, codes)
}

/// A client without a window for its answer is alive by all its pings, and takes nothing. One beside it sends nothing but
/// its preface.
#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_stays_shut_and_one_that_asks_for_nothing() {
    let limits = ConnectionLimits {
        headers: SOON,
        write: SOON,
        connections: 1,
        ..LONG
    };
    let served = Served::plain(limits).await;
    tokio::task::block_in_place(|| {
        for start in [[preface(0), get(1, LARGE)].concat(), preface(0)] {
            let mut wire = served.connect();
            wire.write_all(&start).unwrap();
            let (pings, codes) = answering_pings(&mut wire);
            assert!(pings > 0, "it was asked whether it is there");
            assert!(
                codes.iter().all(|code| *code == 0),
                "nothing it did was wrong: {codes:?}"
            );
        }
        served.answers();
    });
}

/// Requests that are taken back as they are sent (CVE-2023-44487): the connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_taken_back_at_once() {
    let served = Served::plain(LONG).await;
    tokio::task::block_in_place(|| {
        let mut wire = served.connect();
        let mut all = preface(WIDE);
        for number in 0..5000 {
            let stream = 2 * number + 1;
            all.extend(get(stream, LARGE));
            all.extend(frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes()));
        }
        // It may close before it has read them all.
        let _ = wire.write_all(&all);
        let (_, codes) = answering_pings(&mut wire);
        assert!(codes.contains(&ENHANCE_YOUR_CALM), "{codes:?}");
        served.answers();
    });
}

/// Requests one after the other do not keep a connection for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_always_has_one_more_request() {
    let limits = ConnectionLimits { life: SOON, ..LONG };
    let served = Served::plain(limits).await;
    tokio::task::block_in_place(|| {
        let mut wire = served.connect();
        wire.write_all(&preface(WIDE)).unwrap();
        let (mut asked, began) = (0, Instant::now());
        while wire.write_all(&get(2 * asked + 1, "/livez")).is_ok() {
            asked += 1;
            assert!(began.elapsed() < FOR_EVER, "it is served for ever");
            let answered = |came: &Came| came.kind == DATA && came.flags & END_STREAM != 0;
            let end = std::iter::from_fn(|| next(&mut wire)).find(|came| answered(came) || came.kind == GOAWAY);
            if end.is_none_or(|came| came.kind == GOAWAY) {
                break;
            }
        }
        assert!(asked > 1, "it is served until then");
        answering_pings(&mut wire);
    });
}
