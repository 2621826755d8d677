//! Verifying a log from its tiles alone, without a vault: every leaf hash, every tile, the root and the checkpoint are
//! computed anew (C2SP tlog-tiles, RFC 6962 §2.1).
//!
//! What this cannot tell by itself: a log that was cut back, with an older checkpoint that was once genuine, looks like a
//! younger log. Only a checkpoint or a receipt that somebody kept tells them apart: [`Older`].

mod source;
mod walk;
mod witnesses;

pub use self::source::{COSIGNED, Directory, NoFile, Source};
use self::walk::Walk;
pub use self::witnesses::{Witnessed, Witnesses};
use crate::audit::counts::Miscounted;
use crate::merkle::{Hash, verify_inclusion};
use crate::note::{Checkpoint, NoteError, TlogProof, Verifier};

/// A log that holds together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// What is signed, and what the entries lead to.
    pub checkpoint: Checkpoint,
    /// Entries whose bodies were there to be hashed; the others are known by their hashes alone.
    pub bodies: u64,
    /// What known witnesses have cosigned of it.
    pub witnessed: Option<Witnessed>,
}

/// Evidence that somebody kept: the log must be at least as long and begin with it.
#[derive(Clone, Debug)]
pub struct Older {
    checkpoint: Checkpoint,
    /// As it was kept, with all its signatures.
    note: String,
}

impl Older {
    /// Reads a signed checkpoint, or the one in a `.tlog-proof` file.
    ///
    /// # Errors
    /// [`Tampered::Evidence`] unless one of the log's keys has signed it.
    pub fn parse(file: &str, keys: &[Verifier]) -> Result<Self, Tampered> {
        let note = match TlogProof::parse(file) {
            Ok(proof) => proof.checkpoint,
            Err(_) => file.to_owned(),
        };
        let checkpoint = signed(&note, keys).map_err(Tampered::Evidence)?;
        Ok(Self { checkpoint, note })
    }
}

/// What to hold a log against.
#[derive(Default)]
pub struct Demands {
    /// What the log must continue.
    pub older: Vec<Older>,
    /// Whose cosignatures are verified, on the log's checkpoint and on those kept, and how many there must be.
    pub witnesses: Witnesses,
    /// Bodies below this index may be absent: they were archived and dropped.
    pub pruned_below: u64,
}

/// A log or a proof is not what it claims to be. Names the first thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Tampered {
    /// The checkpoint: not signed by the key, about another log, or malformed.
    #[error("the checkpoint does not hold: {0}")]
    Checkpoint(NoteError),
    /// The older checkpoint or proof that was kept is itself not signed by the key.
    #[error("the older checkpoint or proof does not hold: {0}")]
    Evidence(NoteError),
    /// A cosignature by this known witness.
    #[error("the cosignature by the witness {0} does not hold: {1}")]
    Cosignature(String, NoteError),
    /// An entry's bytes do not have the hash that the tile of leaf hashes has.
    #[error("entry {0} does not have the hash it was logged with")]
    Leaf(u64),
    /// An entry is not a leaf: unknown or repeated keys, or no JSON.
    #[error("entry {0} is no leaf of this log: unknown or repeated keys, or no JSON")]
    Content(u64),
    /// The count of an entry about a caller does not follow from those before it.
    #[error("entry {0} {1}")]
    Count(u64, Miscounted),
    /// A tile or bundle is missing or of another length.
    #[error("{0} is missing or has another length than the checkpoint asks for")]
    Missing(String),
    /// A tile does not follow from the leaves.
    #[error("{0} does not follow from the entries")]
    Tile(String),
    /// All leaves and tiles agree, and lead to another root than the signed one.
    #[error("the entries lead to another root than the signed one")]
    Root,
    /// The log has fewer entries than the checkpoint that was kept.
    #[error("the log was cut: it holds {size} entries, and one of {kept} was signed before")]
    Cut {
        /// Entries signed now.
        size: u64,
        /// Entries signed then.
        kept: u64,
    },
    /// The log does not begin with the one that was signed then: its history was changed.
    #[error("the log's first {0} entries are not those that were signed before")]
    Forked(u64),
    /// The proof does not lead from the entry to the signed root.
    #[error("the proof does not lead from entry {0} to the signed root")]
    Inclusion(u64),
}

