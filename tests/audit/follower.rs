//! A follower of the log: its file is rotated, torn by a crash, or put back; its server is silent, busy or away.

use std::fs::{read_to_string, rename, write};
use std::io::{BufRead, BufReader, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use callervault::audit::export::index_in;

use super::export::{Scene, lines, scene};
use crate::support::World;
use crate::support::process::{Server, client};

/// Only to fail rather than hang.
const AT_LAST: Duration = Duration::from_secs(120);

/// `audit export --follow`, ended with the test.
pub(super) struct Follower {
    pub(super) process: Child,
    said: Receiver<String>,
}

impl Follower {
    pub(super) fn start(scene: &Scene, more: &[&str]) -> Self {
        let token = scene.token();
        let mut process = Command::new(env!("CARGO_BIN_EXE_callervault"))
            .args(scene.arguments(&token))
            .arg("--follow")
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let words = BufReader::new(process.stderr.take().unwrap()).lines();
        let (say, said) = channel();
        std::thread::spawn(move || words.map_while(Result::ok).try_for_each(|line| say.send(line)));
        Self { process, said }
    }

    /// Waits until it says this, and returns the line.
    pub(super) fn says(&self, words: &str) -> String {
        let until = Instant::now() + AT_LAST;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).expect(words);
            if line.contains(words) {
                return line;
            }
        }
    }

    fn hang_up(&self) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &process]).status();
        assert!(sent.unwrap().success());
    }

    /// SIGKILL.
    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The indexes of a file's lines, of which each must be whole.
pub(super) fn indexes(file: &str) -> Vec<u64> {
    let text = match read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        text => text.unwrap(),
    };
    // Where a follower is writing, the last line may be half there.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let index = |line: &str| index_in(line).unwrap_or_else(|| unreachable!("no line of an export: {line}"));
    whole.split('\n').filter(|line| !line.is_empty()).map(index).collect()
}

/// Where a cursor says to go on.
pub(super) fn position(cursor: &str) -> String {
    read_to_string(cursor).unwrap().lines().next().unwrap().to_owned()
}

/// Waits until something is seen.
pub(super) fn until(what: &str, seen: impl Fn() -> bool) {
    let end = Instant::now() + AT_LAST;
    while !seen() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

/// Each entry from the first to the last of these, once.
#[track_caller]
pub(super) fn each_once(files: &[&str]) {
    let all: Vec<u64> = files.iter().flat_map(|file| indexes(file)).collect();
    assert!(
        !all.is_empty() && all.iter().copied().eq(0..all.len() as u64),
        "{all:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_go_on_under_the_old_name_when_the_file_is_rotated() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let [file, first, second, third] = ["siem", "siem.1", "siem.2", "siem.3"].map(|name| scene.path(name));
        let follower = Follower::start(&scene, &["--format", "native", "--out", &file]);
        until("the first lines", || !indexes(&file).is_empty());
        // Renamed, and found out with the next lines.
        rename(&file, &first).unwrap();
        scene.grow(3);
        until("lines in a new file", || indexes(&file).len() >= 3);
        follower.says("was rotated");
        // Renamed, and told.
        rename(&file, &second).unwrap();
        follower.hang_up();
        follower.says("was rotated");
        assert!(Path::new(&file).exists(), "without any news");
        scene.grow(3);
        until("lines after the signal", || indexes(&file).len() >= 3);
        // Renamed, and another file put in its place.
        rename(&file, &third).unwrap();
        write(&file, "").unwrap();
        scene.grow(3);
        until("lines in the file that was put there", || indexes(&file).len() >= 3);
        each_once(&[&first, &second, &third, &file]);
    });
}

/// A signal without a rotation changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_of_a_file_outlives_a_hangup() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let file = scene.path("siem");
        let mut follower = Follower::start(&scene, &["--format", "cef", "--out", &file]);
        until("the first lines", || !indexes(&file).is_empty());
        let before = indexes(&file).len();
        follower.hang_up();
        scene.grow(3);
        until("lines after the signal", || indexes(&file).len() >= before + 3);
        assert!(follower.process.try_wait().unwrap().is_none());
        each_once(&[&file]);
    });
}

