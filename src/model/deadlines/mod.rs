//! Deadlines in working days: `deadlines.toml` says how many, `holidays.toml` which days those are.

mod holidays;

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

pub use self::holidays::{Holidays, HolidaysError, MissingYear};
use super::tickets::{Category, Urgency};
use super::word_enum::word_enum;

word_enum! {
    /// How a deadline stands (黄牌、红牌). It is computed from the deadline and today, and stored nowhere.
    pub enum Card {
        /// The last working day before the deadline's has come.
        Yellow = "yellow": "Yellow card: due within a working day" / "黄牌（临期）",
        /// The first working day after the deadline has come.
        Red = "red": "Red card: overdue" / "红牌（逾期）",
    }
}

/// The unit of all numbers in the file.
const UNIT: &str = "working days";
/// Most working days for signing.
const MOST_SIGN: u32 = 60;
/// Most working days for anything else: about a year.
const MOST_DAYS: u32 = 250;
/// Most extensions of one dispatch.
const MOST_EXTENSIONS: u32 = 10;
/// No two working days lie as far apart as so many days, in whatever table.
const FARTHEST: usize = 366;
/// A deadline is the last millisecond of its day.
const MOMENT: SignedDuration = SignedDuration::from_millis(1);

/// What one urgency is given, in working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// To sign for a ticket.
    pub sign: u32,
    /// To report, from the dispatch.
    pub handle: u32,
    /// Most that one extension adds.
    pub extension: u32,
    /// How many extensions one dispatch may have. Not working days.
    pub extensions: u32,
}

/// The deadlines of one dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Until when the department signs for the ticket.
    pub sign: Timestamp,
    /// Until when it reports.
    pub handle: Timestamp,
}

/// Where today stands to deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cards {
    /// A deadline before this moment has a red card.
    pub red: Timestamp,
    /// One from then on and before this moment a yellow one.
    pub yellow: Timestamp,
}

impl Cards {
    /// The card of a deadline.
    #[must_use]
    pub fn of(self, due: Timestamp) -> Option<Card> {
        if due < self.red {
            Some(Card::Red)
        } else if due < self.yellow {
            Some(Card::Yellow)
        } else {
            None
        }
    }
}

/// `deadlines.toml` cannot be used. The file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("deadlines.toml: {0}\n  the file that the program ships with explains what may stand there")]
pub struct DeadlinesError(String);

/// The deadlines of a city.
#[derive(Clone, Debug)]
pub struct Deadlines {
    zone: TimeZone,
    usual: BTreeMap<Urgency, Allowance>,
    categories: BTreeMap<String, BTreeMap<Urgency, Allowance>>,
    holidays: Holidays,
}

/// `deadlines.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    zone: String,
    unit: String,
    default: BTreeMap<Urgency, Stated>,
    #[serde(default)]
    category: BTreeMap<String, BTreeMap<Urgency, Stated>>,
}

/// The numbers that the file states for one urgency.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stated {
    sign: Option<u32>,
    handle: Option<u32>,
    extension: Option<u32>,
    extensions: Option<u32>,
}

impl Stated {
    /// With what is left out as it is elsewhere.
    fn or(self, usual: Option<Allowance>) -> Option<Allowance> {
        Some(Allowance {
            sign: self.sign.or(usual.map(|usual| usual.sign))?,
            handle: self.handle.or(usual.map(|usual| usual.handle))?,
            extension: self.extension.or(usual.map(|usual| usual.extension))?,
            extensions: self.extensions.or(usual.map(|usual| usual.extensions))?,
        })
    }
}

impl Allowance {
    const fn is_sound(self) -> bool {
        self.sign <= MOST_SIGN
            && self.sign <= self.handle
            && self.handle <= MOST_DAYS
            && self.extension <= MOST_DAYS
            && self.extensions <= MOST_EXTENSIONS
    }
}

impl Deadlines {
    /// The deadlines the program ships with.
    pub const SHIPPED: &str = include_str!("../../../policies/deadlines.toml");

