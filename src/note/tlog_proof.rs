//! Proofs to keep and to show (C2SP tlog-proof, `c2sp.org/tlog-proof@v1`): a checkpoint, and where in its tree an entry
//! stands. The file extension is `.tlog-proof`.

use std::fmt;

use data_encoding::BASE64;

use super::{Checkpoint, NoteError, base64, decimal, hash, split};
use crate::merkle::Hash;

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// More hashes are refused: 63 lead from any leaf to the root of the largest log.
pub const MAX_PROOF_HASHES: usize = 64;

/// A longer file is refused, in bytes. 64 hashes and a checkpoint with 50 Ed25519 cosignatures take a fourth of it.
pub const MAX_PROOF_BYTES: usize = 64 * 1024;

/// The proof that an entry is in a log, which needs nothing but the log's key to be checked. Shown as the file.
///
/// Nothing in it is to be believed as read: first the checkpoint's signature is verified, then the hashes by
/// [`verify_inclusion`](crate::merkle::verify_inclusion) against the checkpoint's size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application's own, not covered by any signature. Some of no bytes is written as none.
    pub extra: Option<Vec<u8>>,
    /// The entry's position in the log, from 0.
    pub index: u64,
    /// The inclusion proof, the leaf's sibling first (RFC 6962 §2.1.1).
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, with any cosignatures, to its last newline.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a file. Accepts only what [`Display`](fmt::Display) writes (tlog-proof, "Format").
    ///
    /// # Errors
    /// [`NoteError::ProofSize`] above [`MAX_PROOF_BYTES`] or [`MAX_PROOF_HASHES`]; [`NoteError::Malformed`] or
    /// [`NoteError::Checkpoint`] if what stands in the checkpoint's place is no signed note or no checkpoint;
    /// [`NoteError::Proof`] for anything else.
    pub fn parse(file: &str) -> Result<Self, NoteError> {
        if file.len() > MAX_PROOF_BYTES {
            return Err(NoteError::ProofSize);
        }
        let (head, checkpoint) = file.split_once("\n\n").ok_or(NoteError::Proof)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(NoteError::Proof);
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(read_extra);
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let proof = Self {
            extra: extra.transpose()?,
            index: index.and_then(decimal).ok_or(NoteError::Proof)?,
            hashes: read_hashes(lines)?,
            checkpoint: checkpoint.to_owned(),
        };
        Checkpoint::parse(split(checkpoint)?.0)?;
        Ok(proof)
    }
}

/// The data of an `extra` line. Without data there is no such line.
fn read_extra(line: &str) -> Result<Vec<u8>, NoteError> {
    let data = line.strip_prefix("extra ").filter(|data| !data.is_empty());
    data.and_then(base64).ok_or(NoteError::Proof)
}

/// One hash a line.
fn read_hashes<'file>(lines: impl Iterator<Item = &'file str>) -> Result<Vec<Hash>, NoteError> {
    let mut hashes = Vec::new();
    for line in lines {
        if hashes.len() == MAX_PROOF_HASHES {
            return Err(NoteError::ProofSize);
        }
        hashes.push(hash(line).ok_or(NoteError::Proof)?);
    }
    Ok(hashes)
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = self.extra.as_ref().filter(|extra| !extra.is_empty()) {
            writeln!(f, "extra {}", BASE64.encode_display(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
