//! Working days: `holidays.toml`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use serde::Deserialize;

use crate::model::lists::is_label;

/// Years that a table may be for.
const YEARS: std::ops::RangeInclusive<i16> = 1983..=2200;
/// Most holidays of a year.
const MOST: usize = 50;
/// Longest name of a notice, in characters.
const LONGEST_SOURCE: usize = 200;

/// The year that a deadline lies in and the table lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holidays.toml has no table for {0}")]
pub struct MissingYear(pub i16);

/// `holidays.toml` cannot be used. The file holds no personal value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("holidays.toml: {problem}\n  {remedy}")]
pub struct HolidaysError {
    problem: String,
    remedy: &'static str,
}

impl HolidaysError {
    fn new(problem: String, remedy: &'static str) -> Self {
        Self { problem, remedy }
    }
}

/// Which days are working days, in the years that have a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holidays {
    years: BTreeMap<i16, Year>,
}

/// The days of a year on which it is otherwise than on a usual week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Year {
    off: BTreeSet<Date>,
    worked: BTreeSet<Date>,
}

/// A year as the file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    source: String,
    holidays: Vec<Holiday>,
    worked: Vec<Date>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holiday {
    zh: String,
    en: String,
    from: Date,
    to: Date,
}

impl Holidays {
    /// The tables the program ships with.
    pub const SHIPPED: &str = include_str!("../../../policies/holidays.toml");

    /// Reads tables in the form that the head of [`Holidays::SHIPPED`] explains.
    ///
    /// # Errors
    /// [`HolidaysError`] for the first thing that is wrong.
    pub fn load(text: &str) -> Result<Self, HolidaysError> {
        let tables: BTreeMap<String, Table> = toml::from_str(text).map_err(|error| {
            let words = error.to_string().trim_end().to_owned();
            HolidaysError::new(words, "the file that the program ships with shows the form")
        })?;
        if tables.is_empty() {
            let problem = "there is no year".to_owned();
            return Err(HolidaysError::new(problem, "no deadline could be set; add this year"));
        }
        let mut years = BTreeMap::new();
        for (name, table) in tables {
            let year: Option<i16> = name.parse().ok().filter(|year| YEARS.contains(year));
            let Some(year) = year else {
                let problem = format!("{name:?} is no year");
                return Err(HolidaysError::new(
                    problem,
                    "a table is named after its year, such as [2026]",
                ));
            };
            years.insert(year, table.checked(year)?);
        }
        Ok(Self { years })
    }

    /// The last year that has a table.
    #[must_use]
    pub fn last_year(&self) -> i16 {
        self.years.keys().next_back().copied().unwrap_or_default()
    }

    /// Whether a day is a working day.
    ///
    /// # Errors
    /// [`MissingYear`].
    pub fn is_worked(&self, day: Date) -> Result<bool, MissingYear> {
        let year = self.years.get(&day.year()).ok_or(MissingYear(day.year()))?;
        Ok(year.worked.contains(&day) || (!is_weekend(day) && !year.off.contains(&day)))
    }

    /// As [`Self::is_worked`]; in a year without a table every Monday to Friday is one.
    #[must_use]
    pub fn is_worked_as_far_as_known(&self, day: Date) -> bool {
        self.is_worked(day).unwrap_or_else(|_| !is_weekend(day))
    }

    /// The last of so many working days after a day. None of them: the day itself or, where it is no working day, the next one.
    ///
    /// # Errors
    /// [`MissingYear`] where one of the days on the way lies in a year without a table.
    pub fn after(&self, day: Date, working_days: u32) -> Result<Date, MissingYear> {
        let mut at = if working_days == 0 { day } else { tomorrow(day)? };
        let mut left = working_days.max(1);
        loop {
            left -= u32::from(self.is_worked(at)?);
            if left == 0 {
                return Ok(at);
            }
            at = tomorrow(at)?;
        }
    }
}

