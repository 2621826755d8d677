//! Names of persons, of any nation.

use unicode_normalization::char::is_combining_mark;

use super::text::{HIDDEN, folded, is_han, is_middle_dot};

const LENGTH: &str = "a name has 2 to 30 characters";
const LETTERS: &str = "a name has letters, with · . - ' or a space between them";

/// NFKC, one kind of middle dot, hyphen and apostrophe, single spaces, and none beside a dot or between Han.
pub(super) fn normalise(value: &str) -> Result<String, &'static str> {
    let plain = folded(value);
    let mut name = String::with_capacity(plain.len());
    let mut last = None;
    for word in plain.split_whitespace() {
        for (nth, c) in word.chars().map(usual).enumerate() {
            if nth == 0 && last.is_some_and(|last| spaced(last, c)) {
                name.push(' ');
            }
            name.push(c);
            last = Some(c);
        }
    }
    check(&name).map(|()| name)
}

fn usual(c: char) -> char {
    match c {
        c if is_middle_dot(c) => '·',
        '\u{2018}' | '\u{2019}' => '\'',
        '\u{2010}' => '-',
        c => c,
    }
}

/// Whether white space between these two means something.
fn spaced(before: char, after: char) -> bool {
    before != '·' && after != '·' && !(is_han(before) && is_han(after))
}

fn check(name: &str) -> Result<(), &'static str> {
    if !(2..=30).contains(&name.chars().count()) {
        return Err(LENGTH);
    }
    let begins = name.chars().next().is_some_and(char::is_alphabetic);
    let ends = name.chars().next_back().is_some_and(|c| is_letter(c) || c == '.');
    let inside = name
        .chars()
        .all(|c| is_letter(c) || matches!(c, '·' | '.' | '-' | '\'' | ' '));
    if begins && ends && inside { Ok(()) } else { Err(LETTERS) }
}

/// A letter or a mark on one.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c)
}

/// `李*` for two Chinese characters, the first character and `**` for anything longer or foreign.
pub(super) fn mask(name: &str) -> String {
    let mut chars = name.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(first), Some(second), None) if is_han(first) && is_han(second) => format!("{first}*"),
        (Some(first), Some(_), _) => format!("{first}**"),
        _ => HIDDEN.to_owned(),
    }
}
