//! How long callers and their tickets are kept: `retention.toml`.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ZonedDateTime};
use serde::Deserialize;

use super::tickets::MatterKind;

/// Most months of a period.
const LONGEST: u32 = 1_200;

/// `retention.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionPeriods {
    share: u32,
    least: u32,
    rate: u32,
    periods: BTreeMap<MatterKind, u32>,
}

/// `retention.toml` cannot be used. The words are the TOML parser's, or ours: the file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("retention.toml: {0}\n  the file that the program ships with shows the form")]
pub struct RetentionError(String);

impl RetentionPeriods {
    /// The periods the program ships with.
    pub const SHIPPED: &str = include_str!("../../policies/retention.toml");

    /// Reads `retention.toml`.
    ///
    /// # Errors
    /// [`RetentionError`] for anything but the keys that the shipped file explains, a kind without a period, or a number that cannot be.
    pub fn load(text: &str) -> Result<Self, RetentionError> {
        let read: Self =
            toml::from_str(text).map_err(|error| RetentionError(error.to_string().trim_end().to_owned()))?;
        if let Some(kind) = MatterKind::ALL.iter().find(|kind| !read.periods.contains_key(*kind)) {
            return Err(RetentionError(format!("periods lacks {kind}")));
        }
        let in_range = read.periods.values().all(|months| (1..=LONGEST).contains(months))
            && (1..=100).contains(&read.share)
            && read.least > 0
            && read.rate > 0;
        if !in_range {
            let rule =
                format!("expected periods of 1 to {LONGEST} months, a share of 1 to 100, least and rate above 0");
            return Err(RetentionError(rule));
        }
        Ok(read)
    }

    /// Months of each kind's period.
    #[must_use]
    pub const fn periods(&self) -> &BTreeMap<MatterKind, u32> {
        &self.periods
    }

    /// A ticket of this kind that was closed then or before is past its period. Nothing at the beginning of time.
    #[must_use]
    pub fn closed_before(&self, kind: MatterKind, now: Timestamp) -> Option<Timestamp> {
        let months = i64::from(*self.periods.get(&kind)?);
        let then = ZonedDateTime::new(now, TimeZone::UTC).checked_sub(Span::new().months(months));
        Some(then.ok()?.timestamp())
    }

    /// Most callers of a run, of so many.
    #[must_use]
    pub fn allowed(&self, callers: u64) -> u64 {
        (callers.saturating_mul(self.share.into()) / 100).max(self.least.into())
    }

    /// Callers a minute.
    #[must_use]
    pub const fn rate(&self) -> u32 {
        self.rate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_one() {
        let shipped = RetentionPeriods::load(RetentionPeriods::SHIPPED).unwrap();
        assert_eq!((shipped.allowed(1_000), shipped.allowed(100_000)), (50, 2_000));
        let now: Timestamp = "2028-02-29T12:00:00Z".parse().unwrap();
        let before = shipped.closed_before(MatterKind::Inquiry, now).unwrap();
        assert_eq!(before.to_string(), "2027-02-28T12:00:00Z");
        assert_eq!(shipped.closed_before(MatterKind::Report, Timestamp::MIN), None);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let shipped = RetentionPeriods::SHIPPED;
        for (from, to) in [
            ("praise = 12", ""),
            ("praise = 12", "praise = 0"),
            ("praise = 12", "praise = 1201"),
            ("praise = 12", "praise = 12\nother = 3"),
            ("share = 2", "share = 0"),
            ("share = 2", "share = 101"),
            ("share = 2", ""),
            ("least = 50", "least = 0"),
            ("rate = 60", "rate = -1"),
        ] {
            let text = shipped.replace(from, to);
            assert_ne!(text, shipped);
            assert!(RetentionPeriods::load(&text).is_err(), "{from}: {to}");
        }
    }
}