    /// Reads deadlines in the form that the head of [`Deadlines::SHIPPED`] explains.
    ///
    /// # Errors
    /// [`DeadlinesError`] for the first thing that is wrong.
    pub fn load(text: &str, holidays: Holidays) -> Result<Self, DeadlinesError> {
        let file: File =
            toml::from_str(text).map_err(|error| DeadlinesError(error.to_string().trim_end().to_owned()))?;
        let zone = TimeZone::get(&file.zone)
            .map_err(|_| DeadlinesError(format!("{:?} is no time zone of the IANA database", file.zone)))?;
        if file.unit != UNIT {
            return Err(DeadlinesError(format!("the unit is {:?}, not {UNIT:?}", file.unit)));
        }
        let usual = allowances("default", &file.default, &BTreeMap::new())?;
        if let Some(urgency) = Urgency::ALL.iter().find(|urgency| !usual.contains_key(*urgency)) {
            return Err(DeadlinesError(format!("default lacks {urgency}")));
        }
        let mut categories = BTreeMap::new();
        for (code, stated) in file.category {
            if Category::new(&code).is_none() {
                return Err(DeadlinesError(format!("{code:?} is no code of a category")));
            }
            let allowances = allowances(&code, &stated, &usual)?;
            categories.insert(code, allowances);
        }
        Ok(Self {
            zone,
            usual,
            categories,
            holidays,
        })
    }

    /// The working days that they are counted in.
    #[must_use]
    pub const fn holidays(&self) -> &Holidays {
        &self.holidays
    }

    /// The categories that have numbers of their own.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        self.categories.keys().map(String::as_str)
    }

    /// What a ticket is given.
    #[must_use]
    pub fn allowance(&self, category: &str, urgency: Urgency) -> Allowance {
        let own = self.categories.get(category).and_then(|of| of.get(&urgency));
        let nothing = Allowance {
            sign: 0,
            handle: 0,
            extension: 0,
            extensions: 0,
        };
        // A file without one of them does not load.
        own.or_else(|| self.usual.get(&urgency)).copied().unwrap_or(nothing)
    }

    /// The deadlines of a ticket that is sent to a department now.
    ///
    /// # Errors
    /// [`MissingYear`].
    pub fn from_dispatch(&self, now: Timestamp, allowance: Allowance) -> Result<Due, MissingYear> {
        let today = self.date(now);
        let end = |days| self.end_of(self.holidays.after(today, days)?);
        Ok(Due {
            sign: end(allowance.sign)?,
            handle: end(allowance.handle)?,
        })
    }

    /// A deadline so many working days later.
    ///
    /// # Errors
    /// [`MissingYear`].
    pub fn extended(&self, due: Timestamp, working_days: u32) -> Result<Timestamp, MissingYear> {
        self.end_of(self.holidays.after(self.date(due), working_days)?)
    }

    /// The day of a moment, in the city.
    #[must_use]
    pub fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    /// The first moment of a day in the city.
    ///
    /// # Errors
    /// [`MissingYear`] at the end of the calendar.
    pub fn beginning_of(&self, day: Date) -> Result<Timestamp, MissingYear> {
        let midnight = self.zone.to_timestamp(day.at(0, 0, 0, 0));
        midnight.map_err(|_| MissingYear(day.year()))
    }

    /// The last moment of a day in the city.
    fn end_of(&self, day: Date) -> Result<Timestamp, MissingYear> {
        let next = day.tomorrow().map_err(|_| MissingYear(day.year()))?;
        Ok(self.beginning_of(next)? - MOMENT)
    }

    /// Which deadlines have cards now. In a year without a table every Monday to Friday counts as a working day: a card that is a day
    /// off is better than none.
    ///
    /// # Errors
    /// [`MissingYear`] at the end of the calendar.
    pub fn cards(&self, now: Timestamp) -> Result<Cards, MissingYear> {
        let today = self.date(now);
        let is_worked = |day: &Date| self.holidays.is_worked_as_far_as_known(*day);
        let mut before = today.series(jiff::Span::new().days(-1)).take(FARTHEST);
        let mut behind = today.series(jiff::Span::new().days(1)).skip(1).take(FARTHEST);
        let last = before.find(is_worked).unwrap_or(today);
        let next = behind.find(is_worked).unwrap_or(today);
        Ok(Cards {
            red: self.beginning_of(last)?,
            yellow: self.end_of(next)? + MOMENT,
        })
    }
}

