//! Text on one line and on several, and what the other types share.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::gbk::placed;
use super::invisible::{is_invisible, visible};
use super::value_rules::{self, Broken};

/// What a mask shows when it shows nothing.
pub(super) const HIDDEN: &str = "****";

/// Digits in words, plain and as on cheques, and as they are spoken: 幺 is one, 拐 seven, 勾 nine, 洞 zero.
const HAN_NUMERALS: &str = "〇零一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖拐勾洞";
/// Signs of addresses on the Internet.
const OF_ADDRESSES: [char; 4] = ['@', '_', '/', ':'];

/// Compatibility form (Unicode NFKC: full-width digits and letters become plain), without invisible characters and without
/// white space at the ends.
pub(super) fn folded(value: &str) -> Zeroizing<String> {
    let visible = value.chars().filter(|c| !is_invisible(*c));
    let mut plain = Zeroizing::new(String::with_capacity(2 * value.len()));
    plain.extend(visible.nfkc());
    let end = plain.trim_end().len();
    plain.truncate(end);
    let start = plain.len() - plain.trim_start().len();
    plain.drain(..start);
    plain
}

/// Letters in one case. By way of the capitals ß, ſ and ς fall together with what they stand for.
pub(super) fn in_one_case(text: &str) -> String {
    text.to_uppercase().to_lowercase()
}

/// Whether there is nothing to be seen.
pub(super) fn is_blank(value: &str) -> bool {
    value.chars().all(|c| c.is_whitespace() || is_invisible(c))
}

/// One line of `min` to `max` characters in canonical form (Unicode NFC), without invisible characters and without white space
/// at the ends. Ends of lines and tabs become spaces.
pub(super) fn one_line(value: &str, min: usize, max: usize) -> Result<String, Broken> {
    let plain: String = visible(value).map(placed).nfc().collect();
    let parts = plain.split(|c| c == '\t' || ends_line(c)).map(str::trim);
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    let line = parts.join(" ");
    within(&line, min, max)?;
    Ok(line)
}

/// Text as spoken, 1 to `max` characters. Each end of a line is brought to LF, a word processor's hyphen to a hyphen, and other
/// controls are dropped.
pub(super) fn lines(value: &str, max: usize) -> Result<String, Broken> {
    let text = value.replace("\r\n", "\n");
    let text: String = text.chars().filter_map(spoken).collect();
    if is_blank(&text) {
        return Err(value_rules::EMPTY);
    }
    within(&text, 1, max)?;
    Ok(text)
}

fn spoken(c: char) -> Option<char> {
    match c {
        '\t' => Some(c),
        '\u{1E}' => Some('-'),
        c if ends_line(c) => Some('\n'),
        c => (!c.is_control()).then_some(c),
    }
}

/// A line, page or paragraph ends (Unicode §5.8). U+000B is a word processor's line end inside a paragraph.
const fn ends_line(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The value, if no number or account can be read in it: at most one digit of any script, at most three Chinese numerals, as in the
/// name 三三, and no sign of an address.
pub(super) fn without_number(value: String) -> Result<String, Broken> {
    let folded = folded(&value);
    let digits = folded.chars().filter(|c| c.is_numeric() && !is_han(*c)).count();
    let numerals = folded.chars().filter(|c| HAN_NUMERALS.contains(*c)).count();
    if digits > 1 || numerals > 3 || folded.contains(OF_ADDRESSES) {
        return Err(value_rules::NUMBER_IN_SHOWN);
    }
    Ok(value)
}

fn within(value: &str, min: usize, max: usize) -> Result<(), Broken> {
    match value.chars().count() {
        0 => Err(value_rules::EMPTY),
        count if count < min => Err(value_rules::SHORT),
        count if count > max => Err(value_rules::LONG),
        _ => Ok(()),
    }
}

/// A Chinese character (Unicode Han, blocks of unified ideographs, and 〇).
pub(super) const fn is_han(c: char) -> bool {
    matches!(c, '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
        || matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// The hyphens and dashes people write, and the minus sign.
pub(super) const fn is_dash(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{58A}' | '\u{5BE}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{2E3A}' | '\u{2E3B}'
    )
}

/// Marks that tables and programs put around a value that must stay text.
pub(super) const QUOTES: [char; 7] = ['\'', '"', '`', '\u{2018}', '\u{2019}', '\u{201C}', '\u{201D}'];

/// The middle dots people write in names and on number plates.
pub(super) const fn is_middle_dot(c: char) -> bool {
    matches!(
        c,
        '·' | '・' | '･' | '•' | '‧' | '∙' | '⋅' | '●' | '◦' | '∘' | '˙' | '▪'
    ) || matches!(
        c,
        '\u{387}' | '\u{16EB}' | '\u{2981}' | '\u{2E31}' | '\u{2E33}' | '\u{318D}'
    )
}
