//! Calls of another person are taken out of a caller's record, into one of their own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::log::places::OTHER_SUBJECT;
use crate::model::ask::{Action, Ask};
use crate::model::fields::{Field, FieldSet};
use crate::model::ids::{JoinId, RecordId, RecordKind};
use crate::model::problems;
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::Share;
use crate::policy::Permit;
use crate::store::rows::{About, CallerRow, Genuine, JoinedRow, TicketRow};
use crate::store::{Guard, Write};
use crate::vault::calls::joining::common::{ByTicket, declared, is_certain, told};
use crate::vault::core::ticket_of_facts;
use crate::vault::people::approvals::{COPIED, Exact, MOVED, SPLIT_TICKET, TICKETS, is_overtaken, same};
use crate::vault::{Audit, Error, Session, Vault};

/// Tickets of one request: one entry of the log says what became of each.
const MOST_TICKETS: usize = 5;

/// Which calls are another person's.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitCaller {
    /// Your department's reference to the caller with whom they were matched.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// 1 to 5 tickets about the caller, open or closed, that are the other person's.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 5)]
    pub tickets: Vec<TicketNo>,
    /// By name what becomes of a field: `move` or `copy`. Fields that are not named stay. Values that a call has replaced are not kept
    /// by the vault; correct them afterwards.
    #[serde(default)]
    #[schema(example = json!({"id_no": "move", "caller_number": "copy"}))]
    pub fields: BTreeMap<String, Share>,
}

/// The records after a split.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Split {
    /// Your department's reference to the new record. The tickets are about it now.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Names of the new record's fields on file.
    pub on_file: Vec<String>,
    /// Version of the record that the tickets were split from; the `ETag`.
    pub version: u64,
    /// The log entry of this act.
    pub audit: Audit,
}

/// What goes where.
struct Parts<'f> {
    whole: Genuine<CallerRow>,
    tickets: Vec<Genuine<TicketRow>>,
    /// Fields that the new record gets.
    shared: Vec<&'f Field>,
    /// Of these, the names of those that this one has no longer.
    moved: Vec<&'f str>,
}

impl Vault {
    /// Takes calls out of a caller's record into one of their own, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] for fields that are not on file or cannot be two persons', and for
    /// more than one entry of the log can hold.
    pub async fn split_caller(&self, session: &Session, body: &SplitCaller, exact: &Exact) -> Result<Split, Error> {
        let done = self.split_once(session, body, exact).await;
        if is_overtaken(&done, exact) {
            return self.split_once(session, body, exact).await;
        }
        done
    }

    async fn split_once(&self, session: &Session, body: &SplitCaller, exact: &Exact) -> Result<Split, Error> {
        let named: BTreeSet<&TicketNo> = body.tickets.iter().collect();
        if named.len() != body.tickets.len() || !(1..=MOST_TICKETS).contains(&named.len()) {
            return Err(Error::Bad(problems::SPLIT_TICKETS));
        }
        let names: Vec<String> = body.fields.keys().cloned().collect();
        if !names.is_empty() {
            session.rules.names(RecordKind::Caller, &names)?;
        }
        let mut asks = Vec::new();
        for &ticket in &body.tickets {
            let ask = self.ask_to_split(session, body, ticket)?;
            self.may_with_two(&ask).await?;
            asks.push(ask);
        }
        let first = asks.first().ok_or(Error::Bad(problems::SPLIT_TICKETS))?;
        let asking = self
            .may_ask(Action::Split, same(first, Action::AskApproval), exact)
            .await?;
        let parts = self.parts(&session.rules.fields, body, &asks, asking).await?;
        let first = asks.swap_remove(0);
        let act = self.with_two(first, about(body), exact).await?;
        let (change, reference, on_file) = self.compose_split(session, act.permit(), &parts).await?;
        let audit = self.act(act, change).await.map_err(told)?.position().into();
        Ok(Split {
            r#ref: reference,
            on_file,
            version: parts.whole.version + 1,
            audit,
        })
    }

    fn ask_to_split(&self, session: &Session, body: &SplitCaller, ticket: TicketNo) -> Result<Ask, Error> {
        let by = ByTicket {
            r#ref: body.r#ref,
            ticket,
        };
        self.ask_by(session, Action::Split, &by)
    }