fn allowances(
    name: &str,
    stated: &BTreeMap<Urgency, Stated>,
    usual: &BTreeMap<Urgency, Allowance>,
) -> Result<BTreeMap<Urgency, Allowance>, DeadlinesError> {
    let mut allowances = BTreeMap::new();
    for (&urgency, stated) in stated {
        let whole = stated.or(usual.get(&urgency).copied());
        let whole = whole.ok_or_else(|| DeadlinesError(format!("{name}: {urgency} lacks a number")))?;
        if !whole.is_sound() {
            return Err(DeadlinesError(format!("{name}: a number of {urgency} is not allowed")));
        }
        allowances.insert(urgency, whole);
    }
    Ok(allowances)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped() -> Deadlines {
        Deadlines::load(Deadlines::SHIPPED, Holidays::load(Holidays::SHIPPED).unwrap()).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_deadline_ends_with_its_day_in_the_city() {
        let deadlines = shipped();
        // 23:30 of Thursday in Shanghai; the Saturday that follows is worked.
        let now = at("2026-10-08T15:30:00Z");
        let urgent = deadlines.allowance("noise", Urgency::Urgent);
        let due = deadlines.from_dispatch(now, urgent).unwrap();
        assert_eq!(due.sign, at("2026-10-09T15:59:59.999Z"));
        assert_eq!(due.handle, at("2026-10-12T15:59:59.999Z"));
        assert_eq!(deadlines.date(due.handle).to_string(), "2026-10-12");
        // Half an hour later it is Friday there.
        let later = deadlines.from_dispatch(at("2026-10-08T16:00:00Z"), urgent).unwrap();
        assert_eq!(later.sign, at("2026-10-10T15:59:59.999Z"));
        assert_eq!(
            deadlines.extended(due.handle, 2).unwrap(),
            at("2026-10-14T15:59:59.999Z")
        );
        assert_eq!(deadlines.extended(due.handle, 100), Err(MissingYear(2027)));
    }

    #[test]
    fn a_category_has_numbers_of_its_own() {
        let text = format!(
            "{}\n[category.consumer]\nnormal = {{ handle = 7 }}\n",
            Deadlines::SHIPPED
        );
        let deadlines = Deadlines::load(&text, Holidays::load(Holidays::SHIPPED).unwrap()).unwrap();
        let of = |category, urgency| deadlines.allowance(category, urgency);
        let usual = of("noise", Urgency::Normal);
        assert_eq!((usual.handle, usual.extension), (5, 10));
        let own = of("consumer", Urgency::Normal);
        assert_eq!((own.sign, own.handle, own.extension), (1, 7, 10));
        assert_eq!(of("consumer", Urgency::Urgent), of("noise", Urgency::Urgent));
        assert_eq!(deadlines.categories().collect::<Vec<_>>(), ["consumer"]);
    }

    #[test]
    fn what_cannot_be_used() {
        for (from, to) in [
            ("Asia/Shanghai", "Asia/Atlantis"),
            ("unit = \"working days\"", "unit = \"days\""),
            ("sign = 1", "sign = 6"),
            ("sign = 1, ", ""),
            ("handle = 5", "handle = 251"),
            ("extension = 10", "extension = 251"),
            ("extensions = 1", "extensions = 11"),
            ("extensions = 1", "other = 1"),
            ("emergency = {", "at_once = {"),
            ("emergency = {", "# emergency = {"),
            ("[default]", "[category.Noise]\n[default]"),
        ] {
            let text = Deadlines::SHIPPED.replace(from, to);
            assert_ne!(text, Deadlines::SHIPPED, "{from}");
            let error = Deadlines::load(&text, Holidays::load(Holidays::SHIPPED).unwrap());
            let error = error.expect_err(to).to_string();
            assert!(
                error.starts_with("deadlines.toml: ") && error.contains("\n  "),
                "{error}"
            );
        }
    }
}
