//! What an older copy of the data store has of callers who were erased since: their keys are gone, and a blind index would still lead to
//! them. It is removed from it again, once the next log was opened on it
//! ([0042](../../../docs/decisions/0042-an-older-copy-beside-todays-key-store.md)).
//!
//! The key store has a mark for each record whose key was destroyed, and a row for as long as this is under way. Each step is one
//! transaction with its entry, and does nothing a second time: so a crash leaves the state before a step or after it, and the next start
//! goes over everything again. What cannot be done, because a row was edited, is counted and told; the others go on.

use crate::causes::with_causes;
use crate::cells;
use crate::keyring::KeyError;
use crate::log::leaf::{self, ERASE_AGAIN};
use crate::log::places::OTHER_SUBJECT;
use crate::log::{Change, Unasked};
use crate::model::ids::{CallerId, PrincipalId, RecordId, RecordKind, TicketId};
use crate::model::reference::DepartmentCode;
use crate::policy::Permit;
use crate::store::rows::blind_index::{OF_CALLER, OF_FIELD};
use crate::store::rows::caller::BY_ID;
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::hold::IN_FORCE;
use crate::store::rows::{
    BlindIndexRow, CallerRow, Cell, Columns, ErasedKey, ErasingAgain, FieldRow, Genuine, HoldRow, JoinedRow, One, Row,
    Table, TicketRow, field, joined, ticket,
};
use crate::store::{Guard, Write};
use crate::vault::calls::erase::Departments;
use crate::vault::core::MOST_MERGED;
use crate::vault::life::edge::Edge;
use crate::vault::life::erasures::{Marks, marks};
use crate::vault::{Error, LARGEST_PAGE, Vault};

/// Rows that are looked at in one question.
const PAGE: u32 = 1_000;

/// What was removed from an older copy of the data store again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ErasedAgain {
    /// Steps that were taken: of a caller, or of a ticket.
    pub again: u64,
    /// Steps that were not, because a row was edited or a store has a fault. The next start tries them again.
    pub faults: u64,
}

impl ErasedAgain {
    /// Whether it was no fault.
    fn count(&mut self, step: Result<bool, Error>) -> bool {
        match step {
            Ok(done) => {
                self.again += u64::from(done);
                true
            }
            Err(error) => {
                tracing::error!(
                    error = with_causes(&error),
                    "somebody who was erased is still in this copy of the data store: run `callervault fsck`; the next start tries again"
                );
                self.faults += 1;
                false
            }
        }
    }
}

/// Which records were erased, and in whose name this is done.
struct Erased {
    marks: Marks,
    by: PrincipalId,
}

impl Erased {
    fn has(&self, record: RecordId) -> bool {
        self.marks.contains_key(&ErasedKey::mark_of(record))
    }

    fn caller(&self, id: CallerId) -> bool {
        self.has(RecordId::Caller(id))
    }
}

impl Vault {
    /// Puts down that it is to be done, before the log says that this is an older copy.
    pub(super) async fn will_erase_again(&self, permit: &Permit) -> Result<(), Error> {
        if marks(&*self.keys).await?.is_empty() {
            return Ok(());
        }
        Ok(self.keys.begin_erasing_again(&ErasingAgain {
            one: One,
            begun_by: permit.ask().who().id(),
            begun_at: permit.ask().at(),
        })?)
    }

    /// Removes again whatever there is of records that were erased, if that is under way.
    pub(in crate::vault) async fn erase_again(&self) -> Result<ErasedAgain, Error> {
        let mut done = ErasedAgain::default();
        let Some(ErasingAgain { begun_by: by, .. }) = self.keys.erasing_again().await? else {
            return Ok(done);
        };
        let marks = marks(&*self.keys).await?;
        let erased = Erased { marks, by };
        let callers = self.marked(RecordKind::Caller, CallerRow::table(), &erased).await?;
        let callers: Vec<CallerId> = callers.into_iter().map(CallerId::from_bytes).collect();
        let mut apart = Vec::with_capacity(callers.len());
        for id in callers {
            if done.count(self.set_apart_again(id, &erased).await) {
                apart.push(id);
            }
        }
        match self.departments_with_references().await {
            Ok(departments) => {
                for id in apart {
                    done.count(self.erase_caller_again(id, &erased, &departments).await);
                }
            }
            // It is one fault, of all of them.
            Err(error) => {
                done.count(Err(error));
            }
        }
        for id in self.marked(RecordKind::Ticket, TicketRow::table(), &erased).await? {
            done.count(self.erase_ticket_again(TicketId::from_bytes(id), &erased).await);
        }
        if done.faults == 0 {
            self.keys.end_erasing_again()?;
        }
        let ErasedAgain { again, faults } = done;
        tracing::info!(
            again,
            faults,
            "what was erased since this copy of the data store was made is erased in it too"
        );
        Ok(done)
    }

