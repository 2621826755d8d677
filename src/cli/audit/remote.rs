//! A log behind the API of a running server, with an auditor's token.

use std::time::Duration;

use data_encoding::BASE64;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::audit::verify::{NoFile, Source};
use crate::cli::Failure;
use crate::cli::client::{Answer, Client, not_a_vault};
use crate::cli::server::Reach;
use crate::cli::show::quiet;
use crate::merkle::{TILE_WIDTH, TileKind, TilePath};
use crate::note::{Checkpoint, unverified_text};

const CHECKPOINT: &str = "/v1/audit/checkpoint";
/// Bytes of a leaf hash.
const HASH: usize = 32;

/// A server and a token.
pub(super) struct Remote {
    client: Client,
    token: Zeroizing<String>,
}

impl Remote {
    pub(super) fn new(reach: &Reach) -> Result<Self, Failure> {
        Self::with(reach.client()?, reach)
    }

    /// This one, if its server takes the token.
    pub(super) fn admitted(self) -> Result<Self, Failure> {
        match self.client.bytes(&self.token, CHECKPOINT)? {
            (status @ (401 | 403), bytes) => Err(refused(status, &bytes)),
            _ => Ok(self),
        }
    }

    /// As `new`, with a server that may be silent for so long.
    pub(super) fn patient(reach: &Reach, patience: Duration) -> Result<Self, Failure> {
        Self::with(Client::patient(&reach.url, reach.ca.as_deref(), patience)?, reach)
    }

    fn with(client: Client, reach: &Reach) -> Result<Self, Failure> {
        let token = reach.token()?;
        Ok(Self { client, token })
    }
}

/// Why the next entries did not come.
pub(super) enum NoAnswer {
    /// The server is away, silent, busy or cannot write its log: they may come later.
    Away(Failure),
    /// They do not come, however often they are asked for.
    Final(Failure),
    /// The bodies of entries below this one were archived and dropped.
    Archived(u64),
}

impl From<NoAnswer> for Failure {
    fn from(none: NoAnswer) -> Self {
        match none {
            NoAnswer::Away(failure) | NoAnswer::Final(failure) => failure,
            NoAnswer::Archived(below) => Self::unavailable(format!(
                "entries below {below} were archived and dropped\n  their bodies are in the exported archive"
            )),
        }
    }
}

impl Remote {
    /// The next entries from `first` on, as the API answers. Without `wait` it answers at once, also if there are none.
    pub(super) fn follow(&self, first: u64, limit: u32, wait: bool) -> Result<Value, NoAnswer> {
        let path = format!("/v1/audit/follow?from={first}&limit={limit}&wait={wait}");
        let (status, bytes) = self.client.bytes(&self.token, &path).map_err(NoAnswer::Away)?;
        let failure = || refused(status, &bytes);
        match status {
            200 => serde_json::from_slice(&bytes).map_err(|_| NoAnswer::Final(not_a_vault())),
            408 | 500.. => Err(NoAnswer::Away(failure())),
            404 => Err(archived_below(&bytes).map_or_else(|| NoAnswer::Final(failure()), NoAnswer::Archived)),
            _ => Err(NoAnswer::Final(failure())),
        }
    }

    /// The hash of an entry whose body was archived, in base64: it stands in a tile that is full.
    pub(super) fn archived_hash(&self, index: u64) -> Result<String, NoAnswer> {
        let width = TILE_WIDTH as u64;
        let path = TilePath::new(TileKind::Hashes(0), index / width, TILE_WIDTH);
        let path = path.map_err(|fault| NoAnswer::Final(Failure::check_failed(fault)))?;
        let tile = self.read(&path.to_string());
        let tile = tile.map_err(|NoFile(words)| NoAnswer::Away(Failure::unavailable(words)))?;
        let hash = tile.as_deref().and_then(|tile| {
            let at = usize::try_from(index % width).ok()?;
            tile.chunks_exact(HASH).nth(at)
        });
        let hash =
            hash.ok_or_else(|| NoAnswer::Final(Failure::check_failed(format!("the server does not have {path}"))));
        Ok(BASE64.encode(hash?))
    }

    /// Which log the server has.
    pub(super) fn origin(&self) -> Result<String, NoAnswer> {
        let (status, bytes) = self.client.bytes(&self.token, CHECKPOINT).map_err(NoAnswer::Away)?;
        let failure = || refused(status, &bytes);
        match status {
            200 => {}
            408 | 500.. => return Err(NoAnswer::Away(failure())),
            _ => return Err(NoAnswer::Final(failure())),
        }
        let note = std::str::from_utf8(&bytes).map_err(|_| NoAnswer::Final(not_a_vault()))?;
        let checkpoint = unverified_text(note).and_then(Checkpoint::parse);
        let checkpoint = checkpoint.map_err(|_| NoAnswer::Final(not_a_vault()))?;
        Ok(checkpoint.origin.to_string())
    }

    /// JSON that stands there.
    pub(super) fn json(&self, path: &str) -> Result<Value, Failure> {
        let (status, bytes) = self.client.bytes(&self.token, path)?;
        match status {
            200 => serde_json::from_slice(&bytes).map_err(|_| not_a_vault()),
            _ => Err(refused(status, &bytes)),
        }
    }

    /// Sends JSON to the server.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        self.client.call(&self.token, "POST", path, &[], Some(body))
    }
}

/// The first entry that is still there with its body, as the problem says.
fn archived_below(problem: &[u8]) -> Option<u64> {
    let problem: Value = serde_json::from_slice(problem).ok()?;
    problem.get("archived_below")?.as_u64()
}

/// What a status other than 200 means, with the words of the problem (RFC 9457) that came with it.
fn refused(status: u16, problem: &[u8]) -> Failure {
    if matches!(status, 401 | 403) {
        return Failure::refused("the server refuses this token\n  use the token of an auditor");
    }
    let problem: Value = serde_json::from_slice(problem).unwrap_or_default();
    let words = |name| problem.get(name).and_then(Value::as_str).map(quiet);
    let title = words("title").map_or_else(|| ", and not as a vault does".to_owned(), |title| format!(": {title}"));
    let detail =
        words("detail").unwrap_or_else(|| "check --url, and that a proxy on the way reaches the vault".to_owned());
    Failure::of_status(
        status,
        format!("the server answered with status {status}{title}\n  {detail}"),
    )
}

impl Source for Remote {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, NoFile> {
        let answer = self.client.bytes(&self.token, &format!("/v1/audit/{path}"));
        let (status, bytes) = answer.map_err(|failure| NoFile(failure.to_string()))?;
        match status {
            200 => Ok(Some(bytes)),
            404 => Ok(None),
            other => Err(NoFile(format!("{path}: {}", refused(other, &bytes)))),
        }
    }

    fn cosigned(&self) -> Result<Option<Vec<u8>>, NoFile> {
        self.read("checkpoint/cosigned")
    }
}
