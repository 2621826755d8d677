//! The words of `fields.toml` that other modules speak about.

use std::fmt;
use std::sync::Arc;

use crate::model::word_enum::word_enum;

/// The name of a declared field: a lower-case letter, then up to 23 lower-case letters, digits or underscores.
/// Only a [`FieldSet`](super::FieldSet) makes one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldName(Arc<str>);

impl FieldName {
    /// The name of a field known to be declared: from a field set, or read back from a row written under one.
    pub(crate) fn declared(name: &str) -> Self {
        Self(Arc::from(name))
    }

    /// The name as written in `fields.toml`, in rows and in the log.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

word_enum! {
    /// How much harm a value can do in the wrong hands.
    pub enum Class {
        /// Personal information (个人信息, PIPL art. 4).
        Personal = "personal",
        /// Sensitive personal information (敏感个人信息, PIPL art. 28).
        Sensitive = "sensitive",
    }
}

word_enum! {
    /// What a field is about. The need-to-know policy speaks of groups, so it covers a new field without a change.
    pub enum Group {
        /// The caller's name (姓名).
        Name = "name",
        /// How to address the caller (称谓).
        Salutation = "salutation",
        /// How to reach the caller (联系方式).
        Contact = "contact",
        /// A number that identifies a person by itself (身份证件).
        Identity = "identity",
        /// Where the caller lives or works (住址、单位).
        Address = "address",
        /// An account on the Internet (网络账号).
        Account = "account",
        /// A vehicle (车辆).
        Vehicle = "vehicle",
        /// The matter as spoken (诉求内容).
        Text = "text",
        /// The place of the incident (事发地址).
        Place = "place",
        /// The accused (被诉求人).
        Respondent = "respondent",
        /// The handler's notes to the centre (内部反馈).
        Reply = "reply",
        /// Why something was done to a ticket (理由).
        Reason = "reason",
        /// Why the caller's fields were corrected (更正理由).
        Correction = "correction",
    }
}

word_enum! {
    /// How an equal value identifies a repeat caller at intake.
    pub enum MatchStrength {
        /// The same value is the same person.
        Certain = "certain",
        /// The same value may be the same person: phones change hands and are shared.
        Tentative = "tentative",
        /// Counts only together with a tentative match.
        Corroborating = "corroborating",
    }
}
