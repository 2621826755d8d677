//! The log as outsiders read it: tiles, bundles of entries and proofs, from what the store keeps (C2SP tlog-tiles).

use crate::merkle::{BadProof, Hash, Plan, TileKind, TilePath, encode_bundle};
use crate::store::{DataStore, StoreError};

/// Something that the log cannot give.
#[derive(Debug, thiserror::Error)]
pub enum NoHistory {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A size or an index beyond the log, or two sizes in the wrong order.
    #[error(transparent)]
    Range(#[from] BadProof),
    /// The log is not that long yet.
    #[error("the log does not hold that\n  ask for a part of a size that it has signed")]
    Absent,
    /// The body of this entry is not there.
    #[error("the body of entry {0} is not there")]
    Empty(u64),
}

/// Reads the log. Holds nothing: every answer comes from the store.
pub struct History<'s>(pub &'s dyn DataStore);

impl History<'_> {
    /// The bytes behind a tile's path, as a client of the log downloads them.
    ///
    /// # Errors
    /// [`NoHistory::Absent`] beyond the log; [`NoHistory::Empty`] for bodies that are not there.
    pub async fn file(&self, path: &TilePath) -> Result<Vec<u8>, NoHistory> {
        let (first, width) = (path.first(), path.width());
        match path.kind() {
            TileKind::Hashes(level) => self.tile(level, first, width).await,
            TileKind::Entries => self.bundle(first, width).await,
        }
    }

    async fn tile(&self, level: u8, first: u64, width: usize) -> Result<Vec<u8>, NoHistory> {
        let hashes = self.hashes(level, first, width).await?;
        Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    async fn bundle(&self, first: u64, width: usize) -> Result<Vec<u8>, NoHistory> {
        let entries = self.0.entries(first, u32::try_from(width).unwrap_or(u32::MAX)).await?;
        if entries.len() != width {
            return Err(NoHistory::Absent);
        }
        if let Some(empty) = entries.iter().find(|entry| entry.body.is_empty()) {
            return Err(NoHistory::Empty(empty.idx));
        }
        let bodies: Vec<&[u8]> = entries.iter().map(|entry| entry.body.as_slice()).collect();
        encode_bundle(&bodies).map_err(|_| StoreError::Corrupt("log_entry").into())
    }

    async fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, NoHistory> {
        let wanted = u32::try_from(count).unwrap_or(u32::MAX);
        let hashes = self.0.hashes(level, first, wanted).await?;
        if hashes.len() == count {
            Ok(hashes)
        } else {
            Err(NoHistory::Absent)
        }
    }

    /// The proof that entry `index` is in the log of `size` entries (RFC 6962 §2.1.1).
    ///
    /// # Errors
    /// [`NoHistory::Range`] unless `index` is below `size`; [`NoHistory::Absent`] for a size beyond the log.
    pub async fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, NoHistory> {
        self.proof(&Plan::inclusion(index, size)?).await
    }

    /// The proof that the log of `new` entries begins with that of `old` (RFC 6962 §2.1.2).
    ///
    /// # Errors
    /// [`NoHistory::Range`] if `old` is above `new`; [`NoHistory::Absent`] for a size beyond the log.
    pub async fn consistency(&self, old: u64, new: u64) -> Result<Vec<Hash>, NoHistory> {
        let plan = Plan::consistency(old, new)?;
        // A proof without hashes, from nothing or between equal sizes, would be given for any size.
        if new > self.0.head().await?.size {
            return Err(NoHistory::Absent);
        }
        self.proof(&plan).await
    }

    /// The root of the log's first `size` entries (RFC 6962 §2.1).
    ///
    /// # Errors
    /// [`NoHistory::Absent`] for a size beyond the log.
    pub async fn root(&self, size: u64) -> Result<Hash, NoHistory> {
        let root = self.proof(&Plan::root(size)?).await?;
        root.first().copied().ok_or(NoHistory::Absent)
    }

    async fn proof(&self, plan: &Plan) -> Result<Vec<Hash>, NoHistory> {
        let mut nodes = Vec::with_capacity(plan.nodes().len());
        for node in plan.nodes() {
            let run = node.run();
            nodes.push(node.hash(&self.hashes(run.level, run.first, run.count).await?)?);
        }
        Ok(plan.finish(&nodes)?)
    }
}
