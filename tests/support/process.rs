//! The real program as a process of its own, ended when the test ends, however it ends.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use callervault::model::ask::RequestId;
use callervault::randomness::System;
use serde_json::Value;

use crate::support::{PASSPHRASE, World};

/// `callervault serve` on a free port of the loopback interface.
pub(crate) struct Server {
    pub(crate) process: Child,
    pub(crate) base: String,
    /// Where its metrics are.
    pub(crate) metrics: String,
    /// What it writes to standard error since it began to serve, line by line.
    said: Receiver<String>,
    /// What of it a test has read.
    heard: Vec<String>,
}

/// Only to fail rather than hang.
const FOR_EVER: Duration = Duration::from_secs(60);

impl Server {
    /// Starts it; returns once it has proved its log and listens.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_with(directory, "http", &["--listen", "127.0.0.1:0"])
    }

    /// As `start`, with arguments of one's own; the scheme is that of `base`.
    pub(crate) fn start_with(directory: &Path, scheme: &str, arguments: &[&str]) -> Self {
        passphrase_file(directory);
        let program = Command::new(env!("CARGO_BIN_EXE_callervault"));
        Self::start_program(program, directory, scheme, arguments)
    }

    /// As `start_with`, by a command of one's own; the passphrase is in its file already.
    pub(crate) fn start_program(mut program: Command, directory: &Path, scheme: &str, arguments: &[&str]) -> Self {
        program
            .args(["serve", "--dir"])
            .arg(directory)
            .arg("--passphrase-file")
            .arg(directory.join("passphrase"))
            .args(arguments);
        Self::of(program, scheme)
    }

    /// A server without the passphrase: it starts locked.
    pub(crate) fn locked(directory: &Path, scheme: &str, arguments: &[&str]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_callervault"));
        program.args(["serve", "--dir"]).arg(directory).args(arguments);
        Self::of(program, scheme)
    }

    /// The server that a whole command line starts.
    pub(crate) fn of(mut program: Command, scheme: &str) -> Self {
        let mut process = program.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
        let serving = lines.by_ref().find_map(|line| {
            let line: Value = serde_json::from_str(&line.unwrap()).unwrap_or_default();
            line["fields"]["address"].is_string().then_some(line)
        });
        let serving = serving.expect("the server starts and proves its log");
        let at = |what: &str| serving["fields"][what].as_str().unwrap_or_default().to_owned();
        // Whoever writes into a pipe that nobody reads stops.
        let (end, said) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Most tests do not ask.
                let _ = end.send(line);
            }
        });
        Self {
            process,
            said,
            heard: Vec::new(),
            base: format!("{scheme}://{}", at("address")),
            metrics: format!("http://{}", at("metrics")),
        }
    }

    /// SIGTERM.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// A signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until it writes one more line with these words to standard error.
    pub(crate) fn says(&mut self, words: &str) -> &str {
        let mut found = false;
        while !found {
            let line = self.said.recv_timeout(FOR_EVER).expect(words);
            found = line.contains(words);
            self.heard.push(line);
        }
        self.heard.last().unwrap()
    }

    /// As `says`; whether it says so before it ends.
    pub(crate) fn says_or_ends(&mut self, words: &str) -> bool {
        let mut found = false;
        while !found {
            match self.said.recv_timeout(FOR_EVER) {
                Ok(line) => {
                    found = line.contains(words);
                    self.heard.push(line);
                }
                Err(last) => {
                    assert_eq!(last, RecvTimeoutError::Disconnected, "{words}");
                    return false;
                }
            }
        }
        true
    }

    /// Waits for its end: exit code, and what it has written to standard error since it began to serve.
    pub(crate) fn ended(&mut self) -> (Option<i32>, String) {
        let last = loop {
            match self.said.recv_timeout(FOR_EVER) {
                Ok(line) => self.heard.push(line),
                Err(last) => break last,
            }
        };
        assert_eq!(last, RecvTimeoutError::Disconnected, "the process ends by itself");
        (self.process.wait().unwrap().code(), self.heard.join("\n"))
    }

    /// Posts as one of the world's staff: status and answer. What the log does not take in time is sent again; what makes
    /// something, under one `Idempotency-Key`.
    pub(crate) fn post(&self, world: &World, who: &str, path: &str, body: &Value) -> (u16, Value) {
        let key = RequestId::random(&System).unwrap();
        for _ in 0..100 {
            let mut request = client()
                .post(format!("{}{path}", self.base))
                .header("authorization", format!("Bearer {}", world.token(who)));
            if path.starts_with("/v1/intake") || path.starts_with("/v1/tickets") {
                request = request.header("idempotency-key", key.as_str());
            }
            let mut answer = request.send_json(body).unwrap();
            let (status, answer) = (
                answer.status().as_u16(),
                answer.body_mut().read_json().unwrap_or_default(),
            );
            if !not_taken(status, &answer) {
                return (status, answer);
            }
        }
        unreachable!("the log takes nothing")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already: that is what some tests are about.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The log did not take it in time, as on a busy disk. That acknowledges nothing.
pub(crate) fn not_taken(status: u16, answer: &Value) -> bool {
    status == 503 && answer["type"] == "urn:callervault:problem:audit-unavailable"
}

/// A client for which an error status is an answer.
pub(crate) fn client() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).build().into()
}

/// A file of mode 0600.
pub(crate) fn secret_file(path: &Path, text: &str) {
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    writeln!(file, "{text}").unwrap();
}

/// The world's passphrase, in a file beside its stores.
pub(crate) fn passphrase_file(directory: &Path) -> PathBuf {
    let path = directory.join("passphrase");
    secret_file(&path, PASSPHRASE);
    path
}

/// Runs a verb of the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callervault"))
        .args(arguments)
        .output()
        .unwrap()
}

/// Says on the standard error stream that a test could not be run here, and why: the test harness would swallow it. The
/// file is what `tests/run` ends with.
pub(crate) fn skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
    file.unwrap().write_all(line.as_bytes()).unwrap();
}
