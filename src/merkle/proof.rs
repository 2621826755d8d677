//! Making proofs (RFC 6962 §2.1.1 and §2.1.2, unchanged in RFC 9162 §2.1.3.1 and §2.1.4.1).
//!
//! A [`Plan`] first names the nodes of the tree that a proof is made of, then folds their hashes into it. What fetches
//! the hashes stands between the two, so nothing here reads anything.

use std::ops::Range;

use super::tiles::{TILE_HEIGHT, range};
use super::{Hash, MAX_SIZE, fold};

/// A perfect subtree of a log's tree, over the 2^height leaves from leaf index × 2^height on. Only a [`Plan`] makes one,
/// so that it is always inside a log of at most 2^63 − 1 leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    height: u32,
    index: u64,
}

/// Hashes that stand one after the other in one tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The tile's level, 0 for leaf hashes. The `<L>` of `tile/<L>/<N>`.
    pub level: u8,
    /// The first hash, counted from 0 within the level: its tile is `first / 256`, its place there `first % 256`.
    pub first: u64,
    /// How many: a power of two, 128 at most.
    pub count: usize,
}

impl Node {
    /// Levels of the tree below this node; 0 for a leaf, 62 at most.
    #[must_use]
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// Position among the nodes of that height, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The hashes this node is made of, as tiles hold them: every eighth level of the tree (tlog-tiles, "Merkle Tree").
    #[must_use]
    pub const fn run(&self) -> Run {
        let inside = self.height % TILE_HEIGHT;
        Run {
            level: (self.height / TILE_HEIGHT) as u8,
            first: self.index << inside,
            count: 1 << inside,
        }
    }

    /// This node's hash from those of its [`run`](Self::run).
    ///
    /// # Errors
    /// [`BadProof::Length`] unless there are exactly [`Run::count`] hashes.
    pub fn hash(&self, hashes: &[Hash]) -> Result<Hash, BadProof> {
        if hashes.len() == self.run().count {
            Ok(range(hashes).root())
        } else {
            Err(BadProof::Length)
        }
    }
}

/// The nodes a proof is made of, and how many of them, one after the other, fold into each of its hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    nodes: Vec<Node>,
    parts: Vec<usize>,
}

impl Plan {
    /// The proof that leaf `index` is in the tree of `size` leaves: PATH of RFC 6962 §2.1.1, the leaf's sibling first.
    ///
    /// # Errors
    /// [`BadProof::Range`] unless `index` is below `size`; [`BadProof::Size`] above 2^63 − 1.
    pub fn inclusion(index: u64, size: u64) -> Result<Self, BadProof> {
        check_size(size)?;
        if index >= size {
            return Err(BadProof::Range);
        }
        let (siblings, _) = descend(index, size, |leaves| leaves.end - leaves.start == 1);
        Ok(Self::of(siblings))
    }

    /// The proof that the tree of `new` leaves begins with that of `old`: PROOF of RFC 6962 §2.1.2.
    ///
    /// It is empty for `old` = `new`, where the roots say it all, and for `old` = 0, where there is nothing to prove:
    /// every tree begins with the empty one. Witnesses expect it so (C2SP tlog-witness v1.0.0, "add-checkpoint").
    ///
    /// # Errors
    /// [`BadProof::Range`] if `old` is above `new`; [`BadProof::Size`] if `new` is above 2^63 − 1.
    pub fn consistency(old: u64, new: u64) -> Result<Self, BadProof> {
        check_size(new)?;
        if old > new {
            return Err(BadProof::Range);
        }
        let Some(last) = old.checked_sub(1) else {
            return Ok(Self::default());
        };
        let (mut ranges, common) = descend(last, new, |leaves| leaves.end == old);
        // The old tree itself is known to who asks; a part of it is not.
        if common.start > 0 {
            ranges.insert(0, common);
        }
        Ok(Self::of(ranges))
    }

    /// The one hash that is the root of the tree of `size` leaves: MTH of RFC 6962 §2.1.
    ///
    /// # Errors
    /// [`BadProof::Size`] above 2^63 − 1.
    pub fn root(size: u64) -> Result<Self, BadProof> {
        check_size(size)?;
        Ok(Self::of(std::iter::once(0..size)))
    }

    /// A hash for each of these ranges of leaves.
    fn of(ranges: impl IntoIterator<Item = Range<u64>>) -> Self {
        let mut plan = Self::default();
        for leaves in ranges {
            let before = plan.nodes.len();
            plan.nodes.extend(perfect(leaves));
            plan.parts.push(plan.nodes.len() - before);
        }
        plan
    }

    /// The nodes whose hashes [`finish`](Self::finish) takes, in that order.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The proof's hashes in the order of the RFC, from the hash of each of [`nodes`](Self::nodes); for
    /// [`root`](Self::root) the root alone.
    ///
    /// # Errors
    /// [`BadProof::Length`] unless there is exactly one hash for each node.
    pub fn finish(&self, hashes: &[Hash]) -> Result<Vec<Hash>, BadProof> {
        let mut rest = hashes;
        let mut proof = Vec::with_capacity(self.parts.len());
        for &count in &self.parts {
            let (part, after) = rest.split_at_checked(count).ok_or(BadProof::Length)?;
            proof.push(fold(part));
            rest = after;
        }
        if rest.is_empty() {
            Ok(proof)
        } else {
            Err(BadProof::Length)
        }
    }
}

/// Walks from the root of the tree of `size` leaves towards `leaf` until `arrived`, which holds of the leaf alone at the
/// latest. Gives the siblings passed by, the lowest first, and where the walk ended, each as its leaves.
fn descend(leaf: u64, size: u64, arrived: impl Fn(&Range<u64>) -> bool) -> (Vec<Range<u64>>, Range<u64>) {
    let mut at = 0..size;
    let mut siblings = Vec::new();
    while !arrived(&at) {
        let middle = split(&at);
        if leaf < middle {
            siblings.push(middle..at.end);
            at.end = middle;
        } else {
            siblings.push(at.start..middle);
            at.start = middle;
        }
    }
    siblings.reverse();
    (siblings, at)
}

/// Where a subtree of two leaves or more is cut in two: after the largest power of two that leaves something on the
/// right (RFC 6962 §2.1, k).
fn split(leaves: &Range<u64>) -> u64 {
    leaves.start + (1 << (leaves.end - leaves.start - 1).ilog2())
}

/// The perfect subtrees that a subtree falls into, the largest first.
fn perfect(mut leaves: Range<u64>) -> impl Iterator<Item = Node> {
    std::iter::from_fn(move || {
        let height = (leaves.end - leaves.start).checked_ilog2()?;
        let index = leaves.start >> height;
        leaves.start += 1 << height;
        Some(Node { height, index })
    })
}

/// Refuses a tree larger than any log.
pub(super) fn check_size(size: u64) -> Result<(), BadProof> {
    if size > MAX_SIZE { Err(BadProof::Size) } else { Ok(()) }
}

/// Why a proof cannot be made or does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// More leaves than 2^63 − 1.
    #[error("the tree's size is above 2^63 - 1")]
    Size,
    /// The leaf is not in a tree of that size, or the old tree is empty or larger than the new one.
    #[error("no proof leads from there to a tree of that size")]
    Range,
    /// More or fewer hashes than a proof for these sizes has.
    #[error("the proof has too many or too few hashes")]
    Length,
    /// The hashes lead to another root.
    #[error("the proof leads to another root")]
    Root,
}
