//! Rows that decide something, and rows that hang on them.

use std::collections::BTreeMap;

use super::super::open::OpenError;
use super::super::replay;
use super::Check;
use crate::model::ids::{CallerId, RecordId, TicketId};
use crate::model::reference::DepartmentCode;
use crate::store::rows::{CustodyRow, EntryRow, IndexRow, ReplayRow};
use crate::store::{AnyRow, Table};

/// A caller whose row was read.
pub(super) struct SeenCaller {
    /// What the log calls them.
    pub(super) subject: String,
    /// The fields on file, as the caller's row says.
    pub(super) fields: Vec<String>,
}

/// A ticket whose row was read.
pub(super) struct SeenTicket {
    pub(super) no: String,
    pub(super) caller: CallerId,
    /// Departments that were given a reference to the caller.
    pub(super) departments: [DepartmentCode; 2],
    /// Steps of custody still to be seen.
    steps: u64,
}

/// Records whose rows were read.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) callers: BTreeMap<CallerId, SeenCaller>,
    pub(super) tickets: BTreeMap<TicketId, SeenTicket>,
    pub(super) index: BTreeMap<(CallerId, String), Vec<IndexRow>>,
}

impl Seen {
    /// What the log calls a record.
    pub(super) fn name(&self, record: RecordId) -> Option<&str> {
        match record {
            RecordId::Caller(id) => self.callers.get(&id).map(|caller| caller.subject.as_str()),
            RecordId::Ticket(id) => self.tickets.get(&id).map(|ticket| ticket.no.as_str()),
        }
    }

    pub(super) fn caller(&self, caller: CallerId) -> String {
        self.name(RecordId::Caller(caller)).map_or_else(
            || "a caller that is not there".to_owned(),
            |subject| format!("caller {subject}"),
        )
    }
}

impl Check<'_> {
    pub(super) async fn deciding(&mut self, seen: &mut Seen) -> Result<(), OpenError> {
        for table in [
            Table::Departments,
            Table::Principals,
            Table::Tokens,
            Table::Callers,
            Table::Tickets,
            Table::Approvals,
        ] {
            let mut result = Ok(());
            self.each(table, |check, row| {
                if result.is_ok() {
                    result = check.deciding_row(row, seen);
                }
            })
            .await;
            result?;
        }
        Ok(())
    }

    fn deciding_row(&mut self, row: AnyRow, seen: &mut Seen) -> Result<(), OpenError> {
        match row {
            AnyRow::Department(row) => {
                let place = format!("@department/{}", row.code);
                self.protected(&row, "", Some(place), &format!("department {}", row.code));
            }
            AnyRow::Principal(row) => {
                let place = format!("@principal/{}", row.id);
                self.protected(&row, "", Some(place), &format!("principal {}", row.id));
            }
            AnyRow::Token(row) => {
                let place = format!("@token/{}/{}", row.principal, row.id);
                self.protected(&row, "", Some(place), &format!("token {}", row.id));
            }
            AnyRow::Approval(row) => {
                let place = format!("@approval/{}", row.id);
                self.protected(&row, "", Some(place), &format!("approval {}", row.id));
            }
            AnyRow::Caller(row) => {
                let record = RecordId::Caller(row.id);
                let subject = self.derived(DepartmentCode::AUDITORS, record)?.to_string();
                self.protected(&row, &subject, Some("@caller".to_owned()), &format!("caller {subject}"));
                self.has_key(record, &subject);
                let fields = row.fields;
                seen.callers.insert(row.id, SeenCaller { subject, fields });
            }
            AnyRow::Ticket(row) => {
                let no = row.no.to_string();
                self.protected(&row, &no, Some("@ticket".to_owned()), &format!("ticket {no}"));
                self.has_key(RecordId::Ticket(row.id), &no);
                // A confidential ticket gives no reference to whom it is sent to.
                let referred = if row.confidential { row.origin } else { row.holder };
                let ticket = SeenTicket {
                    no,
                    caller: row.caller,
                    departments: [referred, row.origin],
                    steps: row.version,
                };
                seen.tickets.insert(row.id, ticket);
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) async fn dependent(&mut self, seen: &mut Seen) {
        self.each(Table::Custody, |check, row| {
            if let AnyRow::Custody(row) = row {
                check.custody(&row, seen);
            }
        })
        .await;
        self.each(Table::Index, |check, row| {
            if let AnyRow::Index(row) = row {
                let name = format!("blind index of {}", seen.caller(row.caller));
                check.protected(&row, "", None, &name);
                seen.index.entry((row.caller, row.field.clone())).or_default().push(row);
            }
        })
        .await;
        let mut replays = Vec::new();
        self.each(Table::Replays, |_, row| {
            if let AnyRow::Replay(row, index) = row {
                replays.push((row, index));
            }
        })
        .await;
        for (row, index) in replays {
            self.replay(&row, index).await;
        }
        for ticket in seen.tickets.values().filter(|ticket| ticket.steps > 0) {
            self.find(format!("custody of ticket {}", ticket.no), "lacks a step");
        }
    }

    fn custody(&mut self, row: &CustodyRow, seen: &mut Seen) {
        let Some(ticket) = seen.tickets.get_mut(&row.ticket) else {
            self.find("custody", "is of a ticket that is not there (orphan)");
            return;
        };
        ticket.steps = ticket.steps.saturating_sub(1);
        let name = format!("custody {} of ticket {}", row.version, ticket.no);
        self.protected(row, "", None, &name);
    }

    async fn replay(&mut self, row: &ReplayRow, index: u64) {
        let name = format!("remembered answer for entry {index}");
        self.protected(row, "", None, &name);
        if self.vault.keyring.open_answer(row).is_err() {
            self.find(&name, "does not open where it stands");
        }
        let entries = self.vault.store.entries_ever(index).await.unwrap_or_default();
        let may = |entry: &EntryRow| replay::is_leaf_of(row, entry) || (self.dropped && entry.body.is_empty());
        if !entries.iter().any(may) {
            self.find(name, "points at an entry that is not its own");
        }
    }
}
