//! The types a field can have: what each accepts and what normal form it gives.

use jiff::civil::Date;

use super::value_rules::Broken;
use super::{account, address, document, id_number, name, phone, plate, text};
use crate::model::word_enum::word_enum;

word_enum! {
    /// The type of a field's value.
    pub enum FieldType {
        /// A person's full name.
        PersonName = "person_name": "A person's full name" / "人名",
        /// A few words on one line: a salutation, a respondent.
        Label = "label": "A few words on one line" / "短语",
        /// A telephone number.
        Phone = "phone": "A telephone number" / "电话号码",
        /// A resident identity number.
        IdNo = "id_no": "A resident identity number" / "公民身份号码",
        /// Another identity document: its kind and its number.
        Document = "document": "Another identity document: its kind and its number" / "其他证件的种类和号码",
        /// An address.
        Address = "address": "An address" / "地址",
        /// An e-mail address.
        Email = "email": "An e-mail address" / "电子邮箱",
        /// A WeChat account.
        Wechat = "wechat": "A WeChat account" / "微信号",
        /// A number plate.
        Plate = "plate": "A number plate" / "车牌",
        /// Anything on one line.
        Line = "line": "Text on one line" / "单行文字",
        /// Text of several lines.
        Text = "text": "Text of several lines" / "多行文字",
    }
}

impl FieldType {
    pub(super) const fn is_phone(self) -> bool {
        matches!(self, Self::Phone)
    }

    pub(super) const fn is_name(self) -> bool {
        matches!(self, Self::PersonName)
    }

    /// Whether some values share something with others that are not equal.
    pub(super) const fn shares(self) -> bool {
        matches!(self, Self::Phone | Self::Document)
    }

    /// The longest value by default and at most, in Unicode scalar values, where the declaration may say less.
    pub(super) const fn lengths(self) -> Option<(usize, usize)> {
        match self {
            Self::Label => Some((60, 200)),
            Self::Line | Self::Address => Some((200, 200)),
            Self::Text => Some((4_000, 4_000)),
            Self::PersonName | Self::Phone | Self::IdNo | Self::Document | Self::Email | Self::Wechat | Self::Plate => {
                None
            }
        }
    }
}

/// A type with its settings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) kind: FieldType,
    /// Unicode scalar values; only for types with [`FieldType::lengths`].
    pub(super) max: usize,
    /// The last year of birth taken in identity numbers; `None`: up to today.
    pub(super) latest_birth_year: Option<i16>,
}

impl Rules {
    /// The normal form of a value, or the rule it breaks.
    pub(super) fn normalise(&self, value: &str, today: Date) -> Result<String, Broken> {
        match self.kind {
            FieldType::PersonName => name::normalise(value),
            FieldType::Label | FieldType::Line => text::one_line(value, 1, self.max),
            FieldType::Phone => phone::normalise(value),
            FieldType::IdNo => id_number::normalise(value, self.last_birth(today)),
            FieldType::Document => document::normalise(value),
            FieldType::Address => address::normalise(value, self.max),
            FieldType::Email => account::email(value),
            FieldType::Wechat => account::wechat(value),
            FieldType::Plate => plate::normalise(value),
            FieldType::Text => text::lines(value, self.max),
        }
    }

    /// What equal values have in common, of a value in normal form.
    pub(super) fn fold(&self, normal: &str) -> String {
        match self.kind {
            FieldType::PersonName => name::fold(normal),
            FieldType::Email => account::fold_email(normal),
            FieldType::Wechat => text::in_one_case(normal),
            _ => normal.to_owned(),
        }
    }

    /// What a value in normal form shares with others that are not equal, beside its fold.
    pub(super) fn shared(&self, normal: &str) -> Option<String> {
        match self.kind {
            FieldType::Phone => phone::bare(normal).map(str::to_owned),
            FieldType::Document => document::number(normal).map(str::to_owned),
            _ => None,
        }
    }

    fn last_birth(&self, today: Date) -> Date {
        self.latest_birth_year
            .and_then(|year| Date::new(year, 12, 31).ok())
            .unwrap_or(today)
    }
}
