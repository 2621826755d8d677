//! A server that is no vault: it answers as it likes, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::support::process::{run, secret_file};

/// Serves until the process ends.
pub(crate) struct Stranger {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Stranger {
    /// Answers the request of such a first line with this status, type and body.
    pub(crate) fn answering(answer: impl Fn(&str) -> (&'static str, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let keeps = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let first = request(&stream);
                let (status, body) = answer(&first);
                keeps.lock().unwrap().push(first);
                let length = body.len();
                let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
                // A client may be gone.
                let _ = stream.write_all([head, body].concat().as_bytes());
            }
        });
        Self { base, asked }
    }

    /// Answers each request so.
    pub(crate) fn saying(status: &'static str, body: &str) -> Self {
        let body = body.to_owned();
        Self::answering(move |_| (status, body.clone()))
    }

    /// The first lines of the requests that came.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A verb against it: exit code, and all that was said.
    pub(crate) fn run(&self, directory: &Path, words: &[&str]) -> (Option<i32>, String) {
        let token = directory.join("token");
        secret_file(&token, "cvt_any");
        let always = ["--url", &self.base, "--token-file", token.to_str().unwrap()];
        let output = run(&[words, &always].concat());
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    }
}

/// The first line of a request that has come whole.
fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut first, mut line, mut length) = (String::new(), String::new(), 0);
    reader.read_line(&mut first).unwrap();
    while reader.read_line(&mut line).unwrap() > 2 {
        if let Some((_, value)) = line
            .split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        {
            length = value.trim().parse().expect("a length");
        }
        line.clear();
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    first.trim_end().to_owned()
}
