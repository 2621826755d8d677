//! The counts that entries about callers carry (decision 0041): each is one more than the one before of the same caller, so that an entry
//! that is hidden, or comes twice, shows.

use std::collections::HashMap;

use crate::log::numbered::Count;

/// An entry's count does not follow from the entries before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Miscounted {
    /// It is not the one that follows.
    #[error(
        "is counted as number {found} of the entries about its caller, and number {expected} follows: an entry is hidden, or comes twice"
    )]
    Gap {
        /// As the entry has it.
        found: u64,
        /// As it follows.
        expected: u64,
    },
    /// It is about a caller and has none, although entries before it have; or it has one and is about nobody.
    #[error("has no count although it is about a caller, or has one although it is about nobody")]
    Uncounted,
}

/// The counts of a log's entries, looked at from the first on. Logs that an earlier version of the program began have none at first.
#[derive(Default)]
pub struct Counts {
    last: HashMap<String, u64>,
    begun: bool,
    /// Some entries could not be looked at.
    incomplete: bool,
}

impl Counts {
    /// Takes the next entry's.
    ///
    /// # Errors
    /// [`Miscounted`]; the entries after it are held against it all the same.
    pub fn take(&mut self, count: Count) -> Result<(), Miscounted> {
        let (subject, nth) = match (count.subject, count.nth) {
            (None, None) => return Ok(()),
            (Some(_), None) if !self.begun => return Ok(()),
            (Some(subject), Some(nth)) => (subject, nth),
            (Some(_), None) | (None, Some(_)) => return Err(Miscounted::Uncounted),
        };
        self.begun = true;
        let expected = match self.last.get(&subject) {
            Some(last) => last.saturating_add(1),
            None if self.incomplete && nth > 0 => nth,
            None => 1,
        };
        self.last.insert(subject, nth);
        if nth == expected {
            return Ok(());
        }
        Err(Miscounted::Gap { found: nth, expected })
    }

    /// Entries follow that cannot be looked at: their bodies were archived and dropped.
    pub fn skip(&mut self) {
        self.last.clear();
        self.incomplete = true;
    }

    /// Whether every entry was looked at.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        !self.incomplete
    }

    /// The newest count of each caller.
    #[must_use]
    pub const fn last(&self) -> &HashMap<String, u64> {
        &self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(subject: &str, nth: impl Into<Option<u64>>) -> Count {
        Count {
            subject: (!subject.is_empty()).then(|| subject.to_owned()),
            nth: nth.into(),
        }
    }

    #[test]
    fn an_entry_that_is_left_out_is_a_gap() {
        let entries = [
            count("old", None),
            count("", None),
            count("a", 1),
            count("b", 1),
            count("a", 2),
            count("", None),
            count("a", 3),
            count("b", 2),
        ];
        let gaps = |entries: &[Count]| {
            let mut counts = Counts::default();
            entries
                .iter()
                .filter(|entry| counts.take((*entry).clone()).is_err())
                .count()
        };
        assert_eq!(gaps(&entries), 0);
        for hidden in [2, 3, 4] {
            let mut rest = entries.to_vec();
            rest.remove(hidden);
            assert_eq!(gaps(&rest), 1, "{hidden}");
        }
        for (at, other) in [
            (4, count("a", None)),
            (5, count("", 1)),
            (5, count("b", 1)),
            (2, count("a", 0)),
        ] {
            let mut edited = entries.to_vec();
            edited[at] = other;
            assert!(gaps(&edited) > 0, "{at}");
        }
    }

    #[test]
    fn behind_entries_that_were_dropped_counts_go_on() {
        let mut counts = Counts::default();
        counts.take(count("a", 1)).unwrap();
        counts.skip();
        counts.take(count("a", 17)).unwrap();
        assert_eq!(
            counts.take(count("a", 19)),
            Err(Miscounted::Gap {
                found: 19,
                expected: 18
            })
        );
        assert!(!counts.is_complete());
    }
}
