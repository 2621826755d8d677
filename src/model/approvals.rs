//! What takes two persons (双人复核).

use zeroize::Zeroizing;

use super::problems::Words;
use super::word_enum::word_enum;

word_enum! {
    /// Where a request for approval stands.
    pub enum ApprovalState {
        /// Waiting for another person.
        Asked = "asked": "Waiting for approval" / "待复核",
        /// Approved, to be used once.
        Approved = "approved": "Approved" / "已同意",
        /// Refused.
        Refused = "refused": "Refused" / "已拒绝",
        /// Used.
        Used = "used": "Used" / "已使用",
    }
}

word_enum! {
    /// Who of the two gives a reason. The words are part of the place that the reason is sealed into.
    pub enum Giver {
        /// Who asks for the approval.
        Asker = "asker",
        /// Who approves or refuses it.
        Approver = "approver",
    }
}

/// Why one of the two persons asks, approves or refuses. It is sealed at rest and shown only to the asker and to those who may
/// approve: no `Debug`, no `Display`. Wiped from memory when dropped.
pub struct Reason(Zeroizing<String>);

impl Reason {
    /// The longest reason, in characters.
    pub const LONGEST: usize = 200;
    /// What a text must be to be a reason, for error messages.
    pub const RULE: Words = Words {
        en: "A reason has 1 to 200 characters, on one line",
        zh: "理由为 1 到 200 个字，不换行",
    };

    /// The reason, if the text is one: 1 to [`Self::LONGEST`] characters, not only blanks, without control characters, on one
    /// line (Unicode §5.8).
    #[must_use]
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        let moves = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        let fits = !text.trim().is_empty() && text.chars().count() <= Self::LONGEST && !text.chars().any(moves);
        fits.then_some(Self(text))
    }

    /// The text, to be sealed or to be shown to somebody who may see it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}
