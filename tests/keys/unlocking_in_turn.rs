//! Others on the machine do not keep the owner of the passphrase out, neither by bodies that come slowly nor by asking more often.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::World;
use crate::support::copies::words;
use crate::support::process::{Server, passphrase_file, run, skipped};

/// Only to fail rather than hang.
const FOR_EVER: Duration = Duration::from_secs(180);
/// Not root.
const NOBODY: u32 = 65534;

fn locked(world: &World) -> Server {
    Server::locked(world.dir.path(), "http", &["--listen", "127.0.0.1:0"])
}

fn address(server: &Server) -> &str {
    server.base.strip_prefix("http://").unwrap()
}

/// `callervault unlock`, with the right passphrase.
fn unlocks(world: &World, server: &Server) {
    let passphrase = passphrase_file(world.dir.path());
    let (told, done) = channel();
    let base = server.base.clone();
    std::thread::spawn(move || {
        let passphrase = passphrase.to_str().unwrap();
        // Nobody may listen any more.
        let _ = told.send(run(&["unlock", "--url", &base, "--passphrase-file", passphrase]));
    });
    let done = done.recv_timeout(FOR_EVER).expect("the owner's turn comes");
    assert_eq!(done.status.code(), Some(0), "{}", words(&done));
}

/// As many as the server has connections for are far away: each sends a part of its body and no more.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_come_slowly_take_nobodys_place() {
    let world = World::closed().await;
    let server = locked(&world);
    let slow = |_| {
        let mut stream = TcpStream::connect(address(&server)).unwrap();
        let head = "POST /v1/keys/unlock HTTP/1.1\r\nhost: vault\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(b"{\"passphrase\": \"incorrect").unwrap();
        stream.set_read_timeout(Some(FOR_EVER)).unwrap();
        stream
    };
    let slow: Vec<TcpStream> = (0..64).map(slow).collect();
    tokio::task::block_in_place(|| unlocks(&world, &server));
    for mut stream in slow {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 503", "it was too slow");
    }
}

/// A process that ends with the test.
struct Guesser(Child);

impl Drop for Guesser {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Another account's process, which asks a hundred times a second and keeps slow requests open.
#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_guesses_all_the_time_does_not_keep_the_owner_out() {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return skipped("somebody_who_guesses_all_the_time: only root can run another account's process");
    }
    let world = World::closed().await;
    let server = locked(&world);
    let (host, port) = address(&server).split_once(':').unwrap();
    let guesser = Command::new("python3")
        .args(["-", host, port])
        .uid(NOBODY)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut guesser = Guesser(guesser.unwrap());
    let mut script = guesser.0.stdin.take().unwrap();
    script.write_all(include_bytes!("guesser.py")).unwrap();
    drop(script);
    let mut wrong = BufReader::new(guesser.0.stdout.take().unwrap()).lines();
    // By now the next one is looked at only after a while, and the guesser is there when it is.
    for _ in 0..3 {
        assert_eq!(wrong.next().unwrap().unwrap(), "wrong");
    }
    tokio::task::block_in_place(|| unlocks(&world, &server));
}
