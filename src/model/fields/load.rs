//! Reads `fields.toml`.

use std::sync::Arc;

use serde::Deserialize;
use toml::Table;

use super::mask::Mask;
use super::rules::{FieldType, Rules};
use super::terms::{Class, FieldName, Group, MatchStrength};
use super::{Field, RecordKind, Words};
use crate::model::lists::{LONGEST_LABEL, is_label};

/// The most fields a set may have.
const MOST_FIELDS: usize = 26;
/// The most bytes the fields named by one leaf of the log may take; a leaf has 2 KB in all.
const LEAF_BUDGET: usize = 1_500;
/// Bytes a field takes in a leaf beside its name, which stands there twice: the digest of its ciphertext and the
/// punctuation.
const LEAF_FIELD: usize = 60;

/// `fields.toml` cannot be used: what is wrong, in which entry, and the remedy on a line of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("fields.toml: {}{problem}\n  {remedy}", .entry.as_ref().map(|entry| format!("field {entry}: ")).unwrap_or_default())]
pub struct FieldsError {
    entry: Option<String>,
    problem: String,
    remedy: String,
}

impl FieldsError {
    fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            entry: None,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    fn about(mut self, entry: &str) -> Self {
        self.entry = Some(entry.to_owned());
        self
    }

    /// The name of the field whose entry is wrong, or `number 3` if it has none. `None`: the file as a whole is wrong.
    #[must_use]
    pub fn entry(&self) -> Option<&str> {
        self.entry.as_deref()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    id_no: IdNo,
    field: Vec<Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct IdNo {
    latest_birth_year: Option<i16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    zh: String,
    en: String,
    record: RecordKind,
    #[serde(rename = "type")]
    kind: FieldType,
    class: Class,
    group: Group,
    mask: Mask,
    index: Option<String>,
    #[serde(rename = "match")]
    matching: Option<MatchStrength>,
    #[serde(default = "yes")]
    intake: bool,
    max: Option<usize>,
}

const fn yes() -> bool {
    true
}

/// The declared fields, in order.
pub(super) fn fields(text: &str) -> Result<Vec<Field>, FieldsError> {
    let file: File = toml::from_str(text).map_err(|error| malformed(text, &error))?;
    check_birth_year(&file.id_no)?;
    let words = Words::load(Words::SHIPPED).map_err(|error| FieldsError::new(error.to_string(), "build it anew"))?;
    let words = Arc::new(words);
    let mut fields: Vec<Field> = Vec::with_capacity(file.field.len());
    for (nth, table) in file.field.into_iter().enumerate() {
        let label = label(&table, nth);
        let field = field(table, &file.id_no, &words).and_then(|field| beside(&fields, field));
        fields.push(field.map_err(|error| error.about(&label))?);
    }
    check_size(&fields).map(|()| fields)
}

/// A field that the program writes is not declared as it must be.
pub(super) fn missing(name: &str, record: RecordKind) -> FieldsError {
    let kind = record.as_str();
    FieldsError::new(
        format!("no field {name} of a {kind} is declared, and the program writes one"),
        format!("declare it with record = \"{kind}\", as the shipped policies/fields.toml does"),
    )
    .about(name)
}

/// A field that has been declared is declared no more.
pub(super) fn gone(name: &str, record: RecordKind, kind: &str, index: Option<&str>) -> FieldsError {
    FieldsError::new(
        "values of it may be on file, and it is declared no more",
        as_before(record, kind, index),
    )
    .about(name)
}

/// A field that has been declared is declared in another way.
pub(super) fn otherwise(name: &str, record: RecordKind, kind: &str, index: Option<&str>) -> FieldsError {
    let problem = "values of it may be on file that were sealed and indexed as it was declared before";
    FieldsError::new(problem, as_before(record, kind, index)).about(name)
}

fn as_before(record: RecordKind, kind: &str, index: Option<&str>) -> String {
    let record = record.as_str();
    let index = index.map_or_else(|| "no index".to_owned(), |index| format!("index = \"{index}\""));
    format!("declare it with record = \"{record}\", type = \"{kind}\" and {index}; for another way take a new name")
}

fn malformed(text: &str, error: &toml::de::Error) -> FieldsError {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    FieldsError::new(
        format!("{}, line {line}", one_line(error)),
        "see the explanation at the head of the shipped file",
    )
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', ", ")
}

/// How errors name an entry: by its name if it has one.
fn label(table: &Table, nth: usize) -> String {
    table
        .get("name")
        .and_then(toml::Value::as_str)
        .map_or_else(|| format!("number {}", nth + 1), |name| format!("{name:?}"))
}

fn check_birth_year(settings: &IdNo) -> Result<(), FieldsError> {
    match settings.latest_birth_year {
        Some(year) if !(1900..=2999).contains(&year) => Err(FieldsError::new(
            "id_no.latest_birth_year is no year",
            "write a year from 1900 to 2999, or leave it out: then nobody is born after today",
        )),
        _ => Ok(()),
    }
}

fn field(table: Table, settings: &IdNo, words: &Arc<Words>) -> Result<Field, FieldsError> {
    let entry: Entry = table
        .try_into()
        .map_err(|error| FieldsError::new(one_line(&error), "the head of the shipped file explains every key"))?;
    check_name("name", &entry.name)?;
    entry
        .index
        .as_deref()
        .map_or(Ok(()), |index| check_name("index", index))?;
    check_labels(&entry)?;
    check_mask(&entry)?;
    check_match(&entry)?;
    let max = max(&entry)?;
    let latest_birth_year = settings.latest_birth_year;
    Ok(Field {
        name: FieldName::declared(&entry.name),
        zh: entry.zh,
        en: entry.en,
        record: entry.record,
        class: entry.class,
        group: entry.group,
        rules: Rules {
            kind: entry.kind,
            max,
            latest_birth_year,
        },
        mask: entry.mask,
        index: entry.index,
        matching: entry.matching,
        at_intake: entry.intake,
        words: Arc::clone(words),
    })
}

fn check_name(key: &str, name: &str) -> Result<(), FieldsError> {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if name.starts_with(|c: char| c.is_ascii_lowercase()) && name.len() <= 24 && name.bytes().all(word) {
        return Ok(());
    }
    Err(FieldsError::new(
        format!("{key} = {name:?} is not allowed"),
        "begin with a lower-case letter; then up to 23 lower-case letters, digits or underscores",
    ))
}

fn check_labels(entry: &Entry) -> Result<(), FieldsError> {
    if is_label(&entry.zh) && is_label(&entry.en) {
        return Ok(());
    }
    Err(FieldsError::new(
        "the labels zh and en are not allowed",
        format!("each has 1 to {LONGEST_LABEL} characters on one line"),
    ))
}

fn check_mask(entry: &Entry) -> Result<(), FieldsError> {
    if entry.mask == Mask::Keep && entry.class == Class::Sensitive {
        return Err(FieldsError::new(
            "a sensitive field must not be kept in full when masked",
            "write mask = \"hidden\"",
        ));
    }
    if entry.mask.suits(entry.kind) {
        return Ok(());
    }
    Err(FieldsError::new(
        "the mask is made for another type",
        "take the type's own mask, or mask = \"hidden\"",
    ))
}

fn check_match(entry: &Entry) -> Result<(), FieldsError> {
    if entry.matching.is_none() {
        return Ok(());
    }
    if entry.record == RecordKind::Ticket {
        return Err(FieldsError::new(
            "match on a ticket's field",
            "remove match: only callers are matched",
        ));
    }
    if entry.index.is_none() {
        return Err(FieldsError::new(
            "match without index",
            "add index, by which equal values are found",
        ));
    }
    Ok(())
}

fn max(entry: &Entry) -> Result<usize, FieldsError> {
    match (entry.kind.lengths(), entry.max) {
        (None, None) => Ok(0),
        (None, Some(_)) => Err(FieldsError::new("this type has a length of its own", "remove max")),
        (Some((usual, _)), None) => Ok(usual),
        (Some((_, most)), Some(max)) if (2..=most).contains(&max) => Ok(max),
        (Some((_, most)), Some(_)) => Err(FieldsError::new(
            "max is out of range",
            format!("write a number from 2 to {most}"),
        )),
    }
}

/// The field, if it agrees with those before it.
fn beside(fields: &[Field], field: Field) -> Result<Field, FieldsError> {
    if fields.iter().any(|other| other.name == field.name) {
        return Err(FieldsError::new(
            "the name is declared twice",
            "rename or remove one of the two",
        ));
    }
    let shares = |other: &&Field| other.index.is_some() && other.index == field.index;
    match fields.iter().find(shares) {
        Some(other) if other.record != field.record || other.rules.kind != field.rules.kind => Err(FieldsError::new(
            format!(
                "it shares its index with {}, which has another type or record",
                other.name
            ),
            "give it an index of its own: only like values can be compared",
        )),
        _ => Ok(field),
    }
}

/// One leaf names at most the fields of one record, or what intake takes of both.
fn check_size(fields: &[Field]) -> Result<(), FieldsError> {
    if fields.is_empty() || fields.len() > MOST_FIELDS {
        return Err(FieldsError::new(
            format!("{} fields are declared", fields.len()),
            format!("declare 1 to {MOST_FIELDS}"),
        ));
    }
    let size = |named: &dyn Fn(&Field) -> bool| -> usize {
        fields
            .iter()
            .filter(|field| named(field))
            .map(|field| 2 * field.name.as_str().len() + LEAF_FIELD)
            .sum()
    };
    let caller = size(&|field| field.record == RecordKind::Caller);
    let ticket = size(&|field| field.record == RecordKind::Ticket);
    let largest = caller.max(ticket).max(size(&|field| field.at_intake));
    if largest <= LEAF_BUDGET {
        return Ok(());
    }
    Err(FieldsError::new(
        format!("an entry of the log would need {largest} bytes to name its fields, and has {LEAF_BUDGET}"),
        "declare fewer fields or shorter names, or take fields out of intake",
    ))
}
