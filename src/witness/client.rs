//! The log's side of `add-checkpoint` (tlog-witness, "add-checkpoint"). A witness is believed only what its key has
//! signed; one whose words cannot all be true is reported.

use std::time::Duration;

use jiff::Timestamp;
use ureq::Agent;
use ureq::http::header::CONTENT_TYPE;

use super::AHEAD;
use super::request::{AddCheckpoint, BadRequest};
use crate::merkle::Hash;
use crate::note::{self, CosignatureVerifier, NoteError};

/// The whole call, from name resolution to the last byte.
const SLOWEST: Duration = Duration::from_secs(5);
/// Longest answer, in bytes.
const LARGEST_ANSWER: u64 = 64 * 1024;

/// A witness to submit checkpoints to.
#[derive(Clone)]
pub struct Witness {
    url: String,
    verifier: CosignatureVerifier,
    agent: Agent,
}

/// A verified cosignature on the checkpoint submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// The size cosigned: `old` of the next submission.
    pub size: u64,
    /// When the witness saw it.
    pub time: Timestamp,
    /// The signature line, with its newline, to be put below the checkpoint.
    pub line: String,
}

impl Witness {
    /// The witness that answers below this URL (its submission prefix) and cosigns with this key.
    #[must_use]
    pub fn new(url: &str, verifier: CosignatureVerifier) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(SLOWEST))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .build();
        Self {
            url: url.trim_end_matches('/').to_owned(),
            verifier,
            agent: config.new_agent(),
        }
    }

    /// The key it cosigns with.
    #[must_use]
    pub const fn verifier(&self) -> &CosignatureVerifier {
        &self.verifier
    }

    /// Submits a signed checkpoint, on a thread that may wait, for 5 seconds at most.
    ///
    /// `old` is the largest size this witness is known to have cosigned, or to have named in
    /// [`WitnessError::OtherSize`]; 0 at first. `proof` leads from there to the checkpoint and is empty if `old` is 0 or
    /// the checkpoint's own size. A checkpoint may be submitted again, for a newer time.
    ///
    /// # Errors
    /// [`WitnessError`]. On [`WitnessError::OtherSize`] submit again from that size.
    pub async fn submit(
        &self,
        old: u64,
        proof: Vec<Hash>,
        checkpoint: &str,
        now: Timestamp,
    ) -> Result<Cosigned, WitnessError> {
        let request = AddCheckpoint::new(old, proof, checkpoint.to_owned())?;
        let (agent, url, body) = (self.agent.clone(), self.url.clone(), request.to_string());
        let answered = tokio::task::spawn_blocking(move || post(&agent, &url, &body));
        match answered.await {
            Ok(answer) => self.judge(&request, &answer?, now),
            Err(error) => Err(WitnessError::Unreachable(error.to_string())),
        }
    }

    /// What an answer is worth.
    fn judge(&self, request: &AddCheckpoint, answer: &Answer, now: Timestamp) -> Result<Cosigned, WitnessError> {
        let new = request.claimed();
        match answer.status {
            200 => Ok(self.cosigned(request, &answer.body, now)?),
            400 => Err(WitnessError::Malformed),
            403 => Err(WitnessError::Unsigned),
            404 => Err(WitnessError::UnknownOrigin),
            409 => Err(conflict(request.old(), new.size, answer.size())),
            422 => Err(WitnessError::Inconsistent),
            other => Err(WitnessError::Answer(other)),
        }
    }

    /// Looks for this witness's cosignature among the lines it answered with.
    fn cosigned(&self, request: &AddCheckpoint, lines: &str, now: Timestamp) -> Result<Cosigned, Lie> {
        let new = request.claimed();
        let text = new.to_string();
        let note = format!("{text}\n{lines}");
        let cosignature = self.verifier.verify(&note).map_err(Lie::Cosignature)?;
        // Lines with an empty one among them would be a note of another text.
        if cosignature.text != text {
            return Err(Lie::Cosignature(NoteError::Malformed));
        }
        let seconds = i64::try_from(cosignature.time).map_err(|_| Lie::Time)?;
        let time = Timestamp::from_second(seconds).map_err(|_| Lie::Time)?;
        if time.duration_since(now) > AHEAD {
            return Err(Lie::Time);
        }
        Ok(Cosigned {
            size: new.size,
            time,
            line: cosignature.line.to_owned(),
        })
    }
}

