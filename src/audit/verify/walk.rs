//! From the first entry to the last: hashes computed from bundles, compared with the tiles.

use super::{NoFile, Source, Tampered, Unverified};
use crate::audit::counts::Counts;
use crate::log::numbered::{Count, numbered};
use crate::merkle::{Frontier, Hash, TILE_WIDTH, Tile, TileBuilder, TileKind, TilePath, decode_bundle, leaf_hash};

/// Bundles that are read and hashed side by side.
const SIDE_BY_SIDE: u64 = 64;

/// The state of a walk: what the entries so far lead to.
pub(super) struct Walk<'s> {
    source: &'s dyn Source,
    size: u64,
    pruned_below: u64,
    frontier: Frontier,
    tiles: TileBuilder,
    bodies: u64,
    counts: Counts,
    /// Sizes of earlier states, and the root there once the walk has come so far.
    earlier: Vec<(u64, Option<Hash>)>,
}

impl<'s> Walk<'s> {
    pub(super) fn new(
        source: &'s dyn Source,
        size: u64,
        pruned_below: u64,
        earlier: impl Iterator<Item = u64>,
    ) -> Self {
        let mut walk = Self {
            source,
            size,
            pruned_below,
            frontier: Frontier::new(),
            tiles: TileBuilder::new(),
            bodies: 0,
            counts: Counts::default(),
            earlier: earlier.map(|size| (size, None)).collect(),
        };
        walk.note_root();
        walk
    }

    pub(super) fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The root at the size of an earlier state.
    pub(super) fn root_at(&self, size: u64) -> Option<Hash> {
        self.earlier.iter().find(|(earlier, _)| *earlier == size)?.1
    }

    pub(super) const fn bodies(&self) -> u64 {
        self.bodies
    }

    pub(super) fn run(&mut self, progress: &dyn Fn(u64, u64)) -> Result<(), Unverified> {
        let bundles = self.size.div_ceil(TILE_WIDTH as u64);
        let mut next = 0;
        while next < bundles {
            let end = bundles.min(next + SIDE_BY_SIDE);
            for hashed in self.hash_side_by_side(next, end) {
                self.take(hashed?)?;
            }
            next = end;
            progress(self.frontier.size(), self.size);
        }
        self.right_edge()
    }

    /// Reads and hashes bundles on every core.
    fn hash_side_by_side(&self, first: u64, end: u64) -> Vec<Result<Hashed, Unverified>> {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let each = usize::try_from(end - first)
            .unwrap_or(usize::MAX)
            .div_ceil(workers)
            .max(1);
        let indexes: Vec<u64> = (first..end).collect();
        std::thread::scope(|scope| {
            let work = |part: &[u64]| part.iter().map(|&index| self.hash_bundle(index)).collect::<Vec<_>>();
            let parts: Vec<_> = indexes
                .chunks(each)
                .map(|part| scope.spawn(move || work(part)))
                .collect();
            let lost = || vec![Err(Unverified::Unread("a thread ended early".to_owned()))];
            parts
                .into_iter()
                .flat_map(|part| part.join().unwrap_or_else(|_| lost()))
                .collect()
        })
    }

    /// The leaf hashes of one bundle, checked against the tile of leaf hashes, entry by entry.
    fn hash_bundle(&self, index: u64) -> Result<Hashed, Unverified> {
        let path = self.path(TileKind::Hashes(0), index)?;
        let told = hashes(
            &self
                .file(&path, 32)?
                .ok_or_else(|| Tampered::Missing(path.to_string()))?,
        );
        let entries = self.path(TileKind::Entries, index)?;
        // At least as many entries as the path says: also where only the full bundle was kept.
        let Some(bundle) = self.either(&entries)? else {
            let dropped = entries.first() + entries.width() as u64 <= self.pruned_below;
            return if dropped {
                Ok(Hashed::new(told, None))
            } else {
                Err(Tampered::Missing(entries.to_string()).into())
            };
        };
        let bundle = decode_bundle(&bundle).map_err(|_| Tampered::Missing(entries.to_string()))?;
        let bundle = bundle
            .get(..entries.width())
            .ok_or_else(|| Tampered::Missing(entries.to_string()))?;
        let mut counts = Vec::with_capacity(bundle.len());
        for (at, (entry, told)) in bundle.iter().zip(&told).enumerate() {
            let index = entries.first() + at as u64;
            if leaf_hash(entry) != *told {
                return Err(Tampered::Leaf(index).into());
            }
            counts.push(numbered(entry).ok_or(Tampered::Content(index))?);
        }
        Ok(Hashed::new(told, Some(counts)))
    }

