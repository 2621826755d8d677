//! A call is taken once: matched, sealed, logged, acknowledged.

mod call;
mod checked;
mod history;
mod same_as;
mod ticket;

pub use self::call::{Call, Intake, LeftOut, NewTicket, Taken, TakenAnswer, TakenCaller, TakenTicket};
use self::checked::Checked;
pub use self::checked::check;
pub use self::history::History;
use self::history::Past;
use self::same_as::MATCHED;
use crate::keyring::RecordKey;
use crate::log::{Change, CommitError};
use crate::model::ask::Action;
use crate::model::fields::{Field, MatchStrength, NAMES_NOBODY, ON_FILE_STAYS};
use crate::model::ids::{CallerId, RecordId, TicketId};
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::submitted::Submitted;
pub use crate::model::tickets::Matched;
use crate::model::tickets::MatterKind;
use crate::policy::Why;
use crate::policy::facts::Facts;
use crate::store::rows::{BlindIndexRow, CallerRow, TicketRow};
use crate::store::{Guard, Write};
use crate::vault::calls::matching::Match;
use crate::vault::core::Rules;
use crate::vault::{Error, Replay, Session, Vault};

/// Calls of one person that come at once: two of a new one find each other in a second try, and of one on file each counts a ticket, so that
/// one is taken after the other.
const TRIES: usize = 32;

impl Vault {
    /// Takes a call.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming every field that breaks its rule, [`Error::Refused`], also where `same_as` does not agree with the
    /// call, [`Error::RefusedUntil`] after too many calls or guesses, [`Error::KeyReused`].
    pub async fn intake(&self, session: &Session, body: &Intake, replay: Option<&Replay>) -> Result<Taken, Error> {
        self.take_call(session, body, None, replay).await
    }

    /// Takes a call of which something became before it came here. The log says that it was brought in: nobody sent or closed it
    /// in this vault.
    ///
    /// # Errors
    /// As [`intake`](Self::intake); [`Error::NotFound`] for a department that the vault does not have, [`Error::Bad`] for an open
    /// ticket of one that is closed.
    pub async fn bring_in(
        &self,
        session: &Session,
        body: &Intake,
        history: &History,
        replay: Option<&Replay>,
    ) -> Result<Taken, Error> {
        self.take_call(session, body, Some(history), replay).await
    }

    async fn take_call(
        &self,
        session: &Session,
        body: &Intake,
        history: Option<&History>,
        replay: Option<&Replay>,
    ) -> Result<Taken, Error> {
        let checked = checked::checked((&session.rules.fields, &self.lists()), &*self.clock, body)?;
        let action = history.map_or(Action::Intake, |_| Action::Import);
        for attempt in 0..TRIES {
            let done = self.replayed(session, replay).await?;
            let mut ask = self.ask(session, action, Purpose::Intake)?;
            if attempt == 0 && done.is_none() {
                ask = checked.counted(ask);
            }
            if let Some(same_as) = body.same_as {
                ask = ask.caller(same_as);
            }
            let facts = self.facts(&ask).await?;
            let permit = self.decide(ask, facts).await?;
            if let Some((answer, audit)) = done {
                return Ok(Taken {
                    answer,
                    audit,
                    replayed: true,
                });
            }
            let found = match self.found(body, &checked, (&session.rules, permit.facts())).await? {
                Ok(found) => found,
                Err(why) => return Err(self.refuse(permit, why).await),
            };
            let (mut change, answer) = self.compose(session, body, &checked, (found, history), replay).await?;
            if let Some(history) = history {
                change.guards.extend(self.may_hold(history).await?);
            }
            match self.record(permit, change).await {
                Ok(recorded) => {
                    return Ok(Taken {
                        answer,
                        audit: recorded.position().into(),
                        replayed: false,
                    });
                }
                Err(Error::Stale | Error::Log(CommitError::Duplicate)) => {}
                Err(other) => return Err(other),
            }
        }
        Err(Error::Stale)
    }

    /// Whether the caller is on file; or why the agent is wrong about it.
    async fn found(
        &self,
        body: &Intake,
        checked: &Checked<'_>,
        (rules, facts): (&Rules, &Facts),
    ) -> Result<Result<Match, Why>, Error> {
        // A confidential call is joined with no other: nothing it states shows anywhere else.
        if body.is_confidential() {
            return Ok(Ok(Match::none()));
        }
        let found = self.match_caller(&checked.caller).await?;
        match body.same_as {
            Some(_) => self.confirmed(&rules.fields, facts, found, &checked.caller).await,
            None => Ok(Ok(found)),
        }
    }

