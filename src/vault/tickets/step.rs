//! The steps of a ticket: one function takes any of them, as the table of transitions declares it.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::effects::{Effects, stated};
use crate::log::Change;
use crate::model::callbacks::CallbackResults;
use crate::model::fields::Field;
use crate::model::ids::RecordId;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::submitted::Submitted;
use crate::model::ticket_name::TicketName;
use crate::model::tickets::TicketState;
use crate::model::transitions::{Departments, Misnamed, Step, Transition};
use crate::store::rows::{Genuine, TicketRow};
use crate::store::{Guard, Write};
use crate::vault::core::ticket_of;
use crate::vault::{Audit, Error, Replay, Session, Vault};

/// A step of a ticket.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketStep {
    /// Code of the department that gets the ticket. `dispatch` needs it; other steps do not allow it.
    #[schema(value_type = Option<String>, example = "C1")]
    pub department: Option<DepartmentCode>,
    /// The reason, sealed into the ticket, for the steps that need one. `feedback` takes the department's notes to the centre here. An
    /// empty text counts as none.
    #[schema(value_type = Option<String>)]
    pub reason: Option<Submitted>,
    /// What the caller is told, sealed into the ticket apart from the reason: `answer` and `feedback` need it.
    #[schema(value_type = Option<String>)]
    pub reply: Option<Submitted>,
    /// By how many working days the deadline moves. `grant-extension` needs it; other steps do not allow it.
    #[schema(minimum = 1, maximum = 250)]
    pub working_days: Option<u32>,
    /// What came of asking the caller. `callback` needs it; other steps do not allow it.
    pub results: Option<CallbackResults>,
    /// One that your role allows; by default the usual one for the step, or that of the role which may take it.
    pub purpose: Option<Purpose>,
}

/// A ticket after a step.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Moved {
    /// The ticket.
    #[serde(flatten)]
    pub answer: MovedAnswer,
    /// The log entry of this act.
    pub audit: Audit,
}

/// The part of the answer that is remembered for a repeated request.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct MovedAnswer {
    /// The ticket: its number in the centre that took the call, elsewhere your department's reference to it.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// Its state.
    pub state: TicketState,
    /// The department that holds it.
    #[schema(value_type = String)]
    pub holder: DepartmentCode,
    /// The last day for the department's report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub due: Option<Date>,
    /// The last day for its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub sign_due: Option<Date>,
    /// Its new version.
    pub version: u64,
}

impl Vault {
    /// Takes a ticket one step on: its row, the step of custody, the sealed texts and the leaf, in one transaction.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for an unknown department, [`Error::Bad`] for a closed one; [`Error::WrongState`]; [`Error::Stale`] where the
    /// ticket is not at the version that was `seen`; [`Error::Bad`] for a department or a text that is missing or one too many;
    /// [`Error::YearMissing`] where the working days up to the deadline are not known.
    pub async fn step(
        &self,
        session: &Session,
        ticket: TicketName,
        transition: Transition,
        body: &TicketStep,
        seen: Option<u64>,
        replay: Option<&Replay>,
    ) -> Result<Moved, Error> {
        let moved = self.step_once(session, ticket, transition, body, seen, replay).await;
        let (answer, audit) = self.or_replayed(session, replay, moved).await?;
        Ok(Moved { answer, audit })
    }

    async fn step_once(
        &self,
        session: &Session,
        ticket: TicketName,
        transition: Transition,
        body: &TicketStep,
        seen: Option<u64>,
        replay: Option<&Replay>,
    ) -> Result<(MovedAnswer, Audit), Error> {
        let step = transition.step();
        let roles = session.actor.roles();
        let usual = body.purpose.unwrap_or_else(|| roles.purpose_for(step.purpose));
        let mut ask = self.ask(session, step.action, usual)?.ticket(ticket);
        let facts = self.facts(&ask).await?;
        if body.purpose.is_none() {
            // Who holds several roles asks for the purpose of the one that may.
            let purposes = std::iter::once(usual).chain(roles.purposes());
            let may = self.rules().policy.purpose_for(&ask, &facts, purposes);
            ask = ask.purpose_instead(may.unwrap_or(usual));
        }
        // A repeated request finds the ticket moved on: it is answered before anything is decided. The facts come
        // first: if they show what the same request has done meanwhile, its answer is there too.
        if let Some(done) = self.replayed(session, replay).await? {
            return Ok(done);
        }
        let permit = self.decide(ask, facts).await?;
        let row = ticket_of(&permit)?;
        if seen.is_some_and(|seen| seen != row.version) {
            return Err(Error::Stale);
        }
        let effects = Effects {
            transition,
            deadlines: &session.rules.deadlines,
            now: self.clock.now()?,
        };
        let next = effects.on(&row, moved(&row, &step, body.department)?, body)?;
        let step = stated(step, &row, body);
        let (mut change, answer) = self.compose_step(session, &row, next, &step, body).await?;
        change.writes.extend(self.remember(session, replay, &answer)?);
        let recorded = self.record(permit, change).await?;
        Ok((answer, recorded.position().into()))
    }

