//! A record: what one row states, in the vault's words.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::civil::Date;
use zeroize::Zeroizing;

use super::mapping::{Mapping, Purpose, Target, is_time};
use super::past::Past;
use super::row::{Cell, Fault, Row};
use crate::model::fields::{FieldSet, MatchStrength};
use crate::model::ids::RecordKind;
use crate::model::submitted::Submitted;
use crate::model::tickets::{Channel, MatterKind, Urgency};
use crate::vault::Values;
use crate::vault::calls::intake::{Call, History, Intake, LeftOut, NewTicket};

const MISSING: &str = "missing";
const TEXT: &str = crate::model::fields::TEXT;
/// The form of what a record states, and under which name it stands there: no target is called so.
const FORM: (&str, &str) = ("", "callervault.import/1");
/// The name of the rule that a cell without text breaks.
const NOT_TEXT: &str = "not-text";

/// One record.
pub(super) struct Record {
    /// What makes it the same record when it comes again.
    pub(super) id: Zeroizing<String>,
    pub(super) intake: Intake,
    /// What became of it where it comes from.
    pub(super) history: Option<History>,
    /// Optional values that are no single text.
    pub(super) left_out: Vec<LeftOut>,
    /// What it states, in the vault's words and canonical JSON: the same record again must state the same.
    pub(super) request: Zeroizing<Vec<u8>>,
    /// Where each target came from.
    pub(super) paths: Vec<(Arc<str>, Arc<str>)>,
    /// Digests of what it may share with other records: records that share one are taken in one after the other.
    pub(super) shared: Vec<u64>,
}

impl Record {
    /// Where a target came from.
    pub(super) fn path(&self, target: &str) -> Option<&str> {
        let found = self.paths.iter().find(|(name, _)| &**name == target);
        found.map(|(_, path)| &**path)
    }
}

/// What a row states, while it is gathered.
#[derive(Default)]
struct Draft {
    id: Option<Zeroizing<String>>,
    received_at: Option<Timestamp>,
    kind: Option<MatterKind>,
    channel: Option<Channel>,
    category: Option<String>,
    township: Option<String>,
    secrecy_requested: bool,
    past: Past,
    caller: Values,
    ticket: Values,
    left_out: Vec<LeftOut>,
    /// What stood in the place of those that are left out, by target with `?` behind it.
    unreadable: Values,
    paths: Vec<(Arc<str>, Arc<str>)>,
    faults: Vec<Fault>,
}

/// Names of a row that were not taken.
#[derive(Default)]
pub(super) struct NotTaken {
    pub(super) passed: Vec<Arc<str>>,
    pub(super) unknown: Vec<Arc<str>>,
}

impl Mapping {
    /// The record of a row, or everything that is wrong with it.
    pub(super) fn record(
        &self,
        row: Row,
        hasher: &impl BuildHasher,
        not_taken: &mut NotTaken,
    ) -> Result<Record, Vec<Fault>> {
        let sorted = self.sort(row.cells);
        let mut draft = Draft {
            faults: [sorted.faults, self.refused(&sorted.unknown)].concat(),
            ..Draft::default()
        };
        not_taken.passed = sorted.passed;
        not_taken.unknown = sorted.unknown;
        for (target, held) in self.targets.iter().zip(sorted.cells) {
            let (path, cell) = held.unwrap_or_else(|| (Arc::clone(&target.name), Cell::Nothing));
            let cell = match (cell, self.constant(&target.name)) {
                (cell, Some(constant)) if is_blank(&cell) => Cell::Text(Submitted::new(constant.to_owned())),
                (cell, _) => cell,
            };
            if is_blank(&cell) {
                continue;
            }
            draft.paths.push((Arc::clone(&target.name), Arc::clone(&path)));
            draft.put(self, target, &path, cell);
        }
        draft.finish(self, hasher)
    }
}

fn is_blank(cell: &Cell) -> bool {
    match cell {
        Cell::Nothing => true,
        Cell::Text(text) => text.expose().trim().is_empty(),
        Cell::Truth(_) | Cell::Local(_) | Cell::Unreadable(..) => false,
    }
}

