//! What is said of an API token when it is issued: what it is for, and until when it is good.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

const LONGEST_LABEL: usize = 40;
/// Fewer than a telephone number has: labels stand in clear.
const MOST_DIGITS: usize = 6;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// The longest time that a token is good for, unless it is good until revoked: ten years, in days.
const LONGEST: i64 = 3660;

/// What a token is for, in an administrator's word: 1 to 40 of `a-z`, `0-9`, `.`, `_`, `-`, with at most six digits. It stands in the
/// data store in clear and names a device or a program, not a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label(String);

/// A text that is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoLabel;

impl FromStr for Label {
    type Err = NoLabel;

    fn from_str(text: &str) -> Result<Self, NoLabel> {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        let digits = text.chars().filter(char::is_ascii_digit).count();
        let fits = (1..=LONGEST_LABEL).contains(&text.len()) && text.chars().all(word) && digits <= MOST_DIGITS;
        fits.then(|| Self(text.to_owned())).ok_or(NoLabel)
    }
}

impl Label {
    /// As it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Until when a token is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// So many days after it is issued.
    Days(i64),
    /// So many hours after it is issued.
    Hours(i64),
    /// Until then.
    At(Timestamp),
}

/// A text that is no time to expire, or a time that a token cannot be good until.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoExpiry;

impl FromStr for Expiry {
    type Err = NoExpiry;

    /// `90d`, `12h`, or a time by RFC 3339.
    fn from_str(text: &str) -> Result<Self, NoExpiry> {
        // Neither a sign nor a leading zero.
        let number = |digits: &str| {
            let number = digits.parse().ok().filter(|number: &i64| number.to_string() == digits);
            number.filter(|number| *number > 0).ok_or(NoExpiry)
        };
        if let Some(days) = text.strip_suffix('d') {
            return Ok(Self::Days(number(days)?));
        }
        if let Some(hours) = text.strip_suffix('h') {
            return Ok(Self::Hours(number(hours)?));
        }
        text.parse().map(Self::At).map_err(|_| NoExpiry)
    }
}

impl Expiry {
    /// When a token that is issued now is refused from.
    ///
    /// # Errors
    /// [`NoExpiry`] for a time that is past, or more than ten years ahead.
    pub fn after(self, now: Timestamp) -> Result<Timestamp, NoExpiry> {
        let later = |number: i64, seconds: i64| {
            let seconds = number.checked_mul(seconds).ok_or(NoExpiry)?;
            now.checked_add(SignedDuration::from_secs(seconds))
                .map_err(|_| NoExpiry)
        };
        let at = match self {
            Self::Days(days) => later(days, DAY)?,
            Self::Hours(hours) => later(hours, HOUR)?,
            Self::At(at) => at,
        };
        let latest = later(LONGEST, DAY)?;
        if at > now && at <= latest {
            Ok(at)
        } else {
            Err(NoExpiry)
        }
    }
}

/// For a second person, before it is issued.
impl std::fmt::Display for Expiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Days(days) => write!(f, "{days} days after issue"),
            Self::Hours(hours) => write!(f, "{hours} hours after issue"),
            Self::At(at) => write!(f, "{at:.3}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_793_620_800, 0);

    fn until(text: &str) -> Option<String> {
        let expiry: Expiry = text.parse().ok()?;
        Some(expiry.after(NOON).ok()?.to_string())
    }

    #[test]
    fn after_days_or_hours_or_at_a_time() {
        for (text, time) in [
            ("90d", "2027-01-31T12:00:00Z"),
            ("1h", "2026-11-02T13:00:00Z"),
            ("3660d", "2036-11-09T12:00:00Z"),
            ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("2027-01-01T00:00:00+08:00", "2026-12-31T16:00:00Z"),
            ("2026-11-02T12:00:01Z", "2026-11-02T12:00:01Z"),
        ] {
            assert_eq!(until(text).as_deref(), Some(time), "{text}");
        }
        for text in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "+1d",
            "09d",
            "1.5d",
            "90 d",
            "90D",
            "3661d",
            "9223372036854775807d",
            "87841h",
            "3600",
            "2026-11-02T12:00:00Z",
            "2025-01-01T00:00:00Z",
            "2036-11-09T12:00:01Z",
            "2027-01-01",
            "2027-01-01T00:00:00",
        ] {
            assert_eq!(until(text), None, "{text}");
        }
    }

    #[test]
    fn a_label_is_a_word_in_which_no_number_of_a_person_stands() {
        for text in ["x", "crm-sync", "laptop_2.old", "desk-123456", &"a".repeat(40)] {
            assert!(text.parse::<Label>().is_ok(), "{text}");
        }
        for text in [
            "",
            "Laptop",
            "a b",
            "李",
            "13900001111",
            "1-3-9-0-0-0-0",
            &"a".repeat(41),
        ] {
            assert!(text.parse::<Label>().is_err(), "{text}");
        }
    }
}
