//! Telephone numbers: China's numbering plan ([`plan`]), other countries by their own ([`foreign`]), extensions
//! ([`extension`]).

mod areas;
mod extension;
mod foreign;
mod mask;
mod plan;

pub(super) use self::mask::mask;
use super::text::{folded, is_dash, is_middle_dot};
use super::value_rules::{Broken, PHONE_CHARACTERS, PHONE_TWO};
use extension::Extension;

/// E.164 (`+8613812345678`, `+865718765432`), an extension as in RFC 3966 §5.3 (`+865718765432;ext=123`).
pub(super) fn normalise(value: &str) -> Result<String, Broken> {
    let plain = tidy(value);
    one(&plain).or_else(|rule| match between_digits(&plain) {
        Some(number) => Ok(number),
        None if are_several(&plain) => Err(PHONE_TWO),
        None => Err(rule),
    })
}

/// A number whose digits have marks between them that otherwise stand before an extension: 138～1234～5678.
fn between_digits(plain: &str) -> Option<String> {
    const MARKS: [char; 2] = ['~', '×'];
    // As a slash: 0571-8512345～6 is two numbers.
    plain
        .contains(MARKS)
        .then(|| e164(&plain.replace(MARKS, "/")).ok())
        .flatten()
}

/// Whether there are two numbers or more, each of them complete.
fn are_several(plain: &str) -> bool {
    let parts = plain.split([' ', '/', ',', '、', ';', '|', '+', '或', '和']);
    parts.filter(|part| e164(part).is_ok()).count() > 1
}

fn one(plain: &str) -> Result<String, Broken> {
    let written = extension::split(plain)?;
    let (number, extension) = match written.extension {
        Some(extension) => (e164(&written.number)?, extension),
        None => match unmarked(&written.number) {
            Some(both) => both,
            None => return e164(&written.number),
        },
    };
    Ok(format!("{number};ext={}", extension.check()?))
}

/// Who calls, as an exchange presents it: the user of an address, of which the rest is the exchange's own.
pub(super) fn presented(value: &str) -> String {
    let plain = tidy(value);
    let address = extension::address(&plain);
    let user = ["sip:", "sips:", "tel:"]
        .iter()
        .find_map(|scheme| address.strip_prefix(scheme));
    user.unwrap_or(address)
        .split(['@', ';'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The number without its extension, which a switchboard never shows. `None`: it has none.
pub(super) fn bare(normal: &str) -> Option<&str> {
    normal.split_once(';').map(|(number, _)| number)
}

/// Lower case, and of each kind of sign one: space, hyphen, dot, slash, bracket, comma.
fn tidy(value: &str) -> String {
    folded(value)
        .to_lowercase()
        .replace("%2b", "+")
        .chars()
        .map(usual)
        .collect()
}

fn usual(c: char) -> char {
    match c {
        '\u{2500}' | '\u{2501}' | 'ー' | '_' => '-',
        '[' | '{' | '【' | '〔' | '〖' | '「' => '(',
        ']' | '}' | '】' | '〕' | '〗' | '」' => ')',
        '\\' | '\u{2215}' | '\u{2044}' | '\u{2571}' | '\u{29F8}' => '/',
        '。' => '.',
        '轉' => '转',
        c if is_dash(c) => '-',
        c if is_middle_dot(c) => '.',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

/// A sign between the digits of one number.
const fn is_separator(c: char) -> bool {
    matches!(c, ' ' | '-' | '.' | '/' | '(' | ')')
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// A mainland number that is complete, and digits after a hyphen or in brackets: 010-62345678-8003.
fn unmarked(number: &str) -> Option<(String, Extension<'_>)> {
    let (before, after) = number.rsplit_once(['-', '('])?;
    let extension = after.trim_end_matches(')').trim();
    let complete = e164(before).ok().filter(|number| number.starts_with("+86"));
    complete
        .filter(|_| all_digits(extension))
        .map(|number| (number, Extension::unmarked(extension)))
}

fn e164(written: &str) -> Result<String, Broken> {
    // A table has made a decimal of it: its 0 is no digit of the number.
    if written
        .rsplit_once('.')
        .is_some_and(|(_, last)| matches!(last.trim(), "0" | "00"))
    {
        return Err(PHONE_CHARACTERS);
    }
    // 0571-8512345/6 is two numbers.
    if written.rsplit_once('/').is_some_and(|(_, last)| last.trim().len() < 2) {
        return Err(PHONE_CHARACTERS);
    }
    let compact: String = written.chars().filter(|c| !is_separator(*c)).collect();
    let (plus, digits) = match compact.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, compact.as_str()),
    };
    if !all_digits(digits) {
        return Err(PHONE_CHARACTERS);
    }
    match digits.strip_prefix("00") {
        Some(international) => from_abroad(international),
        None if plus => from_abroad(digits),
        None => plan::domestic(digits),
    }
}

/// After + or 00.
fn from_abroad(digits: &str) -> Result<String, Broken> {
    match digits.strip_prefix("86") {
        Some(national) => plan::after_country_code(national),
        None => foreign::e164(digits),
    }
}
