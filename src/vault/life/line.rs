//! Who waits to have a passphrase looked at. Each who asks has one place, in the order in which they first asked, however often they ask:
//! so nobody who guesses comes before somebody who has waited longer.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::model::unlocking::Asker;

/// Most who wait at once. More are told to come again, without a place.
const MOST: usize = 256;
/// How much later than told somebody may come again without losing the place.
const LATE: Duration = Duration::from_secs(5);

struct Place {
    asker: Asker,
    /// Somebody else who comes after this takes it away.
    until: Instant,
}

/// Those who wait, from one place.
#[derive(Default)]
pub(super) struct Line(VecDeque<Place>);

impl Line {
    /// Whether it is this one's turn. Whoever has no place gets the last one.
    pub(super) fn is_first(&mut self, asker: Asker, now: Instant) -> bool {
        self.0.retain(|place| place.asker == asker || place.until > now);
        if self.0.iter().all(|place| place.asker != asker) && self.0.len() < MOST {
            self.0.push_back(Place {
                asker,
                until: now + LATE,
            });
        }
        self.0.front().is_some_and(|place| place.asker == asker)
    }

    /// This one was told to come again in so long.
    pub(super) fn keep(&mut self, asker: Asker, now: Instant, wait: Duration) {
        if let Some(place) = self.0.iter_mut().find(|place| place.asker == asker) {
            place.until = now + wait + LATE;
        }
    }

    /// This one's passphrase is looked at. The next time they stand behind all others.
    pub(super) fn leave(&mut self, asker: Asker) {
        self.0.retain(|place| place.asker != asker);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: Asker = Asker::Account(Some(0));
    const GUESSER: Asker = Asker::Account(Some(1_000));
    const OTHER: Asker = Asker::Account(Some(1_001));

    const fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn nobody_comes_before_somebody_who_waits_longer_by_asking_more_often() {
        let (mut line, now) = (Line::default(), Instant::now());
        assert!(line.is_first(GUESSER, now));
        assert!(!line.is_first(OWNER, now));
        line.keep(OWNER, now, seconds(30));
        for later in 0..30 {
            let now = now + seconds(later);
            assert!(line.is_first(GUESSER, now), "until it is looked at");
            line.keep(GUESSER, now, seconds(1));
        }
        line.leave(GUESSER);
        let now = now + seconds(30);
        for _ in 0..100 {
            assert!(!line.is_first(GUESSER, now));
        }
        assert!(line.is_first(OWNER, now));
        line.leave(OWNER);
        assert!(line.is_first(GUESSER, now));
    }

    #[test]
    fn whoever_does_not_come_again_keeps_nobody_waiting() {
        let (mut line, now) = (Line::default(), Instant::now());
        assert!(line.is_first(GUESSER, now));
        line.keep(GUESSER, now, seconds(10));
        assert!(!line.is_first(OWNER, now + seconds(14)));
        assert!(line.is_first(OWNER, now + seconds(15)));
        assert!(!line.is_first(GUESSER, now + seconds(15)), "at the end of the line");
        // Who comes late and finds nobody else has lost nothing.
        let mut line = Line::default();
        assert!(line.is_first(OWNER, now) && line.is_first(OWNER, now + seconds(3_600)));
    }

    #[test]
    fn a_line_is_bounded() {
        let (mut line, now) = (Line::default(), Instant::now());
        for account in 0..u32::try_from(MOST).unwrap() {
            line.is_first(Asker::Account(Some(10_000 + account)), now);
        }
        assert!(!line.is_first(OTHER, now));
        assert_eq!(line.0.len(), MOST);
    }
}
