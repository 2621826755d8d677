//! The log's side: a log that grows is cosigned, a witness that cannot be telling the truth is reported, and what may be
//! done while none answers.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::response::{IntoResponse, Response};
use callervault::clock::Fixed;
use callervault::merkle::Hash;
use callervault::note::{Cosigner, NoteError, Signer};
use callervault::witness::client::{Cosigned, Lie, Witness, WitnessError};
use callervault::witness::freshness::{Freshness, SilenceLimits, freshness};
use callervault::witness::request::{AddCheckpoint, BadRequest, MAX_PROOF};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::support::witness::{LOG, Listening, Office, SIZE, TestLog, WITNESS, at, listen};

const NOW: i64 = 1_800_000_000;

fn log() -> TestLog {
    TestLog::new(LOG, 7).grown(40, "entry")
}

fn submit(witness: &Listening, log: &TestLog, old: u64, new: u64) -> Result<Cosigned, WitnessError> {
    let client = Witness::new(&witness.base, Office::cosigner().verifier());
    let (proof, checkpoint) = (log.proof(old, new), log.checkpoint(new));
    witness
        .runtime
        .block_on(client.submit(old, proof, &checkpoint, at(NOW)))
}

#[test]
fn a_growing_log_is_cosigned_and_verifies() {
    let log = log();
    let clock = Arc::new(Fixed::at(at(NOW)));
    let office = Office::new(&log.verifier());
    let witness = office.open(clock.clone());
    let verifier = Office::cosigner().verifier();
    let mut old = 0;
    for new in [1, 2, 7, 8, 8, 33, 40] {
        clock.set(at(NOW + new as i64));
        let cosigned = submit(&witness, &log, old, new).unwrap();
        assert_eq!((cosigned.size, cosigned.time), (new, at(NOW + new as i64)));
        let note = log.checkpoint(new) + &cosigned.line;
        assert_eq!(
            log.verifier().verify(&note).unwrap(),
            verifier.verify(&note).unwrap().text
        );
        old = new;
    }
    // A log that does not know any more where the witness stands hears so.
    assert_eq!(submit(&witness, &log, 0, 40), Err(WitnessError::OtherSize(40)));
    assert_eq!(submit(&witness, &log, 40, 40).unwrap().size, 40);
    // One that was cut back hears so too.
    assert_eq!(submit(&witness, &log, 0, 33), Err(WitnessError::Larger(40)));
    // And so does one that was rewritten, of the same size or larger.
    let other = TestLog::new(LOG, 7).grown(50, "other");
    assert_eq!(submit(&witness, &other, 40, 40), Err(WitnessError::Inconsistent));
    assert_eq!(submit(&witness, &other, 40, 50), Err(WitnessError::Inconsistent));
}

#[test]
fn a_witness_that_does_not_know_the_log_says_so() {
    let log = log();
    let clock = Arc::new(Fixed::at(at(NOW)));
    let other_key = Office::new(&TestLog::new(LOG, 8).verifier()).open(clock.clone());
    assert_eq!(submit(&other_key, &log, 0, 5), Err(WitnessError::Unsigned));
    let other_log = Office::new(&TestLog::new("else.example/log/1", 7).verifier()).open(clock);
    assert_eq!(submit(&other_log, &log, 0, 5), Err(WitnessError::UnknownOrigin));
}

#[test]
fn what_is_no_request_is_not_sent() {
    let client = Witness::new("http://127.0.0.1:1", Office::cosigner().verifier());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let submit = |proof, note: &str| runtime.block_on(client.submit(1, proof, note, at(NOW)));
    let log = log();
    let hashes = vec![Hash::from_bytes([0; 32]); MAX_PROOF + 1];
    let bad = |bad| Err(WitnessError::Request(bad));
    assert_eq!(submit(hashes, &log.checkpoint(5)), bad(BadRequest::Proof));
    let no_note = bad(BadRequest::Checkpoint(NoteError::Malformed));
    assert_eq!(submit(Vec::new(), "no note"), no_note);
}

