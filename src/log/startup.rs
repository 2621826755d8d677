//! Before anything is served: the head must follow from the leaves, and the checkpoint must be ours and say the same.

use super::Owing;
use super::history::{History, NoHistory};
use super::proved::{NotProved, ProvedEntry};
use super::sequencer::tally::{Counts, TAIL};
use crate::merkle::{self, Frontier, TileBuilder};
use crate::note::{Checkpoint, Verifier};
use crate::store::rows::HeadRow;
use crate::store::{DataStore, KeyStore, StoreError};

const TILE: u64 = 256;

/// A log whose head has been proved against its leaves.
pub struct Proved {
    origin: String,
    frontier: Frontier,
    tiles: TileBuilder,
    owing: Owing,
    /// The newest count of each caller in the last [`TAIL`] entries.
    counts: Counts,
}

impl Proved {
    /// A log that has no entry yet.
    #[must_use]
    pub fn empty(origin: String) -> Self {
        Self {
            origin,
            frontier: Frontier::new(),
            tiles: TileBuilder::new(),
            owing: Owing::default(),
            counts: Counts::new(),
        }
    }

    /// With what the start could not do.
    #[must_use]
    pub fn owing(self, owing: Owing) -> Self {
        Self { owing, ..self }
    }

    /// Which log.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.frontier.size()
    }

    pub(super) fn into_parts(self) -> (String, Frontier, TileBuilder, Owing, Counts) {
        (self.origin, self.frontier, self.tiles, self.owing, self.counts)
    }
}

/// The log is not what it was.
#[derive(Debug, thiserror::Error)]
pub enum Unproved {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry's bytes no longer have the hash they were logged with.
    #[error("log entry {0} no longer has the hash it was logged with{remedy}", remedy = REMEDY)]
    Leaf(u64),
    /// The leaves and tiles do not give the head's frontier and root.
    #[error("the log's leaves do not give its head{remedy}", remedy = REMEDY)]
    Head,
    /// There are entries beyond the head, or fewer than it counts.
    #[error("the log's head counts other entries than there are{remedy}", remedy = REMEDY)]
    Length,
    /// The checkpoint is not signed by this vault's log key, or not about this log.
    #[error("the log's checkpoint is not signed by this vault's log key{remedy}", remedy = REMEDY)]
    Checkpoint,
    /// The data store is of another log than the key store's fence: which, and which.
    #[error("the data store holds the log {0}; the log had gone on as {1}{remedy}", remedy = REMEDY)]
    OtherLog(String, String),
    /// The checkpoint is about another size or root than the head.
    #[error("the log's checkpoint and its head disagree{remedy}", remedy = REMEDY)]
    CheckpointAndHead,
    /// The key store has no fence of this log.
    #[error("the key store does not say how far this log had come{remedy}", remedy = REMEDY)]
    NoFence,
    /// The log is shorter than it was.
    #[error(
        "the log was cut: it holds {size} entries and had come to {fence}; entries {size} to {last} are lost, with what they \
         wrote{remedy}",
        remedy = REMEDY,
        last = .fence - 1
    )]
    Cut {
        /// Entries there are.
        size: u64,
        /// Entries there were.
        fence: u64,
    },
    /// The log does not begin as it did.
    #[error("the log's first {0} entries are not those it had come to{remedy}", remedy = REMEDY)]
    Forked(u64),
}

const REMEDY: &str =
    "\n  nothing will be opened; run `callervault fsck`, keep this copy as evidence, restore from a backup";

/// Rebuilds the frontier from the tiles and the last leaves and compares it with the head, the signed checkpoint and the
/// fence.
///
/// # Errors
/// [`Unproved`] names the first thing that does not hold. Nothing may be opened then.
pub async fn prove(
    store: &dyn DataStore,
    keys: &dyn KeyStore,
    origin: &str,
    verifiers: &[Verifier],
) -> Result<Proved, Unproved> {
    let head = store.head().await?;
    let proved = prove_head(store, &head, origin, verifiers).await?;
    prove_fence(store, keys, origin, head.size).await?;
    Ok(proved)
}

