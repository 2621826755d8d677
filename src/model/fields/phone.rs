//! Telephone numbers: China's numbering plan in full, other countries by ITU-T E.164.

use super::text::{HIDDEN, folded};

const CHARACTERS: &str = "a phone number has digits, spaces, hyphens, dots and brackets";
const MOBILE: &str = "a mainland number is a mobile of 11 digits from 13 to 19, or a landline with its area code";
const LANDLINE: &str = "after 010 or 02x come 8 digits, after another area code 7 or 8, and the first is 2 to 9";
const FOREIGN: &str = "an international number has 8 to 15 digits after + (ITU-T E.164)";
const EXTENSION: &str = "only a landline has an extension, and it has 1 to 6 digits";

/// E.164 (`+8613812345678`, `+865718765432`), an extension as in RFC 3966 §5.3 (`+865718765432;ext=123`).
pub(super) fn normalise(value: &str) -> Result<String, &'static str> {
    let plain = folded(value).to_lowercase();
    let Some((number, extension)) = split_extension(&plain) else {
        return e164(&plain);
    };
    let number = e164(number)?;
    let extension = extension.trim_matches(|c: char| c.is_whitespace() || c == '.' || c == ':');
    if !is_landline(&number) || !(1..=6).contains(&extension.len()) || !all_digits(extension) {
        return Err(EXTENSION);
    }
    Ok(format!("{number};ext={extension}"))
}

/// Number and extension, if one is marked: by a word, or by a hyphen after a landline number that is complete.
fn split_extension(plain: &str) -> Option<(&str, &str)> {
    let marked = [";ext=", "ext", "转", "#"]
        .iter()
        .find_map(|mark| plain.split_once(mark));
    marked.or_else(|| {
        plain
            .rsplit_once('-')
            .filter(|(number, _)| e164(number).is_ok_and(|number| is_landline(&number)))
    })
}

fn e164(written: &str) -> Result<String, &'static str> {
    let compact = written.replace("(0)", "");
    let compact = if written.trim().starts_with('+') {
        compact.as_str()
    } else {
        written
    };
    let compact: String = compact.chars().filter(|c| !is_separator(*c)).collect();
    let international = compact.strip_prefix('+').or_else(|| compact.strip_prefix("00"));
    if !all_digits(compact.strip_prefix('+').unwrap_or(&compact)) {
        return Err(CHARACTERS);
    }
    match international {
        Some(digits) => digits
            .strip_prefix("86")
            .map_or_else(|| foreign(digits), after_country_code),
        None => domestic(&compact),
    }
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}' | '–' | '—' | '.' | '(' | ')')
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// As dialled inside China, or with the country code but no plus sign.
fn domestic(digits: &str) -> Result<String, &'static str> {
    if is_mobile(digits) {
        return Ok(format!("+86{digits}"));
    }
    match (digits.strip_prefix('0'), digits.strip_prefix("86")) {
        (Some(national), _) => landline(national),
        (None, Some(national)) => after_country_code(national),
        (None, None) => Err(MOBILE),
    }
}

fn after_country_code(digits: &str) -> Result<String, &'static str> {
    if is_mobile(digits) {
        Ok(format!("+86{digits}"))
    } else {
        landline(digits.strip_prefix('0').unwrap_or(digits))
    }
}

fn is_mobile(digits: &str) -> bool {
    digits.len() == 11 && matches!(digits.as_bytes(), [b'1', b'3'..=b'9', ..])
}

/// A landline without the 0 before its area code.
fn landline(national: &str) -> Result<String, &'static str> {
    let area = area_digits(national).ok_or(MOBILE)?;
    let fits = match (area, national.len().saturating_sub(area)) {
        (2, 8) | (3, 7 | 8) => matches!(national.as_bytes().get(area), Some(b'2'..=b'9')),
        _ => false,
    };
    if fits {
        Ok(format!("+86{national}"))
    } else {
        Err(LANDLINE)
    }
}

/// How many digits the area code has without its 0: Beijing's 10 and the 2x have two, the others three.
fn area_digits(national: &str) -> Option<usize> {
    match national.as_bytes() {
        [b'1', b'0', ..] | [b'2', ..] => Some(2),
        [b'3'..=b'9', ..] => Some(3),
        _ => None,
    }
}

fn is_landline(e164: &str) -> bool {
    e164.strip_prefix("+86").is_some_and(|national| !is_mobile(national))
}

fn foreign(digits: &str) -> Result<String, &'static str> {
    if (8..=15).contains(&digits.len()) && !digits.starts_with('0') {
        Ok(format!("+{digits}"))
    } else {
        Err(FOREIGN)
    }
}

/// `138****5678`, `0571*****45`, `+120******23`; an extension is not shown.
pub(super) fn mask(normal: &str) -> String {
    let number = normal.split(';').next().unwrap_or_default();
    match number.strip_prefix("+86") {
        Some(mobile) if is_mobile(mobile) => cut("", mobile, 3, 4),
        Some(national) => area_digits(national).map_or_else(|| HIDDEN.to_owned(), |area| cut("0", national, area, 2)),
        None => number
            .strip_prefix('+')
            .map_or_else(|| HIDDEN.to_owned(), |digits| cut("+", digits, 3, 2)),
    }
}

/// The first and last digits with a star for every one between.
fn cut(before: &str, digits: &str, first: usize, last: usize) -> String {
    let hidden = digits.len().saturating_sub(first + last);
    match (digits.get(..first), digits.get(first + hidden..)) {
        (Some(head), Some(tail)) if hidden > 0 => format!("{before}{head}{}{tail}", "*".repeat(hidden)),
        _ => HIDDEN.to_owned(),
    }
}