/// A witness that answers every request like this.
fn answering(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Listening {
    listen(Router::new().fallback(move || {
        let answer = answer.clone();
        async move { answer }
    }))
}

/// What the log makes of that answer, having submitted size 9 after size 5.
fn hears(answer: impl IntoResponse + Clone + Send + Sync + 'static) -> Result<Cosigned, WitnessError> {
    submit(&answering(answer), &log(), 5, 9)
}

fn text(log: &TestLog, size: u64) -> String {
    let note = log.checkpoint(size);
    note.rsplit_once("\n\n").unwrap().0.to_owned() + "\n"
}

#[test]
fn a_cosignature_is_by_this_key_on_this_checkpoint_at_a_sane_time() {
    let (log, witness) = (log(), Office::cosigner());
    let line = |time: i64| witness.cosign(&text(&log, 9), time as u64);
    let lies = |lie| Err(WitnessError::Lies(lie));
    let false_one = |error| lies(Lie::Cosignature(error));

    let stranger = Cosigner::from_seed("else.example/w", &[8; 32])
        .unwrap()
        .cosign(&text(&log, 9), 1);
    let namesake = Cosigner::from_seed(WITNESS, &[8; 32])
        .unwrap()
        .cosign(&text(&log, 9), 1);
    let no_time = Signer::from_seed(WITNESS, &[9; 32]).unwrap().sign(&text(&log, 9));
    let no_time = no_time.rsplit_once("\n\n").unwrap().1.to_owned();
    for other in [&stranger, &namesake, &no_time] {
        assert_eq!(hears(other.clone()), false_one(NoteError::UnknownKey), "{other}");
    }
    assert_eq!(
        hears(witness.cosign(&text(&log, 8), 1)),
        false_one(NoteError::Signature)
    );
    for nothing in [String::new(), "ok\n".to_owned(), line(NOW).trim_end().to_owned()] {
        assert_eq!(hears(nothing.clone()), false_one(NoteError::Malformed), "{nothing:?}");
    }
    // A whole note of the witness's own, glued to the checkpoint.
    let glued = format!("{}\n", text(&log, 9));
    let smuggled = format!("\n{}", witness.cosign(&glued, NOW as u64));
    assert_eq!(hears(smuggled), false_one(NoteError::Malformed));

    for (time, sane) in [(1, true), (NOW + 300, true), (NOW + 301, false), (i64::MAX, false)] {
        let expected = Cosigned {
            size: 9,
            time: Timestamp::from_second(time).unwrap_or_default(),
            line: line(time),
        };
        assert_eq!(
            hears(line(time)),
            if sane { Ok(expected) } else { lies(Lie::Time) },
            "{time}"
        );
    }
    // Lines by others around it are ignored.
    let among = format!("{stranger}{}{no_time}", line(NOW));
    assert_eq!(hears(among).unwrap().line, line(NOW));
}

fn size(size: &str) -> Response<String> {
    let answer = Response::builder()
        .status(StatusCode::CONFLICT)
        .header(CONTENT_TYPE, SIZE);
    answer.body(size.to_owned()).unwrap()
}

#[test]
fn sizes_that_cannot_be_are_reported() {
    for forgot in [0, 4, 5] {
        let lie = WitnessError::Lies(Lie::Smaller(forgot));
        assert_eq!(hears(size(&format!("{forgot}\n"))), Err(lie));
    }
    assert_eq!(hears(size("6\n")), Err(WitnessError::OtherSize(6)));
    assert_eq!(hears(size("9\n")), Err(WitnessError::OtherSize(9)));
    assert_eq!(hears(size("10\n")), Err(WitnessError::Larger(10)));
    for no_size in ["", "6", "06\n", "6\n\n", "-1\n", "six\n", "18446744073709551616\n"] {
        assert_eq!(hears(size(no_size)), Err(WitnessError::Answer(409)), "{no_size:?}");
    }
    assert_eq!(hears((StatusCode::CONFLICT, "6\n")), Err(WitnessError::Answer(409)));
    // Submitting the same size again. tlog-witness v1.0.0 answers a fork so, with a size or without.
    let again = |answer| submit(&answering(answer), &log(), 9, 9);
    assert_eq!(again(size("9\n")), Err(WitnessError::Inconsistent));
    assert_eq!(again(size("fork\n")), Err(WitnessError::Inconsistent));
    assert_eq!(again(size("10\n")), Err(WitnessError::Larger(10)));
    assert_eq!(again(size("8\n")), Err(WitnessError::Lies(Lie::Smaller(8))));
}

#[test]
fn other_answers_are_told_apart() {
    let told = [
        (400, WitnessError::Malformed),
        (403, WitnessError::Unsigned),
        (404, WitnessError::UnknownOrigin),
        (422, WitnessError::Inconsistent),
        (201, WitnessError::Answer(201)),
        (500, WitnessError::Answer(500)),
        (503, WitnessError::Answer(503)),
    ];
    for (status, error) in told {
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(hears((status, "words\n")), Err(error));
    }
    let line = Office::cosigner().cosign(&text(&log(), 9), NOW as u64);
    let elsewhere = answering(line.clone());
    let redirect = (StatusCode::PERMANENT_REDIRECT, [(LOCATION, elsewhere.base.clone())]);
    assert_eq!(hears(redirect), Err(WitnessError::Answer(308)));
    assert!(matches!(hears(line.repeat(2000)), Err(WitnessError::Unreachable(_))));
}

#[test]
fn a_witness_that_is_down_or_hangs_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let submit = |url: &str| {
        let client = Witness::new(url, Office::cosigner().verifier());
        runtime.block_on(client.submit(0, Vec::new(), &log().checkpoint(5), at(NOW)))
    };
    // It accepts the connection and says nothing.
    assert!(matches!(submit(&url), Err(WitnessError::Unreachable(_))));
    drop(listener);
    assert!(matches!(submit(&url), Err(WitnessError::Unreachable(_))));
    assert!(matches!(submit("no URL"), Err(WitnessError::Unreachable(_))));
}