    async fn parts<'f>(
        &self,
        fields: &'f FieldSet,
        body: &SplitCaller,
        asks: &[Ask],
        asking: Option<Permit>,
    ) -> Result<Parts<'f>, Error> {
        let mut tickets = Vec::with_capacity(asks.len());
        let mut whole = None;
        for ask in asks {
            let facts = self.facts(ask).await?;
            tickets.push(ticket_of_facts(&facts)?);
            whole = facts.caller.map(|caller| caller.row);
        }
        let whole: Genuine<CallerRow> = whole.ok_or(Error::Stale)?;
        if self.is_held(&whole).await? {
            return Err(self.not_as_asked(asking, problems::HELD_NOT_SPLIT).await);
        }
        if body.fields.keys().any(|name| !whole.has(name)) {
            return Err(self.not_as_asked(asking, problems::NOT_ON_FILE).await);
        }
        let shared = declared(fields, |name| body.fields.contains_key(name));
        let share = |field: &Field| body.fields.get(field.name().as_str()).copied();
        if shared
            .iter()
            .any(|field| is_certain(field) && share(field) == Some(Share::Copy))
        {
            return Err(Error::Bad(problems::IDENTITY_NOT_COPIED));
        }
        let moved = shared.iter().filter(|field| share(field) == Some(Share::Move));
        Ok(Parts {
            moved: moved.map(|field| field.name().as_str()).collect(),
            whole,
            tickets,
            shared,
        })
    }

    async fn compose_split(
        &self,
        session: &Session,
        permit: &Permit,
        parts: &Parts<'_>,
    ) -> Result<(Change, Reference, Vec<String>), Error> {
        let values = self.taken_out(permit, &parts.whole, &parts.shared).await?;
        let mut change = self.left_behind(parts).await?;
        let row = self.set_apart(&mut change, &parts.whole, &values).await?;
        let now = permit.ask().at();
        for ticket in &parts.tickets {
            change.guards.push(Guard::unchanged(ticket));
            let next = TicketRow {
                caller: self.keyring.seal_caller(ticket.id, row.id)?,
                subject: row.subject,
                on_file: row.fields.clone(),
                version: ticket.version + 1,
                ..ticket.clone().into_row()
            };
            for department in BTreeSet::from([next.origin.to_string(), next.holder.to_string()]) {
                let department = department.parse().map_err(|_| Error::Stale)?;
                let department = self.department_row(department).await?.references();
                self.refer(&mut change, RecordId::Caller(row.id), &department).await?;
            }
            change.writes.push(Write::put(self.custody(session, &next, now)?));
            change.writes.push(Write::put(self.keyring.protect(next)?));
        }
        change.writes.extend(self.counts_moved(parts, &row).await?);
        for joined in self.were_one(parts, &row, now)? {
            change.writes.push(Write::put(self.keyring.protect(joined)?));
        }
        let reference = self
            .refer(&mut change, RecordId::Caller(row.id), session.actor.references())
            .await?;
        change.link.insert(OTHER_SUBJECT.to_owned(), row.subject.to_string());
        Ok((change, reference, row.fields))
    }

    /// The record that the tickets leave, without the fields that go along.
    async fn left_behind(&self, parts: &Parts<'_>) -> Result<Change, Error> {
        let whole = &parts.whole;
        let mut change = Change {
            guards: vec![Guard::unchanged(whole)],
            ..Change::default()
        };
        self.withdraw_values(&mut change, whole, parts.moved.iter().copied())
            .await?;
        for name in &parts.moved {
            change.writes.push(Write::Unindex(whole.id, (*name).to_owned()));
            change
                .writes
                .push(Write::Unseal(RecordId::Caller(whole.id), (*name).to_owned()));
        }
        let mut next = CallerRow {
            version: whole.version + 1,
            ..whole.clone().into_row()
        };
        next.take_off_file(&parts.moved);
        change.writes.push(Write::put(self.keyring.protect(next)?));
        Ok(change)
    }

    /// The new record. Who has corrected the whole has corrected it. The leaf is about the one that the tickets leave, so the places of these fields say that they are the other's.
    async fn set_apart(
        &self,
        change: &mut Change,
        whole: &CallerRow,
        values: &[(&Field, Submitted)],
    ) -> Result<CallerRow, Error> {
        let mut new = Change::default();
        let row = self
            .seal_new_caller(&mut new, values, true, whole.corrected_by.clone())
            .await?;
        for write in &mut new.writes {
            if let Write::Put(put) = write {
                put.of_other();
            }
        }
        change.keys.extend(new.keys);
        change.writes.extend(new.writes);
        Ok(row)
    }

    /// The tickets are about the new record, and no longer about those that they were about.
    async fn counts_moved(&self, parts: &Parts<'_>, row: &CallerRow) -> Result<Vec<Write>, Error> {
        let mut from: BTreeMap<Reference, i32> = BTreeMap::new();
        for ticket in &parts.tickets {
            *from.entry(ticket.subject).or_default() += 1;
        }
        let mut writes = vec![self.first_tickets(row.subject, u32::try_from(parts.tickets.len()).unwrap_or(u32::MAX))?];
        for (subject, count) in from {
            writes.push(self.tickets_changed(subject, -count).await?);
        }
        Ok(writes)
    }

    /// Since the first of these calls, what the log says of the records that they were about is about the new one too.
    fn were_one(&self, parts: &Parts<'_>, row: &CallerRow, now: Timestamp) -> Result<Vec<JoinedRow>, Error> {
        let first = parts.tickets.iter().map(|ticket| ticket.created_at).min();
        let of_tickets = parts.tickets.iter().map(|ticket| ticket.subject);
        let subjects: BTreeSet<Reference> = of_tickets.chain([parts.whole.subject]).collect();
        let joined = |whole| {
            Ok(JoinedRow {
                id: JoinId::random(&*self.randomness)?,
                part: row.subject,
                whole,
                took: BTreeMap::new(),
                since: first.unwrap_or(now),
                until: Some(now),
                version: 1,
            })
        };
        subjects.into_iter().map(joined).collect()
    }
}

/// What the second person is told: the tickets, and what becomes of which field.
fn about(body: &SplitCaller) -> About {
    let with = |share| {
        let names = body.fields.iter().filter(move |(_, of)| **of == share);
        names.map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(",")
    };
    let mut about = About::new();
    let mut tickets = body.tickets.iter().map(TicketNo::to_string);
    about.extend(tickets.next().map(|first| (SPLIT_TICKET.to_owned(), first)));
    let others: Vec<String> = tickets.collect();
    for (word, names) in [
        (TICKETS, others.join(",")),
        (MOVED, with(Share::Move)),
        (COPIED, with(Share::Copy)),
    ] {
        if !names.is_empty() {
            about.insert(word.to_owned(), names);
        }
    }
    about
}
