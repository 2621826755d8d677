//! A log, a witness on loopback, and one request.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;

use axum::Router;
use callervault::clock::Clock;
use callervault::http::{ConnectionLimits, Listen, serve_routes};
use callervault::merkle::Hash;
use callervault::note::{Checkpoint, Cosigner, Signer, Verifier};
use callervault::witness::memory::Memory;
use callervault::witness::server::{Server, router};
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::merkle::tree::Stored;

pub(crate) const LOG: &str = "vault.example/log/1";
pub(crate) const WITNESS: &str = "ombudsman.example/w1";
pub(crate) const SIZE: &str = "text/x.tlog.size";

/// A log kept by an independent implementation; only its signature is ours.
pub(crate) struct TestLog {
    pub(crate) signer: Signer,
    hashes: Stored,
    pub(crate) size: u64,
}

impl TestLog {
    pub(crate) fn new(origin: &str, seed: u8) -> Self {
        Self {
            signer: Signer::from_seed(origin, &[seed; 32]).unwrap(),
            hashes: Stored(Vec::new()),
            size: 0,
        }
    }

    /// As large as `size`, with entries that `history` tells apart.
    pub(crate) fn grown(mut self, size: u64, history: &str) -> Self {
        for index in self.size..size {
            let entry = format!("{history} {index}");
            let hashes = tlog_tiles::stored_hashes(index, entry.as_bytes(), &self.hashes).unwrap();
            self.hashes.0.extend(hashes);
        }
        self.size = size;
        self
    }

    /// Another log by the same key with the same entries so far.
    pub(crate) fn fork(&self) -> Self {
        Self {
            hashes: Stored(self.hashes.0.clone()),
            size: self.size,
            ..Self::new(LOG, 7)
        }
    }

    pub(crate) fn verifier(&self) -> Verifier {
        self.signer.verifier()
    }

    fn root(&self, size: u64) -> Hash {
        Hash::from_bytes(tlog_tiles::tree_hash(size, &self.hashes).unwrap().0)
    }

    pub(crate) fn checkpoint(&self, size: u64) -> String {
        let checkpoint = Checkpoint {
            origin: self.signer.name().to_owned(),
            size,
            root: self.root(size),
        };
        self.signer.sign(&checkpoint.to_string())
    }

    pub(crate) fn proof(&self, old: u64, new: u64) -> Vec<Hash> {
        if old == 0 {
            return Vec::new();
        }
        let proof = tlog_tiles::prove_tree(new, old, &self.hashes).unwrap();
        proof.iter().map(|hash| Hash::from_bytes(hash.0)).collect()
    }

    /// A request's body, written here from the specification.
    pub(crate) fn body(&self, old: u64, new: u64) -> String {
        let proof: String = self.proof(old, new).iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {old}\n{proof}\n{}", self.checkpoint(new))
    }
}

/// Routes served on loopback.
pub(crate) struct Listening {
    pub(crate) base: String,
    pub(crate) runtime: Runtime,
}

pub(crate) fn listen(routes: Router) -> Listening {
    let runtime = Runtime::new().unwrap();
    let (bound, address) = channel();
    let told = move |address| bound.send(address).unwrap();
    let never = std::future::pending();
    let loopback = "127.0.0.1:0".parse().unwrap();
    runtime.spawn(serve_routes(
        routes,
        ConnectionLimits::default(),
        Listen::plain(loopback),
        told,
        never,
    ));
    let base = format!("http://{}", address.recv().unwrap());
    Listening { base, runtime }
}

/// Status, content type and body.
pub(crate) type Answer = (u16, String, String);

pub(crate) fn post(base: &str, body: &str) -> Result<Answer, ureq::Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent.post(format!("{base}/add-checkpoint")).send(body)?;
    let kind = answer.headers().get("content-type");
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let status = answer.status().as_u16();
    Ok((status, kind, answer.body_mut().read_to_string()?))
}

pub(crate) fn status(base: &str, body: &str) -> u16 {
    post(base, body).unwrap().0
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// A directory that only its owner reads, as a witness's must be.
pub(crate) fn private_dir() -> TempDir {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    tempfile::Builder::new().permissions(mode).tempdir().unwrap()
}

/// A witness's directory with one known log.
pub(crate) struct Office {
    pub(crate) dir: TempDir,
}

impl Office {
    pub(crate) fn new(log: &Verifier) -> Self {
        let dir = private_dir();
        Memory::create(&Self::path(&dir), &Self::cosigner().verifier()).unwrap();
        Memory::open(&Self::path(&dir)).unwrap().trust(log).unwrap();
        Self { dir }
    }

    pub(crate) fn path(dir: &TempDir) -> PathBuf {
        dir.path().join("witness.db")
    }

    pub(crate) fn cosigner() -> Cosigner {
        Cosigner::from_seed(WITNESS, &[9; 32]).unwrap()
    }

    pub(crate) fn open(&self, clock: Arc<dyn Clock>) -> Listening {
        let memory = Memory::open(&Self::path(&self.dir)).unwrap();
        listen(router(Server::new(Self::cosigner(), memory, clock).unwrap().unwrap()))
    }
}