impl Draft {
    fn put(&mut self, mapping: &Mapping, target: &Target, path: &str, cell: Cell) {
        let put = match (target.purpose, cell) {
            (Purpose::Value(record), Cell::Text(text)) => {
                let text = mapping.with_zero(&target.name, text);
                return self.put_value(&target.name, record, path, Cell::Text(text));
            }
            (Purpose::Value(record), cell) => return self.put_value(&target.name, record, path, cell),
            (_, Cell::Unreadable(why, _)) => Err(why),
            (Purpose::Secrecy, Cell::Truth(truth)) => {
                self.secrecy_requested = truth;
                Ok(())
            }
            (_, Cell::Truth(_)) => Err("must be text, not true or false"),
            (purpose, Cell::Local(local)) if is_time(purpose) => {
                mapping.dates.local(local).map(|at| self.put_time(purpose, at))
            }
            (_, Cell::Local(_)) => Err("must be text, not a date"),
            (_, Cell::Text(text)) => self.put_text(mapping, target, text.expose()),
            (_, Cell::Nothing) => Ok(()),
        };
        if let Err(rule) = put {
            self.faults.push(Fault::at(path, rule));
        }
    }

    fn put_text(&mut self, mapping: &Mapping, target: &Target, text: &str) -> Result<(), &'static str> {
        let word = mapping.word(&target.name, text);
        match target.purpose {
            Purpose::Id => self.id = Some(Zeroizing::new(text.trim().to_owned())),
            purpose if is_time(purpose) => self.put_time(purpose, mapping.dates.read(text)?),
            Purpose::Kind => {
                let kind = MatterKind::from_word(word);
                self.kind = Some(kind.ok_or("unknown kind of matter: map the word in [labels.kind]")?);
            }
            Purpose::Channel => {
                let channel = Channel::from_word(word);
                self.channel = Some(channel.ok_or("unknown channel: map the word in [labels.channel]")?);
            }
            Purpose::Category => self.category = Some(word.to_owned()),
            Purpose::Township => self.township = Some(word.to_owned()),
            Purpose::Secrecy => {
                self.secrecy_requested = match word {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err("must be true or false: map other words in [labels.secrecy_requested]");
                    }
                }
            }
            purpose => self.past.put_word(purpose, word)?,
        }
        Ok(())
    }

    fn put_time(&mut self, purpose: Purpose, at: Timestamp) {
        if purpose == Purpose::ReceivedAt {
            self.received_at = Some(at);
        } else {
            self.past.put_time(purpose, at);
        }
    }

    fn put_value(&mut self, name: &str, record: RecordKind, path: &str, cell: Cell) {
        let (rule, raw) = match cell {
            Cell::Text(text) => {
                let values = match record {
                    RecordKind::Caller => &mut self.caller,
                    RecordKind::Ticket => &mut self.ticket,
                };
                values.insert(name.to_owned(), text);
                return;
            }
            Cell::Nothing => return,
            Cell::Unreadable(why, raw) => (why, raw),
            Cell::Truth(truth) => ("must be text, not true or false", Submitted::new(truth.to_string())),
            Cell::Local(local) => ("must be text, not a date", Submitted::new(local.to_string())),
        };
        if name == TEXT {
            self.faults.push(Fault::at(path, rule));
        } else {
            self.unreadable.insert(format!("{name}?"), raw);
            self.left_out.push(LeftOut {
                field: name.to_owned(),
                rule: NOT_TEXT.to_owned(),
                detail: rule.to_owned(),
            });
        }
    }

    fn missing(&mut self, mapping: &Mapping, target: &str, is_missing: bool) {
        // A value that is there and bad has been told already.
        if is_missing && !self.paths.iter().any(|(name, _)| &**name == target) {
            self.faults.push(Fault::at(mapping.path(target), MISSING));
        }
    }

    fn finish(mut self, mapping: &Mapping, hasher: &impl BuildHasher) -> Result<Record, Vec<Fault>> {
        self.missing(mapping, "id", self.id.is_none() && !mapping.id_from_content);
        self.missing(mapping, "received_at", self.received_at.is_none());
        self.missing(mapping, "kind", self.kind.is_none());
        self.missing(mapping, "channel", self.channel.is_none());
        self.missing(mapping, "category", self.category.is_none());
        self.missing(mapping, "township", self.township.is_none());
        self.missing(mapping, TEXT, !self.ticket.contains_key(TEXT));
        let past = self
            .received_at
            .map(|received_at| self.past.finish(mapping, received_at, Timestamp::now()));
        let history = past
            .transpose()
            .map_err(|fault| self.faults.push(fault))
            .ok()
            .flatten()
            .flatten();
        let (Some(received_at), Some(kind), Some(channel), true) =
            (self.received_at, self.kind, self.channel, self.faults.is_empty())
        else {
            return Err(self.faults);
        };
        let intake = Intake {
            same_as: None,
            call: Call { channel, received_at },
            caller: self.caller,
            ticket: NewTicket {
                kind,
                category: self.category.unwrap_or_default(),
                township: self.township.unwrap_or_default(),
                urgency: Urgency::usual(),
                secrecy_requested: self.secrecy_requested,
                values: self.ticket,
            },
            // One bad number is no reason to lose a call.
            leave_out_invalid: true,
        };
        let id = self.id.as_ref().map(|id| id.as_str());
        let request = stated(&intake, (&self.past, &self.unreadable), id);
        let content =
            || Zeroizing::new(HEXLOWER.encode(ring::digest::digest(&ring::digest::SHA256, &request).as_ref()));
        let id = self.id.filter(|_| !mapping.id_from_content).unwrap_or_else(content);
        let shared = shared(&mapping.declared.fields, &intake, &id, hasher);
        Ok(Record {
            id,
            intake,
            history,
            left_out: self.left_out,
            request,
            paths: self.paths,
            shared,
        })
    }
}

