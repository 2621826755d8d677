//! Erasures that a crash has interrupted.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cells;
use crate::log::Doomed;
use crate::model::ids::RecordId;
use crate::model::reference::Reference;
use crate::store::rows::erased::BY_SUBJECT;
use crate::store::rows::{ErasedKey, ErasedRow, Genuine};
use crate::store::{KeyStore, StoreError};
use crate::vault::life::open::{OpenError, Unlocked};

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

/// A caller whose record keys were put down to be destroyed.
struct PutDown {
    /// What the log calls the caller.
    subject: Reference,
    /// Whose keys.
    records: Vec<RecordId>,
    /// What the data store has of the erasure.
    row: Option<Genuine<ErasedRow>>,
}

impl Unlocked {
    /// Destroys the keys of callers of whom the log says that they are erased. What it could not finish, because somebody reads a store,
    /// is owed.
    ///
    /// # Errors
    /// Whatever the stores report; [`KeyError::Broken`](crate::keyring::KeyError::Broken) for a row that was edited.
    pub(in crate::vault) async fn finish_erasures(&self) -> Result<Vec<Doomed>, OpenError> {
        let mut owed = Vec::new();
        for PutDown { subject, records, row } in self.put_down().await? {
            let Some(row) = row else { continue };
            match self.destroy(&subject, row.erased_at) {
                Ok(()) => tracing::info!("an erasure that was interrupted is finished"),
                // The keys are destroyed, and stand in a write-ahead log as long as somebody reads what was there before.
                Err(StoreError::Busy) => {
                    tracing::warn!("an erasure is not finished while somebody reads a store");
                    owed.push(Doomed {
                        subject,
                        records,
                        at: row.erased_at,
                    });
                }
                Err(fault) => return Err(fault.into()),
            }
        }
        Ok(owed)
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
        for caller in self.put_down().await? {
            if caller.row.is_none() {
                self.keys.spare_keys(&caller.subject)?;
            }
        }
        Ok(())
    }

    async fn put_down(&self) -> Result<Vec<PutDown>, OpenError> {
        let mut records: BTreeMap<Reference, Vec<RecordId>> = BTreeMap::new();
        for key in self.keys.doomed_keys().await? {
            let record = RecordId::new(key.record_kind, key.record);
            records.entry(key.subject).or_default().push(record);
        }
        let mut callers = Vec::with_capacity(records.len());
        for (subject, records) in records {
            let row = self.store.one(&BY_SUBJECT, &cells![subject]).await?;
            let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
            callers.push(PutDown { subject, records, row });
        }
        Ok(callers)
    }
}
