//! Entries of blind indexes under the newest index key. They are keyed codes of values, so that values are opened for them, by whoever
//! started it, under a permit and an entry of the log for each step. Nothing is shown.
//!
//! All entries of a caller, and of the records that were merged into theirs, move in one transaction. A question asks for the codes
//! under every version, the oldest first: before the transaction it finds the older entries, after it the newer ones, and one that
//! comes in between finds either.

use std::collections::BTreeMap;

use super::records::count;
use super::{Stepped, position};
use crate::cells;
use crate::keyring::KeyError;
use crate::log::Change;
use crate::model::ask::{Action, Ask};
use crate::model::fields::FieldSet;
use crate::model::ids::{CallerId, RecordId, RecordKind};
use crate::model::purposes::Purpose;
use crate::policy::Permit;
use crate::store::rows::blind_index::OF_CALLER;
use crate::store::rows::caller::AFTER;
use crate::store::rows::field::ONE;
use crate::store::rows::{BlindIndexRow, CallerRow, Cell, Column, Genuine, RewrapRow};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::KEY;
use crate::vault::{Error, Vault};

/// Callers in one step. Their values are opened under one entry of the log.
const STEP: u32 = 50;

/// A caller's entries under older versions, by field.
type Older = BTreeMap<String, Vec<Genuine<BlindIndexRow>>>;

impl Vault {
    /// The next callers in the order of their ids.
    pub(super) async fn step_of_index(&self, row: &mut RewrapRow) -> Result<Stepped, Error> {
        let behind = position(row)?.unwrap_or_else(|| vec![Cell::Bytes(Vec::new())]);
        let [behind]: [Cell; 1] = behind.try_into().map_err(|_| KeyError::Broken)?;
        let callers = self.store.all(&AFTER, &[behind, STEP.cell()]).await?;
        let callers = self.genuine(callers)?;
        let Some(last) = callers.last() else {
            return Ok(Stepped::Over);
        };
        row.position = Cell::list_to_bytes(&cells![last.id]);
        let first = row.seen + 1;
        row.seen += count(callers.len());
        let mut found = Vec::new();
        // The entries of a record that was merged move with those of the one in force.
        for caller in callers.iter().filter(|caller| caller.merged_into.is_none()) {
            for record in self.family(caller).await? {
                let older = self.older_entries(record.id, row.target).await?;
                if !older.is_empty() {
                    found.push((record, older));
                }
            }
        }
        if found.is_empty() {
            return Ok(Stepped::Quietly(Change::default()));
        }
        let permit = self.permit_to(row, Action::Reindex, Purpose::Reindex).await?;
        let mut change = Change::default();
        for (record, older) in found {
            self.reindex(&mut change, &record, older, row, &permit).await?;
        }
        let link = [
            (KEY, row.role.to_string()),
            ("version", row.target.to_string()),
            ("first", first.to_string()),
            ("last", row.seen.to_string()),
            ("count", count(change.writes.len()).to_string()),
        ];
        change.link = link.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Stepped::Opening(Box::new(permit), change))
    }

    async fn older_entries(&self, caller: CallerId, target: u8) -> Result<Older, Error> {
        let mut older = Older::new();
        for entry in self.genuine(self.store.all(&OF_CALLER, &cells![caller]).await?)? {
            if entry.value.version() != target {
                older.entry(entry.field.clone()).or_default().push(entry);
            }
        }
        Ok(older)
    }

    /// The permit to open values, as whoever started it may have it now.
    pub(super) async fn permit_to(&self, row: &RewrapRow, action: Action, purpose: Purpose) -> Result<Permit, Error> {
        let session = self.whoever_began(row.token, self.new_request()?).await?;
        let ask: Ask = self.ask(&session, action, purpose)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    /// Puts a record's entries in place of the older ones. What does not open is counted and stays.
    async fn reindex(
        &self,
        change: &mut Change,
        record: &Genuine<CallerRow>,
        older: Older,
        row: &mut RewrapRow,
        permit: &Permit,
    ) -> Result<(), Error> {
        let rules = self.rules();
        let fields: &FieldSet = &rules.fields;
        let wrapped = self.keys.record_key(RecordId::Caller(record.id)).await?;
        // A correction, a merge or a split changes the record's row.
        change.guards.push(Guard::unchanged(record));
        for (name, entries) in older {
            let with = cells![RecordKind::Caller, *record.id.as_bytes(), name.clone()];
            let sealed = self.store.one(&ONE, &with).await?;
            let (Some(field), Some(sealed), Some(wrapped)) = (fields.get(&name), sealed, &wrapped) else {
                row.broken += count(entries.len());
                continue;
            };
            let new = match self.keyring.reindexed((field, &sealed), wrapped, &entries, permit) {
                Err(KeyError::Broken | KeyError::NoSuchKey) => vec![None; entries.len()],
                new => new?,
            };
            for (old, new) in entries.into_iter().zip(new) {
                match new {
                    Some(new) => {
                        change.writes.push(Write::Reindex(old, new));
                        row.moved += 1;
                    }
                    None => row.broken += 1,
                }
            }
        }
        Ok(())
    }
}
