//! How many entries of the log in force are about each caller (decision 0041).
//!
//! The counts stand in the entries. A table sums them up, so that a caller's next count is one look by key. It is not written with each
//! entry: a caller's entries come close together, and a row once for all of them will do. What the table does not have yet stands in the
//! last [`TAIL`] entries, which a start reads.

use std::collections::BTreeMap;

use super::{Fault, Sequencer};
use crate::log::numbered::LeafBytes;
use crate::log::{Change, CommitError};
use crate::model::reference::Reference;
use crate::store::rows::{NewRow, TallyRow};
use crate::store::{StoreError, Write};

/// Counts, by what the log calls the caller.
pub(in crate::log) type Counts = BTreeMap<Reference, u64>;

/// Entries between two turns: at each, what was counted since the last is handed on to be put down.
const TURN: usize = 512;
/// Rows that are put down with each entry, until all that was handed on is.
const EACH: usize = 2;
/// A group of so many entries puts everything down: its rows share pages.
const LARGE: usize = 256;
/// No count stands in entries alone that are older than so many. Before a turn there are fewer than `TURN + LARGE` entries; their rows are
/// put down within half as many more, and the group that does it has fewer than `LARGE`.
pub const TAIL: u64 = 2048;
const _: () = assert!(TAIL as usize > (TURN + LARGE) + (TURN + LARGE) / EACH + 2 * LARGE);

/// Owned by the log's thread. Losing it costs the reading of the last [`TAIL`] entries.
pub(super) struct Tally {
    /// Counted since the last turn.
    counted: Counts,
    /// Counted before, and not put down yet.
    due: Counts,
    /// Entries since the last turn.
    entries: usize,
    /// The next group puts everything down.
    all: bool,
}

impl Tally {
    /// After a start: the counts in the last [`TAIL`] entries.
    pub(super) const fn new(tail: Counts) -> Self {
        Self {
            counted: tail,
            due: Counts::new(),
            entries: 0,
            all: true,
        }
    }

    /// A job empties bodies of entries, in which counts stand.
    pub(super) fn before(&mut self, change: &Change) {
        self.all |= change.writes.iter().any(|write| matches!(write, Write::DropBodies(_)));
    }

    fn known(&self, subject: &Reference) -> Option<u64> {
        self.counted.get(subject).or_else(|| self.due.get(subject)).copied()
    }

    /// What is put down with a group of so many entries, in which these were counted.
    fn put_down(&self, entries: usize, group: &Counts) -> Counts {
        if self.all || entries >= LARGE {
            // Of two counts of one caller the later is the higher.
            let mut all = self.due.clone();
            all.extend(&self.counted);
            all.extend(group);
            return all;
        }
        let due = self.due.iter().take(EACH * entries);
        due.map(|(subject, count)| (*subject, *count)).collect()
    }

    /// The group is committed.
    pub(super) fn committed(&mut self, entries: usize, group: Counts) {
        if self.all || entries >= LARGE {
            *self = Self {
                all: false,
                ..Self::new(Counts::new())
            };
            return;
        }
        let put: Vec<Reference> = self.due.keys().take(EACH * entries).copied().collect();
        for subject in put {
            self.due.remove(&subject);
        }
        self.counted.extend(group);
        self.entries += entries;
        if self.entries >= TURN && self.due.is_empty() {
            self.due = std::mem::take(&mut self.counted);
            self.entries = 0;
        }
    }
}

impl Sequencer {
    /// The count that an entry gets, when these were counted before it in its group. Nothing for an entry about nobody. The row of a
    /// caller's count that was edited, or cannot be checked, leaves the job out.
    pub(super) fn next_count(
        &mut self,
        group: &Counts,
        leaf: Option<&LeafBytes>,
    ) -> Result<Result<Option<u64>, CommitError>, StoreError> {
        let Some(subject) = leaf.and_then(LeafBytes::subject) else {
            return Ok(Ok(None));
        };
        let known = group.get(&subject).copied().or_else(|| self.tally.known(&subject));
        let last = match known {
            Some(last) => last,
            None => match self.writer.tally(&subject)? {
                None => 0,
                Some(row) => match self.signer.tally_of(row) {
                    Some(row) => row.count,
                    None => {
                        tracing::error!(%subject, "the count of this subject's entries was edited; run `callervault fsck`");
                        return Ok(Err(CommitError::Miscounted));
                    }
                },
            },
        };
        Ok(Ok(Some(last + 1)))
    }

    /// The rows that a group puts down.
    pub(super) fn tallies(&self, entries: usize, group: &Counts) -> Result<Vec<NewRow>, Fault> {
        let rows = self.tally.put_down(entries, group).into_iter();
        let rows = rows.map(|(subject, count)| self.signer.tally_row(TallyRow { subject, count }));
        let rows: Option<Vec<NewRow>> = rows.collect();
        rows.ok_or(Fault::Nothing(CommitError::Locked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::RecordKind;
    use crate::model::reference::DepartmentCode;

    fn subject(body: u64) -> Reference {
        Reference::new(DepartmentCode::AUDITORS, RecordKind::Caller, 1, body).unwrap()
    }

    /// Whatever the groups are, and wherever the process dies, what the table lacks stands in the last entries.
    #[test]
    fn what_the_table_lacks_is_in_the_last_entries() {
        let mut dice = 1_u64;
        let mut roll = |below: u64| {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (dice >> 33) % below
        };
        let mut tally = Tally::new(Counts::new());
        let (mut table, mut log) = (Counts::new(), Vec::new());
        for group in 0..4_000 {
            let entries = match group % 50 {
                0 => 300,
                1 => 255,
                _ => 1 + roll(40),
            };
            let mut counted = Counts::new();
            for _ in 0..entries {
                let one = subject(roll(30_000));
                let last = counted.get(&one).copied().or_else(|| tally.known(&one));
                let last = last.or_else(|| table.get(&one).copied()).unwrap_or_default();
                counted.insert(one, last + 1);
                log.push((one, last + 1));
            }
            let entries = usize::try_from(entries).unwrap();
            table.extend(tally.put_down(entries, &counted));
            tally.committed(entries, counted);
            if group % 97 == 0 {
                // It dies, and a start reads the end of the log.
                let tail = log.iter().rev().take(TAIL as usize).rev().copied();
                tally = Tally::new(tail.collect());
            }
        }
        let mut counts = Counts::new();
        for (one, nth) in log {
            let last = counts.insert(one, nth).unwrap_or_default();
            assert_eq!(nth, last + 1);
        }
        assert!(counts.values().any(|count| *count > 1));
    }

    #[test]
    fn a_row_is_put_down_once_for_many_entries_of_a_caller() {
        let mut tally = Tally::new(Counts::new());
        tally.committed(1, Counts::new());
        let mut rows = 0;
        for nth in 1..=5_000 {
            let counted = Counts::from([(subject(7), nth)]);
            rows += tally.put_down(1, &counted).len();
            tally.committed(1, counted);
        }
        assert!(rows > 0 && rows < 20, "{rows}");
    }
}
