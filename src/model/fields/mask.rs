//! What of a value is shown to those who may know it only in part. Conventions as Chinese services use them.

use serde::Deserialize;

use super::rules::Type;
use super::text::HIDDEN;
use super::{account, address, document, id_number, name, phone, plate};

/// How a field is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mask {
    /// `138****5678`.
    Phone,
    /// `张**`.
    Name,
    /// `1****************4`.
    IdNo,
    /// `passport:****`.
    Document,
    /// `北京市海淀区****`.
    Address,
    /// `d****@126.com`.
    Email,
    /// `苏D4***0`.
    Plate,
    /// `d****`.
    First,
    /// `****`.
    Hidden,
    /// The whole value.
    Keep,
}

impl Mask {
    /// Whether the mask knows what to show of such a value.
    pub(super) const fn suits(self, kind: Type) -> bool {
        match self {
            Self::Phone => matches!(kind, Type::Phone),
            Self::Name => matches!(kind, Type::PersonName | Type::Label),
            Self::IdNo => matches!(kind, Type::IdNo),
            Self::Document => matches!(kind, Type::Document),
            Self::Address => matches!(kind, Type::Address | Type::Line),
            Self::Email => matches!(kind, Type::Email),
            Self::Plate => matches!(kind, Type::Plate),
            Self::First => !matches!(kind, Type::Text | Type::Address),
            Self::Hidden => true,
            Self::Keep => matches!(kind, Type::Label),
        }
    }

    /// Whether the masked form leaves so many values that comparing, as often as anybody may, does not find the right one.
    pub(super) const fn leaves_enough_hidden(self) -> bool {
        matches!(self, Self::IdNo | Self::Document | Self::Hidden)
    }

    /// The masked form; `****` for a value the mask was not made for.
    pub(super) fn apply(self, clear: &str) -> String {
        let shown = match self {
            Self::Phone => phone::mask(clear),
            Self::Name => name::mask(clear),
            Self::IdNo => id_number::mask(clear),
            Self::Document => document::mask(clear),
            Self::Address => address::mask(clear),
            Self::Email => account::mask_email(clear),
            Self::Plate => plate::mask(clear),
            Self::First => account::mask_first(clear),
            Self::Hidden => HIDDEN.to_owned(),
            Self::Keep => return clear.to_owned(),
        };
        if shown.contains(clear) {
            HIDDEN.to_owned()
        } else {
            shown
        }
    }
}
