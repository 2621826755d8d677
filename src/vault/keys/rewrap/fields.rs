//! Fields in the suite of the newest key-encryption key, after a change of suite. They are opened for it by whoever started it, under a
//! permit and an entry of the log for each record: the entry has the new digests. Nothing is shown.
//!
//! The record's key stays the same, so that a field opens before the step and after it.

use super::records::count;
use super::{Stepped, position};
use crate::cells;
use crate::keyring::KeyError;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::RecordId;
use crate::model::key_roles::KeyRole;
use crate::model::purposes::Purpose;
use crate::store::rows::field::AFTER;
use crate::store::rows::{Cell, Coded, Column, FieldRow, Genuine, Protected, RewrapRow, caller, ticket};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::KEY;
use crate::vault::{Error, Vault};

/// The table that they stand in.
pub(super) const FIELDS: &str = "sealed_field";
/// Fields that are looked at in one step, of which those of one record are sealed anew.
const STEP: u32 = 128;
/// Fields that are sealed anew in one step: their digests stand in one entry of the log, which holds 2 KB.
const MOST: usize = 12;

impl Vault {
    /// Whether fields may be in another suite: a version of the key-encryption key is.
    pub(super) fn changes_suite(&self) -> Result<bool, KeyError> {
        for version in self.keyring.older(KeyRole::Kek)? {
            if self.keyring.other_suite(version)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next fields by record and name, up to the last of the first record that has some in another suite.
    pub(super) async fn step_of_fields(&self, row: &mut RewrapRow) -> Result<Stepped, Error> {
        let begin = || cells![String::new(), Vec::<u8>::new(), String::new()].to_vec();
        let mut with = position(row)?.unwrap_or_else(begin);
        with.push(STEP.cell());
        let fields = self.store.all(&AFTER, &with).await?;
        let mut of_one: Vec<FieldRow> = Vec::new();
        let mut last = None;
        for field in fields {
            let is_over = of_one.first().is_some_and(|one| one.record() != field.record());
            if is_over || of_one.len() == MOST {
                break;
            }
            last = Some(cells![field.record_kind, field.record, field.field.clone()].to_vec());
            row.seen += 1;
            if self.keyring.is_of_another_suite(&field)? {
                of_one.push(field);
            }
        }
        let Some(last) = last else {
            return Ok(Stepped::Over);
        };
        row.position = Cell::list_to_bytes(&last);
        match of_one.first().map(FieldRow::record) {
            None => Ok(Stepped::Quietly(Change::default())),
            Some(record) => self.reseal(record, &of_one, row).await,
        }
    }

    /// Puts fields of one record in place of those in another suite. What does not open is counted and stays.
    async fn reseal(&self, record: RecordId, fields: &[FieldRow], row: &mut RewrapRow) -> Result<Stepped, Error> {
        let change = self.about_record(record).await?;
        let wrapped = self.keys.record_key(record).await?;
        let (Some(mut change), Some(wrapped)) = (change, wrapped) else {
            row.broken += count(fields.len());
            return Ok(Stepped::Quietly(Change::default()));
        };
        let permit = self.permit_to(row, Action::Reseal, Purpose::Reseal).await?;
        for field in fields {
            match self.keyring.resealed(field, &wrapped, &permit) {
                Ok(new) => change.writes.push(Write::put(new)),
                Err(KeyError::Broken | KeyError::NoSuchKey) => row.broken += 1,
                Err(error) => return Err(error.into()),
            }
        }
        if change.writes.is_empty() {
            return Ok(Stepped::Quietly(Change::default()));
        }
        row.moved += count(change.writes.len());
        let link = [
            (KEY, row.role.to_string()),
            ("version", row.target.to_string()),
            ("count", count(change.writes.len()).to_string()),
        ];
        change.link = link.map(|(name, value)| (name.to_owned(), value)).into();
        Ok(Stepped::Opening(Box::new(permit), change))
    }

    /// An empty change that is about a record as it stands; nothing if it is not there or was edited. Whatever writes a field of a record
    /// changes the record's row.
    async fn about_record(&self, record: RecordId) -> Result<Option<Change>, Error> {
        let mut change = Change::default();
        match record {
            RecordId::Caller(id) => {
                let row = self.store.one(&caller::BY_ID, &cells![id]).await?;
                let Some(row) = self.as_written(row)? else {
                    return Ok(None);
                };
                change.subject = Some(row.subject);
                change.guards.push(Guard::unchanged(&row));
            }
            RecordId::Ticket(id) => {
                let row = self.store.one(&ticket::BY_ID, &cells![id]).await?;
                let Some(row) = self.as_written(row)? else {
                    return Ok(None);
                };
                change.ticket = Some(row.no);
                change.guards.push(Guard::unchanged(&row));
            }
        }
        Ok(Some(change))
    }

    fn as_written<R: Protected>(&self, row: Option<Coded<R>>) -> Result<Option<Genuine<R>>, KeyError> {
        match row.map(|row| self.keyring.genuine(row)).transpose() {
            Err(KeyError::Broken) => Ok(None),
            row => row,
        }
    }
}
