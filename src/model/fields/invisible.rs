//! Characters that nobody sees. They come along with what is copied, and mean nothing in a number, a name or an account.

/// Whether a character has no shape of its own: Unicode's `Default_Ignorable_Code_Point` (§5.21; direction marks, zero-width
/// spaces and joiners, variation selectors), annotation marks, and controls that are no white space.
pub(super) fn is_invisible(c: char) -> bool {
    is_ignorable(c) || is_selector(c) || matches!(c, '\u{FFF9}'..='\u{FFFB}') || (c.is_control() && !is_blank(c))
}

/// Tab and the ends of lines.
const fn is_blank(c: char) -> bool {
    matches!(c, '\t'..='\r' | '\u{85}')
}

const fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
    ) || matches!(c, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}')
        || matches!(c, '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFF8}')
        || matches!(c, '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}')
}

/// A variation selector: which of its shapes the character before has.
pub(super) const fn is_selector(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E0FFF}')
}