    /// What a step writes.
    async fn compose_step(
        &self,
        session: &Session,
        row: &Genuine<TicketRow>,
        mut next: TicketRow,
        step: &Step,
        body: &TicketStep,
    ) -> Result<(Change, MovedAnswer), Error> {
        let mut change = Change::default();
        let texts = self.texts(session, row, step, body).await?;
        if next.holder != row.holder {
            next.on_file = self.hand_over(&mut change, row, next.holder).await?;
        }
        let answer = MovedAnswer {
            ticket: self.name_of_ticket(&session.actor, &next).await?,
            state: next.state,
            holder: next.holder,
            due: next.due.map(|due| session.rules.deadlines.date(due)),
            sign_due: next.sign_due.map(|due| session.rules.deadlines.date(due)),
            version: next.version,
        };
        let now = self.clock.now()?;
        change.writes.extend(self.called_back(&next, body.results)?);
        change.writes.push(Write::put(self.custody(session, &next, now)?));
        change.writes.extend(self.closed(&next, now)?);
        change.writes.push(Write::put(self.keyring.protect(next)?));
        change.writes.extend(texts);
        Ok((change, answer))
    }

    /// The step's texts, sealed into the ticket.
    async fn texts(
        &self,
        session: &Session,
        row: &Genuine<TicketRow>,
        step: &Step,
        body: &TicketStep,
    ) -> Result<Vec<Write>, Error> {
        let texts = [(step.reason, &body.reason), (step.reply, &body.reply)];
        let texts = texts.into_iter().map(|(field, text)| {
            let stated = text.as_ref().filter(|text| !text.expose().trim().is_empty());
            match (field, stated) {
                (None, None) => Ok(None),
                (Some(field), Some(text)) => Ok(Some((session.rules.field(field)?, text))),
                (Some(_), None) => Err(Error::Bad(problems::NO_TEXT)),
                (None, Some(_)) => Err(Error::Bad(problems::NO_TEXT_HERE)),
            }
        });
        let texts: Vec<(&Field, &Submitted)> = texts.filter_map(Result::transpose).collect::<Result<_, Error>>()?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.sealing_key(RecordId::Ticket(row.id)).await?;
        let today = self.today()?;
        let seal = |(field, text): (&Field, &Submitted)| {
            let normal = field.normalise(text, today);
            let normal = normal.map_err(|invalid| Error::Invalid(vec![invalid]))?;
            Ok(Write::put(self.keyring.seal(&key, field.name(), &normal)?))
        };
        texts.into_iter().map(seal).collect()
    }

    /// Gives the ticket to another holder, who gets a reference to its caller. The names of the caller's fields that are then on file.
    async fn hand_over(
        &self,
        change: &mut Change,
        row: &Genuine<TicketRow>,
        to: DepartmentCode,
    ) -> Result<Vec<String>, Error> {
        let holder = self.open_department(to).await?;
        change.guards.push(Guard::unchanged(&holder));
        let to = holder.references();
        if holder.code != row.origin {
            self.refer(change, RecordId::Ticket(row.id), &to).await?;
        }
        if row.confidential {
            // A department hears nothing that it could follow the caller by.
            return Ok(Vec::new());
        }
        // Only the caller of a ticket that is over is erased, and no step leads on from there.
        let caller = self.keyring.caller_in(row)?.ok_or(Error::WrongState(row.state))?;
        let caller = self.traced(caller).await?;
        // The ticket is about its own record again once a merge is undone.
        for record in caller.line() {
            self.refer(change, RecordId::Caller(record.id), &to).await?;
        }
        Ok(caller.row.fields.clone())
    }
}

/// The ticket after a step.
fn moved(row: &Genuine<TicketRow>, step: &Step, to: Option<DepartmentCode>) -> Result<TicketRow, Error> {
    if !step.from.contains(&row.state) {
        return Err(Error::WrongState(row.state));
    }
    let departments = Departments {
        holder: row.holder,
        origin: row.origin,
        sent_to: row.state.is_with_department().then_some(row.holder),
        worker: row.worker,
    };
    let holder = step.holder.after(departments, to).map_err(|misnamed| match misnamed {
        Misnamed::None | Misnamed::NoWorker => Error::Bad(problems::NO_DEPARTMENT),
        Misnamed::Some => Error::Bad(problems::NO_DEPARTMENT_HERE),
        Misnamed::SameAgain => Error::Bad(problems::SAME_AGAIN),
    })?;
    let state = step.leads_to(row.state);
    Ok(TicketRow {
        state,
        holder,
        worker: state.is_worked_on().then_some(holder).or(row.worker),
        returned_by: (state == TicketState::ReturnAsked)
            .then_some(holder)
            .or(row.returned_by),
        version: row.version + 1,
        ..row.clone().into_row()
    })
}
