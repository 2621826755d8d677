//! How many entries there are about each caller: in the entries, and in the table that sums them up.

use std::collections::{HashMap, VecDeque};

use crate::audit::counts::Counts;
use crate::log::TAIL;
use crate::log::leaf::Leaf;
use crate::log::numbered::Count;
use crate::store::rows::{Coded, Row, TallyRow};
use crate::vault::life::fsck::Check;

/// What the entries of the log at hand count.
#[derive(Default)]
pub(super) struct Tallies {
    counts: Counts,
    /// Whom the last entries with counts are about, and where they stand.
    newest: VecDeque<(u64, String)>,
    /// Entries so far.
    size: u64,
}

impl Check<'_> {
    /// Another log begins.
    pub(super) fn count_anew(&mut self) {
        self.tallies = Tallies::default();
    }

    /// The next entry.
    pub(super) fn count(&mut self, index: u64, leaf: &Leaf) {
        let count = Count {
            subject: leaf.subject.clone(),
            nth: leaf.nth,
        };
        let tallies = &mut self.tallies;
        tallies.size = index + 1;
        if let (Some(subject), Some(_)) = (&count.subject, count.nth) {
            tallies.newest.push_back((index, subject.clone()));
        }
        while tallies.newest.front().is_some_and(|(at, _)| at + TAIL < tallies.size) {
            tallies.newest.pop_front();
        }
        if let Err(miscounted) = tallies.counts.take(count) {
            self.find(format!("log entry {index}"), miscounted.to_string());
        }
    }

    /// An entry that is not there, or says nothing.
    pub(super) fn count_on(&mut self) {
        self.tallies.counts.skip();
    }

    /// The table has each count but those that only the newest entries have.
    pub(super) async fn tallies(&mut self) {
        let Tallies { counts, newest, size } = std::mem::take(&mut self.tallies);
        let mut due: HashMap<&str, u64> = HashMap::new();
        for (_, subject) in newest.iter().filter(|(at, _)| at + TAIL >= size) {
            *due.entry(subject).or_default() += 1;
        }
        let mut last = counts.last().clone();
        self.each(TallyRow::table(), |check, row: Coded<TallyRow>| {
            let (row, code, _) = Self::taken_apart(row);
            let subject = row.subject.to_string();
            let name = format!("count of the entries about {subject}");
            check.protected(&row, &code, "", &name);
            match last.remove(&subject) {
                Some(last) if row.count > last => check.find(name, "is higher than their number"),
                Some(last) if row.count + due.get(&*subject).copied().unwrap_or_default() < last => {
                    check.find(name, "is lower than their number");
                }
                Some(_) => {}
                None if counts.is_complete() => check.find(name, "is of nobody whom the log has entries about"),
                None => {}
            }
        })
        .await;
        for (subject, last) in last {
            if last > due.get(&*subject).copied().unwrap_or_default() {
                self.find(format!("count of the entries about {subject}"), "is missing");
            }
        }
    }
}
