//! References: each opens and stands for a record, and none that was given out is gone.

use std::collections::BTreeSet;

use super::super::open::OpenError;
use super::Check;
use super::rows::Seen;
use crate::keyring::KeyError;
use crate::model::ids::RecordId;
use crate::model::reference::{DepartmentCode, Reference};
use crate::refs;
use crate::store::rows::ReferenceRow;
use crate::store::{AnyRow, Table};

impl Check<'_> {
    pub(super) async fn references(&mut self) {
        self.each(Table::References, |check, row| {
            if let AnyRow::Reference(row) = row {
                check.reference(&row);
            }
        })
        .await;
    }

    fn reference(&mut self, row: &ReferenceRow) {
        let Some(reference) = Reference::new(row.department, row.kind, row.version, row.body) else {
            self.find(
                format!("reference of department {}", row.department),
                "is not a reference",
            );
            return;
        };
        let id = self.vault.keyring.open_reference(row).ok();
        if id.is_none() {
            self.find(format!("reference {reference}"), "does not open");
        }
        self.references
            .insert(reference, id.map(|id| RecordId::new(row.kind, id)));
    }

    /// The reference a department has to a record, from the keys alone: its row may have been edited or removed.
    pub(super) fn derived(&self, department: DepartmentCode, record: RecordId) -> Result<Reference, KeyError> {
        let others = |reference: &Reference| {
            let stands_for = self.references.get(reference).copied().flatten();
            stands_for.is_some_and(|other| other != record)
        };
        refs::derive(&self.vault.keyring, department, record, others)
    }

    /// Each caller has a reference in the auditors' domain, and in that of each department that took or holds a ticket.
    pub(super) fn given(&mut self, seen: &Seen) -> Result<(), OpenError> {
        let auditors = seen.callers.keys().map(|&caller| (DepartmentCode::AUDITORS, caller));
        let tickets = seen.tickets.values();
        let departments = tickets.flat_map(|ticket| ticket.departments.map(|code| (code, ticket.caller)));
        let given: BTreeSet<_> = auditors.chain(departments).collect();
        for (department, caller) in given {
            if !self
                .references
                .contains_key(&self.derived(department, RecordId::Caller(caller))?)
            {
                let place = format!("reference of department {department} to {}", seen.caller(caller));
                self.find(place, "was given out and is not there");
            }
        }
        for (reference, record) in std::mem::take(&mut self.references) {
            if record.is_some_and(|record| seen.name(record).is_none()) {
                self.find(format!("reference {reference}"), "stands for nobody (orphan)");
            }
        }
        Ok(())
    }
}
