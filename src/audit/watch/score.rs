//! How far a reader stands out among those who do the same work, measured so that a few who misbehave cannot move what is
//! usual: by the median and the median deviation.
//!
//! How much somebody reads is compared on a scale of factors, for some people do three times the work of others. What a
//! read should rarely be (out of hours, without an act after it, refused) is compared with what so many reads would lead
//! one to expect: whoever works more may err more.

use super::Counts;

/// So many times the usual spread above what is usual makes a reader stand out.
pub(super) const FLAG: f64 = 6.0;
/// And so many acts above it at least: in a quiet office three may be many times the usual.
const FEWEST: f64 = 10.0;
/// Fewer than so many in one role are compared with everybody.
pub(super) const PEERS: usize = 8;
/// From the median of deviations to a standard deviation of a normal distribution.
const NORMAL: f64 = 1.4826;
/// Least spread of work among people, as a logarithm.
const LEAST_FACTOR: f64 = 0.25;

/// What is compared.
pub(super) struct Measure {
    /// What it is called in the report.
    pub(super) name: &'static str,
    value: fn(&Counts) -> u64,
    /// Reads of which these are some; for how much somebody reads, none.
    of: Option<fn(&Counts) -> u64>,
}

/// Everything that is compared.
pub(super) static MEASURES: [Measure; 5] = [
    Measure {
        name: "clear",
        value: |counts| counts.clear,
        of: None,
    },
    Measure {
        name: "subjects",
        value: |counts| counts.subjects,
        of: None,
    },
    Measure {
        name: "refusals",
        value: |counts| counts.refusals,
        of: Some(|counts| counts.reads + counts.refusals),
    },
    Measure {
        name: "out_of_hours",
        value: |counts| counts.out_of_hours,
        of: Some(|counts| counts.reads),
    },
    Measure {
        name: "without_action",
        value: |counts| counts.without_action,
        of: Some(|counts| counts.clear),
    },
];

/// What is usual for one measure among some readers.
pub(super) struct Usual<'m> {
    measure: &'m Measure,
    /// Of so many reads, so many are of this kind.
    rate: f64,
    median: f64,
    spread: f64,
}

/// Where a reader stands.
pub(super) struct Standing {
    /// Spreads above what is usual; 0 below it.
    pub(super) above: f64,
    /// Whether that is far above.
    pub(super) out: bool,
}

impl<'m> Usual<'m> {
    pub(super) fn of(measure: &'m Measure, peers: &[&Counts]) -> Self {
        let mut usual = Self {
            measure,
            rate: rate(measure, peers),
            median: 0.0,
            spread: 1.0,
        };
        let mut placed: Vec<f64> = peers.iter().map(|counts| usual.place(counts)).collect();
        let median = median(&mut placed);
        let mut deviations: Vec<f64> = placed.iter().map(|place| (place - median).abs()).collect();
        let least = if measure.of.is_some() { 1.0 } else { LEAST_FACTOR };
        usual.median = median;
        usual.spread = (NORMAL * self::median(&mut deviations)).max(least);
        usual
    }

    /// So many of this kind one would expect of this reader.
    fn expected(&self, counts: &Counts) -> f64 {
        match self.measure.of {
            Some(of) => self.rate * number(of(counts)),
            None => self.median.exp_m1(),
        }
    }

    /// On a scale on which readers who behave alike lie close together. Rare acts vary by the root of their number.
    fn place(&self, counts: &Counts) -> f64 {
        let value = number((self.measure.value)(counts));
        if self.measure.of.is_none() {
            return value.ln_1p();
        }
        let expected = self.expected(counts);
        (value - expected) / expected.max(1.0).sqrt()
    }

    pub(super) fn standing(&self, counts: &Counts) -> Standing {
        let above = ((self.place(counts) - self.median) / self.spread).max(0.0);
        let more = number((self.measure.value)(counts)) - self.expected(counts);
        Standing {
            above,
            out: above >= FLAG && more >= FEWEST,
        }
    }
}

/// Acts of one kind to reads, over the nine tenths of the readers with the lowest.
fn rate(measure: &Measure, peers: &[&Counts]) -> f64 {
    let Some(of) = measure.of else { return 0.0 };
    let pair = |counts: &&Counts| (number((measure.value)(counts)), number(of(counts)));
    let mut pairs: Vec<(f64, f64)> = peers.iter().map(pair).filter(|(_, all)| *all > 0.0).collect();
    pairs.sort_unstable_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
    pairs.truncate((pairs.len() * 9).div_ceil(10));
    let (some, all) = pairs
        .iter()
        .fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
    if all > 0.0 { some / all } else { 0.0 }
}

fn number(value: u64) -> f64 {
    u32::try_from(value).map_or(f64::from(u32::MAX), f64::from)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.len() % 2) {
        (None, _) => 0.0,
        (Some(upper), 1) => *upper,
        (Some(upper), _) => values
            .get(middle - 1)
            .map_or(*upper, |lower| f64::midpoint(*lower, *upper)),
    }
}
