//! The log's own rows. The tree proves them; no code does.

use super::{Columns, FromColumns, One, Row, next, table};
use crate::merkle::{Hash, Tile};
use crate::store::Result;

table! {
    /// The log's head: everything needed to append.
    pub struct HeadRow in "log_head", key 1, put Over, plain {
        /// There is one.
        pub one: One,
        /// Number of entries.
        pub size: u64,
        /// Root over them (RFC 6962 §2.1).
        pub root: Hash,
        /// The compact range: one hash per set bit of `size`.
        pub frontier: Vec<u8>,
        /// The newest signed checkpoint.
        pub checkpoint: String,
    }
    reads [
        /// The one head.
        THE_HEAD = "WHERE one = 1";
    ]
}

table! {
    /// One entry of the log: the bytes that were hashed.
    pub struct EntryRow in "log_entry", key 1, put Once, plain {
        /// Position from 0.
        pub idx: u64,
        /// The leaf, byte for byte.
        pub body: Vec<u8>,
        /// RFC 6962 leaf hash.
        pub leaf_hash: Hash,
    }
    reads [
        /// Entries from a position on, in order.
        FROM = "WHERE idx >= ?1 ORDER BY idx LIMIT ?2";
        /// The entry at a position.
        AT = "WHERE idx = ?1";
    ]
}

table! {
    /// A full tile (C2SP tlog-tiles).
    pub struct TileRow in "log_tile", key 2, put Once, plain {
        /// Level from 0.
        pub level: u8,
        /// Position in its level, from 0.
        pub n: u64,
        /// Its hash one level up.
        pub root: Hash,
        /// 256 hashes of 32 bytes.
        pub hashes: Vec<u8>,
    }
    reads []
}

table! {
    /// A log that another has followed.
    pub struct PastLogRow in "past_log", key 1, put Once, plain {
        /// The how-manieth it was, from 1.
        pub n: u64,
        /// Number of entries.
        pub size: u64,
        /// Root over them.
        pub root: Hash,
        /// Its last signed checkpoint.
        pub checkpoint: String,
    }
    reads [
        /// The logs that the one in force has followed, oldest first.
        ALL = "ORDER BY n";
    ]
}

table! {
    /// An entry of a log that another has followed.
    pub struct PastEntryRow in "past_entry", key 2, put Once, plain {
        /// Which log.
        pub n: u64,
        /// Position from 0.
        pub idx: u64,
        /// The leaf, byte for byte.
        pub body: Vec<u8>,
        /// RFC 6962 leaf hash.
        pub leaf_hash: Hash,
    }
    reads [
        /// Entries of one log from a position on, in order.
        PAST_FROM = "WHERE n = ?1 AND idx >= ?2 ORDER BY idx LIMIT ?3";
        /// The entries at a position of each log.
        EVER = "WHERE n IN (SELECT n FROM past_log) AND idx = ?1";
    ]
}

impl From<PastEntryRow> for EntryRow {
    fn from(row: PastEntryRow) -> Self {
        Self {
            idx: row.idx,
            body: row.body,
            leaf_hash: row.leaf_hash,
        }
    }
}

impl TileRow {
    /// The tile.
    #[must_use]
    pub fn tile(self) -> Tile {
        Tile {
            level: self.level,
            index: self.n,
            root: self.root,
            hashes: self.hashes,
        }
    }
}

impl From<&Tile> for TileRow {
    fn from(tile: &Tile) -> Self {
        Self {
            level: tile.level,
            n: tile.index,
            root: tile.root,
            hashes: tile.hashes.clone(),
        }
    }
}

/// An entry of whose columns only the leaf is needed: a stored hash that cannot be read does not hide it.
#[derive(Clone)]
pub struct LooseEntry {
    /// Position from 0.
    pub idx: u64,
    /// The leaf.
    pub body: Vec<u8>,
    /// The hash stored with it, if it can be read.
    pub leaf_hash: Option<Hash>,
}

impl From<EntryRow> for LooseEntry {
    fn from(row: EntryRow) -> Self {
        Self {
            idx: row.idx,
            body: row.body,
            leaf_hash: Some(row.leaf_hash),
        }
    }
}

impl FromColumns for LooseEntry {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        let table = EntryRow::table().name;
        Ok(Self {
            idx: next(columns, table)?,
            body: next(columns, table)?,
            leaf_hash: next(columns, table).ok(),
        })
    }
}

/// As [`LooseEntry`], after the number of its log: one that another has followed.
pub struct LoosePastEntry(pub u64, pub LooseEntry);

impl FromColumns for LoosePastEntry {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        let n = next(columns, PastEntryRow::table().name)?;
        LooseEntry::from_columns(columns).map(|entry| Self(n, entry))
    }
}
