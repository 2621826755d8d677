//! The witness's server over real sockets: every answer of the specification, and no fork.

use std::sync::{Arc, Barrier};

use callervault::clock::{Clock, Fixed, NoClock};
use callervault::merkle::empty_root;
use callervault::note::{Checkpoint, Cosigner};
use callervault::witness::memory::Memory;
use callervault::witness::server::Server;
use jiff::Timestamp;

use crate::support::witness::{Answer, LOG, Office, SIZE, TestLog, WITNESS, at, post, status};

#[test]
fn every_answer_of_the_specification() {
    let log = TestLog::new(LOG, 7).grown(40, "entry");
    let office = Office::new(&log.verifier());
    let clock = Arc::new(Fixed::at(at(1_800_000_000)));
    let witness = office.open(clock.clone());
    let send = |body: &str| post(&witness.base, body).unwrap();
    let verifier = Office::cosigner().verifier();

    // Before anything was cosigned, the old size is 0, from where no proof is needed.
    assert_eq!(send(&log.body(3, 5)), (409, SIZE.to_owned(), "0\n".to_owned()));
    let with_proof = log.body(3, 5).replace("old 3", "old 0");
    assert_eq!(send(&with_proof).0, 422);
    let (status, _, line) = send(&log.body(0, 5));
    assert_eq!(status, 200, "{line}");
    let note = log.checkpoint(5) + &line;
    let cosigned = verifier.verify(&note).unwrap();
    assert_eq!((cosigned.time, cosigned.line), (1_800_000_000, line.as_str()));

    // The same again, later: a newer time.
    clock.set(at(1_800_000_060));
    let (status, _, line) = send(&log.body(5, 5));
    let note = log.checkpoint(5) + &line;
    assert_eq!((status, verifier.verify(&note).unwrap().time), (200, 1_800_000_060));

    // Wrong old sizes.
    for old in [0, 3, 6] {
        assert_eq!(
            send(&log.body(old, 9)),
            (409, SIZE.to_owned(), "5\n".to_owned()),
            "{old}"
        );
    }
    let backwards = format!("old 5\n\n{}", log.checkpoint(3));
    assert_eq!(send(&backwards).0, 400);

    // Another history of the same size, and of a larger one; a proof too short, too long, or of something else.
    let other = TestLog::new(LOG, 7).grown(3, "entry").grown(40, "other");
    assert_eq!(send(&other.body(5, 5)).0, 422);
    assert_eq!(send(&other.body(5, 9)).0, 422);
    let proof = log.proof(5, 9).last().unwrap().to_string() + "\n";
    assert_eq!(send(&log.body(5, 9).replace(&proof, "")).0, 422);
    assert_eq!(send(&log.body(5, 9).replace(&proof, &proof.repeat(2))).0, 422);
    assert_eq!(
        send(&log.body(5, 9).replace(&proof, &format!("{}\n", empty_root()))).0,
        422
    );
    let needless = log.body(5, 5).replace("old 5\n", &format!("old 5\n{}\n", empty_root()));
    assert_eq!(send(&needless).0, 422);

    // None of that was remembered.
    assert_eq!(send(&log.body(5, 40)).0, 200);
    assert_eq!(send(&log.body(0, 40)).2, "40\n");
    assert_eq!(
        ureq::get(format!("{}/livez", witness.base)).call().unwrap().status(),
        200
    );
}

#[test]
fn only_known_logs_with_their_own_signature() {
    let log = TestLog::new(LOG, 7).grown(9, "entry");
    let office = Office::new(&log.verifier());
    let witness = office.open(Arc::new(Fixed::at(at(1_800_000_000))));
    let send = |body: &str| status(&witness.base, body);
    let stranger = TestLog::new("else.example/log/1", 7).grown(9, "entry");
    assert_eq!(send(&stranger.body(0, 5)), 404);
    let namesake = TestLog::new(LOG, 8).grown(9, "entry");
    assert_eq!(send(&namesake.body(0, 5)), 403);
    // Unknown keys beside a known one are ignored, but a known one that fails is not.
    let line = |note: &str| note.rsplit_once("\n\n").unwrap().1.to_owned();
    let of_another_size = line(&log.checkpoint(6));
    assert_eq!(send(&format!("{}{of_another_size}", log.body(0, 5))), 403);
    assert_eq!(send(&(namesake.body(0, 5) + &of_another_size)), 403);
    assert_eq!(send(&(log.body(0, 5) + &line(&namesake.checkpoint(5)))), 200);
    // A log may have several keys.
    Memory::open(&Office::path(&office.dir))
        .unwrap()
        .trust(&namesake.verifier())
        .unwrap();
    assert_eq!(send(&namesake.body(5, 9)), 200);
    assert_eq!(send(&log.body(9, 9)), 200);
    assert_eq!(send(&(log.body(9, 9) + &line(&namesake.checkpoint(6)))), 403);
}

