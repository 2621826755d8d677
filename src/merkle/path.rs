//! Where a log's tiles and entry bundles are found (C2SP tlog-tiles v0.1.0): `tile/<L>/<N>[.p/<W>]` and
//! `tile/entries/<N>[.p/<W>]`, below the log's prefix.

use std::fmt;
use std::str::FromStr;

use super::tiles::hashes_at;
use super::{MAX_SIZE, TILE_WIDTH};

/// The highest level a path can name (tlog-tiles, "Merkle Tree").
const MAX_LEVEL: u8 = 63;

/// No log has a tile beyond: its first hash, counted within the level, would be above 2^63 − 1.
const MAX_INDEX: u64 = MAX_SIZE / TILE_WIDTH as u64;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes of this level: 0 for leaf hashes, 63 at most.
    Hashes(u8),
    /// The entries themselves, as a bundle.
    Entries,
}

impl TileKind {
    /// The level counted in: bundles follow the tiles of leaf hashes.
    const fn level(self) -> u8 {
        match self {
            Self::Hashes(level) => level,
            Self::Entries => 0,
        }
    }
}

/// One tile or entry bundle, full or partial, that some log may have. Shown as its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TilePath {
    kind: TileKind,
    index: u64,
    width: usize,
}

impl TilePath {
    /// The tile of that kind and index with `width` hashes or entries; 256 is a full tile.
    ///
    /// # Errors
    /// [`BadTilePath::Range`] for a level above 63, an index above 2^55 − 1 (no log has such a tile) or a width not
    /// from 1 to 256.
    pub fn new(kind: TileKind, index: u64, width: usize) -> Result<Self, BadTilePath> {
        if kind.level() > MAX_LEVEL || index > MAX_INDEX || width == 0 || width > TILE_WIDTH {
            return Err(BadTilePath::Range);
        }
        Ok(Self { kind, index, width })
    }

    /// The tile of that kind and index in a log of `size` leaves, as wide as it is there; `None` if it is empty
    /// (tlog-tiles, "Partial Tiles").
    #[must_use]
    pub fn within(size: u64, kind: TileKind, index: u64) -> Option<Self> {
        let hashes = hashes_at(size, usize::from(kind.level()));
        let left = hashes.checked_sub(index.checked_mul(TILE_WIDTH as u64)?)?;
        let width = usize::try_from(left).map_or(TILE_WIDTH, |left| left.min(TILE_WIDTH));
        Self::new(kind, index, width).ok()
    }

    /// What the tile holds.
    #[must_use]
    pub const fn kind(&self) -> TileKind {
        self.kind
    }

    /// Position within the level, from 0: `<N>`. At most 2^55 − 1.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Hashes or entries in the tile: `<W>`, or 256 if it is full.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// The tile's first hash or entry, counted from 0 within the level.
    #[must_use]
    pub const fn first(&self) -> u64 {
        self.index * TILE_WIDTH as u64
    }

    /// Whether the tile will never change again.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }
}

/// Every tile and entry bundle of a log of `size` leaves: the hashes from level 0 up, then the entries, each level from
/// the left, the partial tile last. None for the empty log.
///
/// # Errors
/// [`BadTilePath::Range`] above 2^63 − 1 leaves.
pub fn tiles_of(size: u64) -> Result<impl Iterator<Item = TilePath> + use<>, BadTilePath> {
    if size > MAX_SIZE {
        return Err(BadTilePath::Range);
    }
    let kinds = (0..=MAX_LEVEL).map(TileKind::Hashes).chain([TileKind::Entries]);
    Ok(kinds.flat_map(move |kind| (0..).map_while(move |index| TilePath::within(size, kind, index))))
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => f.write_str("tile/entries/")?,
        }
        write_index(f, self.index / 1000)?;
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() {
            Ok(())
        } else {
            write!(f, ".p/{}", self.width)
        }
    }
}

/// The groups of three digits before the last, none for 0.
fn write_index(f: &mut fmt::Formatter<'_>, index: u64) -> fmt::Result {
    if index == 0 {
        return Ok(());
    }
    write_index(f, index / 1000)?;
    write!(f, "x{:03}/", index % 1000)
}

impl FromStr for TilePath {
    type Err = BadTilePath;

    /// Reads a path below the log's prefix. Accepts only what [`Display`](fmt::Display) writes.
    ///
    /// # Errors
    /// [`BadTilePath::Form`] for anything else, so for a leading zero in level or width and a superfluous `x000`;
    /// [`BadTilePath::Range`] as [`TilePath::new`].
    fn from_str(path: &str) -> Result<Self, BadTilePath> {
        let rest = path.strip_prefix("tile/").ok_or(BadTilePath::Form)?;
        let (kind, rest) = rest.split_once('/').ok_or(BadTilePath::Form)?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().map_err(|_| BadTilePath::Form)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().map_err(|_| BadTilePath::Form)?),
            None => (rest, TILE_WIDTH),
        };
        let read = Self::new(kind, read_index(index)?, width)?;
        // One tile has one path: signs, zeros and widths written otherwise end here.
        if read.to_string() == path {
            Ok(read)
        } else {
            Err(BadTilePath::Form)
        }
    }
}

/// The index in groups of three digits, all but the last after an `x`, if that is how it is written.
fn read_index(groups: &str) -> Result<u64, BadTilePath> {
    let mut index = 0_u64;
    for group in groups.split('/') {
        let digits = group.strip_prefix('x').unwrap_or(group);
        let value: u64 = digits.parse().map_err(|_| BadTilePath::Form)?;
        let shifted = index.checked_mul(1000).and_then(|index| index.checked_add(value));
        index = shifted.ok_or(BadTilePath::Range)?;
    }
    Ok(index)
}

/// Why something is not the path of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTilePath {
    /// Not written as tlog-tiles writes paths.
    #[error("not the path of a tile, such as tile/0/x001/234 or tile/entries/005.p/17")]
    Form,
    /// No log of up to 2^63 − 1 leaves has such a tile.
    #[error("no log has a tile of that level, index or width")]
    Range,
}
