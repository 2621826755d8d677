//! The ends of a span of time, as auditors write them: moments or whole days.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::watch::hours::{FromUtc, Hours};

/// One end of a span: a moment (RFC 3339 with its offset) or a whole day (`2026-11-01`). A day is one of the vault's local time
/// unless an offset follows it (`2026-11-01Z`, `2026-11-01+08:00`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// A moment.
    Moment(Timestamp),
    /// A day, and its offset from UTC where that is stated.
    Day(Date, Option<Offset>),
}

impl End {
    /// The first millisecond of a span that begins with it, since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`BadEnd`] beyond the calendar.
    pub fn begins(self, local: Hours) -> Result<i64, BadEnd> {
        match self {
            Self::Moment(at) => Ok(at.as_millisecond()),
            Self::Day(day, offset) => midnight(day, offset, local),
        }
    }

    /// The first millisecond after a span that ends with it: a day is in it as a whole, a moment is not.
    ///
    /// # Errors
    /// [`BadEnd`] beyond the calendar.
    pub fn ends(self, local: Hours) -> Result<i64, BadEnd> {
        match self {
            Self::Moment(at) => Ok(at.as_millisecond()),
            Self::Day(day, offset) => midnight(day.tomorrow().map_err(|_| BadEnd)?, offset, local),
        }
    }
}

fn midnight(day: Date, offset: Option<Offset>, local: Hours) -> Result<i64, BadEnd> {
    let offset = offset.unwrap_or(local.offset);
    Hours { offset, ..local }.midnight(day).map_err(|_| BadEnd)
}

/// As it is written.
impl Display for End {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Moment(at) => write!(f, "{at}"),
            Self::Day(day, None) => write!(f, "{day}"),
            Self::Day(day, Some(offset)) => {
                let minutes = offset.seconds() / 60;
                let sign = if minutes < 0 { '-' } else { '+' };
                let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
                write!(f, "{day}{sign}{hours:02}:{minutes:02}")
            }
        }
    }
}

impl FromStr for End {
    type Err = BadEnd;

    fn from_str(text: &str) -> Result<Self, BadEnd> {
        let Some((day, offset)) = text.split_at_checked(10).filter(|(day, _)| is_day(day)) else {
            return Err(BadEnd);
        };
        if offset.starts_with(['T', 't', ' ']) {
            return text.parse().map(Self::Moment).map_err(|_| BadEnd);
        }
        let offset = match offset {
            "" => None,
            "Z" => Some(Offset::UTC),
            stated => Some(stated.parse::<FromUtc>().map_err(|_| BadEnd)?.0),
        };
        Ok(Self::Day(day.parse().map_err(|_| BadEnd)?, offset))
    }
}

/// `YYYY-MM-DD`: nothing shorter that a calendar would take.
fn is_day(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    text.bytes().enumerate().all(fits)
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // The format's own error would repeat a value that is no string.
        let text = String::deserialize(from).map_err(|_| D::Error::custom(BadEnd))?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Neither a time with its offset nor a day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an end of a span is a day such as 2026-11-01 or a time of RFC 3339 with its offset")]
pub struct BadEnd;

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: &str, to: &str) -> (String, String) {
        let local = Hours::default();
        let shown = |ms| Timestamp::from_millisecond(ms).unwrap().to_string();
        let [from, to]: [End; 2] = [from.parse().unwrap(), to.parse().unwrap()];
        (shown(from.begins(local).unwrap()), shown(to.ends(local).unwrap()))
    }

    #[test]
    fn a_day_is_a_whole_day_of_local_time_or_of_the_offset_stated() {
        let one = |from: &str, to: &str| (from.to_owned(), to.to_owned());
        assert_eq!(
            span("2026-11-01", "2026-11-01"),
            one("2026-10-31T16:00:00Z", "2026-11-01T16:00:00Z")
        );
        assert_eq!(
            span("2026-11-01Z", "2026-11-02-03:30"),
            one("2026-11-01T00:00:00Z", "2026-11-03T03:30:00Z")
        );
        assert_eq!(
            span("2026-11-01T09:00:00+08:00", "2026-11-01T09:00:00.5Z"),
            one("2026-11-01T01:00:00Z", "2026-11-01T09:00:00.5Z")
        );
    }

    #[test]
    fn an_end_is_written_as_it_is_read() {
        for text in [
            "2026-11-01",
            "2026-11-01+00:00",
            "2026-11-01-03:30",
            "2026-11-01T01:00:00Z",
        ] {
            let end: End = text.parse().unwrap();
            assert_eq!(end.to_string(), text);
        }
        assert_eq!("2026-11-01Z".parse::<End>(), "2026-11-01+00:00".parse());
    }

    #[test]
    fn what_is_neither_a_day_nor_a_moment() {
        for text in [
            "",
            "yesterday",
            "2026-11",
            "2026-11-1",
            "20261101",
            "2026-02-30",
            "2026-13-01",
            "2026-11-01T09:00:00",
            "2026-11-01 08:00",
            "2026-11-01z",
            "2026-11-01+8",
            "2026-11-01+08:00Z",
            "二〇二六年十一月",
        ] {
            assert_eq!(text.parse::<End>(), Err(BadEnd), "{text}");
        }
        let last: End = "9999-12-31".parse().unwrap();
        assert_eq!(last.ends(Hours::default()), Err(BadEnd));
    }
}
