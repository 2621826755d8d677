//! Characters that nobody sees. They come along with what is copied, and mean nothing in a number, a name or an account.

use super::text::is_han;

/// Whether a character has no shape of its own: Unicode's `Default_Ignorable_Code_Point` (§5.21; direction marks, zero-width
/// spaces and joiners, variation selectors), annotation marks, what stands in the place of an object, the blank of Braille, and controls
/// that are no white space.
pub(super) fn is_invisible(c: char) -> bool {
    is_ignorable(c) || is_selector(c) || matches!(c, '\u{FFF9}'..='\u{FFFC}') || (c.is_control() && !is_blank(c))
}

/// Tab and the ends of lines.
const fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}')
}

const fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}'
    ) || matches!(c, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}')
        || matches!(c, '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}')
}

/// A variation selector: which of its shapes the character before has.
pub(super) const fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E0FFF}')
}

/// A text without invisible characters, but for those that shape what stands beside them: a selector after a Chinese character
/// or a pictogram, joiners between letters of scripts that join, and between pictograms.
pub(super) fn visible(text: &str) -> impl Iterator<Item = char> {
    let mut chars = text.chars();
    let mut before = None;
    // The next that is seen, looked for once in each run of those that are not.
    let mut after = None;
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            if is_invisible(c) {
                let after = *after.get_or_insert_with(|| chars.clone().find(|c| !is_invisible(*c)));
                if !shapes(c, before, after) {
                    continue;
                }
            } else {
                after = None;
            }
            before = Some(c);
            return Some(c);
        }
    })
}

fn shapes(c: char, before: Option<char>, after: Option<char>) -> bool {
    let between = |is: fn(char) -> bool| before.is_some_and(is) && after.is_some_and(is);
    match c {
        '\u{FE0E}' | '\u{FE0F}' => before.is_some_and(is_pictogram),
        c if is_selector(c) => before.is_some_and(is_han),
        '\u{200D}' => between(is_of_joining_script) || after.is_some_and(is_pictogram),
        '\u{200C}' => between(is_of_joining_script),
        '\u{180B}'..='\u{180F}' => before.is_some_and(is_of_joining_script),
        _ => false,
    }
}

/// From Arabic to the scripts of India, Mongolian and Khmer.
const fn is_of_joining_script(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{109F}' | '\u{1780}'..='\u{1CFF}')
}

const fn is_pictogram(c: char) -> bool {
    matches!(c, '\u{203C}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}')
}
