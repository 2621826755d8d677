//! What an erasure changes.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::{Change, Doomed};
use crate::model::ids::{PrincipalId, RecordId};
use crate::model::key_roles::KeyRole;
use crate::model::problems;
use crate::model::reference_versions::ReferenceVersions;
use crate::refs;
use crate::store::rows::caller::MERGED_INTO;
use crate::store::rows::erased::tickets_digest;
use crate::store::rows::{
    CallerRow, DepartmentRow, ErasedRow, Genuine, NewRow, TicketCountRow, TicketRow, department, hold, key_version,
};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::MOST_TICKETS;
use crate::vault::{Error, LARGEST_PAGE, Vault};

/// All that is about one caller.
pub(in crate::vault) struct Whole {
    /// The record in force, then those that were merged into it, each after the one that it leads to.
    pub(in crate::vault) family: Vec<Genuine<CallerRow>>,
    /// Of each of them what counts its tickets.
    counts: Vec<Genuine<TicketCountRow>>,
    /// The tickets, by number.
    pub(in crate::vault) tickets: Vec<Genuine<TicketRow>>,
}

/// Whose references to callers there can be.
pub(in crate::vault) struct Departments(Vec<ReferenceVersions>);

impl Whole {
    /// No legal hold is in force on any of the records, whatever their own rows say: an older one of them may have been put back.
    pub(in crate::vault) fn unheld(&self) -> impl Iterator<Item = Guard> {
        let unheld = |record: &Genuine<CallerRow>| Guard::none(&hold::IN_FORCE, &cells![record.subject, 1_u32]);
        self.family.iter().map(unheld)
    }
}

impl Vault {
    pub(in crate::vault) async fn whole(&self, row: &Genuine<CallerRow>) -> Result<Whole, Error> {
        let family = self.family(row).await?;
        for record in family.iter().filter(|record| record.merged == 0) {
            // A row that somebody has put there would keep the record from being removed.
            if self.store.one(&MERGED_INTO, &cells![record.id, 1_u32]).await?.is_some() {
                return Err(KeyError::Broken.into());
            }
        }
        let mut counts = Vec::with_capacity(family.len());
        let mut tickets = Vec::new();
        for record in &family {
            let of_record = self.every_ticket(record, MOST_TICKETS).await?;
            let of_record = of_record.ok_or(Error::Bad(problems::TOO_MUCH_AT_ONCE))?;
            counts.push(of_record.count);
            tickets.extend(of_record.tickets);
        }
        if tickets.len() > MOST_TICKETS as usize {
            return Err(Error::Bad(problems::TOO_MUCH_AT_ONCE));
        }
        tickets.sort_by_key(|ticket: &Genuine<TicketRow>| ticket.no.to_string());
        Ok(Whole {
            family,
            counts,
            tickets,
        })
    }

    /// What changes when `actor` erases a caller. References to the caller that somebody is given meanwhile go in the same transaction:
    /// whoever gives one later looks for the record.
    pub(in crate::vault) async fn compose_erasure(
        &self,
        actor: PrincipalId,
        row: &Genuine<CallerRow>,
        (whole, departments): (&Whole, &Departments),
        at: Timestamp,
    ) -> Result<(Change, ErasedRow), Error> {
        let mut change = Change {
            subject: Some(row.subject),
            ..Change::default()
        };
        let mut records = Vec::new();
        let mut left = Vec::with_capacity(whole.tickets.len());
        for ticket in &whole.tickets {
            let next = without_caller(ticket);
            change.writes.push(Write::put(self.custody_by(actor, &next, at)?));
            change.writes.push(Write::Forget(RecordId::Ticket(ticket.id)));
            records.push(RecordId::Ticket(ticket.id));
            left.push(next);
        }
        // A record goes before the one that it leads to.
        for (record, count) in whole.family.iter().zip(&whole.counts).rev() {
            change.guards.push(Guard::unchanged(record));
            // No call was taken, and no ticket was split off.
            change.guards.push(Guard::unchanged(count));
            change.writes.push(Write::Forget(RecordId::Caller(record.id)));
            records.push(RecordId::Caller(record.id));
        }
        self.unrefer(&mut change, &whole.family, departments).await?;
        let others = whole.family.iter().skip(1).map(|record| record.subject.to_string());
        let erased = ErasedRow {
            subject: row.subject,
            others: others.collect(),
            tickets: u32::try_from(left.len()).unwrap_or(u32::MAX),
            tickets_digest: tickets_digest(&left),
            keks: self.keks_of(&records).await?,
            log: self.log.origin().to_owned(),
            erased_at: at,
        };
        for next in left {
            let mut next = NewRow::from(self.keyring.protect(next)?);
            // The row of the erasure has one digest for all of them.
            next.digest = None;
            change.writes.push(Write::Put(next));
        }
        change.writes.push(Write::put(self.keyring.protect(erased.clone())?));
        change.doomed = Some(Doomed {
            subject: row.subject,
            records,
            at,
        });
        Ok((change, erased))
    }

    /// Every department, and the log: whose references to a caller an erasure removes.
    ///
    /// # Errors
    /// [`KeyError::Broken`] for the row of a department that is not as the vault wrote it. Its references would stay, and nobody knows whose
    /// they are: nobody can be erased.
    pub(in crate::vault) async fn departments_with_references(&self) -> Result<Departments, Error> {
        let mut departments = vec![self.keyring.references_of_log()?];
        let mut after = String::new();
        loop {
            let page = self.store.all(&department::AFTER, &cells![after, LARGEST_PAGE]).await?;
            let page: Vec<Genuine<DepartmentRow>> = self.genuine(page)?;
            let Some(last) = page.last() else { break };
            after = last.code.to_string();
            departments.extend(page.iter().map(|row| row.references()));
        }
        Ok(Departments(departments))
    }

    /// Removes what every department's references to these records stand for, and the log's.
    async fn unrefer(
        &self,
        change: &mut Change,
        family: &[Genuine<CallerRow>],
        Departments(departments): &Departments,
    ) -> Result<(), Error> {
        // A department that is made meanwhile, or another version of the key, would have references elsewhere.
        let there = u32::try_from(departments.len() - 1).unwrap_or(u32::MAX);
        let newest = self.keyring.active(KeyRole::Reference)?;
        change.guards.push(Guard::none(&department::BESIDES, &cells![there]));
        change
            .guards
            .push(Guard::none(&key_version::NEWER, &cells![KeyRole::Reference, newest]));
        for record in family {
            for department in departments {
                let record = RecordId::Caller(record.id);
                let places = refs::places(&self.keyring, &*self.store, department, record).await?;
                change.writes.extend(places.into_iter().map(Write::Unrefer));
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Versions of the key-encryption key under which these records' keys are, in order.
    async fn keks_of(&self, records: &[RecordId]) -> Result<Vec<String>, Error> {
        let mut keks = BTreeSet::new();
        for record in records {
            keks.extend(self.keys.record_key(*record).await?.map(|key| key.kek));
        }
        Ok(keks.iter().map(ToString::to_string).collect())
    }
}

/// The ticket's row once nothing leads from it to a person.
fn without_caller(ticket: &Genuine<TicketRow>) -> TicketRow {
    TicketRow {
        caller: Vec::new(),
        on_file: Vec::new(),
        // It was over, but for one that an older copy of the data store has as it was before.
        state: ticket.state.ended(),
        version: ticket.version + 1,
        ..ticket.clone().into_row()
    }
}
