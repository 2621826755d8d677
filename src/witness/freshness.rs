//! How long a vault may go on while no cosignature comes: first an alarm, then no bulk export, then only emergencies.

use std::time::Duration;

use jiff::Timestamp;

use super::AHEAD;

/// How many witnesses must have cosigned how lately.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SilenceLimits {
    quorum: usize,
    alarm: Duration,
    no_bulk_export: Duration,
    emergency_only: Duration,
}

impl SilenceLimits {
    /// How many must have cosigned.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// `quorum` witnesses must have cosigned. Older than `alarm` is an alarm, and so on; the limits must not fall. A
    /// quorum of 0 asks for nothing: there are no witnesses.
    #[must_use]
    pub fn new(quorum: usize, alarm: Duration, no_bulk_export: Duration, emergency_only: Duration) -> Option<Self> {
        (alarm <= no_bulk_export && no_bulk_export <= emergency_only).then_some(Self {
            quorum,
            alarm,
            no_bulk_export,
            emergency_only,
        })
    }

    /// An alarm after a quarter of an hour, no bulk export after four hours, only emergencies after a day.
    #[must_use]
    pub const fn usual(quorum: usize) -> Self {
        const MINUTE: u64 = 60;
        Self {
            quorum,
            alarm: Duration::from_secs(15 * MINUTE),
            no_bulk_export: Duration::from_secs(4 * 60 * MINUTE),
            emergency_only: Duration::from_secs(24 * 60 * MINUTE),
        }
    }
}

/// What may be done, from everything down to least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Freshness {
    /// The quorum has cosigned lately.
    Fresh,
    /// Everything may be done, and somebody must be told.
    Stale,
    /// No bulk export.
    NoBulkExport,
    /// Only emergencies.
    EmergencyOnly,
}

/// What may be done at `now`, given the time of the newest cosignature of each witness, `None` where there is none.
///
/// The quorum is as old as the oldest of its newest members. A time more than five minutes ahead of `now` does not
/// count: the clock has been put back, and nobody knows how old that cosignature is.
#[must_use]
pub fn freshness(newest: &[Option<Timestamp>], limits: &SilenceLimits, now: Timestamp) -> Freshness {
    if limits.quorum == 0 {
        return Freshness::Fresh;
    }
    let mut ages: Vec<Duration> = newest.iter().flatten().filter_map(|time| age(*time, now)).collect();
    ages.sort_unstable();
    match ages.get(limits.quorum - 1) {
        Some(age) if *age <= limits.alarm => Freshness::Fresh,
        Some(age) if *age <= limits.no_bulk_export => Freshness::Stale,
        Some(age) if *age <= limits.emergency_only => Freshness::NoBulkExport,
        _ => Freshness::EmergencyOnly,
    }
}

/// How long ago, with what clocks may differ counted as just now; `None` beyond that.
fn age(time: Timestamp, now: Timestamp) -> Option<Duration> {
    let ahead = time.duration_since(now);
    if ahead > AHEAD {
        return None;
    }
    Some(Duration::try_from(-ahead).unwrap_or_default())
}
