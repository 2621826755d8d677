//! What of a value is shown to those who may know it only in part. Conventions as Chinese services use them.

use super::rules::FieldType;
use super::text::HIDDEN;
use super::{account, address, document, id_number, name, phone, plate};
use crate::model::word_enum::word_enum;

word_enum! {
    /// How a field is masked.
    pub enum Mask {
        /// `138****5678`.
        Phone = "phone": "As in 138****5678" / "形如 138****5678",
        /// `张**`.
        Name = "name": "The surname, as in 张**" / "只显示姓氏，形如 张**",
        /// `1****************4`.
        IdNo = "id_no": "The first and the last character are shown" / "只显示首尾两位",
        /// `passport:****`.
        Document = "document": "The kind, as in passport:****" / "只显示证件种类，形如 passport:****",
        /// `北京市海淀区****`.
        Address = "address": "Down to the district, as in 北京市海淀区****" / "显示到区县，形如 北京市海淀区****",
        /// `d****@126.com`.
        Email = "email": "As in d****@126.com" / "形如 d****@126.com",
        /// `苏D4***0`.
        Plate = "plate": "As in 苏D4***0" / "形如 苏D4***0",
        /// `d****`.
        First = "first": "The first character is shown" / "只显示第一个字符",
        /// `****`.
        Hidden = "hidden": "Nothing is shown" / "全部隐藏",
        /// The whole value.
        Keep = "keep": "The whole value is shown" / "全部显示",
    }
}

impl Mask {
    /// Whether the mask knows what to show of such a value.
    pub(super) const fn suits(self, kind: FieldType) -> bool {
        match self {
            Self::Phone => matches!(kind, FieldType::Phone),
            Self::Name => matches!(kind, FieldType::PersonName | FieldType::Label),
            Self::IdNo => matches!(kind, FieldType::IdNo),
            Self::Document => matches!(kind, FieldType::Document),
            Self::Address => matches!(kind, FieldType::Address | FieldType::Line),
            Self::Email => matches!(kind, FieldType::Email),
            Self::Plate => matches!(kind, FieldType::Plate),
            Self::First => !matches!(kind, FieldType::Text | FieldType::Address),
            Self::Hidden => true,
            Self::Keep => matches!(kind, FieldType::Label),
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
