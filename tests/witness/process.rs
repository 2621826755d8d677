//! `callervault witness` as processes: what was answered survives `kill -9`, and the key stays where it is.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use callervault::note::CosignatureVerifier;
use serde_json::Value;

use crate::support::rows::Store;
use crate::support::witness::{LOG, Office, TestLog, WITNESS, post, private_dir, status};

fn command(verb: &str, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callervault"));
    command.args(["witness", verb, "--dir"]).arg(dir);
    command
}

/// A witness's process.
struct Serving {
    process: Child,
    base: String,
    /// The public key as it says it.
    key: String,
    /// What it writes to its log from then on.
    log: Receiver<Value>,
}

fn serve(dir: &Path) -> Serving {
    let mut serve = command("serve", dir);
    serve.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
    let mut process = serve.spawn().unwrap();
    let lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let mut lines = lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap_or_default());
    let ready = lines.find_map(|line| {
        let field = |name: &str| Some(line.pointer(name)?.as_str()?.to_owned());
        Some((format!("http://{}", field("/fields/address")?), field("/fields/key")?))
    });
    let (written, log) = channel();
    // Read on even when nobody listens, so that it never waits to write.
    std::thread::spawn(move || lines.for_each(|line| drop(written.send(line))));
    let (base, key) = ready.expect("it starts");
    Serving {
        process,
        base,
        key,
        log,
    }
}

/// Makes a witness in a directory: its key, which is all that it prints.
fn init(dir: &Path) -> String {
    let made = command("init", dir).args(["--name", WITNESS]).output().unwrap();
    assert!(made.status.success());
    String::from_utf8(made.stdout).unwrap().trim_end().to_owned()
}

/// Makes a log known to a witness.
fn add_log(dir: &Path, log: &TestLog) {
    let key = log.verifier().to_string();
    let added = command("add-log", dir).args(["--key", &key]).output().unwrap();
    assert!(added.status.success());
}

#[test]
fn kill_nine_makes_it_forget_nothing_it_answered() {
    let parent = private_dir();
    let dir = parent.path().join("witness");
    let key = init(&dir);
    let verifier: CosignatureVerifier = key.parse().expect("init prints the key and nothing else");
    let mut log = TestLog::new(LOG, 7).grown(1, "entry");
    add_log(&dir, &log);

    let mut cosigned = 0;
    for round in 0..20_u64 {
        let Serving {
            mut process,
            base,
            key: served_key,
            ..
        } = serve(&dir);
        assert_eq!(served_key, key);
        let told = post(&base, &log.body(0, log.size)).unwrap();
        let mut old = if cosigned == 0 && told.0 == 200 {
            1
        } else {
            told.2.trim_end().parse().unwrap()
        };
        // What was answered is there, and at most the one request more that nobody heard the answer of.
        assert!(old == cosigned || old == cosigned + 1, "{old} after {cosigned}");
        let lie = TestLog::new(LOG, 7).grown(old, "another history");
        assert_eq!(status(&base, &lie.body(old, old)), 422);
        log = log.grown(old + 200, "entry");
        let (answered, answers) = channel();
        let log = &log;
        let verifier = &verifier;
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while let Ok((200, _, line)) = post(&base, &log.body(old, old + 1)) {
                    let note = log.checkpoint(old + 1) + &line;
                    assert_eq!(verifier.verify(&note).unwrap().line, line);
                    old += 1;
                    if answered.send(old).is_err() || old == log.size {
                        return;
                    }
                }
            });
            for size in answers.iter() {
                cosigned = size;
                if size % 7 == round % 7 {
                    process.kill().unwrap();
                }
            }
        });
        // It may have refused what it should not, and still run.
        process.kill().unwrap();
        process.wait().unwrap();
    }
    assert!(cosigned > 20, "{cosigned}");
}

#[test]
fn the_command_line_keeps_the_key_to_itself() {
    use std::os::unix::fs::MetadataExt;
    let parent = private_dir();
    let dir = parent.path().join("witness");
    let init = || command("init", &dir).args(["--name", WITNESS]).output().unwrap();
    let bad_name = command("init", &dir).args(["--name", "a name"]).output().unwrap();
    assert_eq!(bad_name.status.code(), Some(2));
    let made = init();
    let seed = std::fs::read_to_string(dir.join("witness.seed")).unwrap();
    for name in ["witness.seed", "witness.db"] {
        assert_eq!(
            std::fs::metadata(dir.join(name)).unwrap().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    let again = init();
    assert_eq!(again.status.code(), Some(2), "nothing is overwritten");
    assert_eq!(std::fs::read_to_string(dir.join("witness.seed")).unwrap(), seed);
    let shown = [made.stdout, made.stderr, again.stdout, again.stderr].concat();
    assert!(!String::from_utf8(shown).unwrap().contains(seed.trim_end()));
    let not_a_log_key = Office::cosigner().verifier().to_string();
    let refused = command("add-log", &dir)
        .args(["--key", &not_a_log_key])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(2));
    let exposed = command("serve", &dir).args(["--listen", "0.0.0.0:0"]).output().unwrap();
    assert_eq!(exposed.status.code(), Some(2));
    let elsewhere = command("serve", parent.path()).output().unwrap();
    assert_eq!(elsewhere.status.code(), Some(3));

    // SIGTERM ends it in order.
    let Serving { mut process, base, .. } = serve(&dir);
    assert_eq!(ureq::get(format!("{base}/livez")).call().unwrap().status(), 200);
    let id = rustix::process::Pid::from_child(&process);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}

#[test]
fn a_fork_is_put_on_record_and_a_lost_memory_ends_it() {
    let parent = private_dir();
    let dir = parent.path().join("witness");
    init(&dir);
    let (log, fork) = (
        TestLog::new(LOG, 7).grown(5, "one"),
        TestLog::new(LOG, 7).grown(5, "two"),
    );
    let mut serving = serve(&dir);
    assert_eq!(status(&serving.base, &log.body(0, 5)), 404);
    // A running witness knows a log as soon as it is added.
    add_log(&dir, &log);
    assert_eq!(status(&serving.base, &log.body(0, 5)), 200);
    assert_eq!(status(&serving.base, &fork.body(5, 5)), 422);
    let record = serving.log.iter().find_map(|line| {
        let note = |name: &str| Some(line.pointer(name)?.as_str()?.to_owned());
        Some((note("/fields/before")?, note("/fields/refused")?))
    });
    assert_eq!(
        record,
        Some((log.checkpoint(5), fork.checkpoint(5))),
        "the proof that the log has forked"
    );

    Store::open(&dir.join("witness.db")).without("cosigned");
    // Whether the answer still gets out or not, it is no cosignature.
    let answer = post(&serving.base, &log.body(5, 5));
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.0 == 503));
    assert_eq!(serving.process.wait().unwrap().code(), Some(3));
}
