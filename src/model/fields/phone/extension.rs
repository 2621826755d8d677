//! Extensions: the ways in which people mark them, and the parameters of a `tel:` address (RFC 3966 §3).

use std::borrow::Cow;

use super::{CHARACTERS, all_digits, is_separator};

const LENGTH: &str = "an extension has 1 to 8 digits";
const MOST_DIGITS: usize = 8;

/// What stands before an extension: words as printed and as spoken, the signs of address books, and the characters that make a
/// telephone wait before it dials on. A word that begins another one comes after it.
const MARKS: [&str; 22] = [
    "extension",
    "extn",
    "ext",
    "x",
    "转分机",
    "转接",
    "转",
    "分机号码",
    "分机号",
    "分机",
    "分機",
    "内线",
    "內線",
    "доб",
    "anexo",
    "int",
    "#",
    "*",
    "~",
    ",",
    "p",
    "w",
];
/// What may stand after one: `转8003分机`, `转8003号`.
const ENDS: [&str; 4] = ["分机", "分機", "号", "#"];

/// A number as written, and the digits of its extension.
pub(super) struct Written<'w> {
    pub(super) number: Cow<'w, str>,
    pub(super) extension: Option<&'w str>,
}

/// Number and extension, if one is marked.
pub(super) fn split(plain: &str) -> Result<Written<'_>, &'static str> {
    let uri = plain.strip_prefix("tel:");
    let plain = uri.unwrap_or(plain).trim_matches([' ', ',', '.']);
    match plain.split_once(';') {
        Some((number, parameters)) => with_parameters(number, parameters),
        None => marked(plain),
    }
}

/// Whether these are the digits of an extension.
pub(super) fn check(extension: &str) -> Result<(), &'static str> {
    if extension.len() <= MOST_DIGITS && all_digits(extension) {
        Ok(())
    } else {
        Err(LENGTH)
    }
}

/// `+86-10-62345678;ext=8003`, `62345678;phone-context=+86-10`, and the 8003 that a telephone waits before: `62345678;8003`.
fn with_parameters<'w>(number: &'w str, parameters: &'w str) -> Result<Written<'w>, &'static str> {
    let (mut context, mut extension) = ("", None);
    for parameter in parameters
        .split(';')
        .map(|parameter| parameter.trim_matches([' ', ',']))
    {
        match parameter.split_once('=') {
            Some(("ext", digits)) => extension = Some(digits.trim()),
            Some(("phone-context", global)) if global.starts_with('+') => context = global,
            // A subaddress, and what a program added.
            Some(_) => {}
            None if parameter.is_empty() => {}
            None => extension = Some(after_marks(parameter)),
        }
    }
    let number = if number.starts_with('+') || context.is_empty() {
        Cow::Borrowed(number)
    } else {
        Cow::Owned(format!("{context}{number}"))
    };
    Ok(Written { number, extension })
}

/// `010-62345678转8003`, `(010)62345678 ext. 8003`, `010-62345678（分机：8003）`.
fn marked(plain: &str) -> Result<Written<'_>, &'static str> {
    let in_number = |c: char| c.is_ascii_digit() || c == '+' || is_separator(c);
    let Some((number, rest)) = plain.find(|c| !in_number(c)).and_then(|at| plain.split_at_checked(at)) else {
        return Ok(Written {
            number: Cow::Borrowed(plain),
            extension: None,
        });
    };
    let extension = after_marks(rest);
    if extension.len() == rest.len() || number.is_empty() {
        return Err(CHARACTERS);
    }
    Ok(Written {
        number: Cow::Borrowed(number),
        extension: Some(extension),
    })
}

/// What is left without marks, and without signs at either end.
fn after_marks(rest: &str) -> &str {
    let signs = |c: char| is_separator(c) || c == ':';
    let mut digits = rest.trim_matches(signs);
    while let Some(after) = MARKS.iter().find_map(|mark| digits.strip_prefix(mark)) {
        digits = after.trim_start_matches(signs);
    }
    while let Some(before) = ENDS.iter().find_map(|end| digits.strip_suffix(end)) {
        digits = before.trim_end_matches(signs);
    }
    digits
}
