//! The body of `add-checkpoint`: a size the witness has seen, the proof from there, and the checkpoint (tlog-witness,
//! "add-checkpoint").

use std::fmt;
use std::str::FromStr;

use crate::merkle::Hash;
use crate::note::{self, Checkpoint, NoteError};

/// Hashes in the longest consistency proof that may be sent (tlog-witness, "add-checkpoint").
pub const MAX_PROOF: usize = 63;

/// A checkpoint submitted to a witness. Nobody has verified it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: Vec<Hash>,
    note: String,
    claimed: Checkpoint,
}

impl AddCheckpoint {
    /// A request that says: your newest is of size `old`, this `proof` (RFC 6962 §2.1.2) leads from there to the
    /// checkpoint in this signed note.
    ///
    /// # Errors
    /// [`BadRequest::Proof`] above [`MAX_PROOF`] hashes; [`BadRequest::Checkpoint`] if the note carries no checkpoint of
    /// three lines; [`BadRequest::Size`] for one of more than 2^63 − 1 leaves.
    pub fn new(old: u64, proof: Vec<Hash>, note: String) -> Result<Self, BadRequest> {
        if proof.len() > MAX_PROOF {
            return Err(BadRequest::Proof);
        }
        let claimed = note::unverified_text(&note).and_then(Checkpoint::parse)?;
        if i64::try_from(claimed.size).is_err() {
            return Err(BadRequest::Size);
        }
        Ok(Self {
            old,
            proof,
            note,
            claimed,
        })
    }

    /// The size of the tree the proof starts from.
    #[must_use]
    pub const fn old(&self) -> u64 {
        self.old
    }

    /// The consistency proof.
    #[must_use]
    pub fn proof(&self) -> &[Hash] {
        &self.proof
    }

    /// The signed note.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// What the note says, whoever may have signed it.
    #[must_use]
    pub const fn claimed(&self) -> &Checkpoint {
        &self.claimed
    }
}

impl FromStr for AddCheckpoint {
    type Err = BadRequest;

    /// Reads a request's body. Accepts only what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// [`BadRequest`] names the first part that is not as specified.
    fn from_str(body: &str) -> Result<Self, BadRequest> {
        let (first, mut rest) = body.split_once('\n').ok_or(BadRequest::Old)?;
        let old = first.strip_prefix("old ").and_then(note::decimal);
        let old = old.ok_or(BadRequest::Old)?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(BadRequest::Proof)?;
            rest = after;
            if line.is_empty() {
                return Self::new(old, proof, rest.to_owned());
            }
            proof.push(note::hash(line).ok_or(BadRequest::Proof)?);
        }
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.note)
    }
}

/// A request's body is not as specified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The first line is not `old` and a size.
    #[error("the first line must be `old` and a size in decimal")]
    Old,
    /// Not up to [`MAX_PROOF`] lines of one hash each and an empty line.
    #[error("after the first line come up to 63 hashes in base64, a line each, and an empty line")]
    Proof,
    /// No checkpoint of three lines in a signed note.
    #[error(transparent)]
    Checkpoint(NoteError),
    /// More leaves than 2^63 − 1.
    #[error("the checkpoint's size is above 2^63 - 1")]
    Size,
}

impl From<NoteError> for BadRequest {
    fn from(error: NoteError) -> Self {
        Self::Checkpoint(error)
    }
}