/// The calendar ends with a year that has no table.
fn tomorrow(day: Date) -> Result<Date, MissingYear> {
    day.tomorrow().map_err(|_| MissingYear(day.year()))
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

impl Table {
    fn checked(self, year: i16) -> Result<Year, HolidaysError> {
        let wrong = |problem: String, remedy| Err(HolidaysError::new(format!("{year}: {problem}"), remedy));
        let source = self.source.chars().count();
        if !(1..=LONGEST_SOURCE).contains(&source) || self.source.chars().any(char::is_control) {
            return wrong(
                "the source is not allowed".to_owned(),
                "name the notice in 1 to 200 characters on one line",
            );
        }
        if self.holidays.len() > MOST {
            return wrong(
                format!("there are more than {MOST} holidays"),
                "put the days of one holiday together",
            );
        }
        let mut days = Year::default();
        for holiday in self.holidays {
            let name = &holiday.zh;
            if !is_label(name) || !is_label(&holiday.en) {
                return wrong(
                    "a name of a holiday is not allowed".to_owned(),
                    "each has 1 to 60 characters on one line",
                );
            }
            if holiday.from > holiday.to || holiday.from.year() != year || holiday.to.year() != year {
                return wrong(
                    format!("{name} does not lie in the year"),
                    "it begins and ends in the year of its table, and does not end before it begins",
                );
            }
            for day in holiday.from.series(jiff::Span::new().days(1)) {
                if day > holiday.to {
                    break;
                }
                if !days.off.insert(day) {
                    return wrong(format!("{day} is in two holidays"), "leave it out of one");
                }
            }
        }
        for day in self.worked {
            let fits = day.year() == year && is_weekend(day) && !days.off.contains(&day);
            if !fits || !days.worked.insert(day) {
                return wrong(
                    format!("{day} cannot be worked in exchange"),
                    "such a day is a Saturday or Sunday of the year, is in no holiday and is named once",
                );
            }
        }
        Ok(days)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_tables_have_as_many_working_days_as_the_notices_leave() {
        let shipped = Holidays::load(Holidays::SHIPPED).unwrap();
        // Days of the week by the calendar, less holidays on weekdays, plus weekends that are worked.
        for (year, expected) in [(2025, 261 - 18 + 5), (2026, 261 - 19 + 6)] {
            let first = Date::new(year, 1, 1).unwrap();
            let days = first
                .series(jiff::Span::new().days(1))
                .take_while(|day| day.year() == year);
            let worked = days.filter(|day| shipped.is_worked(*day).unwrap()).count();
            assert_eq!(worked, expected, "{year}");
        }
        assert_eq!(shipped.last_year(), 2026);
        let beyond = "2027-01-01".parse().unwrap();
        assert_eq!(shipped.is_worked(beyond), Err(MissingYear(2027)));
        assert!(shipped.is_worked_as_far_as_known(beyond), "a Friday");
    }

    #[test]
    fn a_week_with_holidays_and_a_worked_sunday() {
        let shipped = Holidays::load(Holidays::SHIPPED).unwrap();
        let after = |day: &str, days| shipped.after(day.parse().unwrap(), days).map(|day| day.to_string());
        // Wednesday before the National Day of 2026, whose holiday ends on the 7th; Saturday the 10th is worked.
        assert_eq!(after("2026-09-30", 0).unwrap(), "2026-09-30");
        assert_eq!(after("2026-09-30", 1).unwrap(), "2026-10-08");
        assert_eq!(after("2026-09-30", 3).unwrap(), "2026-10-10");
        assert_eq!(after("2026-09-30", 4).unwrap(), "2026-10-12");
        assert_eq!(after("2026-10-03", 0).unwrap(), "2026-10-08");
        assert_eq!(after("2026-10-03", 1).unwrap(), "2026-10-08");
        assert_eq!(after("2026-12-30", 2), Err(MissingYear(2027)));
    }

    #[test]
    fn what_cannot_be_used() {
        for (from, to) in [
            ("[2025]", "[1925]"),
            ("[2025]", "[next]"),
            ("[2025]", "[2024]"),
            ("source = \"国", "source = \"\\n国"),
            ("zh = \"元旦\"", "zh = \"\""),
            ("from = \"2025-01-01\"", "from = \"2025-01-02\""),
            ("from = \"2025-05-31\"", "from = \"2025-05-05\""),
            ("to = \"2025-01-01\"", "to = \"2026-01-01\""),
            ("\"2025-01-26\"", "\"2025-01-27\""),
            ("\"2025-01-26\"", "\"2025-02-01\""),
            ("\"2025-01-26\"", "\"2025-02-08\""),
            ("\"2025-01-26\"", "\"2025-02-30\""),
            ("worked = [", "worked = []\nother = ["),
        ] {
            let text = Holidays::SHIPPED.replacen(from, to, 1);
            assert_ne!(text, Holidays::SHIPPED, "{from}");
            let error = Holidays::load(&text).expect_err(to).to_string();
            assert!(
                error.starts_with("holidays.toml: ") && error.contains("\n  "),
                "{error}"
            );
        }
        assert!(Holidays::load("").is_err());
    }
}
