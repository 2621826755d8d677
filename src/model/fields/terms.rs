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
        Personal = "personal": "Personal information" / "个人信息",
        /// Sensitive personal information (敏感个人信息, PIPL art. 28).
        Sensitive = "sensitive": "Sensitive personal information" / "敏感个人信息",
    }
}

word_enum! {
    /// What a field is about. The need-to-know policy speaks of groups, so it covers a new field without a change.
    pub enum Group {
        /// The caller's name (姓名).
        Name = "name": "Name" / "姓名",
        /// How to address the caller (称谓).
        Salutation = "salutation": "Salutation" / "称谓",
        /// How to reach the caller (联系方式).
        Contact = "contact": "Contact" / "联系方式",
        /// A number that identifies a person by itself (身份证件).
        Identity = "identity": "Identity document" / "证件",
        /// Where the caller lives or works (住址、单位).
        Address = "address": "Address and workplace" / "住址与单位",
        /// An account on the Internet (网络账号).
        Account = "account": "Internet account" / "网络账号",
        /// A vehicle (车辆).
        Vehicle = "vehicle": "Vehicle" / "车辆",
        /// The matter as spoken (诉求内容).
        Text = "text": "Matter as spoken" / "诉求内容",
        /// The place of the incident (事发地址).
        Place = "place": "Place of the incident" / "事发地址",
        /// The accused (被诉求人).
        Respondent = "respondent": "Respondent" / "被诉求人",
        /// The handler's notes to the centre (内部反馈).
        Reply = "reply": "Internal feedback" / "内部反馈",
        /// What the caller is told (对外答复).
        Answer = "answer": "Reply to the caller" / "对外答复",
        /// Why something was done to a ticket (理由).
        Reason = "reason": "Reason" / "理由",
        /// Why a department asked to return a ticket (退单理由).
        Return = "return": "Reason for returning" / "退单理由",
        /// Why a department needs more time: for the centre.
        Extension = "extension": "Reason for more time" / "延期理由",
        /// Why the caller's fields were corrected (更正理由).
        Correction = "correction": "Reason for a correction" / "更正理由",
    }
}

word_enum! {
    /// How an equal value identifies a repeat caller at intake.
    pub enum MatchStrength {
        /// The same value is the same person.
        Certain = "certain": "The same person" / "确定为同一人",
        /// The same value may be the same person: phones change hands and are shared.
        Tentative = "tentative": "May be the same person" / "可能为同一人",
        /// Counts only together with a tentative match.
        Corroborating = "corroborating": "Counts beside a tentative match" / "与其他相同的值一并佐证",
    }
}
