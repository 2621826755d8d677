//! References: each opens and stands for a record, and none that was given out is gone.

use std::collections::BTreeSet;

use crate::model::ids::{CallerId, RecordId};
use crate::model::reference::DepartmentCode;
use crate::refs;
use crate::store::rows::{ReferenceRow, Row};
use crate::vault::life::fsck::Check;
use crate::vault::life::fsck::rows::Seen;

impl Check<'_> {
    pub(super) async fn references(&mut self) {
        let mut position = 0_u64;
        self.each(ReferenceRow::table(), |check, row: ReferenceRow| {
            position += 1;
            check.reference(&row, position);
        })
        .await;
    }

    fn reference(&mut self, row: &ReferenceRow, position: u64) {
        match refs::of_row(&self.vault.keyring, row) {
            Ok((reference, record)) => {
                self.references.insert(reference, record);
            }
            Err(_) => self.find(
                format!("reference of department {}, row {position}", row.department),
                "does not open where it stands",
            ),
        }
    }

    /// What the log calls each caller stands for that caller, and each department that took or holds a ticket has a reference
    /// to its caller, or to the record that this was merged into, under some version, and, where it did not take it, to the ticket.
    pub(super) fn given(&mut self, seen: &Seen) {
        for (&id, caller) in &seen.callers {
            if self.references.get(&caller.subject) != Some(&RecordId::Caller(id)) {
                let place = format!(
                    "reference of department {} to caller {}",
                    DepartmentCode::AUDITORS,
                    caller.name
                );
                self.find(place, "was given out and is not there");
            }
        }
        let there = self
            .references
            .iter()
            .map(|(reference, record)| (reference.department(), *record));
        let there: BTreeSet<(DepartmentCode, RecordId)> = there.collect();
        let departments = seen.tickets.values().flat_map(|ticket| {
            let caller = ticket.caller.into_iter();
            caller.flat_map(|caller| ticket.departments.map(|code| (code, caller)))
        });
        let given: BTreeSet<(DepartmentCode, CallerId)> = departments.collect();
        for (department, caller) in given {
            let has = |id| there.contains(&(department, RecordId::Caller(id)));
            if !seen.line(caller).any(has) {
                let place = format!("reference of department {department} to {}", seen.caller(caller));
                self.find(place, "was given out and is not there");
            }
        }
        for (&id, ticket) in &seen.tickets {
            let holder = ticket
                .elsewhere
                .filter(|holder| !there.contains(&(*holder, RecordId::Ticket(id))));
            if let Some(holder) = holder {
                let place = format!("reference of department {holder} to ticket {}", ticket.no);
                self.find(place, "was given out and is not there");
            }
        }
        for (reference, record) in std::mem::take(&mut self.references) {
            if seen.name(record).is_none() {
                self.find(format!("reference {reference}"), "stands for nobody (orphan)");
            }
        }
    }
}
