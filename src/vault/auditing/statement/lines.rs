//! The entries of the log about a caller, as a statement tells them.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::indexer::shows_fields;
use crate::audit::search::Query;
use crate::cells;
use crate::log::leaf::Leaf;
use crate::model::actions::Judged;
use crate::model::ask::Action;
use crate::model::ids::RecordKind;
use crate::model::reference::Reference;
use crate::model::rights::EntryKind;
use crate::model::ticket_no::TicketNo;
use crate::store::rows::ticket::BY_NO;
use crate::vault::auditing::lineage::Between;
use crate::vault::auditing::names::Names;
use crate::vault::auditing::statement::{Scope, about};
use crate::vault::{Error, Session, Vault};

/// Entries of the index looked at for one piece.
const STEPS: usize = 200_000;
/// The purpose of a read in an emergency. No role has it yet.
const EMERGENCY: &str = "emergency";

/// One entry of the log about the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Line {
    /// Its number among those about the caller; a number that is missing is an entry that is hidden. Absent if the entry is counted for
    /// another record, or was made before entries were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Which of the caller's records it is counted for, where records were merged: 1 is the one in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<usize>,
    /// Position in the log, from 0.
    pub index: u64,
    /// When, UTC.
    pub at: String,
    /// What it is to the caller.
    pub what: EntryKind,
    /// The act; absent for supervision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub act: Option<String>,
    /// The department.
    pub department: String,
    /// Its current name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// The role. Persons are not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Names of the fields.
    pub fields: Vec<String>,
    /// `clear` or `masked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The stated purpose.
    pub purpose: String,
    /// The ticket for which; absent if it is not one of the caller's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// Whether it was an emergency.
    pub emergency: bool,
}

/// A page of lines.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    /// Go on below this position.
    pub(super) next: Option<u64>,
    /// Of each record the number of its newest entry behind the page; nothing where that one was made before entries were counted.
    pub(super) beyond: BTreeMap<usize, Option<u64>>,
}

/// Which tickets are the caller's, and may be named.
struct Tickets<'s> {
    scope: &'s Scope<'s>,
    known: BTreeMap<String, bool>,
}

impl Vault {
    /// The page's lines, newest first.
    pub(super) async fn lines(&self, session: &Session, scope: &Scope<'_>) -> Result<Lines, Error> {
        let mut tickets = Tickets {
            scope,
            known: BTreeMap::new(),
        };
        let mut found = BTreeMap::new();
        for (subject, span) in self.subjects_of(scope.row.subject).await? {
            self.gather(scope, (subject, span), &mut tickets, &mut found).await?;
        }
        let more = found.len() > scope.limit;
        let mut names = self.names_for(session);
        let mut lines = Vec::with_capacity(scope.limit);
        let mut found = found.into_iter().rev();
        for (index, leaf) in found.by_ref().take(scope.limit) {
            let is_own = self.is_own(&mut tickets, leaf.ticket.as_deref()).await?;
            lines.push(self.told(scope, (index, leaf), is_own, &mut names).await?);
        }
        let next = lines.last().map(|line| line.index).filter(|_| more);
        let mut beyond = BTreeMap::new();
        for (_, leaf) in found {
            if let Some(record) = scope.record(&leaf) {
                beyond.entry(record).or_insert_with(|| scope.number(&leaf));
            }
        }
        Ok(Lines { lines, next, beyond })
    }

    /// Adds the newest entries of one subject, one more than a page has. Of records that were one with the caller's for a time, those for the
    /// caller's own tickets: the others may be about somebody else.
    async fn gather(
        &self,
        scope: &Scope<'_>,
        (subject, span): (Reference, Between),
        tickets: &mut Tickets<'_>,
        found: &mut BTreeMap<u64, Leaf>,
    ) -> Result<(), Error> {
        let subject = subject.to_string();
        let is_own = scope.own.contains(&subject);
        let floor = scope.from.as_ref().map_or(0, |from| from.index);
        let query = span.of(&Query {
            terms: vec![about(&subject)],
            ..Query::default()
        });
        let (mut before, mut taken) = (Some(scope.before), 0);
        while let Some(position) = before.filter(|position| *position > floor && taken <= scope.limit) {
            let walk = query.walk(position, scope.limit + 1, STEPS);
            let walked = self.indexer.index().walk(walk).await?;
            for (entry, leaf) in self.leaves(&walked.hits, scope.archived).await? {
                let fits = entry.index() >= floor && query.matches(&leaf);
                if fits && (is_own || self.is_own(tickets, leaf.ticket.as_deref()).await?) {
                    found.insert(entry.index(), leaf);
                    taken += 1;
                }
            }
            before = walked.next;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether a ticket is about the caller. A refused request may have named another's.
    async fn is_own(&self, tickets: &mut Tickets<'_>, no: Option<&str>) -> Result<bool, Error> {
        let Some(no) = no.filter(|no| tickets.scope.tells_ticket(no)) else {
            return Ok(false);
        };
        if let Some(known) = tickets.known.get(no) {
            return Ok(*known);
        }
        let row = match no.parse::<TicketNo>() {
            Ok(no) => self.store.one(&BY_NO, &cells![no]).await?,
            Err(_) => None,
        };
        let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
        let is_own = row.is_some_and(|row| tickets.scope.own.contains(&row.subject.to_string()));
        tickets.known.insert(no.to_owned(), is_own);
        Ok(is_own)
    }

    async fn told(
        &self,
        scope: &Scope<'_>,
        (index, leaf): (u64, Leaf),
        own_ticket: bool,
        names: &mut Names<'_>,
    ) -> Result<Line, Error> {
        let what = match what(&leaf) {
            // That there was a restriction before is not told.
            _ if leaf.act == Action::Unrestrict.as_str() && !scope.tells_restriction(index) => EntryKind::Other,
            what => what,
        };
        let (number, record) = (scope.number(&leaf), scope.record(&leaf));
        let (rules, mut fields) = (self.rules(), leaf.fields.unwrap_or_default());
        fields.retain(|name| match rules.fields().get(name) {
            Some(field) if field.record() == RecordKind::Ticket => scope.then.is_none() || own_ticket,
            _ => scope.tells_field(name, index),
        });
        Ok(Line {
            number,
            record,
            index,
            at: leaf.t,
            what,
            act: (what != EntryKind::Other).then_some(leaf.act),
            department_name: names.department(&leaf.dept).await?.text,
            department: leaf.dept,
            role: leaf.role,
            fields,
            form: leaf.form,
            emergency: leaf.purpose == EMERGENCY,
            purpose: leaf.purpose,
            ticket: leaf.ticket.filter(|_| own_ticket),
        })
    }
}

/// What an entry is to the caller. What is not listed is supervision, which is counted and not told.
fn what(leaf: &Leaf) -> EntryKind {
    let Some(action) = Action::from_word(&leaf.act) else {
        return EntryKind::Other;
    };
    let is_work = action.is_done_for_clerks()
        || matches!(action.kind().judged, Judged::Writing)
        || matches!(action, Action::Import | Action::Mend);
    let is_right = matches!(
        action,
        Action::Statement | Action::Restrict | Action::Unrestrict | Action::RefuseRequest | Action::Erase
    );
    match action {
        _ if !is_work && !is_right => EntryKind::Other,
        _ if leaf.out != "granted" => EntryKind::Refused,
        Action::Reveal if shows_fields(leaf) => EntryKind::Shown,
        Action::Verify => EntryKind::Compared,
        _ if is_right => EntryKind::Rights,
        _ => EntryKind::Handled,
    }
}
