//! What a statement that begins late may tell of. Before, the values by which the person was identified may have belonged to somebody else: no
//! ticket, no field and no restriction from then is named.

use std::collections::{BTreeMap, BTreeSet};

use crate::log::leaf::Leaf;
use crate::model::actions::Action;
use crate::model::ids::RecordKind;
use crate::vault::auditing::statement::since::{WRITERS, put_on_file};
use crate::vault::auditing::statement::{Begin, Scope};
use crate::vault::{Error, Vault};

/// What the entries from a statement's beginning on have brought.
#[derive(Default)]
pub(super) struct SinceThen {
    /// Fields that were put on the caller's file, and the first entry that did.
    fields: BTreeMap<String, u64>,
    /// Tickets that were taken, and the entry.
    tickets: BTreeMap<String, u64>,
    /// Entries that restricted the data to storage.
    restrictions: BTreeSet<u64>,
}

impl SinceThen {
    /// Tickets that were taken, newest first.
    pub(super) fn tickets(&self) -> Vec<&str> {
        let mut newest: Vec<(&str, u64)> = self.tickets.iter().map(|(no, at)| (no.as_str(), *at)).collect();
        newest.sort_unstable_by_key(|(_, at)| std::cmp::Reverse(*at));
        newest.into_iter().map(|(no, _)| no).collect()
    }

    fn take(&mut self, act: Action, (index, leaf): (u64, &Leaf), subject: &str) {
        if leaf.out != "granted" {
            return;
        }
        if act == Action::Restrict {
            self.restrictions.insert(index);
        }
        for field in put_on_file(leaf, subject) {
            let first = self.fields.entry(field.to_owned()).or_insert(index);
            *first = index.min(*first);
        }
        if let (Action::Intake | Action::Import, Some(no)) = (act, &leaf.ticket) {
            self.tickets.insert(no.clone(), index);
        }
    }
}

impl Scope<'_> {
    /// Whether a field may be named that stood on the caller's file at this entry.
    pub(super) fn tells_field(&self, name: &str, index: u64) -> bool {
        let since = |then: &SinceThen| then.fields.get(name).is_some_and(|first| *first <= index);
        self.then.as_ref().is_none_or(since)
    }

    /// Whether a ticket of the caller's may be named.
    pub(super) fn tells_ticket(&self, no: &str) -> bool {
        self.then.as_ref().is_none_or(|then| then.tickets.contains_key(no))
    }

    /// Whether a restriction may be told of that was in force at this entry.
    pub(super) fn tells_restriction(&self, index: u64) -> bool {
        let since = |then: &SinceThen| then.restrictions.range(..index).next().is_some();
        self.then.as_ref().is_none_or(since)
    }
}

impl Vault {
    /// What the entries from the beginning on have brought to the caller's records.
    pub(super) async fn since_then(
        &self,
        own: &[String],
        (begin, size): (&Begin, u64),
        archived: u64,
    ) -> Result<SinceThen, Error> {
        let mut then = SinceThen::default();
        for subject in own {
            for act in WRITERS.into_iter().chain([Action::Restrict]) {
                let mut take = |index, leaf: &Leaf| {
                    then.take(act, (index, leaf), subject);
                    false
                };
                let range = (begin.index, size);
                self.first_where((act, subject), range, archived, &mut take).await?;
            }
        }
        let rules = self.rules();
        let of_caller = |name: &str| {
            let field = rules.fields().get(name);
            field.is_some_and(|field| field.record() == RecordKind::Caller)
        };
        then.fields.retain(|name, _| of_caller(name));
        Ok(then)
    }
}
