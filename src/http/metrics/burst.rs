//! Requests without a valid token: one line of program log for many of them, however fast they come.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
/// The count in a minute that is told of first: more than a person or a program with an old token causes.
const FIRST: u64 = 30;
/// The next count that is told of in the same minute is so many times as large.
const STEP: u64 = 10;

/// Counts them by minutes. The first of them begins a minute.
#[derive(Default)]
pub(super) struct Burst(Mutex<Option<Minute>>);

struct Minute {
    began: Instant,
    count: u64,
    /// The next count that is told of.
    told_at: u64,
}

impl Burst {
    /// Counts one request, and tells of it in the program log if it is one of many.
    pub(super) fn one(&self) {
        if let Some(count) = self.count(Instant::now()) {
            tracing::warn!(count, "many requests without a valid token within a minute");
        }
    }

    /// Counts one. Answers with how many there were in its minute if that must be told.
    fn count(&self, now: Instant) -> Option<u64> {
        let mut minute = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let current = minute.take().filter(|minute| now < minute.began + MINUTE);
        let current = minute.insert(current.unwrap_or(Minute {
            began: now,
            count: 0,
            told_at: FIRST,
        }));
        current.count += 1;
        if current.count < current.told_at {
            return None;
        }
        current.told_at = current.told_at.saturating_mul(STEP);
        Some(current.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_told_of_by_its_size() {
        let (burst, start) = (Burst::default(), Instant::now());
        let told: Vec<u64> = (0..40_000).filter_map(|_| burst.count(start)).collect();
        assert_eq!(told, [30, 300, 3_000, 30_000]);
    }

    #[test]
    fn a_minute_is_over_after_a_minute() {
        let (burst, start) = (Burst::default(), Instant::now());
        let mut told = (0..29).filter_map(|_| burst.count(start));
        assert_eq!(told.next(), None);
        let next = start + MINUTE;
        let told: Vec<u64> = (0..30).filter_map(|_| burst.count(next)).collect();
        assert_eq!(told, [30], "29 of the minute before do not count");
    }
}
