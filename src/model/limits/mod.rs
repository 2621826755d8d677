//! How often one principal may do what tells something about a caller: `limits.toml`, and the counts that are held to it.

mod counts;

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

pub use self::counts::{Counts, Room, Window};
use super::word_enum::word_enum;

word_enum! {
    /// What is counted for each principal.
    pub enum Counted {
        /// An answer that says whether a value is right.
        Guess = "guess": "Guesses" / "猜测",
        /// A call taken.
        Intake = "intake": "Calls taken" / "受理来电",
        /// A request that shows fields in clear.
        Reveal = "reveal": "Clear reveals" / "明文查看",
    }
}

/// At most so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// In any 60 seconds.
    pub minute: NonZeroU64,
    /// In any 60 minutes.
    pub hour: NonZeroU64,
}

/// `limits.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    guesses: Limit,
    intakes: Limit,
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
}

/// What one service account may, where it is more or less than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    guesses: Option<Limit>,
    intakes: Option<Limit>,
}

/// `limits.toml` cannot be used. The words are the TOML parser's: the file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("limits.toml: {}\n  the file that the program ships with shows the form", .0.to_string().trim_end())]
pub struct LimitsError(toml::de::Error);

impl Limits {
    /// The limits the program ships with.
    pub const SHIPPED: &str = include_str!("../../../policies/limits.toml");

    /// Reads `limits.toml`.
    ///
    /// # Errors
    /// [`LimitsError`] for anything but the tables and keys that the shipped file explains, and for a limit of zero.
    pub fn load(text: &str) -> Result<Self, LimitsError> {
        toml::from_str(text).map_err(LimitsError)
    }

    /// Whether an account has limits of its own.
    #[must_use]
    pub fn names_accounts(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// The limit on what is counted by the minute and hour; nothing for what is counted by the day. `account` is the name of a
    /// service account, nothing for a person.
    #[must_use]
    pub fn on(&self, counted: Counted, account: Option<&str>) -> Option<Limit> {
        let own = account.and_then(|name| self.accounts.get(name));
        match counted {
            Counted::Guess => Some(own.and_then(|own| own.guesses).unwrap_or(self.guesses)),
            Counted::Intake => Some(own.and_then(|own| own.intakes).unwrap_or(self.intakes)),
            Counted::Reveal => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "
        [guesses]
        minute = 3
        hour = 5
        [intakes]
        minute = 7
        hour = 9
        [accounts.web]
        intakes = { minute = 11, hour = 13 }
    ";

    fn limit(minute: u64, hour: u64) -> Option<Limit> {
        Some(Limit {
            minute: minute.try_into().unwrap(),
            hour: hour.try_into().unwrap(),
        })
    }

    #[test]
    fn an_account_has_its_own_limits_and_otherwise_everybodys() {
        let limits = Limits::load(TEXT).unwrap();
        assert_eq!(limits.on(Counted::Guess, None), limit(3, 5));
        assert_eq!(limits.on(Counted::Intake, None), limit(7, 9));
        assert_eq!(limits.on(Counted::Intake, Some("web")), limit(11, 13));
        assert_eq!(limits.on(Counted::Guess, Some("web")), limit(3, 5));
        assert_eq!(limits.on(Counted::Intake, Some("other")), limit(7, 9));
        assert_eq!(limits.on(Counted::Reveal, Some("web")), None);
    }

    #[test]
    fn the_shipped_file_is_one() {
        let limits = Limits::load(Limits::SHIPPED).unwrap();
        assert_eq!(limits.on(Counted::Guess, None), limit(30, 60));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let without = TEXT.replace("hour = 5", "");
        let zero = TEXT.replace("minute = 3", "minute = 0");
        let unknown = TEXT.replace("intakes = {", "intake = {");
        for text in [&without, &zero, &unknown, "", "guesses = 3"] {
            assert!(Limits::load(text).is_err(), "{text}");
        }
    }
}
