//! A map in force: rows become records.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::dates::Dates;
use super::map::{IdFrom, Map, Unknown};
use super::row::{Cell, Fault, named};
use crate::cli::Failure;
use crate::model::fields::PHONE_AREA_ZERO;
use crate::model::ids::RecordKind;
use crate::model::submitted::Submitted;
use crate::vault::life::rules::Declared;

/// What a source is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Id,
    ReceivedAt,
    Kind,
    Category,
    Channel,
    Township,
    Secrecy,
    /// Whether it is open or closed.
    State,
    /// The department that it was sent to.
    Department,
    SentAt,
    ClosedAt,
    /// A declared field.
    Value(RecordKind),
}

/// Targets that are no declared fields.
const FIXED: [(&str, Purpose); 11] = [
    ("id", Purpose::Id),
    ("received_at", Purpose::ReceivedAt),
    ("kind", Purpose::Kind),
    ("category", Purpose::Category),
    ("channel", Purpose::Channel),
    ("township", Purpose::Township),
    ("secrecy_requested", Purpose::Secrecy),
    ("state", Purpose::State),
    ("department", Purpose::Department),
    ("sent_at", Purpose::SentAt),
    ("closed_at", Purpose::ClosedAt),
];

/// Whether a target is a time.
pub(super) const fn is_time(purpose: Purpose) -> bool {
    matches!(purpose, Purpose::ReceivedAt | Purpose::SentAt | Purpose::ClosedAt)
}

/// One target of the map.
pub(super) struct Target {
    pub(super) name: Arc<str>,
    pub(super) purpose: Purpose,
    /// In the order in which they count.
    sources: Vec<Arc<str>>,
}

/// A map in force.
pub(super) struct Mapping {
    pub(super) targets: Vec<Target>,
    /// Target and rank by source.
    by_source: HashMap<Arc<str>, (usize, usize)>,
    /// Columns and paths that are passed over.
    pub(super) passed_over: HashSet<String>,
    /// Paths of objects in which sources are.
    objects: HashSet<String>,
    labels: BTreeMap<String, BTreeMap<String, String>>,
    constants: BTreeMap<String, String>,
    pub(super) dates: Dates,
    pub(super) id_from_content: bool,
    pub(super) lost_zero: bool,
    pub(super) unknown: Unknown,
    pub(super) declared: Arc<Declared>,
}

/// The cells of a row by target, and the names that mean nothing here.
pub(super) struct Sorted {
    /// Where it came from, and what it is; by number of the target.
    pub(super) cells: Vec<Option<(Arc<str>, Cell)>>,
    /// Keys that the map passes over.
    pub(super) passed: Vec<Arc<str>>,
    pub(super) unknown: Vec<Arc<str>>,
    pub(super) faults: Vec<Fault>,
}

impl Mapping {
    /// A landline's number with the 0 that a spreadsheet has cut off, where the map says that it has.
    pub(super) fn with_zero(&self, field: &str, text: Submitted) -> Submitted {
        let field = self.declared.fields.get(field).filter(|_| self.lost_zero);
        let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
        let lost = field.and_then(|field| field.normalise(&text, today).err());
        if lost.is_some_and(|bad| bad.rule() == PHONE_AREA_ZERO) {
            return Submitted::new(format!("0{}", text.expose().trim()));
        }
        text
    }

    /// Checks a map against the declared fields. Of the usual map, what a city has not declared is left out.
    pub(super) fn new(map: Map, usual: bool, dates: Dates, declared: Arc<Declared>) -> Result<Self, Failure> {
        let mut mapping = Self {
            targets: Vec::new(),
            by_source: HashMap::new(),
            passed_over: map.ignore.into_iter().collect(),
            objects: HashSet::new(),
            labels: map.labels,
            constants: map.constants,
            dates,
            id_from_content: map.id == Some(IdFrom::Content),
            lost_zero: map.lost_zero,
            unknown: map.unknown,
            declared,
        };
        let own = map.columns.keys().cloned();
        let names: BTreeSet<String> = own.chain(mapping.constants.keys().cloned()).collect();
        for name in names {
            let Some(purpose) = mapping.purpose(&name) else {
                if usual {
                    continue;
                }
                return Err(Failure::usage(format!(
                    "the map has a target {name}, but intake takes no field of that name\n  see docs/import.md, or declare it"
                )));
            };
            let sources = map
                .columns
                .get(&name)
                .map(|sources| sources.as_slice())
                .unwrap_or_default();
            mapping.add(&name, purpose, sources)?;
        }
        mapping.check_labels()?;
        Ok(mapping)
    }

    fn purpose(&self, name: &str) -> Option<Purpose> {
        let fixed = FIXED
            .iter()
            .find(|(fixed, _)| *fixed == name)
            .map(|(_, purpose)| *purpose);
        let declared = || self.declared.fields.get(name).filter(|field| field.at_intake());
        fixed.or_else(|| declared().map(|field| Purpose::Value(field.record())))
    }

