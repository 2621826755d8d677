//! Fields: what each one holds, how it is checked and brought to normal form, and how it looks when masked.
//!
//! Fields are declared in `fields.toml`, not in code: a city adds one by describing it. Everything here is pure.

mod account;
mod address;
mod document;
mod gbk;
mod id_number;
mod indexed;
mod invisible;
mod load;
mod mask;
mod name;
mod phone;
mod plate;
mod rules;
mod terms;
#[cfg(test)]
mod tests;
mod text;
mod value_rules;
mod words;

pub use indexed::Indexed;
pub use load::FieldsError;
pub use mask::Mask;
pub use rules::FieldType;
pub use terms::{Class, FieldName, Group, MatchStrength};
pub use value_rules::{NAMES_NOBODY, ON_FILE_STAYS, PHONE_AREA_ZERO, ValueRule};
pub use words::{Words, WordsError};

use std::sync::Arc;

use jiff::civil::Date;

use self::rules::Rules;
use self::value_rules::Broken;
use super::ids::RecordKind;
use super::submitted::Submitted;
use super::transitions::Transition;

/// One declared field.
#[derive(Clone, Debug)]
pub struct Field {
    name: FieldName,
    zh: String,
    en: String,
    record: RecordKind,
    class: Class,
    group: Group,
    rules: Rules,
    mask: Mask,
    index: Option<String>,
    matching: Option<MatchStrength>,
    at_intake: bool,
    words: Arc<Words>,
}

impl Field {
    /// The field's name, unique in its set.
    #[must_use]
    pub const fn name(&self) -> &FieldName {
        &self.name
    }

    /// Its label in Chinese.
    #[must_use]
    pub fn zh(&self) -> &str {
        &self.zh
    }

    /// Its label in English.
    #[must_use]
    pub fn en(&self) -> &str {
        &self.en
    }

    /// Whether callers or tickets have this field.
    #[must_use]
    pub const fn record(&self) -> RecordKind {
        self.record
    }

    /// Personal or sensitive (PIPL art. 28).
    #[must_use]
    pub const fn class(&self) -> Class {
        self.class
    }

    /// The group the need-to-know policy speaks about.
    #[must_use]
    pub const fn group(&self) -> Group {
        self.group
    }

    /// The type of its values.
    #[must_use]
    pub const fn kind(&self) -> FieldType {
        self.rules.kind
    }

    /// The longest value in characters, where the declaration bounds it; other types have lengths of their own.
    #[must_use]
    pub fn longest(&self) -> Option<usize> {
        self.rules.kind.lengths().map(|_| self.rules.max)
    }

    /// What its masked form shows.
    #[must_use]
    pub const fn how_masked(&self) -> Mask {
        self.mask
    }

    /// The name of the blind index that answers equality for this field; fields that share it are compared with each
    /// other. `None`: the field cannot be looked up.
    #[must_use]
    pub fn index(&self) -> Option<&str> {
        self.index.as_deref()
    }

    /// How far an equal value identifies a repeat caller at intake. `None`: not at all.
    #[must_use]
    pub const fn matching(&self) -> Option<MatchStrength> {
        self.matching
    }

    /// Whether the field may be submitted at intake. Reasons and internal replies come later.
    #[must_use]
    pub const fn at_intake(&self) -> bool {
        self.at_intake
    }

    /// Checks a value and brings it to normal form: what is sealed and what is blind-indexed. Doing it twice changes
    /// nothing. `today` is the last day on which a holder can have been born.
    ///
    /// # Errors
    ///
    /// [`Invalid`] names the field and the rule it breaks, never the value.
    pub fn normalise(&self, value: &Submitted, today: Date) -> Result<Submitted, Invalid> {
        let normalise = |value: &str| self.rules.normalise(value, today);
        let normal = normalise(value.expose()).or_else(|rule| {
            let nobody = self
                .rules
                .kind
                .is_name()
                .then(|| self.words.nobody_in(value.expose()))
                .flatten();
            nobody.map_or(Err(rule), |nobody| normalise(&nobody))
        });
        let normal = normal.and_then(|normal| match self.mask {
            Mask::Keep => text::without_number(normal),
            _ => Ok(normal),
        });
        normal.map(Submitted::new).map_err(|rule| Invalid {
            field: self.name.clone(),
            rule,
        })
    }

    /// Whether what came in is no value: there is nothing to be seen, or a word or sign that stands for none (匿名, N/A, -) where the
    /// field's type has no such value.
    #[must_use]
    pub fn is_absent(&self, value: &Submitted) -> bool {
        let value = value.expose();
        let is_none = || match self.rules.kind.lengths() {
            None => self.rules.kind.is_phone() || self.rules.normalise(value, Date::MAX).is_err(),
            Some(_) => false,
        };
        text::is_blank(value) || (self.words.is_no_number(value) && is_none())
    }