/// As [`prove`], without the fence: a log that is all there, and may yet be an older copy.
///
/// # Errors
/// [`Unproved`].
pub async fn prove_head(
    store: &dyn DataStore,
    head: &HeadRow,
    origin: &str,
    verifiers: &[Verifier],
) -> Result<Proved, Unproved> {
    let edges = store.edges(head.size).await?;
    let frontier = merkle::frontier_from_edges(head.size, &edges).map_err(|_| Unproved::Length)?;
    if frontier.root() != head.root || frontier.to_bytes() != head.frontier {
        return Err(Unproved::Head);
    }
    prove_last_leaves(store, head).await?;
    prove_checkpoint(head, origin, verifiers)?;
    let tiles = TileBuilder::resume(head.size, edges).map_err(|_| Unproved::Length)?;
    Ok(Proved {
        origin: origin.to_owned(),
        frontier,
        tiles,
        owing: Owing::default(),
        counts: last_counts(store, head.size).await?,
    })
}

/// The origin that a head's checkpoint names, signed or not.
#[must_use]
pub fn named_origin(head: &HeadRow) -> Option<&str> {
    head.checkpoint.lines().next()
}

/// Whether the log is at least as long as it was, and begins as it did (the fence, kept with the key store).
///
/// # Errors
/// [`Unproved::NoFence`], [`Unproved::Cut`] or [`Unproved::Forked`].
pub async fn prove_fence(store: &dyn DataStore, keys: &dyn KeyStore, origin: &str, size: u64) -> Result<(), Unproved> {
    let fence = keys.fence().await?.filter(|fence| fence.origin == origin);
    let fence = fence.ok_or(Unproved::NoFence)?;
    if fence.size > size {
        return Err(Unproved::Cut {
            size,
            fence: fence.size,
        });
    }
    match History(store).root(fence.size).await {
        Ok(root) if root == fence.root => Ok(()),
        Err(NoHistory::Store(fault)) => Err(fault.into()),
        _ => Err(Unproved::Forked(fence.size)),
    }
}

async fn prove_last_leaves(store: &dyn DataStore, head: &HeadRow) -> Result<(), Unproved> {
    let first = head.size - head.size % TILE;
    let limit = u32::try_from(TILE + 1).unwrap_or(u32::MAX);
    let entries = store.entries(first, limit).await?;
    if u64::try_from(entries.len()).ok() != Some(head.size - first) {
        return Err(Unproved::Length);
    }
    for entry in entries {
        ProvedEntry::new(entry).map_err(|NotProved(index)| Unproved::Leaf(index))?;
    }
    Ok(())
}

/// Entries whose bodies were dropped, or that somebody edited, count nothing: before bodies are dropped, all counts stand in their table.
async fn last_counts(store: &dyn DataStore, size: u64) -> Result<Counts, StoreError> {
    let limit = u32::try_from(TAIL).unwrap_or(u32::MAX);
    let mut counts = Counts::new();
    for entry in store.entries(size.saturating_sub(TAIL), limit).await? {
        let leaf = ProvedEntry::new(entry).ok().and_then(|entry| entry.leaf());
        let counted = leaf.and_then(|leaf| Some((leaf.subject?.parse().ok()?, leaf.nth?)));
        counts.extend(counted);
    }
    Ok(counts)
}

/// Whether the head's checkpoint is signed by one of this log's keys and says what the head says.
///
/// # Errors
/// [`Unproved::Checkpoint`] or [`Unproved::CheckpointAndHead`].
pub fn prove_checkpoint(head: &HeadRow, origin: &str, verifiers: &[Verifier]) -> Result<(), Unproved> {
    if let Some(found) = named_origin(head).filter(|found| *found != origin) {
        return Err(Unproved::OtherLog(found.to_owned(), origin.to_owned()));
    }
    let mut signed = verifiers.iter().map(|verifier| verifier.verify(&head.checkpoint));
    let text = signed.find_map(Result::ok).ok_or(Unproved::Checkpoint)?;
    let checkpoint = Checkpoint::parse(text).map_err(|_| Unproved::Checkpoint)?;
    if checkpoint.origin != origin {
        return Err(Unproved::Checkpoint);
    }
    if checkpoint.size != head.size || checkpoint.root != head.root {
        return Err(Unproved::CheckpointAndHead);
    }
    Ok(())
}
