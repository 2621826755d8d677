//! A thread of its own reads a file and makes records of its rows, a bounded number ahead of those that are taken in.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indicatif::ProgressBar;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::map::{Format, Unknown};
use super::mapping::{Mapping, Purpose};
use super::record::{NotTaken, Record};
use super::row::{Fault, Item, Row, Stop, named, printable};
use super::source::{Found, Reading, Source};
use crate::cli::Failure;
use crate::model::fields::TEXT;

/// Records that are read ahead.
const AHEAD: usize = 64;

/// One line of a file.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) record: Result<Record, Vec<Fault>>,
    pub(super) not_taken: NotTaken,
    /// What is kept of it for the list of bad lines.
    pub(super) kept: Kept,
}

/// What is kept of a line for the list of bad lines.
#[derive(Default)]
pub(super) enum Kept {
    #[default]
    Nothing,
    /// Its columns or paths.
    Names(Vec<Arc<str>>),
    /// All of it, to be sealed.
    Text(Zeroizing<Vec<u8>>),
    Sealed(Vec<u8>),
}

/// How rejected lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum WriteBad {
    /// Only the names of keys and columns.
    ValuesLeftOut,
    /// Whole lines, sealed with the vault's keys; --open-bad opens them.
    Sealed,
}

/// What a file is told to have had, beside its records.
#[derive(Default)]
pub(super) struct Notes {
    /// The encoding, where it is not UTF-8.
    pub(super) encoding: Option<&'static str>,
    pub(super) format: Option<Format>,
    /// Columns and paths that the map passes over, as far as they came.
    pub(super) passed: BTreeSet<String>,
    /// Those that the map does not name, and in how many records they came.
    pub(super) unknown: BTreeMap<String, u64>,
}

impl Notes {
    pub(super) fn found(&mut self, found: &Found) {
        let other = found.encoding.filter(|encoding| *encoding != encoding_rs::UTF_8);
        self.encoding = other.map(encoding_rs::Encoding::name);
        self.format = Some(found.format);
    }

    /// Adds what a record has beside the map. What is not in the map is counted where the record is taken without it.
    pub(super) fn add(&mut self, not_taken: NotTaken, is_record: bool) {
        for name in not_taken.passed {
            if !self.passed.contains(&*name) {
                self.passed.insert(name.to_string());
            }
        }
        for name in not_taken.unknown.iter().filter(|_| is_record) {
            *self.unknown.entry(named(name)).or_default() += 1;
        }
    }
}

pub(super) enum Fed {
    /// How the file is read.
    Found(Found),
    Line(Box<Line>),
    /// The end of the file, or why reading ended before it.
    End(Option<Failure>),
}

/// Begins to read. The thread ends with the file, or when nobody takes its lines.
pub(super) fn begin(
    source: Source,
    reading: Reading,
    mapping: Arc<Mapping>,
    bar: ProgressBar,
    bad: Option<WriteBad>,
) -> Result<mpsc::Receiver<Fed>, Failure> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let mut feeder = Feeder {
        mapping,
        sender,
        hasher: RandomState::new(),
        bad,
    };
    std::thread::Builder::new()
        .name("import".to_owned())
        .spawn(move || feeder.run(&source, &reading, &bar))
        .map_err(Failure::unavailable)?;
    Ok(receiver)
}

struct Feeder {
    mapping: Arc<Mapping>,
    sender: mpsc::Sender<Fed>,
    hasher: RandomState,
    bad: Option<WriteBad>,
}

impl Feeder {
    fn run(&mut self, source: &Source, reading: &Reading, bar: &ProgressBar) {
        let mapping = Arc::clone(&self.mapping);
        let sender = self.sender.clone();
        // Nobody waits for it after Ctrl-C; the next line finds that out.
        let known = &mut |found| drop(sender.blocking_send(Fed::Found(found)));
        let read = source.read(reading, &mapping.passed_over, bar, known, &mut |item| self.item(item));
        let end = match read {
            Ok(()) => None,
            Err(Stop::Enough) => return,
            Err(Stop::Failure(failure)) => Some(failure),
        };
        // Nobody waits for it after Ctrl-C.
        let _ = self.sender.blocking_send(Fed::End(end));
    }

    fn item(&mut self, item: Item) -> Result<(), Stop> {
        let line = match item {
            Item::Header(columns) => return Ok(self.mapping.check_columns(&columns)?),
            Item::Bad(number, fault, text) => Line {
                number,
                record: Err(vec![fault]),
                not_taken: NotTaken::default(),
                kept: match self.bad {
                    Some(WriteBad::Sealed) => Kept::Text(text),
                    Some(WriteBad::ValuesLeftOut) | None => Kept::Nothing,
                },
            },
            Item::Row(row) => self.line(row),
        };
        let sent = self.sender.blocking_send(Fed::Line(Box::new(line)));
        sent.map_err(|_| Stop::Enough)
    }

    fn line(&mut self, row: Row) -> Line {
        let kept = match self.bad {
            None => Kept::Nothing,
            Some(WriteBad::ValuesLeftOut) => Kept::Names(row.cells.iter().map(|(name, _)| Arc::clone(name)).collect()),
            Some(WriteBad::Sealed) => Kept::Text(row.text()),
        };
        let number = row.line;
        let mut not_taken = NotTaken::default();
        let record = self.mapping.record(row, &self.hasher, &mut not_taken);
        Line {
            number,
            record,
            not_taken,
            kept,
        }
    }
}

impl Mapping {
    /// A table whose columns cannot give a record, or have more than the map names, is refused before its first row.
    fn check_columns(&self, columns: &[Arc<str>]) -> Result<(), Failure> {
        let required = |purpose| match purpose {
            Purpose::Id => !self.id_from_content,
            Purpose::ReceivedAt | Purpose::Kind | Purpose::Category | Purpose::Channel | Purpose::Township => true,
            _ => false,
        };
        let needed = self
            .targets
            .iter()
            .filter(|target| required(target.purpose) || &*target.name == TEXT);
        let missing: Vec<String> = needed
            .filter(|target| !self.has_source(target, columns))
            .map(|target| target.name.to_string())
            .collect();
        if !missing.is_empty() {
            return Err(Failure::check_failed(format!(
                "the header names no column for {}\n  callervault import --explain FILE proposes a map; see docs/import.md",
                missing.join(", ")
            )));
        }
        let repeated = columns
            .iter()
            .enumerate()
            .find(|(at, name)| columns.iter().take(*at).any(|other| other == *name));
        if let Some((at, _)) = repeated.filter(|(_, name)| !name.is_empty()) {
            return Err(Failure::check_failed(format!(
                "column {} of the header repeats the name of another column",
                at + 1
            )));
        }
        let unknown = self.unknown_of(columns);
        if self.unknown == Unknown::List || unknown.is_empty() {
            return Ok(());
        }
        let known = self.knows_any(columns);
        let shown = |name: &Arc<str>| known && printable(name).is_some();
        let spelled = |name: &Arc<str>| if shown(name) { named(name) } else { place(columns, name) };
        let names: Vec<String> = unknown.iter().map(spelled).collect();
        Err(Failure::check_failed(format!(
            "the map does not name these columns, so their values would not be taken: {}\n  add them to [columns] or ignore of a \
             --map, or give --unknown list",
            names.join(", ")
        )))
    }
}

/// Where a column is.
pub(super) fn place(columns: &[Arc<str>], name: &Arc<str>) -> String {
    let at = columns.iter().position(|column| column == name);
    at.map_or_else(|| named(name), |at| format!("column {}", at + 1))
}
