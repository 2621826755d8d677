//! When tokens were last used.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::TokenId;

/// Seconds in a day.
const DAY: i64 = 86_400;

table! {
    /// The last day on which a token was used for an act that the log holds.
    pub struct TokenDayRow in "token_day", key 1, put Over, coded {
        /// Which token.
        pub token: TokenId,
        /// The day in UTC, counted from 1970-01-01.
        pub day: u64,
    }
    reads [
        /// When one token was last used.
        BY_TOKEN = "WHERE token = ?1";
    ]
}

/// Each act has a leaf of its own that names its token: the row says no more than they do, and no leaf carries its digest.
impl Protected for TokenDayRow {
    fn place(&self) -> Option<String> {
        None
    }
}

/// The day in UTC that a time is in, counted from 1970-01-01. No clock that is set shows an earlier one.
#[must_use]
pub fn day_of(at: Timestamp) -> u64 {
    u64::try_from(at.as_second().div_euclid(DAY)).unwrap_or_default()
}

/// A day as it is written: `2026-11-30`. Nothing for one beyond the calendar.
#[must_use]
pub fn date_of(day: u64) -> Option<String> {
    let seconds = i64::try_from(day).ok()?.checked_mul(DAY)?;
    let midnight = Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::TimeZone::UTC.to_datetime(midnight).date().to_string())
}
