//! The index of the log, held against the leaves it was made from, and made again.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use crate::audit::indexer::{Indexer, indexed};
use crate::store::log_index::{BLOCK, IndexedEntry, Kept, LEVELS, Term};
use crate::store::sqlite::SqliteLogIndex;
use crate::store::{DataStore, LogIndex, StoreError};
use crate::vault::life::fsck::Finding;

const PAGE: u32 = 1000;

/// Deletes the index and fills it again. `progress` hears the number of entries indexed.
///
/// # Errors
/// What either database reports.
pub(super) async fn rebuild(store: &dyn DataStore, path: &Path, progress: &dyn Fn(u64)) -> Result<(), StoreError> {
    SqliteLogIndex::remove(path)?;
    let indexer = Indexer::new(Arc::new(SqliteLogIndex::open(path)?));
    let size = store.head().await?.size;
    let mut at = 0;
    while at < size {
        at = indexer.advance(store, size).await?;
        progress(at);
    }
    Ok(())
}

/// Compares the index, as far as it has come, with the leaves. One that is not there, or behind, is as good: it is
/// filled when it is next used.
///
/// # Errors
/// What the data store reports. What the index reports is a finding.
pub(super) async fn check(store: &dyn DataStore, path: &Path) -> Result<Vec<Finding>, StoreError> {
    let finding = |what: String| Finding {
        place: "log index".to_owned(),
        what: format!("{what}; `callervault fsck --rebuild-index` makes it again from the log"),
    };
    let unreadable = |fault: &StoreError| {
        let words = fault.to_string();
        finding(format!("cannot be read: {}", words.lines().next().unwrap_or_default()))
    };
    let index = match SqliteLogIndex::open_existing(path) {
        Ok(Some(index)) => index,
        Ok(None) => return Ok(Vec::new()),
        Err(fault) => return Ok(vec![unreadable(&fault)]),
    };
    let position = match index.position().await {
        Ok(position) => position,
        Err(fault) => return Ok(vec![unreadable(&fault)]),
    };
    let head = store.head().await?.size;
    let last = match position.size.checked_sub(1) {
        Some(last) => store.hashes(0, last, 1).await?.first().copied(),
        None => None,
    };
    if position.size > head || position.last != last {
        return Ok(vec![finding("is of another log".to_owned())]);
    }
    let mut sums = Sums::default();
    sums.leaves(store, position.size).await?;
    if let Err(fault) = index.each(&mut |kept| sums.take(&kept)).await {
        return Ok(vec![unreadable(&fault)]);
    }
    Ok(sums.findings().into_iter().map(finding).collect())
}

/// Sums over what the leaves say less what the index says: zero where they agree. Numbers are mixed with a key of this
/// run, so that no edit can be made to fit.
#[derive(Default)]
struct Sums {
    key: RandomState,
    /// Bodies below this were archived and dropped: nothing can be said of their entries.
    first: u64,
    terms: HashMap<Term, (u64, u64)>,
    marks: u64,
    blocks: HashMap<(u8, u64), (i64, i64)>,
    wrong_blocks: bool,
}

impl Sums {
    async fn leaves(&mut self, store: &dyn DataStore, size: u64) -> Result<(), StoreError> {
        let mut at = 0;
        while at < size {
            let entries = store.entries(at, PAGE).await?;
            let Some(last) = entries.last() else { break };
            at = last.idx + 1;
            for entry in entries.into_iter().filter(|entry| entry.idx < size) {
                if entry.body.is_empty() {
                    self.first = entry.idx + 1;
                } else if let Some(row) = indexed(entry) {
                    self.leaf(row);
                }
            }
        }
        Ok(())
    }

    fn leaf(&mut self, row: IndexedEntry) {
        for term in row.terms {
            let mixed = self.key.hash_one(row.index);
            let sum = self.terms.entry(term).or_default();
            *sum = (sum.0.wrapping_add(mixed), sum.1 + 1);
        }
        if let Some(bits) = row.mark {
            self.marks = self.marks.wrapping_add(self.key.hash_one((bits, row.index)));
        }
        let mut number = row.index;
        for level in 0..LEVELS {
            number /= BLOCK;
            let span = self.blocks.entry((level, number)).or_insert((row.at, row.at));
            *span = (span.0.min(row.at), span.1.max(row.at));
        }
    }

    fn take(&mut self, kept: &Kept) {
        match kept {
            Kept::Posting(term, index) if *index >= self.first => {
                let mixed = self.key.hash_one(index);
                let sum = self.terms.entry(term.clone()).or_default();
                sum.0 = sum.0.wrapping_sub(mixed);
            }
            Kept::Term(term, entries) if self.first == 0 => {
                let sum = self.terms.entry(term.clone()).or_default();
                sum.1 = sum.1.wrapping_sub(*entries);
            }
            Kept::Mark(bits, index) if *index >= self.first => {
                self.marks = self.marks.wrapping_sub(self.key.hash_one((bits, index)));
            }
            Kept::Block(level, number, first, last) if self.first == 0 => {
                self.wrong_blocks |= self.blocks.remove(&(*level, *number)) != Some((*first, *last));
            }
            _ => {}
        }
    }

    fn findings(self) -> Vec<String> {
        let counted = self.first == 0;
        let wrong = |(mixed, count): (u64, u64)| mixed != 0 || (counted && count != 0);
        let mut terms: Vec<Term> = self
            .terms
            .into_iter()
            .filter(|(_, sum)| wrong(*sum))
            .map(|(term, _)| term)
            .collect();
        terms.sort_unstable();
        let name = |term: &Term| {
            format!(
                "does not list the entries of {} {} as the log does",
                term.kind, term.value
            )
        };
        let mut findings: Vec<String> = terms.iter().map(name).collect();
        if self.marks != 0 {
            findings.push("does not list the trace marks of the log".to_owned());
        }
        if self.wrong_blocks || (counted && !self.blocks.is_empty()) {
            findings.push("does not have the times of the log".to_owned());
        }
        findings
    }
}
