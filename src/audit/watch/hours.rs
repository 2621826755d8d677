//! When people are expected to work.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::{Offset, TimeZone};

/// Working hours, and where the clock on the wall stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Work begins.
    pub opens: Time,
    /// Work has ended.
    pub closes: Time,
    /// Local time: ahead of UTC by this.
    pub offset: Offset,
}

impl Default for Hours {
    /// 08:00 to 20:00, +08:00.
    fn default() -> Self {
        Self {
            opens: Time::constant(8, 0, 0, 0),
            closes: Time::constant(20, 0, 0, 0),
            offset: Offset::constant(8),
        }
    }
}

impl Hours {
    /// The local day of a time.
    #[must_use]
    pub fn day(&self, at: Timestamp) -> Date {
        self.offset.to_datetime(at).date()
    }

    /// When a local day begins, in milliseconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// For a day beyond the calendar.
    pub fn midnight(&self, day: Date) -> Result<i64, jiff::Error> {
        let zone = TimeZone::fixed(self.offset);
        Ok(zone.to_timestamp(day.to_datetime(Time::midnight()))?.as_millisecond())
    }

    /// Whether a time is outside working hours. Only the centre works at weekends.
    #[must_use]
    pub fn outside(&self, at: Timestamp, centre: bool) -> bool {
        let local = self.offset.to_datetime(at);
        let weekend = matches!(local.weekday(), Weekday::Saturday | Weekday::Sunday);
        (weekend && !centre) || local.time() < self.opens || local.time() >= self.closes
    }
}

/// Working hours as they are written: `08:00-20:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Work begins.
    pub opens: Time,
    /// Work has ended.
    pub closes: Time,
}

impl FromStr for Span {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let (opens, closes) = text.split_once('-').ok_or(BadHours)?;
        let time = |text: &str| Time::strptime("%H:%M", text).map_err(|_| BadHours);
        let span = Self {
            opens: time(opens)?,
            closes: time(closes)?,
        };
        if span.opens < span.closes {
            Ok(span)
        } else {
            Err(BadHours)
        }
    }
}

/// An offset from UTC as it is written: `+08:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FromUtc(pub Offset);

impl FromStr for FromUtc {
    type Err = BadHours;

    fn from_str(text: &str) -> Result<Self, BadHours> {
        let (sign, rest) = match text.split_at_checked(1).ok_or(BadHours)? {
            ("+", rest) => (1, rest),
            ("-", rest) => (-1, rest),
            _ => return Err(BadHours),
        };
        let time = Time::strptime("%H:%M", rest).map_err(|_| BadHours)?;
        let seconds = i32::from(time.hour()) * 3600 + i32::from(time.minute()) * 60;
        Offset::from_seconds(sign * seconds).map(Self).map_err(|_| BadHours)
    }
}

/// Not working hours, or not an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hours are written 08:00-20:00 within one day, an offset from UTC +08:00")]
pub struct BadHours;
