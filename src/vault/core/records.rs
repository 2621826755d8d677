//! Records of callers that were merged: which one is in force, and which others are about the same caller.

use jiff::Timestamp;
use serde::Serialize;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::model::ids::{CallerId, RecordId};
use crate::model::problems::Thing;
use crate::model::reference::Reference;
use crate::model::reference_versions::{ReferenceVersions, Standing};
use crate::policy::Permit;
use crate::refs;
use crate::store::rows::caller::{self, MERGED_INTO};
use crate::store::rows::{CallerRow, Genuine};
use crate::store::{Guard, Write};
use crate::vault::{Error, Vault};

/// Most records that are merged into one, and into those.
pub(in crate::vault) const MOST_MERGED: u32 = 50;

/// Where a record leads.
#[derive(Clone)]
pub(in crate::vault) struct Traced {
    /// The one in force.
    pub(in crate::vault) row: Genuine<CallerRow>,
    /// Those that were merged, from the record itself on; none where it is in force.
    pub(in crate::vault) via: Vec<Genuine<CallerRow>>,
}

impl Traced {
    /// Whether a call that was taken then is still about what it was about: nothing was joined with its record since.
    pub(in crate::vault) fn is_as_at(&self, taken: Timestamp) -> bool {
        self.via.is_empty() && self.row.joined_at.is_none_or(|at| at < taken)
    }

    /// Every record on the way, the one in force last.
    pub(in crate::vault) fn line(&self) -> impl Iterator<Item = &Genuine<CallerRow>> {
        self.via.iter().chain(std::iter::once(&self.row))
    }
}

/// A reference that a department used was superseded by another.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Superseded {
    /// The one that is given out now.
    #[schema(value_type = String)]
    pub by: Reference,
    /// Until when the one that was used is good. Nothing where its record was merged into another: then it stays good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// How a department names a caller.
pub(in crate::vault) struct References {
    /// The reference to the record in force.
    pub(in crate::vault) current: Reference,
    /// Those of the version before the one that is given out now, and those to records that were merged into it. They still work.
    pub(in crate::vault) superseded: Vec<Reference>,
}

impl Vault {
    /// The record in force for this one, and the way to it.
    pub(in crate::vault) async fn traced(&self, id: CallerId) -> Result<Traced, Error> {
        let mut via = Vec::new();
        let mut row = self.caller_row(id).await?;
        while let Some(into) = row.merged_into {
            if via.len() >= MOST_MERGED as usize {
                return Err(KeyError::Broken.into());
            }
            via.push(row);
            row = self.caller_row(into).await?;
        }
        Ok(Traced { row, via })
    }

    /// The record in force for this one.
    pub(in crate::vault) async fn in_force(&self, id: CallerId) -> Result<CallerId, Error> {
        Ok(self.traced(id).await?.row.id)
    }

    /// The record and those that were merged into it, and into those. The record itself comes first.
    ///
    /// # Errors
    /// [`KeyError::Broken`] where a row no longer says that it was merged, or one says so that was not; [`Error::Stale`] where somebody has
    /// merged or parted records meanwhile.
    pub(in crate::vault) async fn family(&self, row: &Genuine<CallerRow>) -> Result<Vec<Genuine<CallerRow>>, Error> {
        let mut family = vec![row.clone()];
        let mut at = 0;
        while let Some(above) = family.get(at) {
            if above.merged > 0 {
                let merged = self.store.all(&MERGED_INTO, &cells![above.id, MOST_MERGED]).await?;
                family.extend(self.genuine(merged)?);
            }
            at += 1;
            if family.len() > MOST_MERGED as usize + 1 {
                return Err(KeyError::Broken.into());
            }
        }
        // They are found by a column that nobody has checked.
        if family.len() == row.merged as usize + 1 {
            return Ok(family);
        }
        let now = self.caller_row(row.id).await?;
        Err(if now.version == row.version {
            KeyError::Broken.into()
        } else {
            Error::Stale
        })
    }

    /// A department's reference to a caller, with its row among the writes where it is new, and those that it has to records that
    /// were merged into this one.
    pub(in crate::vault) async fn references(
        &self,
        change: &mut Change,
        row: &Genuine<CallerRow>,
        department: &ReferenceVersions,
    ) -> Result<References, Error> {
        let current = self.refer(change, RecordId::Caller(row.id), department).await?;
        let now = self.clock.now()?;
        let mut superseded = Vec::new();
        for (nth, record) in self.family(row).await?.iter().enumerate() {
            let id = RecordId::Caller(record.id);
            if nth > 0 {
                let given = refs::mint(&self.keyring, &*self.store, department, id).await?;
                superseded.extend(given.new.is_none().then_some(given.reference));
            }
            superseded.extend(refs::former(&self.keyring, &*self.store, department, id, now).await?);
        }
        Ok(References { current, superseded })
    }

    /// The reference that is given out now to the caller whom a permit is about, with its row among the writes where it is new; nothing where
    /// the asker has named them by it.
    pub(in crate::vault) async fn superseded(
        &self,
        permit: &Permit,
        change: &mut Change,
    ) -> Result<Option<Superseded>, Error> {
        let (ask, facts) = (permit.ask(), permit.facts());
        let (Some(named), Some(caller)) = (ask.caller_reference(), &facts.caller) else {
            return Ok(None);
        };
        let department = ask.who().references();
        let until = match department.standing(named, ask.at()) {
            Standing::Superseded(until) => Some(milliseconds(until)),
            Standing::Current if caller.via.is_empty() => return Ok(None),
            Standing::Current | Standing::Ended => None,
        };
        let by = self.refer(change, RecordId::Caller(caller.row.id), department).await?;
        Ok(Some(Superseded { by, until }))
    }

    /// A department's reference, with its row among the writes where it is new. A caller who is erased meanwhile gets none.
    pub(in crate::vault) async fn refer(
        &self,
        change: &mut Change,
        record: RecordId,
        department: &ReferenceVersions,
    ) -> Result<Reference, Error> {
        let minted = refs::mint(&self.keyring, &*self.store, department, record).await?;
        let made_here = change.keys.iter().any(|key| key.record() == record);
        if let (Some(_), RecordId::Caller(id), false) = (&minted.new, record, made_here) {
            change.guards.push(Guard::some(&caller::BY_ID, &cells![id]));
        }
        change.writes.extend(minted.new.map(Write::put));
        Ok(minted.reference)
    }

    /// The record that the log's name for a caller stands for.
    pub(in crate::vault) async fn subject(&self, subject: &Reference) -> Result<Option<CallerId>, Error> {
        let references = self.keyring.references_of_log()?;
        let record = refs::resolve(&self.keyring, &*self.store, &references, subject).await?;
        Ok(record.and_then(|record| match record {
            RecordId::Caller(id) => Some(id),
            RecordId::Ticket(_) => None,
        }))
    }

    /// The caller's row, if it is as the vault wrote it.
    pub(in crate::vault) async fn caller_row(&self, id: CallerId) -> Result<Genuine<CallerRow>, Error> {
        let row = self.store.one(&caller::BY_ID, &cells![id]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Caller))?)?)
    }
}