/// Why a log was not verified.
#[derive(Debug)]
pub enum Unverified {
    /// It does not hold together.
    Tampered(Tampered),
    /// Nothing is wrong with it, but too few witnesses have cosigned it.
    Unwitnessed {
        /// How many must have cosigned one checkpoint.
        quorum: usize,
        /// The most that have cosigned one.
        most: usize,
    },
    /// It could not be read.
    Unread(String),
}

impl From<Tampered> for Unverified {
    fn from(tampered: Tampered) -> Self {
        Self::Tampered(tampered)
    }
}

/// Verifies a whole log by its keys: one, and those that it had before it was rotated. `progress` hears the number of entries looked at.
///
/// # Errors
/// [`Unverified::Tampered`] names the first thing that does not hold.
pub fn verify(
    source: &dyn Source,
    keys: &[Verifier],
    demands: &Demands,
    progress: &dyn Fn(u64, u64),
) -> Result<Verified, Unverified> {
    let mut older = demands.older.clone();
    // Before the checkpoint, which then is the newer one, also of a log that grows.
    if !demands.witnesses.is_empty()
        && let Some(note) = text(source.cosigned())?
    {
        older.push(Older::parse(&note, keys)?);
    }
    let note = text(source.read("checkpoint"))?.ok_or_else(|| Tampered::Missing("checkpoint".to_owned()))?;
    let checkpoint = signed(&note, keys).map_err(Tampered::Checkpoint)?;
    let mut found = vec![demands.witnesses.cosigned(checkpoint.size, &note)?];
    for Older { checkpoint: kept, note } in &older {
        let (size, kept) = (checkpoint.size, kept.size);
        if kept > size {
            return Err(Tampered::Cut { size, kept }.into());
        }
        found.push(demands.witnesses.cosigned(kept, note)?);
    }
    let sizes = older.iter().map(|older| older.checkpoint.size);
    let mut walk = Walk::new(source, checkpoint.size, demands.pruned_below, sizes);
    walk.run(progress)?;
    if walk.root() != checkpoint.root {
        return Err(Tampered::Root.into());
    }
    for Older { checkpoint: kept, .. } in &older {
        if walk.root_at(kept.size) != Some(kept.root) {
            return Err(Tampered::Forked(kept.size).into());
        }
    }
    Ok(Verified {
        bodies: walk.bodies(),
        checkpoint,
        witnessed: demands.witnesses.best(found)?,
    })
}

/// Verifies that an entry is in the log: its hash, the proof, and the checkpoint in it.
///
/// # Errors
/// [`Tampered::Checkpoint`] or [`Tampered::Inclusion`].
pub fn verify_proof(proof: &TlogProof, leaf: &Hash, keys: &[Verifier]) -> Result<Checkpoint, Tampered> {
    let checkpoint = signed(&proof.checkpoint, keys).map_err(Tampered::Checkpoint)?;
    verify_inclusion(proof.index, checkpoint.size, leaf, &proof.hashes, &checkpoint.root)
        .map_err(|_| Tampered::Inclusion(proof.index))?;
    Ok(checkpoint)
}

/// The checkpoint in a note that one of this log's keys has signed.
fn signed(note: &str, keys: &[Verifier]) -> Result<Checkpoint, NoteError> {
    let checkpoint = Checkpoint::parse(Verifier::verify_any(keys, note)?)?;
    if keys.iter().all(|key| checkpoint.origin == key.name()) {
        Ok(checkpoint)
    } else {
        Err(NoteError::Checkpoint)
    }
}

fn text(read: Result<Option<Vec<u8>>, NoFile>) -> Result<Option<String>, Unverified> {
    let bytes = read.map_err(|NoFile(words)| Unverified::Unread(words))?;
    let text = bytes.map(String::from_utf8).transpose();
    text.map_err(|_| Tampered::Checkpoint(NoteError::Malformed).into())
}
