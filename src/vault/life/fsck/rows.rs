//! Rows that decide something, and rows that hang on them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::log::ProvedEntry;
use crate::model::approvals::Giver;
use crate::model::ids::{CallerId, RecordId, TicketId};
use crate::model::reference::{DepartmentCode, Reference};
use crate::store::rows::{
    ApprovalRow, ArchiveRow, BlindIndexRow, CallbackRow, CallerRow, ClosedRow, Coded, ContactRow, CustodyRow,
    DeclaredRow, DepartmentRow, DestroyedKeyRow, EntryRow, JoinedRow, KeyVersionRow, PrincipalRow, Protected,
    RecoveryRow, ReplayRow, RetentionRow, RewrapRow, Row, SpentRow, TicketCountRow, TicketRow, TokenCodeRow,
    TokenDayRow, TokenRow, TransferRow,
};
use crate::vault::core::{MOST_MERGED, replay};
use crate::vault::life::fsck::Check;
use crate::vault::life::fsck::erased::Erasures;

/// A caller whose row was read.
pub(super) struct SeenCaller {
    /// What the log calls them.
    pub(super) subject: Reference,
    /// The same, in words.
    pub(super) name: String,
    /// The fields on file, as the caller's row says.
    pub(super) fields: Vec<String>,
    /// Whether they stand in blind indexes.
    pub(super) indexed: bool,
    /// The record that this one was merged into.
    pub(super) merged_into: Option<CallerId>,
    /// How many were merged into it, as its row counts them.
    pub(super) merged: u32,
}

/// A ticket whose row was read.
pub(super) struct SeenTicket {
    pub(super) no: String,
    /// Whose; nothing where that cannot be read.
    pub(super) caller: Option<CallerId>,
    /// Departments that were given a reference to the caller.
    pub(super) departments: [DepartmentCode; 2],
    /// The department that holds it without having taken it: it has a reference to the ticket.
    pub(super) elsewhere: Option<DepartmentCode>,
    /// Steps of custody still to be seen.
    steps: u64,
    /// It is closed, and it was not seen since when.
    closed: bool,
    /// Since when it is closed, as the row of that says.
    closed_at: Option<Timestamp>,
    /// The first step that closed it: its version and time.
    closing: Option<(u64, Timestamp)>,
}

/// Records whose rows were read.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) callers: BTreeMap<CallerId, SeenCaller>,
    pub(super) tickets: BTreeMap<TicketId, SeenTicket>,
    /// How many tickets' rows name each caller who was not erased, by what the log calls them.
    about: BTreeMap<Reference, u32>,
    pub(super) blind_index: BTreeMap<(CallerId, String), Vec<BlindIndexRow>>,
    pub(super) erasures: Erasures,
}

impl Seen {
    /// What the log calls a record.
    pub(super) fn name(&self, record: RecordId) -> Option<&str> {
        match record {
            RecordId::Caller(id) => self.callers.get(&id).map(|caller| caller.name.as_str()),
            RecordId::Ticket(id) => self.tickets.get(&id).map(|ticket| ticket.no.as_str()),
        }
    }

    /// A caller's record, the one that it was merged into, and so on.
    pub(super) fn line(&self, caller: CallerId) -> impl Iterator<Item = CallerId> {
        let next = |id: &CallerId| self.callers.get(id).and_then(|caller| caller.merged_into);
        // A line that comes back to itself ends too.
        std::iter::successors(Some(caller), next).take(MOST_MERGED as usize + 1)
    }

    /// Whether a record was merged into another.
    pub(super) fn is_merged(&self, record: RecordId) -> bool {
        matches!(record, RecordId::Caller(id) if self.callers.get(&id).is_some_and(|caller| caller.merged_into.is_some()))
    }

    /// Whether a caller's fields stand in blind indexes. A ticket's never do.
    pub(super) fn is_indexed(&self, record: RecordId) -> bool {
        matches!(record, RecordId::Caller(id) if self.callers.get(&id).is_none_or(|caller| caller.indexed))
    }

    pub(super) fn caller(&self, caller: CallerId) -> String {
        self.name(RecordId::Caller(caller)).map_or_else(
            || "a caller that is not there".to_owned(),
            |subject| format!("caller {subject}"),
        )
    }
}