    /// Whether a value in normal form says who somebody is. 匿名, 王女士 and the like are kept, and say it of nobody.
    #[must_use]
    pub fn identifies(&self, normal: &Submitted) -> bool {
        !(self.rules.kind.is_name() && self.words.is_nobody(normal.expose()))
    }

    /// Whether it holds a telephone number.
    #[must_use]
    pub const fn is_phone(&self) -> bool {
        self.rules.kind.is_phone()
    }

    /// Whether its masked form is the whole value.
    #[must_use]
    pub const fn is_shown_whole(&self) -> bool {
        matches!(self.mask, Mask::Keep)
    }

    /// Whether a role that may see the field masked only may compare it: the masked form leaves enough hidden.
    #[must_use]
    pub const fn may_be_compared_masked(&self) -> bool {
        self.mask.leaves_enough_hidden()
    }

    /// The masked form of a normalised value: what China's services customarily show. Never the whole value, except
    /// under the mask `keep`.
    #[must_use]
    pub fn mask(&self, clear: &str) -> String {
        self.mask.apply(clear)
    }
}

/// A value broke a rule of its field. Holds the rule, never the value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {}", .rule.words.en)]
pub struct Invalid {
    field: FieldName,
    rule: Broken,
}

impl Invalid {
    /// The field the value was for.
    #[must_use]
    pub const fn field(&self) -> &FieldName {
        &self.field
    }

    /// What is wrong.
    #[must_use]
    pub const fn rule(&self) -> &'static ValueRule {
        self.rule
    }
}

/// The ticket's field that holds what was said.
pub const TEXT: &str = "text";
/// The caller's field that holds the number that they want to be called back on.
pub const CALLBACK_NUMBER: &str = "callback_number";
/// The caller's field that holds the number that they called from.
pub const CALLER_NUMBER: &str = "caller_number";
/// The caller's field that holds why their fields were corrected.
pub const CORRECTION_REASON: &str = "correction_reason";

/// All declared fields, in the order of their declaration.
#[derive(Clone, Debug)]
pub struct FieldSet {
    fields: Vec<Field>,
}

impl FieldSet {
    /// The declarations the program ships with, `policies/fields.toml`.
    pub const SHIPPED: &str = include_str!("../../../policies/fields.toml");

    /// Reads declarations in the format that the head of [`FieldSet::SHIPPED`] explains.
    ///
    /// # Errors
    ///
    /// [`FieldsError`] says what is wrong in which entry, and what to do.
    pub fn load(text: &str) -> Result<Self, FieldsError> {
        load::fields(text).map(|fields| Self { fields })
    }

    /// Whether every field is declared that the program writes under a name of its own: a ticket could be taken, and never
    /// closed, without the one for the reason.
    ///
    /// # Errors
    ///
    /// [`FieldsError`] names the first that is missing, or that belongs to the other kind of record.
    pub fn check_named(&self) -> Result<(), FieldsError> {
        let steps = Transition::ALL.iter().map(|transition| transition.step());
        let of_tickets = std::iter::once(TEXT)
            .chain(steps.flat_map(|step| step.reason.into_iter().chain(step.reply)))
            .map(|name| (name, RecordKind::Ticket));
        let of_callers = [CORRECTION_REASON, CALLBACK_NUMBER, CALLER_NUMBER].map(|name| (name, RecordKind::Caller));
        let mut named = of_tickets.chain(of_callers);
        let missing = named.find(|(name, record)| self.get(name).is_none_or(|field| field.record != *record));
        missing.map_or(Ok(()), |(name, record)| Err(load::missing(name, record)))
    }

    /// Whether a field that was declared so once still is: values on file were sealed under its name, and found by its index.
    ///
    /// # Errors
    ///
    /// [`FieldsError`] names the field if it is gone, or has another record, type or index.
    pub fn check_declared(
        &self,
        name: &str,
        record: RecordKind,
        kind: &str,
        index: Option<&str>,
    ) -> Result<(), FieldsError> {
        let same = |field: &Field| field.record == record && field.kind().as_str() == kind && field.index() == index;
        match self.get(name) {
            Some(field) if same(field) => Ok(()),
            Some(_) => Err(load::otherwise(name, record, kind, index)),
            None => Err(load::gone(name, record, kind, index)),
        }
    }

    /// The fields of [`FieldSet::SHIPPED`].
    ///
    /// # Errors
    ///
    /// As for [`FieldSet::load`]; not when the program's own tests passed.
    pub fn shipped() -> Result<Self, FieldsError> {
        Self::load(Self::SHIPPED)
    }

    /// Whether a field of this name is declared.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The same fields, with other words that stand for no value.
    #[must_use]
    pub fn with_words(mut self, words: Words) -> Self {
        let words = Arc::new(words);
        for field in &mut self.fields {
            field.words = Arc::clone(&words);
        }
        self
    }

    /// The field with that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name.as_str() == name)
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter()
    }

    /// The fields of callers or of tickets.
    pub fn of(&self, record: RecordKind) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(move |field| field.record == record)
    }
}