    /// The records of a table whose keys were destroyed. Nothing but the keys of the rows is read: an edited one keeps nobody else.
    async fn marked(&self, kind: RecordKind, table: &'static Table, erased: &Erased) -> Result<Vec<[u8; 16]>, Error> {
        let mut found = Vec::new();
        let mut behind: Option<Cell> = None;
        loop {
            let mut last = None;
            let mut visit = |columns: &mut dyn Columns| {
                let key = columns.take()?;
                if let Cell::Bytes(bytes) = &key
                    && let Ok(id) = <[u8; 16]>::try_from(bytes.as_slice())
                    && erased.has(RecordId::new(kind, id))
                {
                    found.push(id);
                }
                last = Some(key);
                Ok(())
            };
            let from = behind.as_ref().map(std::slice::from_ref);
            self.store.walk(table, from, PAGE, &mut visit).await?;
            if last.is_none() {
                return Ok(found);
            }
            behind = last;
        }
    }

    /// Whoever was erased and whoever was not are one in this copy, because they were merged then, or not yet apart: each stands alone.
    async fn set_apart_again(&self, id: CallerId, erased: &Erased) -> Result<bool, Error> {
        let mut done = false;
        // One merge after the other, and each at most once.
        for _ in 0..=MOST_MERGED {
            let family = self.family(&self.traced(id).await?.row).await?;
            let Some(edge) = Edge::of(&family, |id| erased.caller(id)) else {
                return Ok(done);
            };
            let mut change = Change {
                guards: family.iter().map(Guard::unchanged).collect(),
                subject: Some(edge.whole.subject),
                ..Change::default()
            };
            change
                .link
                .insert(OTHER_SUBJECT.to_owned(), edge.part.subject.to_string());
            let mut rows = edge.rows;
            if let Some(joined) = self.store.one(&joined::IN_FORCE, &cells![edge.part.subject]).await? {
                let joined: Genuine<JoinedRow> = self.keyring.genuine(joined)?;
                let names = self
                    .took_back(&mut change, &edge.part, &edge.whole, &joined, erased)
                    .await?;
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                if let Some(whole) = rows.get_mut(&edge.whole.id) {
                    whole.take_off_file(&names);
                }
                let ended = JoinedRow {
                    until: Some(self.clock.now()?),
                    version: joined.version + 1,
                    ..joined.into_row()
                };
                change.writes.push(Write::put(self.keyring.protect(ended)?));
            }
            for row in rows.into_values() {
                let version = row.version + 1;
                change
                    .writes
                    .push(Write::put(self.keyring.protect(CallerRow { version, ..row })?));
            }
            done |= self.log_again(change).await?;
        }
        Err(KeyError::Broken.into())
    }

