//! Callers who were erased: nothing of them is there, and their tickets are as the erasure left them.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::ids::RecordId;
use crate::store::rows::erased::tickets_digest;
use crate::store::rows::{Coded, ErasedKey, ErasedRow, HoldRow, RestrictionRow, Row, TicketRow};
use crate::vault::life::fsck::Check;
use crate::vault::life::fsck::rows::Seen;

/// What is known of erasures.
#[derive(Default)]
pub(super) struct Erasures {
    /// Of whom the log says that they are erased.
    rows: Vec<ErasedRow>,
    /// Tickets without a caller, by what the log called the caller, and by number.
    tickets: BTreeMap<String, BTreeMap<String, TicketRow>>,
    /// Legal holds in force, by what the log calls the caller.
    holds: BTreeMap<String, u32>,
    /// Whose data are restricted to storage.
    restricted: BTreeSet<String>,
}

impl Erasures {
    /// How many holds are in force on a record.
    pub(super) fn holds_on(&self, subject: &str) -> u32 {
        self.holds.get(subject).copied().unwrap_or_default()
    }

    /// Whether a record is restricted to storage.
    pub(super) fn is_restricted(&self, subject: &str) -> bool {
        self.restricted.contains(subject)
    }
}

impl Check<'_> {
    /// What was erased is no longer expected to be there.
    pub(super) async fn erasures(&mut self, seen: &mut Seen) {
        self.each(ErasedRow::table(), |check, row: Coded<ErasedRow>| {
            let (row, code, _) = Self::taken_apart(row);
            check.protected(&row, &code, "", &format!("erasure of {}", row.subject));
            // One that somebody made up takes nothing from what is expected.
            if check.vault.keyring.is_genuine(&row, &code).is_ok() {
                seen.erasures.rows.push(row);
            }
        })
        .await;
        self.each(HoldRow::table(), |check, row: Coded<HoldRow>| {
            let (row, code, _) = Self::taken_apart(row);
            check.protected(&row, &code, "", &format!("legal hold {}", row.id));
            if row.lifted_at.is_none() {
                *seen.erasures.holds.entry(row.subject.to_string()).or_default() += 1;
            }
        })
        .await;
        self.each(RestrictionRow::table(), |check, row: Coded<RestrictionRow>| {
            let (row, code, _) = Self::taken_apart(row);
            check.protected(&row, &code, "", &format!("restriction {}", row.id));
            if row.lifted_at.is_none() {
                seen.erasures.restricted.insert(row.subject.to_string());
            }
        })
        .await;
        let gone: BTreeSet<String> = seen.erasures.rows.iter().flat_map(ErasedRow::subjects).collect();
        for subject in seen.erasures.holds.keys().filter(|subject| gone.contains(*subject)) {
            // None was in force at the erasure, and none is set afterwards.
            self.find(
                format!("legal hold on {subject}"),
                "is in force, and the caller was erased",
            );
        }
        self.expected.retain(|(owner, place), _| {
            let caller = place.strip_prefix("@caller/");
            !gone.contains(owner) && !caller.is_some_and(|subject| gone.contains(subject))
        });
    }

    /// A ticket whose caller was erased. The log has one digest for all tickets of a caller.
    pub(super) fn erased_ticket(&mut self, row: TicketRow, seen: &mut Seen) {
        let (no, subject) = (row.no.to_string(), row.subject.to_string());
        self.expected.remove(&(String::new(), format!("@ticket/{no}")));
        let of_ticket = self.expected.range((no.clone(), String::new())..);
        let of_ticket = of_ticket.map(|(place, _)| place).take_while(|(owner, _)| *owner == no);
        for place in of_ticket.cloned().collect::<Vec<_>>() {
            self.expected.remove(&place);
        }
        if self.keys.contains_key(&RecordId::Ticket(row.id)) {
            self.find(
                format!("record key of ticket {no}"),
                "is there although the ticket's caller was erased",
            );
        }
        seen.erasures.tickets.entry(subject).or_default().insert(no, row);
    }

    /// The tickets of each who was erased, together, against the log's digest.
    pub(super) fn erased_tickets(&mut self, seen: &mut Seen) {
        let erasures = std::mem::take(&mut seen.erasures);
        let mut tickets = erasures.tickets;
        for row in &erasures.rows {
            let mut left = BTreeMap::new();
            for subject in row.subjects() {
                left.extend(tickets.remove(&subject).unwrap_or_default());
            }
            let same = tickets_digest(left.values()) == row.tickets_digest;
            if !same || u32::try_from(left.len()) != Ok(row.tickets) {
                let place = format!("tickets of {}, who was erased", row.subject);
                self.find(place, "are not what the log says the erasure left");
            }
        }
        for no in tickets.into_values().flat_map(BTreeMap::into_keys) {
            self.find(format!("ticket {no}"), "has no caller, and the log knows of no erasure");
        }
    }

    /// Whether the record's key was destroyed by an erasure.
    pub(super) fn is_erased(&self, record: RecordId) -> bool {
        !self.keys.contains_key(&record) && self.marks.contains_key(&ErasedKey::mark_of(record))
    }
}