/// What a 409 means that names this size, or none, where `old` and `new` were submitted.
fn conflict(old: u64, new: u64, named: Option<u64>) -> WitnessError {
    match named {
        Some(size) if size > new => WitnessError::Larger(size),
        Some(size) if size > old => WitnessError::OtherSize(size),
        Some(size) if size < old => Lie::Smaller(size).into(),
        // tlog-witness v1.0.0 says so of a fork, later versions say 422.
        _ if old == new => WitnessError::Inconsistent,
        Some(size) => Lie::Smaller(size).into(),
        None => WitnessError::Answer(409),
    }
}

/// What came back.
struct Answer {
    status: u16,
    is_size: bool,
    body: String,
}

impl Answer {
    /// The size that a 409 names.
    fn size(&self) -> Option<u64> {
        let size = self.body.strip_suffix('\n').filter(|_| self.is_size)?;
        note::decimal(size)
    }
}

fn post(agent: &Agent, url: &str, body: &str) -> Result<Answer, WitnessError> {
    let unreachable = |error: ureq::Error| WitnessError::Unreachable(error.to_string());
    let request = agent
        .post(format!("{url}/add-checkpoint"))
        .content_type("text/plain; charset=utf-8");
    let mut answer = request.send(body).map_err(unreachable)?;
    let kind = answer.headers().get(CONTENT_TYPE);
    let is_size = kind.is_some_and(|kind| kind == "text/x.tlog.size");
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(LARGEST_ANSWER);
    let body = body.read_to_string().map_err(unreachable)?;
    Ok(Answer { status, is_size, body })
}

/// No cosignature came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessError {
    /// What was to be submitted is not a checkpoint with a proof.
    #[error(transparent)]
    Request(#[from] BadRequest),
    /// It did not answer in time, or not over HTTP.
    #[error("the witness does not answer: {0}\n  is it running?")]
    Unreachable(String),
    /// It has cosigned another size than `old`, up to the checkpoint's: submit again from this one.
    #[error("the witness has cosigned size {0}\n  submit again from there")]
    OtherSize(u64),
    /// It has cosigned, or says so, a larger tree than the one submitted. Unless the log is larger by now, either this
    /// log has lost entries or the witness lies.
    #[error(
        "the witness has cosigned size {0}, more than this log has\n  either this log has lost entries or \
                 the witness lies: compare with receipts and backups"
    )]
    Larger(u64),
    /// It finds that the checkpoint does not continue what the log has signed before. Either this log has forked or the
    /// witness lies.
    #[error(
        "the witness finds the checkpoint inconsistent with what this log has signed before\n  either this log \
                 has forked or the witness lies: keep this log as evidence and ask the witness for both checkpoints"
    )]
    Inconsistent,
    /// It cannot read the request.
    #[error("the witness cannot read the request\n  is there a witness of C2SP tlog-witness at this URL?")]
    Malformed,
    /// It does not trust the key that signed the checkpoint.
    #[error("the witness trusts another key for this log\n  give it this log's vkey")]
    Unsigned,
    /// It does not know this log.
    #[error("the witness does not know this log\n  give it this log's vkey")]
    UnknownOrigin,
    /// It answered with a status, or a size, that the specification does not have.
    #[error("the witness answered {0}, not as specified\n  is there a witness of C2SP tlog-witness at this URL?")]
    Answer(u16),
    /// It said something that cannot be true.
    #[error(transparent)]
    Lies(#[from] Lie),
}

/// What cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lie {
    /// It accepted the checkpoint without its cosignature on it.
    #[error("the witness's answer holds no cosignature of its own: {0}")]
    Cosignature(NoteError),
    /// It has cosigned something more than five minutes from now.
    #[error("the witness's cosignature is from the future")]
    Time,
    /// It refuses the old size and names one that is no larger.
    #[error("the witness forgot: it names {0} as its newest size")]
    Smaller(u64),
}
