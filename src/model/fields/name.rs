//! Names of persons, of any nation.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::gbk::placed;
use super::invisible::{is_invisible, visible};
use super::text::{HIDDEN, in_one_case, is_dash, is_han, is_middle_dot};
use super::value_rules::{self, Broken};

const LONGEST: usize = 100;

/// As written, but for what machines make of names: composed (Unicode NFC), characters in their usual width and place, one kind
/// of middle dot, hyphen and apostrophe, single spaces, and none beside a dot or between Chinese characters.
pub(super) fn normalise(value: &str) -> Result<String, Broken> {
    let plain: String = visible(value).map(placed).flat_map(of_usual_width).nfc().collect();
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

/// Full-width letters, half-width Katakana and radicals that stand for characters, as NFKC writes them. It would write other
/// letters in another way than their bearer.
fn of_usual_width(c: char) -> impl Iterator<Item = char> {
    let unusual = matches!(c, '\u{FF00}'..='\u{FFEF}' | '\u{2E80}'..='\u{2FDF}' | '\u{3000}' | '\u{FE50}'..='\u{FE6F}');
    let usual = unusual.then(|| std::iter::once(c).nfkc());
    usual.into_iter().flatten().chain((!unusual).then_some(c))
}

fn usual(c: char) -> char {
    match c {
        '。' | '\u{2024}' => '·',
        c if is_middle_dot(c) => '·',
        '`' | '´' | '\u{2018}' | '\u{2019}' | '\u{201B}' | '\u{2032}' | '\u{2035}' => '\'',
        '\u{1FBD}' | '\u{1FBF}' | '\u{384}' | '\u{55A}' | '\u{5F3}' => '\'',
        c if is_dash(c) => '-',
        c => c,
    }
}

/// Whether white space between these two means something.
fn spaced(before: char, after: char) -> bool {
    before != '·' && after != '·' && !(is_han(before) && is_han(after))
}

fn check(name: &str) -> Result<(), Broken> {
    if !(1..=LONGEST).contains(&name.chars().count()) {
        return Err(value_rules::NAME_LENGTH);
    }
    let begins = name.starts_with(|c| is_letter(c) || c == '\'');
    let ends = name.ends_with(|c| is_letter(c) || matches!(c, '.' | '\''));
    let inside = name.chars().all(|c| is_letter(c) || is_sign(c) || is_invisible(c));
    // SMITH, JOHN; but 张三,李四 are two.
    let one = name
        .split_once(',')
        .is_none_or(|(last, first)| !first.contains(',') && !last.chars().any(is_han));
    if one && begins && ends && inside && name.contains(is_letter) {
        Ok(())
    } else {
        Err(value_rules::NAME_LETTERS)
    }
}

/// A letter or a mark on one.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_combining_mark(c) || is_han(c) || matches!(c, '\u{2E80}'..='\u{2FDF}')
}

const fn is_sign(c: char) -> bool {
    matches!(c, '·' | '.' | '-' | '\'' | ' ' | ',')
}

/// Letters alone, in one case: documents and systems write dots, hyphens, apostrophes, spaces and capitals in their own ways, and
/// a surname before a comma, or after the others.
pub(super) fn fold(normal: &str) -> String {
    let turned = normal.split_once(',').map(|(last, first)| format!("{first}{last}"));
    let letters: String = turned
        .as_deref()
        .unwrap_or(normal)
        .nfkc()
        .filter(|c| is_letter(*c) && !is_apostrophe(*c) && !is_invisible(*c))
        .collect();
    // İ leaves its dot.
    let folded: String = in_one_case(&letters).nfkc().filter(|c| *c != '\u{307}').collect();
    if folded.is_empty() { normal.to_owned() } else { folded }
}

/// A letter that others write as an apostrophe: ʼ, the ʻokina, ʿain and hamza.
const fn is_apostrophe(c: char) -> bool {
    matches!(
        c,
        '\u{2B9}'..='\u{2BF}' | '\u{2C8}' | '\u{2CA}' | '\u{2CB}' | '\u{A78B}' | '\u{A78C}'
    )
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