#[test]
fn malformed_requests_are_refused() {
    let log = TestLog::new(LOG, 7).grown(9, "entry");
    let office = Office::new(&log.verifier());
    let witness = office.open(Arc::new(Fixed::at(at(1_800_000_000))));
    let good = log.body(0, 5);
    let hash = format!("{}\n", empty_root());
    let too_large = Checkpoint {
        origin: LOG.to_owned(),
        size: 1 << 63,
        root: empty_root(),
    };
    let malformed = [
        String::new(),
        "\n".to_owned(),
        "old 0".to_owned(),
        "old 0\n".to_owned(),
        "old 0\n\n".to_owned(),
        good.replace("old 0\n", ""),
        good.replace("old 0", "old"),
        good.replace("old 0", "old  0"),
        good.replace("old 0", "old 00"),
        good.replace("old 0", "old +0"),
        good.replace("old 0", "Old 0"),
        good.replace("old 0", "old 18446744073709551616"),
        good.replace("old 0\n\n", "old 0\n"),
        good.replace("old 0\n", "old 0\r\n"),
        good.replace("old 0\n", "old 0\nAAAA\n"),
        good.replace("old 0\n", &format!("old 0\n {hash}")),
        good.replace("old 0\n", &format!("old 0\n{}", hash.repeat(64))),
        good.replace("\n5\n", "\n05\n"),
        good.replace("\n5\n", "\n5\nextension\n"),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{good}junk\n"),
        good.replace('—', "-"),
        format!("old 0\n\n{}", log.signer.sign(&too_large.to_string())),
        good.clone() + &good.rsplit_once("\n\n").unwrap().1.repeat(100),
    ];
    for body in &malformed {
        assert_eq!(status(&witness.base, body), 400, "{body:?}");
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}/add-checkpoint", witness.base);
    let answered = |answer: ureq::http::Response<ureq::Body>| answer.status().as_u16();
    assert_eq!(answered(agent.post(&url).send([0xff, 0xfe].as_slice()).unwrap()), 400);
    assert_eq!(answered(agent.get(&url).call().unwrap()), 405);
    assert_eq!(
        status(
            &witness.base,
            &good.replace("old 0\n", &format!("old 0\n{}", hash.repeat(63)))
        ),
        422
    );
    assert_eq!(status(&witness.base, &format!("{good}{}", " ".repeat(64 * 1024))), 413);
    assert_eq!(status(&witness.base, &good), 200);
}

/// A clock that is not set.
struct Unset;

impl Clock for Unset {
    fn now(&self) -> Result<Timestamp, NoClock> {
        Err(NoClock)
    }
}

#[test]
fn no_clock_no_cosignature_and_nothing_remembered() {
    let log = TestLog::new(LOG, 7).grown(9, "entry");
    let office = Office::new(&log.verifier());
    let without = office.open(Arc::new(Unset));
    assert_eq!(status(&without.base, &log.body(0, 5)), 503);
    let with = office.open(Arc::new(Fixed::at(at(1_800_000_000))));
    assert_eq!(status(&with.base, &log.body(0, 4)), 200);
}

#[test]
fn a_key_and_a_memory_belong_together() {
    let office = Office::new(&TestLog::new(LOG, 7).verifier());
    let path = Office::path(&office.dir);
    let clock = || Arc::new(Fixed::at(at(1_800_000_000)));
    let other = Cosigner::from_seed(WITNESS, &[8; 32]).unwrap();
    assert!(
        Server::new(other, Memory::open(&path).unwrap(), clock())
            .unwrap()
            .is_none()
    );
    let own = Office::cosigner();
    assert!(
        Memory::create(&path, &own.verifier()).is_err(),
        "nothing is overwritten"
    );
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert!(Memory::open(&path).is_err(), "others could change what it remembers");
    std::fs::remove_file(&path).unwrap();
    assert!(Memory::open(&path).is_err(), "a witness never begins anew by itself");
}

#[test]
fn of_many_forks_at_once_one_wins() {
    const FORKS: usize = 8;
    let mut log = TestLog::new(LOG, 7).grown(4, "entry");
    let office = Office::new(&log.verifier());
    let clock = Arc::new(Fixed::at(at(1_800_000_000)));
    // The second stands for another process on the same files.
    let witnesses = [office.open(clock.clone()), office.open(clock)];
    assert_eq!(status(&witnesses[0].base, &log.body(0, 4)), 200);
    for round in 0..40 {
        let old = log.size;
        let forks: Vec<TestLog> = (0..FORKS)
            .map(|fork| log.fork().grown(old + 3, &format!("{round} {fork}")))
            .collect();
        let together = Barrier::new(FORKS);
        let submit = |(number, fork): (usize, &TestLog)| {
            let body = fork.body(old, fork.size);
            let base = &witnesses[number % 2].base;
            together.wait();
            post(base, &body).unwrap()
        };
        let answers: Vec<Answer> = std::thread::scope(|scope| {
            let submit = &submit;
            let threads: Vec<_> = forks
                .iter()
                .enumerate()
                .map(|fork| scope.spawn(move || submit(fork)))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let won: Vec<usize> = (0..FORKS).filter(|&fork| answers[fork].0 == 200).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        for (status, kind, size) in answers.iter().filter(|answer| answer.0 != 200) {
            assert_eq!((*status, kind.as_str(), size), (409, SIZE, &format!("{}\n", old + 3)));
        }
        for (number, fork) in forks.iter().enumerate() {
            let again = status(&witnesses[0].base, &fork.body(fork.size, fork.size));
            assert_eq!(again, if number == won[0] { 200 } else { 422 });
        }
        log = forks.into_iter().nth(won[0]).unwrap();
    }
}
