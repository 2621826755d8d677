//! Text on one line and on several, and what the other types share.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::invisible::is_invisible;

/// What a mask shows when it shows nothing.
pub(super) const HIDDEN: &str = "****";

/// Digits in words, plain and as on cheques; 幺 is how a one is spoken.
const HAN_NUMERALS: &str = "〇零一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖";

const EMPTY: &str = "it is empty";
const SHORT: &str = "it is too short for this field";
const LONG: &str = "it is too long for this field";
const NUMBER: &str = "it holds a number, and this field is shown whole even where it is masked";
const CONTROL: &str = "it holds a control or invisible character";

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

/// One line of `min` to `max` characters in canonical form (Unicode NFC), without white space at the ends.
pub(super) fn one_line(value: &str, min: usize, max: usize) -> Result<String, &'static str> {
    let line: String = value.trim().nfc().collect();
    within(&line, min, max)?;
    if line.chars().any(|c| c.is_control() || invisible(c)) {
        return Err(CONTROL);
    }
    Ok(line)
}

/// Text as spoken, 1 to `max` characters; only the ends of lines are brought to LF.
pub(super) fn lines(value: &str, max: usize) -> Result<String, &'static str> {
    let text = value.replace("\r\n", "\n").replace('\r', "\n");
    if text.trim().is_empty() {
        return Err(EMPTY);
    }
    within(&text, 1, max)?;
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err(CONTROL);
    }
    Ok(text)
}

/// The value, if no telephone or other number can be read in it: at most one digit of any script, and at most three Chinese
/// numerals, as in the name 三三.
pub(super) fn without_number(value: String) -> Result<String, &'static str> {
    let folded = folded(&value);
    let digits = folded.chars().filter(|c| c.is_numeric() && !is_han(*c)).count();
    let numerals = folded.chars().filter(|c| HAN_NUMERALS.contains(*c)).count();
    if digits > 1 || numerals > 3 {
        return Err(NUMBER);
    }
    Ok(value)
}

fn within(value: &str, min: usize, max: usize) -> Result<(), &'static str> {
    match value.chars().count() {
        0 => Err(EMPTY),
        count if count < min => Err(SHORT),
        count if count > max => Err(LONG),
        _ => Ok(()),
    }
}

/// Characters that reorder or hide others on a screen, and line ends that are not controls (Unicode §23.2, UTS 55).
const fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
    ) || matches!(c, '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

/// A Chinese character (Unicode Han, blocks of unified ideographs, and 〇).
pub(super) const fn is_han(c: char) -> bool {
    matches!(c, '〇' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}')
        || matches!(c, '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// The middle dots people write in names and on number plates.
pub(super) const fn is_middle_dot(c: char) -> bool {
    matches!(c, '·' | '・' | '•' | '‧' | '∙' | '⋅')
}