    async fn compose(
        &self,
        session: &Session,
        body: &Intake,
        checked: &Checked<'_>,
        (found, history): (Match, Option<&History>),
        replay: Option<&Replay>,
    ) -> Result<(Change, TakenAnswer), Error> {
        let mut change = Change::default();
        let mut left_out = checked.left_out.clone();
        let row = if body.is_confidential() {
            self.seal_new_caller(&mut change, &checked.caller, false, Vec::new())
                .await?
        } else {
            self.seal_caller(&mut change, &found, &checked.caller, &mut left_out)
                .await?
        };
        if found.matched == Matched::Confirmed {
            change.link.insert(MATCHED.to_owned(), found.matched.to_string());
        }
        change.guards.extend(found.guards.iter().cloned());
        let (caller, subject) = (row.id, row.subject);
        let (id, ticket) = self.seal_ticket(&mut change, session, body, checked, &row, history)?;
        let is_new = change.keys.iter().any(|key| key.record() == RecordId::Caller(caller));
        change.writes.push(if is_new {
            self.first_tickets(subject, 1)?
        } else {
            self.tickets_changed(subject, 1).await?
        });
        let department = session.actor.references();
        let caller_ref = self.refer(&mut change, RecordId::Caller(caller), department).await?;
        change.subject = Some(subject);
        change.ticket = Some(ticket.no);
        if let Some(history) = history {
            change.link = history.link();
            if let Some(holder) = history.sent_to() {
                let caller = (!body.is_confidential()).then_some(caller);
                self.was_sent(&mut change, (id, caller), holder).await?;
            }
        }
        let mut candidates = Vec::with_capacity(found.candidates.len());
        for &other in &found.candidates {
            candidates.push(self.refer(&mut change, RecordId::Caller(other), department).await?);
        }
        let caller = TakenCaller {
            r#ref: caller_ref,
            matched: found.matched,
            on_file: row.fields,
            candidates,
            more_candidates: found.more,
        };
        let answer = TakenAnswer {
            ticket,
            caller,
            left_out,
        };
        change.writes.extend(self.remember(session, replay, &answer)?);
        Ok((change, answer))
    }

    /// A department that the call was sent to elsewhere has references to the ticket and, unless it is confidential, to the caller.
    async fn was_sent(
        &self,
        change: &mut Change,
        (ticket, caller): (TicketId, Option<CallerId>),
        to: DepartmentCode,
    ) -> Result<(), Error> {
        let to = self.department_row(to).await?.references();
        if let Some(caller) = caller {
            self.refer(change, RecordId::Caller(caller), &to).await?;
        }
        self.refer(change, RecordId::Ticket(ticket), &to).await?;
        Ok(())
    }

    /// Seals what is new about the caller. What the caller states now takes the place of what was on file, but 匿名 takes no name's,
    /// and on the agent's word alone nothing is replaced.
    async fn seal_caller(
        &self,
        change: &mut Change,
        found: &Match,
        values: &[(&Field, Submitted)],
        left_out: &mut Vec<LeftOut>,
    ) -> Result<CallerRow, Error> {
        let Some(id) = found.caller else {
            return self.seal_new_caller(change, values, true, Vec::new()).await;
        };
        let row = self.caller_row(id).await?;
        let key = self.sealing_key(RecordId::Caller(id)).await?;
        let mut changed = Vec::new();
        for (field, value) in values {
            let name = field.name().as_str();
            if self.holds(&row, field, value).await? {
                continue;
            }
            if row.has(name) && found.matched == Matched::Confirmed {
                left_out.push(LeftOut::new(name, ON_FILE_STAYS));
                continue;
            }
            if row.has(name) && !field.identifies(value) {
                left_out.push(LeftOut::new(name, NAMES_NOBODY));
                continue;
            }
            change.writes.push(Write::Unindex(id, name.to_owned()));
            self.seal_field(change, &key, (id, true), field, value)?;
            changed.push(name);
        }
        self.withdraw_values(change, &row, changed.iter().copied()).await?;
        change.guards.push(Guard::unchanged(&row));
        let mut row = row.into_row();
        if !changed.is_empty() {
            row.version += 1;
            row.put_on_file(changed);
            change.writes.push(Write::put(self.keyring.protect(row.clone())?));
        }
        Ok(row)
    }

