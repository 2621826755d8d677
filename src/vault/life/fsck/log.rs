//! The log: every leaf, every tile, head and checkpoint.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::log::leaf::{self, Leaf};
use crate::log::places::{NOTHING, OF_OTHER, OTHER_SUBJECT};
use crate::log::{ProvedEntry, startup};
use crate::merkle::{self, Frontier, Hash, Tile, TileBuilder};
use crate::model::ask::Action;
use crate::model::ids::RecordKind;
use crate::store::rows::log::{LooseEntry, LoosePastEntry};
use crate::store::rows::{EntryRow, HeadRow, One, PastEntryRow, PastLogRow, Row, TileRow};
use crate::vault::auditing::retention::BELOW;
use crate::vault::life::fsck::{Check, TimeBack};
use crate::vault::life::next_log;
use crate::vault::life::open::OpenError;

/// A request gets its time when it is decided on and its place when it is committed: of two at once the later may come first, by
/// less than a request may last.
const OVERTAKING: SignedDuration = SignedDuration::from_secs(60);

/// The tree as it grows out of the leaves.
struct Tree {
    frontier: Frontier,
    builder: TileBuilder,
    tiles: BTreeMap<(u8, u64), Tile>,
    /// No leaf was missing or unreadable so far: the tree is the log's.
    whole: bool,
}

impl Tree {
    const fn new() -> Self {
        Self {
            frontier: Frontier::new(),
            builder: TileBuilder::new(),
            tiles: BTreeMap::new(),
            whole: true,
        }
    }

    fn push(&mut self, hash: Hash) {
        self.frontier.push(hash);
        let full = self.builder.push(hash).into_iter();
        self.tiles.extend(full.map(|tile| ((tile.level, tile.index), tile)));
    }
}

