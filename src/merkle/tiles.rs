//! Tiles (C2SP tlog-tiles v0.1.0): the tree cut into pieces of 256 hashes that never change once full.

use super::{BadFrontier, Frontier, Hash, MAX_SIZE, concatenated};

/// Hashes in a full tile (tlog-tiles, "Merkle Tree").
pub const TILE_WIDTH: usize = 256;

/// Each tile level stands for 8 levels of the tree.
pub(super) const TILE_HEIGHT: u32 = 8;

/// A tile that is full and will never change again: 256 hashes, at level 0 of leaves, above of the full tiles below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Level, 0 for leaf hashes. The `<L>` of `tile/<L>/<N>`.
    pub level: u8,
    /// Position within the level, from 0. The `<N>` of `tile/<L>/<N>`.
    pub index: u64,
    /// The 256 hashes one after the other: 8,192 bytes, the file a client of the log downloads.
    pub hashes: Vec<u8>,
    /// The root of the subtree over those hashes: this tile's hash in the level above.
    pub root: Hash,
}

/// The right edge of the tiles: at each level the hashes of the tile not yet full (255 at most).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileBuilder {
    size: u64,
    edges: Vec<Vec<Hash>>,
}

impl TileBuilder {
    /// The right edge of the empty log.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            edges: Vec::new(),
        }
    }

    /// Takes up a log of `size` leaves whose partial tile at level `l` holds `edges[l]`.
    ///
    /// # Errors
    /// [`BadFrontier::Edges`] unless each level holds exactly floor(size / 256^l) mod 256 hashes;
    /// [`BadFrontier::Size`] above 2^63 − 1.
    pub fn resume(size: u64, mut edges: Vec<Vec<Hash>>) -> Result<Self, BadFrontier> {
        check_edges(size, &edges)?;
        while edges.last().is_some_and(Vec::is_empty) {
            edges.pop();
        }
        Ok(Self { size, edges })
    }

    /// Leaves so far.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes of the partial tile at each level, lowest first; a level may be empty.
    #[must_use]
    pub fn edges(&self) -> &[Vec<Hash>] {
        &self.edges
    }

    /// Appends a leaf, given by its [`leaf_hash`](super::leaf_hash), and returns the tiles it completes, lowest level first. Usually
    /// none: every 256th leaf completes a tile at level 0, every 65,536th one at level 1 too.
    pub fn push(&mut self, leaf: Hash) -> Vec<Tile> {
        self.size += 1;
        self.push_from(0, leaf)
    }

    /// Appends a whole tile of leaves, given by the root over them, and returns the tiles above that it completes.
    ///
    /// # Errors
    /// [`BadFrontier::Edges`] unless the leaves so far fill whole tiles.
    pub fn push_tile(&mut self, root: Hash) -> Result<Vec<Tile>, BadFrontier> {
        if !self.size.is_multiple_of(TILE_WIDTH as u64) {
            return Err(BadFrontier::Edges);
        }
        self.size += TILE_WIDTH as u64;
        Ok(self.push_from(1, root))
    }

    fn push_from(&mut self, lowest: u8, mut hash: Hash) -> Vec<Tile> {
        let mut full = Vec::new();
        for level in lowest..=u8::MAX {
            let Some(tile) = self.push_at(level, hash) else { break };
            hash = tile.root;
            full.push(tile);
        }
        full
    }

    /// Adds a hash to the partial tile at `level`; takes the tile out if that fills it. `size` counts the leaf already.
    fn push_at(&mut self, level: u8, hash: Hash) -> Option<Tile> {
        let at = usize::from(level);
        if self.edges.len() <= at {
            self.edges.resize_with(at + 1, Vec::new);
        }
        let edge = self.edges.get_mut(at)?;
        edge.push(hash);
        if edge.len() < TILE_WIDTH {
            return None;
        }
        let hashes = std::mem::take(edge);
        let index = hashes_at(self.size, at + 1).saturating_sub(1);
        Some(Tile {
            level,
            index,
            root: range(&hashes).root(),
            hashes: concatenated(&hashes),
        })
    }
}

/// The frontier of a log of `size` leaves, from the hashes of the partial tile at each level: start-up's proof that the
/// tiles lead to the stored head.
///
/// # Errors
/// [`BadFrontier::Edges`] unless `edges[l]` holds exactly floor(size / 256^l) mod 256 hashes (tlog-tiles, "Partial
/// Tiles"), for every level; [`BadFrontier::Size`] above 2^63 − 1.
pub fn frontier_from_edges(size: u64, edges: &[Vec<Hash>]) -> Result<Frontier, BadFrontier> {
    check_edges(size, edges)?;
    let nodes = edges.iter().rev().flat_map(|edge| range(edge).nodes).collect();
    Ok(Frontier { size, nodes })
}

/// The compact range over hashes of equally large subtrees.
pub(super) fn range(hashes: &[Hash]) -> Frontier {
    let mut frontier = Frontier::new();
    for hash in hashes {
        frontier.push(*hash);
    }
    frontier
}

/// Checks that the partial tile at each level has the width that `size` asks for, and that no level is missing.
fn check_edges(size: u64, edges: &[Vec<Hash>]) -> Result<(), BadFrontier> {
    if size > MAX_SIZE {
        return Err(BadFrontier::Size);
    }
    let complete = hashes_at(size, edges.len()) == 0;
    let widths_agree = edges
        .iter()
        .enumerate()
        .all(|(level, edge)| edge.len() as u64 == hashes_at(size, level) % TILE_WIDTH as u64);
    if complete && widths_agree {
        Ok(())
    } else {
        Err(BadFrontier::Edges)
    }
}

/// Hashes at a tile level in a log of `size` leaves: floor(size / 256^level).
pub(super) fn hashes_at(size: u64, level: usize) -> u64 {
    let shift = u32::try_from(level)
        .ok()
        .and_then(|level| level.checked_mul(TILE_HEIGHT));
    shift.and_then(|bits| size.checked_shr(bits)).unwrap_or(0)
}
