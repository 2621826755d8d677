//! Erasures that a crash has interrupted, and those of which a restored data store knows nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::Unasked;
use crate::log::leaf::ERASE_AGAIN;
use crate::model::ids::RecordId;
use crate::model::reference::{DepartmentCode, Reference};
use crate::store::rows::erased::BY_SUBJECT;
use crate::store::rows::{CallerRow, Coded, Columns, ErasedKey, ErasedRow, FromColumns, Genuine, Row};
use crate::store::{KeyStore, StoreError};
use crate::vault::life::open::{OpenError, Unlocked};
use crate::vault::{Error, Session, Vault};

/// When the keys of records were destroyed, by the marks of these.
pub(in crate::vault) type Marks = BTreeMap<[u8; 32], Timestamp>;

/// Every mark that the key store has.
pub(in crate::vault) async fn marks(keys: &dyn KeyStore) -> Result<Marks, StoreError> {
    let mut marks = Marks::new();
    let mut mark = |key: ErasedKey| {
        marks.insert(key.mark, key.erased_at);
    };
    keys.erased_keys(&mut mark).await?;
    Ok(marks)
}

impl Unlocked {
    /// Destroys the keys of callers of whom the log says that they are erased.
    ///
    /// # Errors
    /// Whatever the stores report; [`KeyError::Broken`] for a row that was edited.
    pub(in crate::vault) async fn finish_erasures(&self) -> Result<(), OpenError> {
        for (subject, row) in self.doomed().await? {
            let Some(row) = row else { continue };
            match self.destroy(&subject, row.erased_at) {
                Ok(()) => tracing::info!("an erasure that was interrupted is finished"),
                // The keys are destroyed, and stand in a write-ahead log as long as somebody reads what was there before.
                Err(StoreError::Busy) => tracing::warn!("an erasure is not finished while somebody reads a store"),
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    /// Destroys a caller's keys, in every file, and forgets that they were to go.
    fn destroy(&self, subject: &Reference, at: Timestamp) -> Result<(), StoreError> {
        self.keys.destroy_keys(subject, at)?;
        self.store.writer()?.scrub()?;
        self.keys.spare_keys(subject)
    }

    /// Forgets erasures that never were. Only once the log is proved: an older copy of the data store does not know those that were.
    ///
    /// # Errors
    /// As [`Self::finish_erasures`].
    pub(in crate::vault) async fn forget_erasures(&self) -> Result<(), OpenError> {
        for (subject, row) in self.doomed().await? {
            if row.is_none() {
                self.keys.spare_keys(&subject)?;
            }
        }
        Ok(())
    }

    /// Callers whose keys were put down to be destroyed, with what the data store has of their erasure.
    async fn doomed(&self) -> Result<Vec<(Reference, Option<Genuine<ErasedRow>>)>, OpenError> {
        let doomed = self.keys.doomed_keys().await?;
        let subjects: BTreeSet<Reference> = doomed.iter().map(|key| key.subject).collect();
        let mut found = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let row = self.store.one(&BY_SUBJECT, &cells![subject]).await?;
            found.push((subject, row.map(|row| self.keyring.genuine(row)).transpose()?));
        }
        Ok(found)
    }
}

impl Vault {
    /// Removes again what an older copy of the data store has of callers who were erased since: their keys are gone, and a blind index
    /// would still lead to them. Whoever was joined otherwise then is left as they are; nothing of them opens.
    pub(in crate::vault) async fn erase_again(&self, session: &Session) -> Result<(), OpenError> {
        let marks = marks(&*self.keys).await?;
        if marks.is_empty() {
            return Ok(());
        }
        let (mut again, mut left) = (0, 0);
        for row in self.marked(&marks).await? {
            let whole = self.whole(&row).await?;
            let records = whole.family.iter().map(|record| RecordId::Caller(record.id));
            let tickets = whole.tickets.iter().map(|ticket| RecordId::Ticket(ticket.id));
            let erased = |record| marks.contains_key(&ErasedKey::mark_of(record));
            if row.merged_into.is_some() || !records.chain(tickets).all(erased) {
                left += usize::from(row.merged_into.is_none());
                continue;
            }
            let erased_at = marks.get(&ErasedKey::mark_of(RecordId::Caller(row.id)));
            let now = self.clock.now().map_err(Error::from)?;
            let (change, _) = self
                .compose_erasure(session, &row, &whole, *erased_at.unwrap_or(&now))
                .await?;
            let act = Unasked::new(ERASE_AGAIN, DepartmentCode::AUDITORS, now, self.rules().policy.hash());
            self.log.unasked_patiently(&act, change).await.map_err(Error::from)?;
            again += 1;
        }
        tracing::info!(
            again,
            left,
            "callers who were erased since this copy of the data store was made are erased in it too"
        );
        Ok(())
    }

    /// The callers of the data store whose keys were destroyed.
    async fn marked(&self, marks: &Marks) -> Result<Vec<Genuine<CallerRow>>, Error> {
        let mut found = Vec::new();
        let mut visit = |_, columns: &mut dyn Columns| {
            let row = Coded::<CallerRow>::from_columns(columns).map_err(|_| KeyError::Broken);
            let row = row.and_then(|row| self.keyring.genuine(row));
            // What was edited is for `fsck` to name.
            if let Ok(row) = row
                && marks.contains_key(&ErasedKey::mark_of(RecordId::Caller(row.id)))
            {
                found.push(row);
            }
        };
        self.store.scan(CallerRow::table(), &mut visit).await?;
        Ok(found)
    }
}
