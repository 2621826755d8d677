//! What of a number is shown masked.

use super::plan::{Kind, kind};
use crate::model::fields::text::HIDDEN;

/// Digits that stay hidden at least: fewer are found by trying.
const LEAST_HIDDEN: usize = 4;

/// `138****5678`, `0571*****45`, `400*****80`, `010*****` for a short number, `+120******23`; an extension is not shown.
pub(in crate::model::fields) fn mask(normal: &str) -> String {
    let number = normal.split(';').next().unwrap_or_default();
    let Some(national) = number.strip_prefix("+86") else {
        return number
            .strip_prefix('+')
            .map_or_else(|| HIDDEN.to_owned(), |digits| cut("+", digits, 3, 2));
    };
    match kind(national) {
        Some(Kind::Mobile) => cut("", national, 3, 4),
        Some(Kind::Service) => cut("", national, 3, 2),
        Some(Kind::Landline(area)) => cut("0", national, area, 2),
        Some(Kind::Short(area)) => cut("0", national, area, 0),
        Some(Kind::Nationwide) | None => HIDDEN.to_owned(),
    }
}

/// The first and last digits with a star for every one between; without the last, or none at all, where too few were hidden.
fn cut(before: &str, digits: &str, first: usize, last: usize) -> String {
    let hidden = digits.len().saturating_sub(first + last);
    if hidden < LEAST_HIDDEN {
        return if last > 0 {
            cut(before, digits, first, 0)
        } else {
            HIDDEN.to_owned()
        };
    }
    match (digits.get(..first), digits.get(first + hidden..)) {
        (Some(head), Some(tail)) if hidden > 0 => format!("{before}{head}{}{tail}", "*".repeat(hidden)),
        _ => HIDDEN.to_owned(),
    }
}
