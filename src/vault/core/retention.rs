//! How long the log's entries keep their bodies.

use jiff::SignedDuration;

/// How long bodies of entries are kept at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention(pub(in crate::vault) SignedDuration);

impl Retention {
    /// Three years.
    pub const USUAL_DAYS: u32 = 1096;
    /// Six months.
    pub const LEAST_DAYS: u32 = 183;

    /// So many days; nothing below [`Self::LEAST_DAYS`].
    #[must_use]
    pub fn days(days: u32) -> Option<Self> {
        let period = SignedDuration::from_hours(i64::from(days) * 24);
        (days >= Self::LEAST_DAYS).then_some(Self(period))
    }
}

impl Default for Retention {
    fn default() -> Self {
        Self(SignedDuration::from_hours(i64::from(Self::USUAL_DAYS) * 24))
    }
}