#[test]
fn a_vault_without_fresh_cosignatures_may_do_less_and_less() {
    use Freshness::{EmergencyOnly, Fresh, NoBulkExport, Stale};
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let limits = |quorum| SilenceLimits::new(quorum, minutes(10), minutes(20), minutes(30)).unwrap();
    let ago = |minutes: i64| Some(at(NOW - 60 * minutes));
    let judge = |newest: &[Option<Timestamp>], quorum| freshness(newest, &limits(quorum), at(NOW));

    for (age, expected) in [
        (0, Fresh),
        (10, Fresh),
        (11, Stale),
        (20, Stale),
        (21, NoBulkExport),
        (30, NoBulkExport),
        (31, EmergencyOnly),
        (1_000_000, EmergencyOnly),
        // The clock of the witness is a little ahead; ours was put back.
        (-5, Fresh),
        (-6, EmergencyOnly),
    ] {
        assert_eq!(judge(&[ago(age)], 1), expected, "{age}");
    }
    // The quorum is as old as its oldest member, and no older witness matters.
    assert_eq!(judge(&[ago(0), ago(25), ago(15)], 1), Fresh);
    assert_eq!(judge(&[ago(0), ago(25), ago(15)], 2), Stale);
    assert_eq!(judge(&[ago(0), ago(25), ago(15)], 3), NoBulkExport);
    assert_eq!(judge(&[ago(0), None, ago(15)], 3), EmergencyOnly);
    assert_eq!(judge(&[ago(0), None, ago(15)], 2), Stale);
    assert_eq!(judge(&[ago(0)], 2), EmergencyOnly);
    // No witness is asked for, or none has ever answered.
    assert_eq!(judge(&[], 0), Fresh);
    assert_eq!(judge(&[], 1), EmergencyOnly);
    assert_eq!(judge(&[None], 1), EmergencyOnly);
    assert!(Fresh < Stale && Stale < NoBulkExport && NoBulkExport < EmergencyOnly);

    assert_eq!(SilenceLimits::new(1, minutes(20), minutes(10), minutes(30)), None);
    assert_eq!(SilenceLimits::new(1, minutes(10), minutes(40), minutes(30)), None);
    let usual = SilenceLimits::usual(1);
    assert_eq!(
        Some(usual),
        SilenceLimits::new(1, minutes(15), minutes(240), minutes(1440))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_request_is_read_as_it_was_written(old: u64, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_PROOF)) {
        let proof = hashes.into_iter().map(Hash::from_bytes).collect();
        let request = AddCheckpoint::new(old, proof, log().checkpoint(9));
        let request = request.map_err(|bad| TestCaseError::fail(bad.to_string()))?;
        prop_assert_eq!(request.to_string().parse(), Ok(request));
    }

    #[test]
    fn only_what_it_writes_is_read_back(place in 0..400_usize, with in "[ \n0A=—a]{0,2}") {
        let request = AddCheckpoint::new(5, log().proof(5, 9), log().checkpoint(9)).unwrap().to_string();
        let at = (0..=request.len()).rev().find(|&at| at <= place && request.is_char_boundary(at)).unwrap_or(0);
        let changed = format!("{}{with}{}", &request[..at], &request[at..]);
        if let Ok(read) = changed.parse::<AddCheckpoint>() {
            prop_assert_eq!(read.to_string(), changed);
        }
    }

    #[test]
    fn no_body_makes_it_fall_over(body in "\\PC{0,80}|(old [0-9]{1,20}\n)?[\n— =A-Za-z0-9+]{0,120}") {
        prop_assert!(body.parse::<AddCheckpoint>().is_err());
    }
}
