//! `--explain`: a map for a file, proposed from its columns or keys.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use indicatif::ProgressBar;

use super::dates::{Dates, zone};
use super::feed::place;
use super::map::{Format, Map, Unknown};
use super::mapping::{Mapping, Purpose, is_time};
use super::row::{Cell, Item, Row, Stop, named, printable};
use super::source::{Reading, Source};
use crate::cli::{Done, Failure, say};
use crate::model::fields::TEXT;
use crate::model::reference::DepartmentCode;
use crate::vault::life::rules::Declared;

/// Rows that are looked at.
const LOOKED_AT: usize = 200;

/// What a file has.
#[derive(Default)]
struct Seen {
    names: Vec<Arc<str>>,
    rows: usize,
    /// Times that cannot be read without a zone.
    local_times: usize,
    format: Option<Format>,
    encoding: Option<&'static str>,
    /// By target: values that are neither a word of the vault nor a label.
    unlabelled: BTreeMap<Arc<str>, usize>,
}

/// Prints a map for a file.
pub(super) fn explain(source: &Source, reading: &Reading, map: Map, declared: Arc<Declared>) -> Done {
    let mapping = Mapping::new(map, true, Dates::new(&[], None), declared)?;
    let mut seen = Seen::default();
    let mut known = (None, None);
    let read = source.read(
        reading,
        &mapping.passed_over,
        &ProgressBar::hidden(),
        &mut |found| known = (Some(found.format), found.encoding),
        &mut |item| seen.look(&mapping, item),
    );
    if let Err(Stop::Failure(failure)) = read {
        return Err(Failure::new(failure.code, format!("{}: {failure}", source.name())));
    }
    seen.format = known.0;
    seen.encoding = known.1.map(encoding_rs::Encoding::name);
    if seen.names.is_empty() {
        return Err(Failure::check_failed(format!(
            "{}: found no name of a column or key",
            source.name()
        )));
    }
    Ok(say(seen.proposal(&mapping)?.trim_end())?)
}

impl Seen {
    fn look(&mut self, mapping: &Mapping, item: Item) -> Result<(), Stop> {
        match item {
            Item::Header(columns) => self.names = columns,
            Item::Bad(..) => {}
            Item::Row(row) => self.look_at(mapping, row),
        }
        self.rows += 1;
        if self.rows > LOOKED_AT {
            Err(Stop::Enough)
        } else {
            Ok(())
        }
    }

    fn look_at(&mut self, mapping: &Mapping, row: Row) {
        for (name, _) in &row.cells {
            if !self.names.contains(name) {
                self.names.push(Arc::clone(name));
            }
        }
        let sorted = mapping.sort(row.cells);
        for (target, cell) in mapping.targets.iter().zip(sorted.cells) {
            let local = |text: &str| {
                mapping.dates.read(text).is_err() && in_a_zone().is_some_and(|dates| dates.read(text).is_ok())
            };
            match (target.purpose, cell.map(|(_, cell)| cell)) {
                (purpose, Some(Cell::Local(_))) if is_time(purpose) => self.local_times += 1,
                (purpose, Some(Cell::Text(text))) if is_time(purpose) => {
                    self.local_times += usize::from(local(text.expose()))
                }
                (
                    Purpose::Kind | Purpose::Channel | Purpose::Category | Purpose::State | Purpose::Department,
                    Some(Cell::Text(text)),
                ) => {
                    let word = mapping.word(&target.name, text.expose());
                    if !is_word(mapping, target.purpose, word) {
                        *self.unlabelled.entry(Arc::clone(&target.name)).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn proposal(&self, mapping: &Mapping) -> Result<String, Failure> {
        let mut text = String::new();
        self.write(&mut text, mapping).map_err(Failure::unavailable)?;
        Ok(text)
    }

    fn write(&self, text: &mut String, mapping: &Mapping) -> std::fmt::Result {
        writeln!(
            text,
            "# A map for `callervault import --map`: check each line, then remove this one. See docs/import.md."
        )?;
        if let Some(format) = self.format {
            let word = clap::ValueEnum::to_possible_value(&format).map(|value| value.get_name().to_owned());
            writeln!(text, "format = \"{}\"", word.unwrap_or_default())?;
        }
        if let Some(encoding) = self.encoding {
            writeln!(text, "encoding = \"{}\"", encoding.to_lowercase())?;
        }
        if self.local_times > 0 {
            writeln!(
                text,
                "zone = \"Asia/Shanghai\" # times have no offset: is this their zone?"
            )?;
        }
        let sources = mapping.sources_of(&self.names);
        let has = |name: &str| sources.iter().any(|(target, _)| &*target.name == name);
        if !has("id") {
            writeln!(
                text,
                "id = \"content\" # no column identifies a record: records with the same content count as one"
            )?;
        }
        self.write_ignored(text, mapping)?;
        writeln!(text, "\n[columns]")?;
        for (target, source) in &sources {
            writeln!(text, "{} = {}", target.name, quoted(source))?;
        }
        for needed in ["received_at", "kind", "category", "channel", "township", TEXT] {
            if !has(needed) {
                writeln!(
                    text,
                    "# {needed} = \"…\" is required, or one word for all records in [constants]"
                )?;
            }
        }
        for (target, rows) in &self.unlabelled {
            writeln!(text, "\n[labels.{target}]")?;
            writeln!(
                text,
                "# {rows} of the first rows have a value that the vault does not know; map it: \"…\" = \"…\""
            )?;
        }
        Ok(())
    }

    fn write_ignored(&self, text: &mut String, mapping: &Mapping) -> std::fmt::Result {
        let passed = self.names.iter().filter(|name| mapping.passed_over.contains(&***name));
        let passed: Vec<String> = passed.map(|name| quoted(name)).collect();
        writeln!(text, "ignore = [{}]", passed.join(", "))?;
        let known = mapping.knows_any(&self.names);
        for name in mapping.unknown_of(&self.names) {
            match printable(&name) {
                _ if !known => writeln!(
                    text,
                    "# not mapped yet: {}. Is the header another row (header = 2)?",
                    place(&self.names, &name)
                )?,
                Some(_) => writeln!(text, "# not mapped yet: {}", quoted(&named(&name)))?,
                None => writeln!(
                    text,
                    "# not mapped yet: a name that cannot be shown. Is the header another row (header = 2)?"
                )?,
            }
        }
        if mapping.unknown == Unknown::Refuse {
            writeln!(
                text,
                "unknown = \"refuse\" # or \"list\": import without what is not mapped"
            )?;
        }
        Ok(())
    }
}

/// As a string of TOML.
fn quoted(name: &str) -> String {
    toml::Value::String(name.to_owned()).to_string()
}

fn in_a_zone() -> Option<Dates> {
    Some(Dates::new(&[], Some(zone("+08:00").ok()?)))
}

fn is_word(mapping: &Mapping, purpose: Purpose, word: &str) -> bool {
    use crate::model::tickets::{Channel, MatterKind};
    match purpose {
        Purpose::Kind => MatterKind::from_word(word).is_some(),
        Purpose::Channel => Channel::from_word(word).is_some(),
        Purpose::State => ["open", "closed"].contains(&word),
        Purpose::Department => word.parse::<DepartmentCode>().is_ok(),
        _ => mapping.declared.lists.category(word).is_some(),
    }
}