/// What a record states, under the names of its targets in their order: canonical JSON (RFC 8785).
fn stated(intake: &Intake, (past, unreadable): (&Past, &Values), id: Option<&str>) -> Zeroizing<Vec<u8>> {
    let received_at = intake.call.received_at.to_string();
    let mut became = BTreeMap::new();
    past.stated(&mut became);
    let mut all: BTreeMap<&str, &str> = BTreeMap::from([
        FORM,
        ("received_at", received_at.as_str()),
        ("kind", intake.ticket.kind.as_str()),
        ("channel", intake.call.channel.as_str()),
        ("category", intake.ticket.category.as_str()),
        ("township", intake.ticket.township.as_str()),
        (
            "secrecy_requested",
            if intake.ticket.secrecy_requested {
                "true"
            } else {
                "false"
            },
        ),
    ]);
    all.extend(id.map(|id| ("id", id)));
    all.extend(became.iter().map(|(target, said)| (*target, said.as_str())));
    let values = intake.caller.iter().chain(&intake.ticket.values).chain(unreadable);
    all.extend(values.map(|(name, value)| (name.as_str(), value.expose())));
    let length: usize = all.values().map(|value| 2 * value.len() + 64).sum();
    let mut json = Zeroizing::new(Vec::with_capacity(length));
    // Text by text into memory: nothing of it can fail.
    let _ = serde_json::to_writer(&mut *json, &all);
    json
}

/// Its id, and what may say that its caller is another record's: the same number, or one that it may mean.
fn shared(fields: &FieldSet, intake: &Intake, id: &str, hasher: &impl BuildHasher) -> Vec<u64> {
    let mut shared = vec![hasher.hash_one(("", id))];
    if intake.is_confidential() {
        return shared;
    }
    for (name, value) in &intake.caller {
        let leads = |strength| matches!(strength, MatchStrength::Certain | MatchStrength::Tentative);
        let field = fields.get(name).filter(|field| field.matching().is_some_and(leads));
        let Some(field) = field.filter(|field| !field.is_absent(value)) else {
            continue;
        };
        // Whoever is born later is no matter here: a value beyond the rule is one more digest.
        let Ok(normal) = field.normalise(value, Date::MAX) else {
            continue;
        };
        for entry in field.entries(&normal).into_iter().chain(field.alike(&normal)) {
            let index = entry.index.trim_end_matches(".alike");
            shared.push(hasher.hash_one((index, entry.value.expose())));
        }
    }
    shared
}