    fn take(&mut self, hashed: Hashed) -> Result<(), Unverified> {
        let start = self.frontier.size();
        match hashed.counts {
            None => self.counts.skip(),
            Some(counts) => {
                self.bodies += counts.len() as u64;
                for (index, count) in (start..).zip(counts) {
                    let taken = self.counts.take(count);
                    taken.map_err(|miscounted| Tampered::Count(index, miscounted))?;
                }
            }
        }
        let end = start + hashed.leaves.len() as u64;
        let mut earlier = self.earlier.iter();
        if let Some(root) = hashed.full
            && !earlier.any(|(earlier, _)| start < *earlier && *earlier < end)
        {
            self.frontier.push_tile(root).map_err(|_| Tampered::Root)?;
            self.note_root();
            for tile in self.tiles.push_tile(root).map_err(|_| Tampered::Root)? {
                self.check(&tile)?;
            }
            return Ok(());
        }
        for leaf in hashed.leaves {
            self.frontier.push(leaf);
            self.note_root();
            for tile in self.tiles.push(leaf) {
                self.check(&tile)?;
            }
        }
        Ok(())
    }

    fn note_root(&mut self) {
        let size = self.frontier.size();
        for (_, root) in self.earlier.iter_mut().filter(|(earlier, _)| *earlier == size) {
            *root = Some(self.frontier.root());
        }
    }

    /// A full tile above the leaves as the entries give it, against the file.
    fn check(&self, tile: &Tile) -> Result<(), Unverified> {
        if tile.level == 0 {
            // Compared entry by entry already.
            return Ok(());
        }
        self.compare(&self.path(TileKind::Hashes(tile.level), tile.index)?, &tile.hashes)
    }

    /// The tiles that are not full yet.
    fn right_edge(&self) -> Result<(), Unverified> {
        for (level, edge) in self
            .tiles
            .edges()
            .iter()
            .enumerate()
            .skip(1)
            .filter(|(_, edge)| !edge.is_empty())
        {
            let level = u8::try_from(level).map_err(|_| Tampered::Root)?;
            let index = (self.size >> (8 * u32::from(level))) / TILE_WIDTH as u64;
            let bytes: Vec<u8> = edge.iter().flat_map(|hash| *hash.as_bytes()).collect();
            self.compare(&self.path(TileKind::Hashes(level), index)?, &bytes)?;
        }
        Ok(())
    }

    fn compare(&self, path: &TilePath, expected: &[u8]) -> Result<(), Unverified> {
        match self.file(path, 32)? {
            Some(bytes) if bytes == expected => Ok(()),
            Some(_) => Err(Tampered::Tile(path.to_string()).into()),
            None => Err(Tampered::Missing(path.to_string()).into()),
        }
    }

    fn path(&self, kind: TileKind, index: u64) -> Result<TilePath, Tampered> {
        TilePath::within(self.size, kind, index).ok_or(Tampered::Root)
    }

    /// A tile's bytes: as many as its path says, also where only the full one was kept.
    fn file(&self, path: &TilePath, unit: usize) -> Result<Option<Vec<u8>>, Unverified> {
        let Some(mut bytes) = self.either(path)? else {
            return Ok(None);
        };
        let wanted = path.width() * unit;
        if bytes.len() != wanted && bytes.len() != TILE_WIDTH * unit {
            return Err(Tampered::Missing(path.to_string()).into());
        }
        bytes.truncate(wanted);
        Ok(Some(bytes))
    }

    /// A log may drop a partial tile once the full one exists (tlog-tiles, "Partial Tiles").
    fn either(&self, path: &TilePath) -> Result<Option<Vec<u8>>, Unverified> {
        let read = |path: &TilePath| {
            let read = self.source.read(&path.to_string());
            read.map_err(|NoFile(words)| Unverified::Unread(words))
        };
        if let Some(bytes) = read(path)? {
            return Ok(Some(bytes));
        }
        match TilePath::new(path.kind(), path.index(), TILE_WIDTH) {
            Ok(full) if !path.is_full() => read(&full),
            _ => Ok(None),
        }
    }
}

/// The leaf hashes of one bundle.
struct Hashed {
    leaves: Vec<Hash>,
    /// The counts in the entries; nothing where their bodies were archived and dropped.
    counts: Option<Vec<Count>>,
    /// The root over them, where they fill a tile.
    full: Option<Hash>,
}

impl Hashed {
    fn new(leaves: Vec<Hash>, counts: Option<Vec<Count>>) -> Self {
        let full = (leaves.len() == TILE_WIDTH).then(|| {
            let mut tile = Frontier::new();
            leaves.iter().for_each(|leaf| tile.push(*leaf));
            tile.root()
        });
        Self { leaves, counts, full }
    }
}

fn hashes(tile: &[u8]) -> Vec<Hash> {
    tile.as_chunks::<32>().0.iter().copied().map(Hash::from_bytes).collect()
}
