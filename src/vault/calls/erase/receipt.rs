//! The receipt of an erasure.

use crate::cells;
use crate::log::leaf::milliseconds;
use crate::log::{LogPosition, NotProved, ProvedEntry};
use crate::model::ask::Action;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::note::ErasureReceipt;
use crate::store::rows::log::PAST_FROM;
use crate::store::rows::{EntryRow, ErasedRow, Genuine, PastEntryRow, PastLogRow, erased};
use crate::vault::calls::erase::Erasure;
use crate::vault::{Audit, Error, Vault};

impl Vault {
    /// The row of a caller who was erased.
    pub(in crate::vault) async fn erased(&self, subject: &Reference) -> Result<Option<Genuine<ErasedRow>>, Error> {
        let row = self.store.one(&erased::BY_SUBJECT, &cells![*subject]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// The answer, once the keys are gone.
    pub(super) async fn erasure(&self, row: &ErasedRow, at: LogPosition, audit: Audit) -> Result<Erasure, Error> {
        let doomed = self.keys.doomed_keys().await?;
        if doomed.iter().any(|key| key.subject == row.subject) {
            return Err(Error::Bad(problems::ERASURE_UNFINISHED));
        }
        let erased_at = milliseconds(row.erased_at);
        let records = row.others.len() as u64 + 1;
        let receipt = ErasureReceipt {
            log: row.log.clone(),
            index: at.index,
            leaf_hash: at.leaf_hash,
            erased_at: erased_at.clone(),
            subject: row.subject.to_string(),
            records,
            tickets: row.tickets.into(),
            keks: row.keks.join(","),
        };
        Ok(Erasure {
            subject: row.subject,
            erased_at,
            records,
            tickets: row.tickets,
            receipt: self.keyring.sign_erasure(&receipt)?,
            audit,
        })
    }

    /// Where the entry of an erasure stands, in the log in force or in one before it.
    pub(super) async fn position_of(&self, row: &Genuine<ErasedRow>) -> Result<LogPosition, Error> {
        let index = row.leaf().unwrap_or_default();
        let entry = if row.log == self.log.origin() {
            self.store.entries_at(&[index]).await?.pop()
        } else {
            self.past_entry(&row.log, index).await?
        };
        let entry = entry.ok_or(NotProved(index))?;
        if entry.body.is_empty() {
            // It was archived: its hash is what is left of it here.
            let leaf_hash = entry.leaf_hash;
            return Ok(LogPosition { index, leaf_hash });
        }
        let entry = ProvedEntry::new(entry)?;
        let leaf = entry.leaf().ok_or(NotProved(index))?;
        if !leaf.act.starts_with(Action::Erase.as_str()) || leaf.subject != Some(row.subject.to_string()) {
            return Err(NotProved(index).into());
        }
        Ok(LogPosition {
            index,
            leaf_hash: *entry.hash(),
        })
    }

    async fn past_entry(&self, log: &str, index: u64) -> Result<Option<EntryRow>, Error> {
        let past = self.store.past_logs().await?;
        let is_it = |past: &&PastLogRow| past.checkpoint.lines().next() == Some(log);
        let Some(past) = past.iter().find(is_it) else {
            return Ok(None);
        };
        let rows: Vec<PastEntryRow> = self.store.all(&PAST_FROM, &cells![past.n, index, 1_u32]).await?;
        let row = rows.into_iter().find(|row| row.idx == index);
        Ok(row.map(EntryRow::from))
    }
}
