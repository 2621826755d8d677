//! Counts in slots of time, and windows over them. Pure: a slot is a number that grows with time.

use std::collections::BTreeMap;

/// How many there were in each slot of time; a slot that had none is not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<i64, u64>);

/// At most so many in so many slots, the present one and those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many slots it spans.
    pub slots: i64,
    /// How many there may be in them.
    pub most: u64,
}

/// Whether there is room for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// For so many, at least one.
    For(u64),
    /// For none before this slot.
    From(i64),
}

impl Counts {
    /// How much room every window leaves in the present slot. Slots after the present one, where the clock went back, count as
    /// those before it do: as far from it.
    #[must_use]
    pub fn room(&self, now: i64, windows: &[Window]) -> Room {
        let left = windows
            .iter()
            .map(|window| window.most.saturating_sub(self.in_window(now, *window)))
            .min();
        match left {
            Some(0) => Room::From(self.free_from(now, windows)),
            Some(left) => Room::For(left),
            None => Room::For(u64::MAX),
        }
    }

    /// Adds to the present slot.
    pub fn add(&mut self, now: i64, count: u64) {
        let slot = self.0.entry(now).or_default();
        *slot = slot.saturating_add(count);
    }

    /// Takes back what was added to a slot and not used.
    pub fn take_back(&mut self, slot: i64, count: u64) {
        if let Some(left) = self.0.get_mut(&slot) {
            *left = left.saturating_sub(count);
        }
        self.0.retain(|_, count| *count > 0);
    }

    /// How many there were in a slot.
    #[must_use]
    pub fn of(&self, slot: i64) -> u64 {
        self.0.get(&slot).copied().unwrap_or_default()
    }

    /// Forgets slots that are farther from the present one than this.
    pub fn forget(&mut self, now: i64, reach: i64) {
        self.0.retain(|slot, _| slot.abs_diff(now) <= reach.unsigned_abs());
    }

    fn in_window(&self, now: i64, window: Window) -> u64 {
        let near = |slot: &i64| slot.abs_diff(now) < window.slots.unsigned_abs();
        self.0
            .iter()
            .filter(|(slot, _)| near(slot))
            .fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The first slot in which every window has room, if nothing is added meanwhile.
    fn free_from(&self, now: i64, windows: &[Window]) -> i64 {
        let full = |slot| {
            windows
                .iter()
                .any(|window| self.in_window(slot, *window) >= window.most)
        };
        let ends = windows
            .iter()
            .flat_map(|window| self.0.keys().map(|slot| slot.saturating_add(window.slots)));
        let mut candidates: Vec<i64> = ends.filter(|slot| *slot > now).collect();
        candidates.sort_unstable();
        let free = candidates.iter().copied().find(|slot| !full(*slot));
        free.or(candidates.last().copied()).unwrap_or(now)
    }
}

/// As a column holds them: `slot=count` with blanks between.
impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut blank = "";
        for (slot, count) in &self.0 {
            write!(f, "{blank}{slot}={count}")?;
            blank = " ";
        }
        Ok(())
    }
}

/// What [`std::str::FromStr`] says of anything that `Display` does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCounts;

impl std::str::FromStr for Counts {
    type Err = NotCounts;

    fn from_str(text: &str) -> Result<Self, NotCounts> {
        let slot = |word: &str| {
            let (slot, count) = word.split_once('=')?;
            Some((slot.parse().ok()?, count.parse().ok()?))
        };
        let slots: Option<BTreeMap<i64, u64>> = text.split_whitespace().map(slot).collect();
        slots.map(Self).ok_or(NotCounts)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: Window = Window { slots: 7, most: 3 };
    const HOUR: Window = Window { slots: 361, most: 5 };

    fn spend(counts: &mut Counts, now: i64) -> Room {
        let room = counts.room(now, &[MINUTE, HOUR]);
        if matches!(room, Room::For(_)) {
            counts.add(now, 1);
        }
        room
    }

    #[test]
    fn the_narrower_window_gives_room_again_first() {
        let mut counts = Counts::default();
        for left in [3, 2, 1] {
            assert_eq!(spend(&mut counts, 100), Room::For(left));
        }
        assert_eq!(spend(&mut counts, 100), Room::From(107));
        assert_eq!(spend(&mut counts, 106), Room::From(107));
        assert_eq!(spend(&mut counts, 107), Room::For(2));
        assert_eq!(spend(&mut counts, 107), Room::For(1));
        // Now the hour is full, until the first three leave it.
        assert_eq!(spend(&mut counts, 120), Room::From(461));
        assert_eq!(spend(&mut counts, 461), Room::For(3));
    }

    #[test]
    fn a_clock_that_goes_back_a_little_gives_no_new_room() {
        let mut counts = Counts::default();
        counts.add(100, 3);
        assert_eq!(spend(&mut counts, 98), Room::From(107));
    }

    #[test]
    fn what_is_far_is_forgotten_on_both_sides() {
        let mut counts = Counts::default();
        for slot in [1, 90, 100, 110, 500] {
            counts.add(slot, 1);
        }
        counts.forget(100, 10);
        assert_eq!(counts.to_string(), "90=1 100=1 110=1");
        assert_eq!(counts.of(90), 1);
        assert_eq!(counts.of(500), 0);
    }

    #[test]
    fn what_is_no_list_of_counts_is_told() {
        for text in ["1", "1=", "=1", "1=-1", "1=1,2=2"] {
            assert_eq!(text.parse::<Counts>(), Err(NotCounts), "{text}");
        }
        assert_eq!("".parse::<Counts>(), Ok(Counts::default()));
    }

    proptest! {
        #[test]
        fn no_window_ever_holds_more_than_it_may(steps in prop::collection::vec(0_i64..20, 1..300)) {
            let mut counts = Counts::default();
            let (mut now, mut spent) = (0, Vec::new());
            for step in steps {
                now += step;
                if matches!(spend(&mut counts, now), Room::For(_)) {
                    spent.push(now);
                }
                counts.forget(now, HOUR.slots);
                for window in [MINUTE, HOUR] {
                    let within = spent.iter().filter(|at| now - **at < window.slots).count();
                    prop_assert!(u64::try_from(within).unwrap() <= window.most);
                }
            }
        }

        #[test]
        fn there_is_room_where_it_was_said_and_not_before(steps in prop::collection::vec(0_i64..4, 1..40)) {
            let mut counts = Counts::default();
            let mut now = 0;
            for step in steps {
                now += step;
                if let Room::From(free) = spend(&mut counts, now) {
                    prop_assert!(free > now);
                    prop_assert!(matches!(counts.room(free - 1, &[MINUTE, HOUR]), Room::From(_)));
                    prop_assert!(matches!(counts.room(free, &[MINUTE, HOUR]), Room::For(_)));
                }
            }
        }

        #[test]
        fn written_and_read_again(slots in prop::collection::btree_map(any::<i64>(), any::<u64>(), 0..20)) {
            let counts = Counts(slots);
            prop_assert_eq!(counts.to_string().parse(), Ok(counts));
        }
    }
}