impl Check<'_> {
    pub(super) async fn log(&mut self) -> Result<(), OpenError> {
        self.past_logs().await?;
        self.count_anew();
        let mut tree = Tree::new();
        let mut next = 0;
        let whole = self.each(EntryRow::table(), |check, row: LooseEntry| {
            check.entry(&mut tree, &mut next, row);
        });
        let whole = whole.await;
        tree.whole &= whole;
        self.report.rows = 0;
        self.report.entries = next;
        self.settle_bodies();
        self.head(&tree).await?;
        if tree.whole {
            self.tiles(tree.tiles).await;
        }
        Ok(())
    }

    /// The logs that the one in force has followed: every leaf, and the last head of each.
    async fn past_logs(&mut self) -> Result<(), OpenError> {
        let past = match self.vault.store.past_logs().await {
            Ok(past) => past,
            Err(fault) => {
                self.broken("data store", &fault);
                return Ok(());
            }
        };
        let mut trees: BTreeMap<u64, (Tree, u64)> = BTreeMap::new();
        let mut firsts: BTreeMap<u64, LooseEntry> = BTreeMap::new();
        let whole = self.each(PastEntryRow::table(), |check, LoosePastEntry(n, row)| {
            let (tree, next) = trees.entry(n).or_insert_with(|| (Tree::new(), 0));
            if row.idx == 0 {
                check.settle_bodies();
                check.count_anew();
                firsts.insert(n, row.clone());
            }
            check.entry(tree, next, row);
        });
        let whole = whole.await;
        self.settle_bodies();
        self.chain(&past, firsts).await;
        for row in past {
            let (tree, size) = trees.remove(&row.n).unwrap_or_else(|| (Tree::new(), 0));
            let name = format!("past log {}", row.n);
            if size != row.size || (whole && tree.whole && tree.frontier.root() != row.root) {
                self.find(&name, "does not have the entries that its last head counts");
            }
            let origin = row.checkpoint.lines().next().unwrap_or_default().to_owned();
            let head = HeadRow {
                one: One,
                size: row.size,
                root: row.root,
                frontier: Vec::new(),
                checkpoint: row.checkpoint,
            };
            let verifiers = self.vault.keyring.verifiers(&origin)?;
            if startup::prove_checkpoint(&head, &origin, &verifiers).is_err() {
                self.find(
                    &name,
                    "has a checkpoint that is not signed by this vault's log key, or about something else",
                );
            }
        }
        for n in trees.into_keys() {
            self.find(format!("past log {n}"), "has entries and no head (orphan)");
        }
        Ok(())
    }

    /// Each log but the first begins with an entry that says how the one before it stood.
    async fn chain(&mut self, past: &[PastLogRow], mut firsts: BTreeMap<u64, LooseEntry>) {
        let in_force = self.vault.store.entries(0, 1).await.unwrap_or_default();
        let number = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let last = number(past.len()) + 1;
        firsts.extend(in_force.into_iter().next().map(|entry| (last, entry.into())));
        for (n, row) in (1..).zip(past) {
            let origin = row.checkpoint.lines().next().unwrap_or_default();
            // A first entry that was archived says nothing here any more.
            let next = firsts.get(&(n + 1)).filter(|entry| !entry.body.is_empty());
            let follows = |leaf: Leaf| next_log::follows(&leaf, origin, row);
            if row.n != n || next.is_some_and(|entry| !leaf_of(entry).is_some_and(follows)) {
                self.find(
                    format!("past log {}", row.n),
                    "is not the one that the next log says it follows",
                );
            }
        }
        let first = firsts.get(&1).and_then(leaf_of);
        if first.is_some_and(|leaf| leaf.act == Action::RestartLog.as_str()) {
            self.find("past log", "is missing: the oldest log there is follows another");
        }
    }

    /// What was dropped of one log says nothing about the next.
    fn settle_bodies(&mut self) {
        self.bodiless();
        self.dropped |= self.dropped_below > 0;
        self.dropped_below = 0;
    }

    fn entry(&mut self, tree: &mut Tree, next: &mut u64, row: LooseEntry) {
        let (index, stored) = (row.idx, row.leaf_hash);
        if index != *next {
            let to = index.saturating_sub(1);
            let gap = if to > *next {
                format!("log entries {next} to {to}")
            } else {
                format!("log entry {next}")
            };
            self.find(gap, "is missing");
            tree.whole = false;
            self.count_on();
        }
        *next = index + 1;
        if let (true, Some(stored)) = (row.body.is_empty(), stored) {
            self.no_body(index);
            self.count_on();
            tree.push(stored);
            return;
        }
        let hash = stored.unwrap_or_else(|| merkle::leaf_hash(&row.body));
        tree.push(hash);
        match proved(row) {
            Some(entry) => self.leaf(&entry),
            None => {
                self.count_on();
                self.find(
                    format!("log entry {index}"),
                    "does not have the hash it was logged with",
                );
            }
        }
    }

    fn no_body(&mut self, index: u64) {
        match self.bodiless.last_mut() {
            Some((_, end)) if *end == index => *end = index + 1,
            _ => self.bodiless.push((index, index + 1)),
        }
    }

    /// Bodies that are gone and that the log does not say were dropped.
    fn bodiless(&mut self) {
        for (first, end) in std::mem::take(&mut self.bodiless) {
            for index in first.max(self.dropped_below)..end {
                self.find(
                    format!("log entry {index}"),
                    "is empty, and the log does not say that it was archived and dropped",
                );
            }
        }
    }

    fn leaf(&mut self, entry: &ProvedEntry) {
        let Some(leaf) = entry.leaf() else {
            let place = format!("log entry {}", entry.index());
            self.find(place, "is not a leaf this program writes");
            self.count_on();
            return;
        };
        self.time(entry.index(), &leaf.t);
        self.count(entry.index(), &leaf);
        self.dropped_below = self.dropped_below.max(dropped_below(&leaf));
        let other = leaf.link.as_ref().and_then(|link| link.get(OTHER_SUBJECT));
        let other = other.cloned().unwrap_or_default();
        for (place, digest) in leaf.digest.unwrap_or_default() {
            let key = match place.strip_prefix(OF_OTHER) {
                Some(field) => (other.clone(), field.to_owned()),
                None if place.starts_with('@') => (String::new(), place),
                None if self.record_of(&place) == Some(RecordKind::Ticket) => {
                    (leaf.ticket.clone().unwrap_or_default(), place)
                }
                None => (leaf.subject.clone().unwrap_or_default(), place),
            };
            if digest == NOTHING {
                self.expected.remove(&key);
            } else {
                self.expected.insert(key, digest);
            }
        }
    }

    /// Names the entry if its time lies well before the latest so far.
    fn time(&mut self, entry: u64, time: &str) {
        let Ok(at) = time.parse::<Timestamp>() else { return };
        let latest = self.latest.unwrap_or(at);
        if latest.duration_since(at) > OVERTAKING {
            self.report.times_back.push(TimeBack {
                entry,
                time: time.to_owned(),
                after: leaf::milliseconds(latest),
            });
            self.latest = Some(at);
        } else {
            self.latest = Some(latest.max(at));
        }
    }

    async fn head(&mut self, tree: &Tree) -> Result<(), OpenError> {
        let Ok(head) = self.vault.store.head().await else {
            self.find("log head", "is missing or holds something the vault never writes");
            return Ok(());
        };
        let entries = self.report.entries;
        if head.size != entries {
            self.find("log head", format!("counts {} entries; there are {entries}", head.size));
        }
        if tree.whole && (head.root != tree.frontier.root() || head.frontier != tree.frontier.to_bytes()) {
            self.find("log head", "does not follow from the entries");
        }
        let keyring = &self.vault.keyring;
        if let Err(error) = startup::prove_checkpoint(&head, &self.vault.log, &keyring.verifiers(&self.vault.log)?) {
            self.find("log checkpoint", error.to_string().lines().next().unwrap_or_default());
        }
        let (store, keys) = (&*self.vault.store, &*self.vault.keys);
        if let Err(error) = startup::prove_fence(store, keys, &self.vault.log, head.size).await {
            self.find("fence", error.to_string().lines().next().unwrap_or_default());
        }
        Ok(())
    }

    async fn tiles(&mut self, mut expected: BTreeMap<(u8, u64), Tile>) {
        self.each(TileRow::table(), |check, row: TileRow| {
            let tile = row.tile();
            let place = format!("log tile {}/{}", tile.level, tile.index);
            match expected.remove(&(tile.level, tile.index)) {
                Some(right) if right == tile => {}
                Some(_) => check.find(place, "does not hold the hashes of its leaves"),
                None => check.find(place, "belongs to no full tile of this log"),
            }
        })
        .await;
        for (level, index) in expected.into_keys() {
            self.find(format!("log tile {level}/{index}"), "is missing");
        }
    }
}

/// The entry, if its bytes have the hash that is stored with them.
fn proved(entry: LooseEntry) -> Option<ProvedEntry> {
    let row = EntryRow {
        idx: entry.idx,
        leaf_hash: entry.leaf_hash?,
        body: entry.body,
    };
    ProvedEntry::new(row).ok()
}

fn leaf_of(entry: &LooseEntry) -> Option<Leaf> {
    proved(entry.clone())?.leaf()
}

/// Below which index this leaf says bodies were dropped.
fn dropped_below(leaf: &Leaf) -> u64 {
    let pruned = leaf.act == Action::PruneLog.as_str() && leaf.out == "granted";
    let below = leaf.link.as_ref().filter(|_| pruned).and_then(|link| link.get(BELOW));
    below.and_then(|below| below.parse().ok()).unwrap_or(0)
}
