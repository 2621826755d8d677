//! The types a field can have: what each accepts and what normal form it gives.

use jiff::civil::Date;
use serde::Deserialize;

use super::value_rules::Broken;
use super::{account, address, document, id_number, name, phone, plate, text};

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Type {
    /// A person's full name.
    PersonName,
    /// A few words on one line: a salutation, a respondent.
    Label,
    /// A telephone number.
    Phone,
    /// A resident identity number.
    IdNo,
    /// Another identity document: its kind and its number.
    Document,
    /// An address.
    Address,
    /// An e-mail address.
    Email,
    /// A WeChat account.
    Wechat,
    /// A number plate.
    Plate,
    /// Anything on one line.
    Line,
    /// Text of several lines.
    Text,
}

impl Type {
    /// The word in `fields.toml`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::PersonName => "person_name",
            Self::Label => "label",
            Self::Phone => "phone",
            Self::IdNo => "id_no",
            Self::Document => "document",
            Self::Address => "address",
            Self::Email => "email",
            Self::Wechat => "wechat",
            Self::Plate => "plate",
            Self::Line => "line",
            Self::Text => "text",
        }
    }

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
    pub(super) kind: Type,
    /// Unicode scalar values; only for types with [`Type::lengths`].
    pub(super) max: usize,
    /// The last year of birth taken in identity numbers; `None`: up to today.
    pub(super) latest_birth_year: Option<i16>,
}

impl Rules {
    /// The normal form of a value, or the rule it breaks.
    pub(super) fn normalise(&self, value: &str, today: Date) -> Result<String, Broken> {
        match self.kind {
            Type::PersonName => name::normalise(value),
            Type::Label | Type::Line => text::one_line(value, 1, self.max),
            Type::Phone => phone::normalise(value),
            Type::IdNo => id_number::normalise(value, self.last_birth(today)),
            Type::Document => document::normalise(value),
            Type::Address => address::normalise(value, self.max),
            Type::Email => account::email(value),
            Type::Wechat => account::wechat(value),
            Type::Plate => plate::normalise(value),
            Type::Text => text::lines(value, self.max),
        }
    }

    /// What equal values have in common, of a value in normal form.
    pub(super) fn fold(&self, normal: &str) -> String {
        match self.kind {
            Type::PersonName => name::fold(normal),
            Type::Email => account::fold_email(normal),
            Type::Wechat => text::in_one_case(normal),
            _ => normal.to_owned(),
        }
    }

    /// What a value in normal form shares with others that are not equal, beside its fold.
    pub(super) fn shared(&self, normal: &str) -> Option<String> {
        match self.kind {
            Type::Phone => phone::bare(normal).map(str::to_owned),
            Type::Document => document::number(normal).map(str::to_owned),
            _ => None,
        }
    }

    fn last_birth(&self, today: Date) -> Date {
        self.latest_birth_year
            .and_then(|year| Date::new(year, 12, 31).ok())
            .unwrap_or(today)
    }
}
