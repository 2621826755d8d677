//! What readers hand on: rows of named cells, and what is wrong with those that are none.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::civil::DateTime;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cli::Failure;
use crate::model::submitted::Submitted;

/// Most bytes of a line or row; the API's bound on a body.
pub(super) const LONGEST: usize = 1 << 20;

/// One value as it came.
pub(super) enum Cell {
    /// None, or one that the map passes over.
    Nothing,
    Text(Submitted),
    Truth(bool),
    /// A spreadsheet's date, which has no zone.
    Local(DateTime),
    /// It is there and is no single value: why, and what it is.
    Unreadable(&'static str, Submitted),
}

/// One record as it came.
pub(super) struct Row {
    /// Line, or row of a sheet, from 1.
    pub(super) line: u64,
    /// Column or path, and value.
    pub(super) cells: Vec<(Arc<str>, Cell)>,
    /// The record in canonical JSON, where it was JSON.
    pub(super) canonical: Option<Zeroizing<Vec<u8>>>,
}

impl Row {
    /// The row as JSON, from which it can be brought in again under the same map.
    pub(super) fn text(&self) -> Zeroizing<Vec<u8>> {
        if let Some(canonical) = &self.canonical {
            return canonical.clone();
        }
        let cells = self.cells.iter().map(|(name, cell)| (&**name, cell));
        let length: usize = self
            .cells
            .iter()
            .map(|(name, cell)| name.len() + cell.length() + 16)
            .sum();
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        let mut writer = serde_json::Serializer::new(&mut *text);
        // Texts into memory: nothing of it can fail.
        let _ = serde::Serializer::collect_map(&mut writer, cells);
        text
    }
}

impl Cell {
    pub(super) fn unreadable(rule: &'static str, text: impl Into<String>) -> Self {
        Self::Unreadable(rule, Submitted::new(text.into()))
    }

    /// Most bytes of it in JSON.
    fn length(&self) -> usize {
        match self {
            Self::Text(text) | Self::Unreadable(_, text) => 6 * text.expose().len(),
            _ => 32,
        }
    }
}

/// Only to be sealed.
impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) | Self::Unreadable(_, text) => to.serialize_str(text.expose()),
            Self::Truth(truth) => to.serialize_bool(*truth),
            Self::Local(local) => to.collect_str(local),
            Self::Nothing => to.serialize_none(),
        }
    }
}

/// A rule that a line breaks, and where in it. Never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Fault {
    /// Path or column, unless it is the whole line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    pub(super) rule: Cow<'static, str>,
    /// The last line of the row, where it has more than one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<u64>,
}

impl Fault {
    /// The same of a row that goes from one line to another.
    pub(super) fn up_to(self, from: u64, to: u64) -> Self {
        if to <= from {
            return self;
        }
        Self {
            rule: format!("{} (lines {from} to {to})", self.rule).into(),
            to: Some(to),
            ..self
        }
    }

    pub(super) fn whole(rule: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: None,
            rule: rule.into(),
            to: None,
        }
    }

    pub(super) fn at(path: impl Into<String>, rule: impl Into<Cow<'static, str>>) -> Self {
        Self {
            path: Some(path.into()),
            rule: rule.into(),
            to: None,
        }
    }
}

/// What a reader finds, in the order of the file.
pub(super) enum Item {
    /// The columns of a table, before its rows.
    Header(Vec<Arc<str>>),
    Row(Row),
    /// A line or row that cannot be read, and its text as far as there is one. The reader goes on behind it.
    Bad(u64, Fault, Zeroizing<Vec<u8>>),
}

/// Why reading ends before the end.
pub(super) enum Stop {
    /// No more is wanted.
    Enough,
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// Takes each item as it is read.
pub(super) type Each<'e> = &'e mut dyn FnMut(Item) -> Result<(), Stop>;

const LONGEST_NAME: usize = 40;
const MOST_DIGITS: usize = 4;

/// A name that came in with the data, where it cannot well be a person's value: short, and of few digits.
pub(super) fn printable(name: &str) -> Option<&str> {
    let short = (1..=LONGEST_NAME).contains(&name.chars().count());
    let digits = name.chars().filter(|c| c.is_numeric()).count();
    let good = short && digits <= MOST_DIGITS && !name.contains(['@', '\n', '\r', '\0']);
    good.then_some(name)
}

/// The name, or words in its place.
pub(super) fn named(name: &str) -> String {
    let spelled = printable(name).filter(|name| !name.chars().any(char::is_control));
    spelled.map_or_else(|| "(a name that is not shown)".to_owned(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_name_that_may_be_a_value_is_not_shown() {
        for name in ["secrecyRequested", "联系电话", "caller.phone", "phone2"] {
            assert_eq!(named(name), name);
        }
        for name in [
            "13812345678",
            "张三１３８１２３４５",
            "138-1234-5678",
            "a@b.cn",
            "",
            &"长".repeat(41),
            "a\u{1b}[2J",
        ] {
            assert_eq!(named(name), "(a name that is not shown)");
        }
    }
}