    /// A new record with these values.
    pub(in crate::vault) async fn seal_new_caller(
        &self,
        change: &mut Change,
        values: &[(&Field, Submitted)],
        indexed: bool,
        corrected_by: Vec<String>,
    ) -> Result<CallerRow, Error> {
        let id = CallerId::random(&*self.randomness)?;
        let (key, wrapped) = self.keyring.new_record_key(RecordId::Caller(id))?;
        change.keys.push(wrapped);
        let mut row = CallerRow {
            id,
            subject: self
                .refer(change, RecordId::Caller(id), &self.keyring.references_of_log()?)
                .await?,
            created_at: self.clock.now()?,
            fields: Vec::new(),
            indexed,
            merged_into: None,
            merged: 0,
            joined_at: None,
            corrected_by,
            holds: 0,
            restricted: false,
            version: 1,
        };
        row.put_on_file(values.iter().map(|(field, _)| field.name().as_str()));
        change.writes.push(Write::put(self.keyring.protect(row.clone())?));
        for (field, value) in values {
            self.seal_field(change, &key, (id, indexed), field, value)?;
        }
        Ok(row)
    }

    /// Seals one field of a caller, and indexes it if the caller is one who is found.
    pub(in crate::vault) fn seal_field(
        &self,
        change: &mut Change,
        key: &RecordKey,
        (caller, indexed): (CallerId, bool),
        field: &Field,
        value: &Submitted,
    ) -> Result<(), Error> {
        change
            .writes
            .push(Write::put(self.keyring.seal(key, field.name(), value)?));
        if indexed {
            self.index_field(change, caller, field, value)?;
        }
        Ok(())
    }

    /// Puts a caller's field into the blind indexes.
    pub(in crate::vault) fn index_field(
        &self,
        change: &mut Change,
        caller: CallerId,
        field: &Field,
        value: &Submitted,
    ) -> Result<(), Error> {
        for entry in field.entries(value) {
            let itself = field.index() == Some(entry.index.as_str());
            let row = BlindIndexRow {
                value: self.keyring.blind_index(&entry)?,
                idx: entry.index,
                caller,
                field: field.name().as_str().to_owned(),
                certain: itself && field.matching() == Some(MatchStrength::Certain),
            };
            change.writes.push(Write::put(self.keyring.protect(row)?));
        }
        Ok(())
    }

    fn seal_ticket(
        &self,
        change: &mut Change,
        session: &Session,
        body: &Intake,
        checked: &Checked<'_>,
        caller: &CallerRow,
        history: Option<&History>,
    ) -> Result<(TicketId, TakenTicket), Error> {
        let origin = session.actor.department();
        let brought_in = history.is_some() || !self.spending.is_limited();
        let mut row = self.new_ticket_row(session, body, checked, caller, brought_in)?;
        let id = row.id;
        let (key, wrapped) = self.keyring.new_record_key(RecordId::Ticket(row.id))?;
        change.keys.push(wrapped);
        for (field, value) in &checked.ticket {
            change
                .writes
                .push(Write::put(self.keyring.seal(&key, field.name(), value)?));
        }
        if row.confidential && history.is_some_and(|history| history.sent_to().is_some()) {
            // As where it is sent in this vault: a department hears nothing that it could follow the caller by.
            row.on_file = Vec::new();
        }
        let steps = history.map_or_else(
            || vec![Past::taken(origin, row.created_at)],
            |history| history.steps(origin),
        );
        for (version, step) in (TicketRow::FIRST..).zip(&steps) {
            row.version = version;
            row.state = step.state;
            row.holder = step.holder;
            // A row follows its earlier version, and a step of custody its ticket.
            change.writes.push(Write::put(self.keyring.protect(row.clone())?));
            change.writes.push(Write::put(self.custody(session, &row, step.at)?));
            change.writes.extend(self.closed(&row, step.at)?);
        }
        let taken = TakenTicket {
            no: row.no,
            state: row.state,
        };
        Ok((id, taken))
    }
}

impl Intake {
    /// The caller asks for secrecy, or it is the default of the kind.
    pub(crate) fn is_confidential(&self) -> bool {
        self.ticket.secrecy_requested || self.ticket.kind == MatterKind::Report
    }
}
