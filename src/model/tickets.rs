//! Tickets: kinds, channels, states.

use super::word_enum::word_enum;

word_enum! {
    /// 诉求类型: what kind of matter a ticket is.
    pub enum MatterKind {
        /// 咨询.
        Inquiry = "inquiry",
        /// 求助.
        Help = "help",
        /// 投诉.
        Complaint = "complaint",
        /// 举报: confidential by default (DOMAIN §5).
        Report = "report",
        /// 建议.
        Suggestion = "suggestion",
        /// 表扬.
        Praise = "praise",
    }
}

word_enum! {
    /// How the matter reached the hotline.
    pub enum Channel {
        /// By telephone.
        Phone = "phone",
        /// Through a web form.
        Web = "web",
        /// Through WeChat.
        Wechat = "wechat",
        /// Through the city's app.
        App = "app",
    }
}

word_enum! {
    /// Where a ticket stands (DOMAIN §3).
    pub enum TicketState {
        /// Taken by an agent, held by the centre.
        Accepted = "accepted",
        /// Sent to a department, which holds it.
        Dispatched = "dispatched",
        /// Done: nothing about the caller is shown for it any more.
        Closed = "closed",
    }
}

impl TicketState {
    /// Whether work on the ticket goes on.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }
}

/// A category code such as `noise`: 1–32 of `a-z`, `0-9`, `_`, beginning with a letter. Shared in clear, so no free text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Category(String);

impl Category {
    /// The category with this code, or nothing if it is not a code.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let good = code.len() <= 32 && code.starts_with(|c: char| c.is_ascii_lowercase()) && code.chars().all(word);
        good.then(|| Self(code.to_owned()))
    }

    /// The code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A place by its administrative code: 6 digits of GB/T 2260 (county), 9 (township) or 12 (village) digits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(transparent)]
pub struct Township(String);

impl Township {
    /// The place with this code, or nothing if it is not a code.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        let good =
            matches!(code.len(), 6 | 9 | 12) && code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0');
        good.then(|| Self(code.to_owned()))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
