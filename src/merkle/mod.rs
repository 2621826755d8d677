//! The log's Merkle tree (RFC 6962 §2.1) and its tiles (C2SP tlog-tiles v0.1.0), as pure functions of leaf hashes.
//!
//! Two structures grow by one leaf at a time and know nothing of each other, so that each can prove the other:
//! [`Frontier`] is the head as stored, [`TileBuilder`] makes the tiles as stored. At start-up [`frontier_from_edges`]
//! rebuilds the first from what the second left behind. Proofs have two sides too: a [`Plan`] makes them from stored
//! hashes, [`verify_inclusion`] and [`verify_consistency`] know nothing of plans.

mod bundle;
mod path;
mod proof;
mod tiles;
mod verify;

use std::fmt;

use ring::digest::{Context, SHA256, digest};

pub use self::bundle::{BadBundle, MAX_ENTRY, decode_bundle, encode_bundle};
pub use self::path::{BadTilePath, TileKind, TilePath, tiles_of};
pub use self::proof::{BadProof, Node, Plan, Run};
pub use self::tiles::{TILE_WIDTH, Tile, TileBuilder, frontier_from_edges};
pub use self::verify::{root_from_inclusion, verify_consistency, verify_inclusion};

/// No log is larger: the stores keep sizes as signed 64-bit integers.
const MAX_SIZE: u64 = i64::MAX as u64;

/// A SHA-256 hash of a leaf or of a subtree. Shown as base64 with padding (RFC 4648 §4).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The hash stored as these 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Hash {
    type Error = std::array::TryFromSliceError;

    /// Fails unless there are exactly 32 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        data_encoding::BASE64.encode_display(&self.0).fmt(f)
    }
}

/// What [`std::str::FromStr`] says of anything that `Display` does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAHash;

impl std::str::FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let bytes = data_encoding::BASE64.decode(text.as_bytes()).map_err(|_| NotAHash)?;
        Self::try_from(&*bytes).map_err(|_| NotAHash)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The hash of a leaf: SHA-256(0x00 ‖ entry) (RFC 6962 §2.1).
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0x00], entry])
}

/// The hash of an inner node: SHA-256(0x01 ‖ left ‖ right) (RFC 6962 §2.1).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [0x01; 65];
    node[1..33].copy_from_slice(&left.0);
    node[33..].copy_from_slice(&right.0);
    sha256(&[&node])
}

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
#[must_use]
pub fn empty_root() -> Hash {
    let mut root = [0; 32];
    root.copy_from_slice(digest(&SHA256, &[]).as_ref());
    Hash(root)
}

/// SHA-256 of the parts, one after the other.
fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    Hash(hash)
}

/// The compact range from leaf 0: the roots of the perfect subtrees that a tree of `size` leaves falls into, largest
/// first, one for each bit set in `size`. All that is needed to append a leaf and to know the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    nodes: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty tree.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            nodes: Vec::new(),
        }
    }

    /// Leaves in the tree.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, given by its [`leaf_hash`]. Costs one [`node_hash`] on average, 63 at most.
    pub fn push(&mut self, leaf: Hash) {
        // Every trailing one of the old size is a perfect subtree as large as the one just grown.
        let merges = self.size.trailing_ones() as usize;
        let kept = self.nodes.len().saturating_sub(merges);
        let grown = self
            .nodes
            .drain(kept..)
            .rev()
            .fold(leaf, |right, left| node_hash(&left, &right));
        self.nodes.push(grown);
        self.size += 1;
    }

    /// Appends 256 leaves at once, given by the root over them: what a full tile of leaf hashes stands for.
    ///
    /// # Errors
    /// [`BadFrontier::Edges`] unless the leaves so far fill whole tiles.
    pub fn push_tile(&mut self, root: Hash) -> Result<(), BadFrontier> {
        let width = TILE_WIDTH as u64;
        if !self.size.is_multiple_of(width) {
            return Err(BadFrontier::Edges);
        }
        // The same tree with tiles for leaves.
        self.size /= width;
        self.push(root);
        self.size *= width;
        Ok(())
    }

    /// The root of the tree (RFC 6962 §2.1, MTH).
    #[must_use]
    pub fn root(&self) -> Hash {
        fold(&self.nodes)
    }

    /// The nodes one after the other, largest subtree first: 32 bytes for each bit set in [`size`](Self::size),
    /// 2,016 bytes at most. The size is stored beside it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        concatenated(&self.nodes)
    }

    /// The frontier of `size` leaves stored as these bytes.
    ///
    /// # Errors
    /// [`BadFrontier::Nodes`] unless there are 32 bytes for each bit set in `size`; [`BadFrontier::Size`] above
    /// 2^63 − 1. Whether the hashes are right only a root known from elsewhere can tell.
    pub fn from_bytes(size: u64, bytes: &[u8]) -> Result<Self, BadFrontier> {
        let (nodes, rest) = bytes.as_chunks::<32>();
        if size > MAX_SIZE {
            return Err(BadFrontier::Size);
        }
        if !rest.is_empty() || nodes.len() != size.count_ones() as usize {
            return Err(BadFrontier::Nodes);
        }
        Ok(Self {
            size,
            nodes: nodes.iter().copied().map(Hash).collect(),
        })
    }
}

/// The root over perfect subtrees that stand side by side, largest first.
fn fold(nodes: &[Hash]) -> Hash {
    let folded = nodes
        .iter()
        .rev()
        .copied()
        .reduce(|right, left| node_hash(&left, &right));
    folded.unwrap_or_else(empty_root)
}

fn concatenated(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// What is stored cannot be the frontier or the right edge of a log of that size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrontier {
    /// More leaves than 2^63 − 1.
    #[error("the log's size is above 2^63 - 1")]
    Size,
    /// Not one node of 32 bytes for each bit set in the size.
    #[error("the stored frontier does not fit the log's size")]
    Nodes,
    /// A partial tile is missing, too narrow or too wide for the size.
    #[error("the stored partial tiles do not fit the log's size")]
    Edges,
}