impl Check<'_> {
    pub(super) async fn deciding(&mut self, seen: &mut Seen) {
        self.coded(|row: &DepartmentRow| format!("department {}", row.code))
            .await;
        self.coded(|row: &PrincipalRow| format!("principal {}", row.id)).await;
        self.coded(|row: &TokenRow| format!("token {}", row.id)).await;
        self.coded(|row: &TokenCodeRow| format!("one-time code of {}", row.principal))
            .await;
        self.coded(|row: &TokenDayRow| format!("last day of token {}", row.token))
            .await;
        self.coded(|row: &RecoveryRow| format!("recovery of {}", row.principal))
            .await;
        self.coded(|row: &KeyVersionRow| format!("version {} of the key {}", row.version, row.role))
            .await;
        self.coded(|row: &DestroyedKeyRow| format!("destruction of version {} of the key {}", row.version, row.role))
            .await;
        self.coded(|row: &RewrapRow| format!("rewrap of the key {}", row.role))
            .await;
        self.coded(|_: &RetentionRow| "periods of retention".to_owned()).await;
        self.coded(|row: &ArchiveRow| format!("archive of {}", row.log)).await;
        self.coded(|row: &SpentRow| format!("what {} has spent ({})", row.principal, row.counted))
            .await;
        self.coded(|row: &DeclaredRow| format!("declared field {}", row.name))
            .await;
        self.coded(|row: &ContactRow| format!("contact {}", row.id)).await;
        self.coded(|row: &TransferRow| format!("transfer {}", row.id)).await;
        self.each(ApprovalRow::table(), |check, row| check.approval(row)).await;
        self.erasures(seen).await;
        self.each(CallerRow::table(), |check, row| check.caller(row, seen))
            .await;
        self.merged(seen);
        self.coded(|row: &JoinedRow| format!("what joins records, {}", row.id))
            .await;
        self.each(TicketRow::table(), |check, row| check.ticket(row, seen))
            .await;
        self.ticket_counts(seen).await;
        self.erased_tickets(seen);
        self.each(ClosedRow::table(), |check, row| check.closed(row, seen))
            .await;
        for ticket in seen.tickets.values().filter(|ticket| ticket.closed) {
            self.find(
                format!("ticket {}", ticket.no),
                "is closed, and nothing says since when",
            );
        }
    }

    /// Each record's tickets are counted.
    async fn ticket_counts(&mut self, seen: &mut Seen) {
        let mut about = std::mem::take(&mut seen.about);
        let mut uncounted: BTreeSet<Reference> = seen.callers.values().map(|caller| caller.subject).collect();
        self.each(TicketCountRow::table(), |check, row: Coded<TicketCountRow>| {
            let (row, code, _) = Self::taken_apart(row);
            let name = format!("count of the tickets about {}", row.subject);
            check.protected(&row, &code, "", &name);
            if !uncounted.remove(&row.subject) {
                check.find(name, "is of a caller who is not there");
            } else if about.remove(&row.subject).unwrap_or_default() != row.tickets {
                check.find(name, "is not their number");
            }
        })
        .await;
        for subject in uncounted {
            self.find(format!("count of the tickets about {subject}"), "is missing");
        }
    }

    fn closed(&mut self, row: Coded<ClosedRow>, seen: &mut Seen) {
        let (row, code, _) = Self::taken_apart(row);
        let ticket = seen.tickets.get_mut(&row.ticket).filter(|ticket| ticket.closed);
        let name = ticket.as_ref().map_or("closing of a ticket".to_owned(), |ticket| {
            format!("closing of ticket {}", ticket.no)
        });
        match ticket {
            Some(ticket) => {
                ticket.closed = false;
                ticket.closed_at = Some(row.closed_at);
            }
            None => self.find(&name, "is of a ticket that is open, erased or not there"),
        }
        self.protected(&row, &code, "", &name);
    }

    /// Rows of which nothing is asked but that they are as the vault wrote them.
    async fn coded<R: Protected + Clone>(&mut self, name: impl Fn(&R) -> String + Send + Sync) {
        self.each(R::table(), |check, row| {
            let (row, code, _) = Self::taken_apart::<R>(row);
            check.protected(&row, &code, "", &name(&row));
        })
        .await;
    }

    fn approval(&mut self, row: Coded<ApprovalRow>) {
        let (row, code, _) = Self::taken_apart(row);
        let name = format!("approval {}", row.id);
        self.protected(&row, &code, "", &name);
        for &giver in Giver::ALL {
            let sealed = row.reason_of(giver);
            if sealed.is_some_and(|sealed| self.vault.keyring.open_reason(row.id, giver, sealed).is_err()) {
                self.find(&name, "has a reason that does not open where it stands");
            }
        }
    }

    fn caller(&mut self, row: Coded<CallerRow>, seen: &mut Seen) {
        let (row, code, _) = Self::taken_apart(row);
        let name = row.subject.to_string();
        self.protected(&row, &code, "", &format!("caller {name}"));
        self.has_key(RecordId::Caller(row.id), &name);
        if seen.erasures.holds_on(&name) != row.holds {
            self.find(format!("caller {name}"), "counts other legal holds than are in force");
        }
        if seen.erasures.is_restricted(&name) != row.restricted {
            self.find(
                format!("caller {name}"),
                "is restricted to storage in its own row, or in that of the restriction, and not in both",
            );
        }
        let caller = SeenCaller {
            subject: row.subject,
            name,
            fields: row.fields,
            indexed: row.indexed,
            merged_into: row.merged_into,
            merged: row.merged,
        };
        seen.callers.insert(row.id, caller);
    }

    /// Each record counts those that were merged into it.
    fn merged(&mut self, seen: &Seen) {
        let mut counts: BTreeMap<CallerId, u32> = BTreeMap::new();
        for &id in seen.callers.keys() {
            for above in seen.line(id).skip(1) {
                *counts.entry(above).or_default() += 1;
            }
        }
        for (id, caller) in &seen.callers {
            if counts.remove(id).unwrap_or_default() != caller.merged {
                let place = format!("caller {}", caller.name);
                self.find(place, "counts other records than were merged into it");
            }
        }
        if !counts.is_empty() {
            self.find("caller", "was merged into a record that is not there");
        }
    }

    fn ticket(&mut self, row: Coded<TicketRow>, seen: &mut Seen) {
        let (row, code, _) = Self::taken_apart(row);
        let no = row.no.to_string();
        let name = format!("ticket {no}");
        let elsewhere = Some(row.holder).filter(|holder| *holder != row.origin);
        if row.is_erased() {
            if self.vault.keyring.is_genuine(&row, &code).is_err() {
                self.find(&name, "was edited: its code does not fit");
            }
            let ticket = SeenTicket {
                no,
                caller: None,
                departments: [row.holder, row.origin],
                elsewhere,
                steps: row.version,
                closed: false,
                closed_at: None,
                closing: None,
            };
            seen.tickets.insert(row.id, ticket);
            self.erased_ticket(row, seen);
            return;
        }
        self.protected(&row, &code, "", &name);
        *seen.about.entry(row.subject).or_default() += 1;
        self.has_key(RecordId::Ticket(row.id), &no);
        let caller = self.vault.keyring.caller_in(&row).ok().flatten();
        let of = caller.and_then(|caller| seen.callers.get(&caller));
        if of.is_none_or(|caller| caller.subject != row.subject) {
            self.find(
                format!("ticket {no}"),
                "names a caller that is not there, or two that differ",
            );
        }
        // A confidential ticket gives no reference to whom it is sent to.
        let referred = if row.confidential { row.origin } else { row.holder };
        let ticket = SeenTicket {
            no,
            caller,
            departments: [referred, row.origin],
            elsewhere,
            steps: row.version,
            closed: !row.state.is_open(),
            closed_at: None,
            closing: None,
        };
        seen.tickets.insert(row.id, ticket);
    }

    pub(super) async fn dependent(&mut self, seen: &mut Seen) {
        self.each(CustodyRow::table(), |check, row| check.custody(row, seen))
            .await;
        self.each(CallbackRow::table(), |check, row| check.callback(row, seen))
            .await;
        self.each(BlindIndexRow::table(), |check, row| {
            let (row, code, _) = Self::taken_apart::<BlindIndexRow>(row);
            let name = format!("blind index of {}", seen.caller(row.caller));
            check.protected(&row, &code, "", &name);
            seen.blind_index
                .entry((row.caller, row.field.clone()))
                .or_default()
                .push(row);
        })
        .await;
        let mut replays = Vec::new();
        self.each(ReplayRow::table(), |_, row| replays.push(row)).await;
        for row in replays {
            self.replay(row).await;
        }
        for ticket in seen.tickets.values() {
            if ticket.steps > 0 {
                self.find(format!("custody of ticket {}", ticket.no), "lacks a step");
            }
            let closing = ticket.closing.map(|(_, at)| at);
            if ticket.closed_at.is_some_and(|at| Some(at) != closing) {
                let place = format!("closing of ticket {}", ticket.no);
                self.find(place, "is not at the time of the step that closed the ticket");
            }
        }
    }

    fn custody(&mut self, row: Coded<CustodyRow>, seen: &mut Seen) {
        let (row, code, _) = Self::taken_apart(row);
        let Some(ticket) = seen.tickets.get_mut(&row.ticket) else {
            self.find("custody", "is of a ticket that is not there (orphan)");
            return;
        };
        ticket.steps = ticket.steps.saturating_sub(1);
        let is_first = ticket.closing.is_none_or(|(first, _)| row.version < first);
        if !row.state.is_open() && is_first {
            ticket.closing = Some((row.version, row.at));
        }
        let name = format!("custody {} of ticket {}", row.version, ticket.no);
        self.protected(&row, &code, "", &name);
    }

    fn callback(&mut self, row: Coded<CallbackRow>, seen: &Seen) {
        let (row, code, _) = Self::taken_apart(row);
        let Some(ticket) = seen.tickets.get(&row.ticket) else {
            self.find("callback", "is of a ticket that is not there (orphan)");
            return;
        };
        let name = format!("callback {} of ticket {}", row.version, ticket.no);
        self.protected(&row, &code, "", &name);
    }

    async fn replay(&mut self, row: Coded<ReplayRow>) {
        let (row, code, leaf) = Self::taken_apart(row);
        let index = leaf.unwrap_or_default();
        let name = format!("remembered answer for entry {index}");
        self.protected(&row, &code, "", &name);
        if self.vault.keyring.open_answer(&row).is_err() {
            self.find(&name, "does not open where it stands");
        }
        let entries = self.vault.store.entries_ever(index).await.unwrap_or_default();
        let is_leaf = |entry: EntryRow| ProvedEntry::new(entry).is_ok_and(|entry| replay::is_leaf_of(&row, &entry));
        let may = |entry: EntryRow| (self.dropped && entry.body.is_empty()) || is_leaf(entry);
        if !entries.into_iter().any(may) {
            self.find(name, "points at an entry that is not its own");
        }
    }
}