    /// What the whole took from the part in their merge, and still has as it took it. If the part was erased, it goes, and its names are
    /// given back; if the whole was, the part is found by it again.
    async fn took_back(
        &self,
        change: &mut Change,
        part: &Genuine<CallerRow>,
        whole: &Genuine<CallerRow>,
        joined: &JoinedRow,
        erased: &Erased,
    ) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        for (name, digest) in &joined.took {
            let with = cells![RecordKind::Caller, *whole.id.as_bytes(), name.clone()];
            let sealed = self.store.one(&field::ONE, &with).await?;
            if sealed.is_none_or(|row| leaf::base64(&row.sealed_digest()) != *digest) {
                continue;
            }
            let entries = self.store.all(&OF_FIELD, &cells![whole.id, name.clone()]).await?;
            change.writes.push(Write::Unindex(whole.id, name.clone()));
            if erased.caller(part.id) {
                change
                    .writes
                    .push(Write::Unseal(RecordId::Caller(whole.id), name.clone()));
                names.push(name.clone());
                continue;
            }
            // What identifies one caller has one entry, which went to the whole.
            for entry in self.genuine(entries)? {
                if entry.certain {
                    let entry = BlindIndexRow {
                        caller: part.id,
                        ..entry.into_row()
                    };
                    change.writes.push(Write::put(self.keyring.protect(entry)?));
                }
            }
        }
        Ok(names)
    }

    /// Removes a caller, with the records that were merged into theirs, as the erasure did. Where a ticket about them was not erased, the
    /// caller's row stays, and nothing is on file.
    async fn erase_caller_again(
        &self,
        id: CallerId,
        erased: &Erased,
        departments: &Departments,
    ) -> Result<bool, Error> {
        let Some(row) = self.store.one(&BY_ID, &cells![id]).await? else {
            return Ok(false);
        };
        let row = self.keyring.genuine(row)?;
        // It goes with the one that it was merged into.
        if row.merged_into.is_some() {
            return Ok(false);
        }
        let whole = self.whole(&row).await?;
        if !whole.family.iter().all(|record| erased.caller(record.id)) {
            return Ok(false);
        }
        if !whole
            .tickets
            .iter()
            .all(|ticket| erased.has(RecordId::Ticket(ticket.id)))
        {
            let mut done = false;
            for record in &whole.family {
                done |= self.log_again(self.emptied(record).await?).await?;
            }
            return Ok(done);
        }
        let now = self.clock.now()?;
        let erased_at = erased.marks.get(&ErasedKey::mark_of(RecordId::Caller(id)));
        let at = *erased_at.unwrap_or(&now);
        let composed = self.compose_erasure(erased.by, &row, (&whole, departments), at);
        let (mut change, _) = composed.await?;
        for record in &whole.family {
            change.writes.extend(self.ended_holds(record).await?);
        }
        self.log_again(change).await
    }

    /// Of this record nothing is on file any more.
    async fn emptied(&self, record: &Genuine<CallerRow>) -> Result<Change, Error> {
        let there = self.sealed_names(RecordId::Caller(record.id)).await?;
        let indexed = self.store.all(&OF_CALLER, &cells![record.id]).await?;
        if there.is_empty() && indexed.is_empty() && record.fields.is_empty() && record.holds == 0 {
            return Ok(Change::default());
        }
        let mut change = Change {
            guards: vec![Guard::unchanged(record)],
            writes: self.ended_holds(record).await?,
            subject: Some(record.subject),
            ..Change::default()
        };
        for field in self.rules().fields.of(RecordKind::Caller) {
            let name = field.name().as_str().to_owned();
            change.writes.push(Write::Unindex(record.id, name));
        }
        let unsealed = there
            .into_iter()
            .map(|name| Write::Unseal(RecordId::Caller(record.id), name));
        change.writes.extend(unsealed);
        let next = CallerRow {
            fields: Vec::new(),
            holds: 0,
            version: record.version + 1,
            ..record.clone().into_row()
        };
        change.writes.push(Write::put(self.keyring.protect(next)?));
        Ok(change)
    }

    /// Legal holds on this record end: they were lifted before the erasure, which this copy does not know.
    async fn ended_holds(&self, record: &CallerRow) -> Result<Vec<Write>, Error> {
        let now = self.clock.now()?;
        let holds = self.store.all(&IN_FORCE, &cells![record.subject, LARGEST_PAGE]).await?;
        let mut writes = Vec::new();
        for hold in self.genuine(holds)? {
            let ended = HoldRow {
                lifted_at: Some(now),
                version: hold.version + 1,
                ..hold.into_row()
            };
            writes.push(Write::put(self.keyring.protect(ended)?));
        }
        Ok(writes)
    }

    /// What a ticket has sealed goes, where this copy has the ticket under another caller than the one with whom it was erased.
    async fn erase_ticket_again(&self, id: TicketId, erased: &Erased) -> Result<bool, Error> {
        let Some(row) = self.store.one(&ticket::BY_ID, &cells![id]).await? else {
            return Ok(false);
        };
        let row: Genuine<TicketRow> = self.keyring.genuine(row)?;
        let there = self.sealed_names(RecordId::Ticket(id)).await?;
        if row.is_erased() || there.is_empty() {
            return Ok(false);
        }
        let next = TicketRow {
            state: row.state.ended(),
            version: row.version + 1,
            ..row.clone().into_row()
        };
        let mut change = Change {
            guards: vec![Guard::unchanged(&row)],
            ticket: Some(row.no),
            subject: Some(row.subject),
            ..Change::default()
        };
        let now = self.clock.now()?;
        change.writes.push(Write::put(self.custody_by(erased.by, &next, now)?));
        if row.state.is_open() {
            change.writes.extend(self.closed(&next, now)?);
        }
        let unsealed = there.into_iter().map(|name| Write::Unseal(RecordId::Ticket(id), name));
        change.writes.extend(unsealed);
        change.writes.push(Write::put(self.keyring.protect(next)?));
        self.log_again(change).await
    }

    /// The declared fields that a record has sealed. Other names were written by somebody else: they are for `fsck` to find, and no entry
    /// tells them.
    async fn sealed_names(&self, record: RecordId) -> Result<Vec<String>, Error> {
        let there: Vec<FieldRow> = self
            .store
            .all(&OF_RECORD, &cells![record.kind(), *record.as_bytes()])
            .await?;
        let rules = self.rules();
        let names = there.into_iter().map(|row| row.field);
        Ok(names.filter(|name| rules.fields.get(name).is_some()).collect())
    }

    /// One entry for each step. Whether there was anything to do.
    async fn log_again(&self, change: Change) -> Result<bool, Error> {
        if change.writes.is_empty() {
            return Ok(false);
        }
        let (now, policy) = (self.clock.now()?, self.rules().policy.hash());
        let act = Unasked::new(ERASE_AGAIN, DepartmentCode::AUDITORS, now, policy);
        self.log.unasked_patiently(&act, change).await?;
        Ok(true)
    }
}