/// As a process leaves it that is killed while it writes: half a line at the end, and a cursor from before that page.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_line_is_cut_off_and_each_entry_stands_there_once() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        scene.grow(10);
        for format in ["native", "ocsf", "syslog", "cef"] {
            let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(&format!("{name}.{format}")));
            let arguments = ["--format", format, "--out", &file, "--cursor", &cursor];
            scene.export(&arguments);
            let text = read_to_string(&file).unwrap();
            let (ends, lines) = (text.match_indices('\n'), indexes(&file).len());
            let ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
            let (fifth, sixth) = (ends[4], ends[5]);
            for torn in [0, 1, 9, ends[0] - 1, fifth, fifth + 1, fifth + 40, sixth - 1] {
                // Behind the file's end, at it, and before it.
                for told in ["0", "3", "5", "9"] {
                    let lost = torn < ends[0] && told != "0";
                    write(&file, &text[..torn]).unwrap();
                    write(&cursor, if lost { "0" } else { told }).unwrap();
                    scene.export(&arguments);
                    each_once(&[&file]);
                    assert!(
                        indexes(&file).len() >= lines,
                        "{format} torn at {torn}, cursor at {told}"
                    );
                    let kept = position(&cursor);
                    assert_eq!(kept, indexes(&file).len().to_string(), "{format}");
                }
            }
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_killed_again_and_again_leaves_each_entry_once() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        scene.grow(400);
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        let arguments = ["--format", "ocsf", "--out", &file, "--cursor", &cursor];
        for round in 1..=6 {
            let mut follower = Follower::start(&scene, &arguments);
            // Whatever it is doing then: the first page is being written, was written, or has moved the cursor.
            until("some bytes", || {
                std::fs::metadata(&file).is_ok_and(|file| file.len() > round * 60_000)
            });
            follower.kill();
        }
        scene.export(&arguments);
        each_once(&[&file]);
        assert_eq!(position(&cursor), indexes(&file).len().to_string());
    });
}

/// Without a cursor the file itself tells where to go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_to_a_file_that_has_entries_adds_those_that_follow() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let file = scene.path("siem");
        for _ in 0..3 {
            scene.export(&["--format", "syslog", "--out", &file]);
            scene.grow(2);
        }
        each_once(&[&file]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_export_is_not_cut() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let file = scene.path("notes");
        for text in ["a note without an end", "a note\nand half", "{\"mine\": 1}", "<html>"] {
            write(&file, text).unwrap();
            let output = scene.try_export(&["--format", "native", "--out", &file]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{text}: {said}");
            assert!(said.contains("part of a line that no export wrote"), "{said}");
            assert_eq!(read_to_string(&file).unwrap(), text);
        }
    });
}

/// A listener that takes connections and answers nothing.
fn silent() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (listener, base)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_server_is_given_up() {
    let mut scene = scene().await;
    let (_listener, base) = silent();
    scene.server.base = base;
    tokio::task::block_in_place(|| {
        for format in ["native", "tiles"] {
            let output = scene.try_export(&["--format", format, "--out", &scene.path("out"), "--patience", "1"]);
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(3), "{said}");
            assert!(said.contains("the server did not answer for 1 s"), "{said}");
        }
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_says_that_the_server_is_silent_and_tries_again() {
    let mut scene = scene().await;
    let (listener, base) = silent();
    scene.server.base = base;
    tokio::task::block_in_place(|| {
        let follower = Follower::start(&scene, &["--format", "native", "--patience", "1"]);
        let held: Vec<TcpStream> = (0..3).map(|_| listener.accept().unwrap().0).collect();
        follower.says("the server did not answer for 1 s; trying again in 1 s");
        follower.says("the server did not answer for 1 s; trying again in 2 s");
        drop(held);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_goes_on_when_its_server_comes_back() {
    let mut scene = scene().await;
    tokio::task::block_in_place(|| {
        let [file, cursor] = ["siem", "cursor"].map(|name| scene.path(name));
        let follower = Follower::start(&scene, &["--format", "native", "--out", &file, "--cursor", &cursor]);
        until("the first lines", || !indexes(&file).is_empty());
        let address = scene.server.base.trim_start_matches("http://").to_owned();
        scene.server.process.kill().unwrap();
        scene.server.process.wait().unwrap();
        follower.says("trying again");
        scene.server = Server::start_with(scene.world.dir.path(), "http", &["--listen", &address]);
        follower.says("the server answers again");
        let before = indexes(&file).len();
        scene.grow(5);
        until("lines of the server that came back", || {
            indexes(&file).len() >= before + 5
        });
        each_once(&[&file]);
    });
}

/// A client that has used up its minute is told to wait, and does not wait without a word.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_is_held_back_says_so() {
    let (world, app) = World::new().await;
    let case = world.case(&app, "C1").await;
    drop(app);
    let scene = Scene::served(world, case, &["--requests-per-minute", "20"]);
    tokio::task::block_in_place(|| {
        let token = format!("Bearer {}", scene.world.token("auditor"));
        let ask = || {
            let path = format!("{}/v1/audit/checkpoint", scene.server.base);
            client()
                .get(path)
                .header("authorization", &token)
                .call()
                .unwrap()
                .status()
        };
        until("the minute's worth is used up", || ask() == 429);
        let output = scene.export(&["--format", "native"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("s as the server asks"), "{said}");
        assert!(!lines(&output).is_empty());
    });
}

/// It would pass for one without news: a cursor may be of the log before the one in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_follower_from_beyond_the_log_is_told_so() {
    let scene = scene().await;
    tokio::task::block_in_place(|| {
        let output = scene.try_export(&["--format", "native", "--follow", "--from", "100000"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("fewer entries than `from`"), "{said}");
    });
}
