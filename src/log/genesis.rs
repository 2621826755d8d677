//! The first entry: the vault's own making, with the first department and administrators.

use jiff::Timestamp;

use super::leaf::{self, Leaf};
use super::{Change, CommitError, LogKeys, Node, places};
use crate::merkle::Frontier;
use crate::model::reference::DepartmentCode;
use crate::note::Checkpoint;
use crate::policy::facts::PolicyHash;
use crate::store::rows::{EntryRow, HeadRow, One};

/// The head of a log without entries.
///
/// # Errors
/// [`CommitError::Locked`] without a log key.
pub fn empty_head(origin: &str, signer: &dyn LogKeys) -> Result<HeadRow, CommitError> {
    head(origin, &Frontier::new(), signer)
}

/// Entry 0, which carries the digests of the first rows and the roles of the first accounts, and the head after it.
///
/// # Errors
/// [`CommitError::Locked`] without a log key; [`CommitError::LeafTooLarge`] for too many rows;
/// [`CommitError::NoRandomness`].
pub fn first_entry(
    origin: &str,
    signer: &dyn LogKeys,
    first: &Change,
    department: DepartmentCode,
    policy: PolicyHash,
    now: Timestamp,
    node: &Node,
) -> Result<(EntryRow, HeadRow), CommitError> {
    let leaf = Leaf {
        digest: places::digests(first),
        link: Some(first.link.clone()),
        ..Leaf::of_vault(leaf::INIT, department, now, policy, node)?
    };
    let bytes = leaf.to_bytes(None)?.numbered(None);
    let mut frontier = Frontier::new();
    frontier.push(bytes.hash);
    let entry = EntryRow {
        idx: 0,
        body: bytes.bytes,
        leaf_hash: bytes.hash,
    };
    Ok((entry, head(origin, &frontier, signer)?))
}

fn head(origin: &str, frontier: &Frontier, signer: &dyn LogKeys) -> Result<HeadRow, CommitError> {
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: frontier.size(),
        root: frontier.root(),
    };
    let note = signer.sign(&checkpoint).ok_or(CommitError::Locked)?;
    Ok(HeadRow {
        one: One,
        size: checkpoint.size,
        root: checkpoint.root,
        frontier: frontier.to_bytes(),
        checkpoint: note,
    })
}
