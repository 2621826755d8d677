//! From leaves to the index of the log, and keeping it near the head. Never on the way of a commit: it reads entries that
//! are durable already.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

use crate::log::ProvedEntry;
use crate::log::leaf::Leaf;
use crate::log::mark::Mark;
use crate::log::places::OTHER_SUBJECT;
use crate::merkle::Hash;
use crate::store::log_index::{IndexedEntry, Position, Term, TermKind};
use crate::store::rows::EntryRow;
use crate::store::{DataStore, LogIndex, StoreError};

/// Most entries indexed in one transaction. Far behind the head, the more at once the fewer pages are written twice.
const BATCH: u32 = 20_000;

/// The terms of a leaf, each once.
#[must_use]
pub fn terms(leaf: &Leaf) -> Vec<Term> {
    use TermKind as K;
    let one = |kind, value: &str| Term {
        kind,
        value: value.to_owned(),
    };
    let some = |kind, value: &Option<String>| value.as_deref().map(|value| one(kind, value));
    let mut terms = vec![
        one(K::Actor, &leaf.actor),
        one(K::Dept, &leaf.dept),
        one(K::Act, &leaf.act),
        one(K::Purpose, &leaf.purpose),
        one(K::Out, &leaf.out),
    ];
    terms.extend(some(K::Via, &leaf.via));
    terms.extend(some(K::Role, &leaf.role));
    terms.extend(some(K::Ticket, &leaf.ticket));
    terms.extend(some(K::Subject, &leaf.subject));
    let other = leaf.link.as_ref().and_then(|link| link.get(OTHER_SUBJECT));
    terms.extend(other.map(|subject| one(K::Subject, subject)));
    terms.extend(some(K::Form, &leaf.form));
    terms.extend(leaf.fields.iter().flatten().map(|field| one(K::Field, field)));
    terms.extend(accounts(leaf).flat_map(|place| [one(K::Wrote, ACCOUNT), one(K::Wrote, place)]));
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// What an entry that wrote any account is found by.
pub const ACCOUNT: &str = "principal";

/// The accounts that a leaf's entry wrote, each as `principal/<id>`.
pub fn accounts(leaf: &Leaf) -> impl Iterator<Item = &str> {
    let places = leaf.digest.iter().flat_map(|digest| digest.keys());
    let accounts = places.filter_map(|place| place.strip_prefix('@'));
    accounts.filter(|place| place.split_once('/').is_some_and(|(kind, _)| kind == ACCOUNT))
}

/// Whether a leaf is of a read that showed fields.
#[must_use]
pub fn shows_fields(leaf: &Leaf) -> bool {
    leaf.out == "granted" && leaf.form.is_some() && leaf.fields.is_some()
}

/// When a leaf was made, in milliseconds since 1970-01-01T00:00:00Z; 0 where it does not say.
#[must_use]
pub fn time_of(leaf: &Leaf) -> i64 {
    leaf.t
        .parse::<Timestamp>()
        .map(Timestamp::as_millisecond)
        .unwrap_or_default()
}

/// What the index keeps of an entry. Nothing for one whose body was archived and dropped, nor for one whose bytes were changed:
/// `fsck` names that one.
#[must_use]
pub fn indexed(entry: EntryRow) -> Option<IndexedEntry> {
    let entry = ProvedEntry::new(entry).ok()?;
    let leaf = entry.leaf()?;
    Some(IndexedEntry {
        index: entry.index(),
        at: time_of(&leaf),
        terms: terms(&leaf),
        mark: shows_fields(&leaf).then(|| Mark::of(entry.hash()).bits()),
    })
}

/// The index, filled from the log by one task at a time.
pub struct Indexer {
    index: Arc<dyn LogIndex>,
    filling: Mutex<()>,
}

impl Indexer {
    /// Around an index that may be empty or behind.
    #[must_use]
    pub fn new(index: Arc<dyn LogIndex>) -> Self {
        Self {
            index,
            filling: Mutex::new(()),
        }
    }

    /// The index, as far as it has come.
    #[must_use]
    pub fn index(&self) -> &dyn LogIndex {
        &*self.index
    }

    /// Adds the entries that follow, one batch. Answers how far the index has come.
    ///
    /// # Errors
    /// What either database reports.
    pub async fn advance(&self, store: &dyn DataStore, size: u64) -> Result<u64, StoreError> {
        let _one = self.filling.lock().await;
        let position = self.index.position().await?;
        if !follows(store, &position).await? {
            tracing::warn!("the index is not of this log; it is filled afresh");
            self.index.clear().await?;
            return Ok(0);
        }
        if position.size >= size {
            return Ok(position.size);
        }
        let limit = u32::try_from(size - position.size).map_or(BATCH, |rest| rest.min(BATCH));
        let entries = store.entries(position.size, limit).await?;
        let Some(last) = entries.last() else {
            return Err(StoreError::Corrupt("log_entry"));
        };
        let to = Position {
            size: last.idx + 1,
            last: Some(last.leaf_hash),
        };
        match self.index.add(position.size, read(entries).await?, to).await {
            Ok(_) => Ok(to.size),
            // It holds already what it says it does not: it was edited.
            Err(StoreError::Database(fault)) => {
                tracing::warn!(%fault, "the index does not take the log's entries; it is filled afresh");
                self.index.clear().await?;
                Ok(0)
            }
            Err(error) => Err(error),
        }
    }
}

/// Many entries take long to hash and parse. The listener, which may share this task, takes in connections meanwhile.
async fn read(entries: Vec<EntryRow>) -> Result<Vec<IndexedEntry>, StoreError> {
    let read = tokio::task::spawn_blocking(move || entries.into_iter().filter_map(indexed).collect());
    read.await
        .map_err(|_| StoreError::Database("the reading of entries was broken off".to_owned()))
}

/// Whether the log holds what the index says it has indexed last.
async fn follows(store: &dyn DataStore, position: &Position) -> Result<bool, StoreError> {
    let Some(last) = position.size.checked_sub(1) else {
        return Ok(true);
    };
    let hashes: Vec<Hash> = store.hashes(0, last, 1).await?;
    Ok(position.last.is_some() && hashes.first() == position.last.as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::leaf::KEYS;

    /// Keys of a leaf that nobody searches by: times have a span of their own, and the rest leads from an entry elsewhere.
    const NOT_SEARCHED: [&str; 13] = [
        "approver", "client", "digest", "id", "link", "node", "nth", "policy", "req", "t", "token", "v", "why",
    ];

    #[test]
    fn a_key_is_searched_or_on_the_list_of_those_that_are_not() {
        let searched =
            |key: &str| TermKind::from_word(key.trim_end_matches('s')).is_some() || TermKind::from_word(key).is_some();
        let not: Vec<&str> = KEYS.iter().map(|(key, _)| *key).filter(|key| !searched(key)).collect();
        assert_eq!(not, NOT_SEARCHED);
    }
}