    fn add(&mut self, name: &str, purpose: Purpose, sources: &[String]) -> Result<(), Failure> {
        let sources: Vec<Arc<str>> = sources.iter().map(|source| Arc::from(source.as_str())).collect();
        for (rank, source) in sources.iter().enumerate() {
            let twice = self
                .by_source
                .insert(Arc::clone(source), (self.targets.len(), rank))
                .is_some();
            if twice || self.passed_over.contains(&**source) {
                return Err(Failure::usage(format!(
                    "the map names {source} twice\n  use each source for one target"
                )));
            }
            for (dot, _) in source.match_indices('.') {
                self.objects.insert(source.get(..dot).unwrap_or_default().to_owned());
            }
        }
        self.targets.push(Target {
            name: name.into(),
            purpose,
            sources,
        });
        Ok(())
    }

    fn check_labels(&self) -> Result<(), Failure> {
        let none = |purpose| matches!(purpose, Purpose::Id | Purpose::Value(_)) || is_time(purpose);
        for target in self.labels.keys() {
            if self.purpose(target).is_none_or(none) {
                return Err(Failure::usage(format!(
                    "the map has labels for {target}\n  only kind, category, channel, township, secrecy_requested, state and \
                     department can have labels"
                )));
            }
        }
        Ok(())
    }

    /// The vault's word for what a file has.
    pub(super) fn word<'m>(&'m self, target: &str, text: &'m str) -> &'m str {
        let text = text.trim();
        let label = self.labels.get(target).and_then(|labels| labels.get(text));
        label.map_or(text, String::as_str)
    }

    /// What every record states for a target.
    pub(super) fn constant(&self, target: &str) -> Option<&str> {
        self.constants.get(target).map(String::as_str)
    }

    /// Where a target comes from if nothing came: the first of its sources.
    pub(super) fn path(&self, target: &str) -> String {
        let known = self.targets.iter().find(|known| &*known.name == target);
        let first = known.and_then(|target| target.sources.first());
        first.map_or_else(|| target.to_owned(), ToString::to_string)
    }

    /// Whether a record may have this target in this file: a constant, or one of these columns.
    pub(super) fn has_source(&self, target: &Target, columns: &[Arc<str>]) -> bool {
        self.constants.contains_key(&*target.name) || target.sources.iter().any(|source| columns.contains(source))
    }

    /// Whether the map names one of these. Where it names none, they may be a record's values: the file may have no header.
    pub(super) fn knows_any(&self, names: &[Arc<str>]) -> bool {
        let known = |name: &Arc<str>| self.by_source.contains_key(name) || self.passed_over.contains(&**name);
        names.iter().any(known)
    }

    /// The names among these that mean nothing here: not in the map, or less than another source of the same target.
    pub(super) fn unknown_of(&self, names: &[Arc<str>]) -> Vec<Arc<str>> {
        let cells = names.iter().map(|name| (Arc::clone(name), Cell::Nothing)).collect();
        self.sort(cells).unknown
    }

    /// The first source by target, as these names have them.
    pub(super) fn sources_of<'m>(&'m self, names: &[Arc<str>]) -> Vec<(&'m Target, &'m str)> {
        let first = |target: &'m Target| {
            let source = target.sources.iter().find(|source| names.contains(*source))?;
            Some((target, &**source))
        };
        self.targets.iter().filter_map(first).collect()
    }

    /// The cells of a row by target.
    pub(super) fn sort(&self, cells: Vec<(Arc<str>, Cell)>) -> Sorted {
        let mut ranks: Vec<Option<usize>> = vec![None; self.targets.len()];
        let mut sorted = Sorted {
            cells: self.targets.iter().map(|_| None).collect(),
            passed: Vec::new(),
            unknown: Vec::new(),
            faults: Vec::new(),
        };
        for (name, cell) in cells {
            let Some(&(target, rank)) = self.by_source.get(&name) else {
                self.without_target(name, &cell, &mut sorted);
                continue;
            };
            let (Some(held), Some(held_rank)) = (sorted.cells.get_mut(target), ranks.get_mut(target)) else {
                continue;
            };
            if held_rank.is_some_and(|held| held <= rank) {
                sorted.unknown.push(name);
                continue;
            }
            *held_rank = Some(rank);
            sorted.unknown.extend(held.replace((name, cell)).map(|(name, _)| name));
        }
        sorted
    }

    fn without_target(&self, name: Arc<str>, cell: &Cell, sorted: &mut Sorted) {
        if self.passed_over.contains(&*name) {
            sorted.passed.push(name);
        } else if !self.objects.contains(&*name) {
            sorted.unknown.push(name);
        } else if !matches!(cell, Cell::Nothing) {
            sorted.faults.push(Fault::at(&*name, "must be an object"));
        }
    }

    /// What a record with names that mean nothing here is told.
    pub(super) fn refused(&self, unknown: &[Arc<str>]) -> Vec<Fault> {
        if self.unknown == Unknown::List {
            return Vec::new();
        }
        let fault = |name: &Arc<str>| Fault::at(named(name), "not in the map: its value would not be taken");
        unknown.iter().map(fault).collect()
    }
}
