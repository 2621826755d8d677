//! Tickets: the envelope, the list, and the steps.

mod caller;

use serde::{Deserialize, Serialize};

pub use self::caller::TicketCaller;
use self::caller::tells_of_caller;
use crate::cells;
use crate::log::{Change, leaf};
use crate::model::ask::Action;
use crate::model::ids::RecordId;
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::submitted::Submitted;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState};
use crate::model::transitions::{Departments, Step, Transition};
use crate::store::rows::custody::OF_TICKET;
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::ticket::{BY_NO, HELD, TAKEN};
use crate::store::rows::{Cell, Column, Genuine, TicketRow};
use crate::store::{Guard, Write};
use crate::vault::core::ticket_of;
use crate::vault::{Audit, Error, LARGEST_PAGE, Replay, Session, Vault};

/// A ticket without its sealed fields. Nothing in it identifies the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketPage {
    /// Its number.
    #[schema(value_type = String)]
    pub no: TicketNo,
    /// `accepted`, `dispatched` or `closed`.
    pub state: TicketState,
    /// 诉求类型.
    pub kind: MatterKind,
    /// Category code.
    pub category: String,
    /// Place code.
    pub township: String,
    /// The channel of the call.
    pub channel: Channel,
    /// Whether the ticket is confidential: the caller asked for secrecy, or its kind demands it.
    pub confidential: bool,
    /// The department that holds it.
    #[schema(value_type = String)]
    pub holder: DepartmentCode,
    /// The centre that took the call.
    #[schema(value_type = String)]
    pub origin: DepartmentCode,
    /// When the call came in, UTC.
    pub received_at: String,
    /// The caller. On a confidential ticket only the agent who took the call gets it. With a reference that stays the same, others
    /// could recognise a reporter from other tickets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<TicketCaller>,
    /// Whether the caller was erased, and with the caller what the ticket had on file.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub caller_erased: bool,
    /// Names of the ticket's own sealed fields on file.
    pub on_file: Vec<String>,
    /// The departments that have held it, oldest first.
    pub custody: Vec<CustodyStep>,
    /// Version; the `ETag`. Each change increases it.
    pub version: u64,
    /// The log entry of this read.
    pub audit: Audit,
}

/// A step of custody.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CustodyStep {
    /// The ticket's state after the step.
    pub state: TicketState,
    /// The department that held the ticket after the step.
    #[schema(value_type = String)]
    pub holder: DepartmentCode,
    /// Time of the step, UTC.
    pub at: String,
}

/// A ticket in the list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketLine {
    /// Its number.
    #[schema(value_type = String)]
    pub no: TicketNo,
    /// Its state.
    pub state: TicketState,
    /// 诉求类型.
    pub kind: MatterKind,
    /// Category code.
    pub category: String,
    /// Place code.
    pub township: String,
    /// The department that holds it.
    #[schema(value_type = String)]
    pub holder: DepartmentCode,
    /// When the call came in, UTC.
    pub received_at: String,
}

/// A page of the list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketList {
    /// Newest first.
    pub tickets: Vec<TicketLine>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub next: Option<TicketNo>,
    /// The log entry of this read.
    pub audit: Audit,
}

/// A step of a ticket.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketStep {
    /// Code of the department that gets the ticket. `dispatch` needs it; other steps do not allow it.
    #[schema(value_type = Option<String>, example = "C1")]
    pub department: Option<DepartmentCode>,
    /// The reason, sealed into the ticket.
    #[schema(value_type = String)]
    pub reason: Submitted,
    /// `dispatch` or `handle`, as your role allows; by default the usual one for the step.
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
    /// Its number.
    #[schema(value_type = String)]
    pub no: TicketNo,
    /// Its state.
    pub state: TicketState,
    /// The department that holds it.
    #[schema(value_type = String)]
    pub holder: DepartmentCode,
    /// Its new version.
    pub version: u64,
}

impl Vault {
    /// Reads a ticket's envelope.
    ///
    /// # Errors
    /// [`Error::Refused`] also for a ticket that does not exist.
    pub async fn read_ticket(&self, session: &Session, no: TicketNo, purpose: Purpose) -> Result<TicketPage, Error> {
        let ask = self.ask(session, Action::ReadTicket, purpose)?.ticket(no);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = ticket_of(&permit)?;
        let mut change = Change::default();
        let caller = self.caller_of_ticket(session, &row, &mut change).await?;
        let audit = self.record(permit, change).await?.position().into();
        let mut custody = Vec::new();
        for step in self.genuine(self.store.all(&OF_TICKET, &cells![row.id, LARGEST_PAGE]).await?)? {
            custody.push(CustodyStep {
                state: step.state,
                holder: step.holder,
                at: leaf::milliseconds(step.at),
            });
        }
        Ok(TicketPage {
            no: row.no,
            state: row.state,
            kind: row.kind,
            category: row.category.clone(),
            township: row.township.clone(),
            channel: row.channel,
            confidential: row.confidential,
            holder: row.holder,
            origin: row.origin,
            received_at: leaf::milliseconds(row.received_at),
            caller,
            caller_erased: row.is_erased() && tells_of_caller(session, &row, true),
            on_file: self.fields_of(RecordId::Ticket(row.id)).await?,
            custody,
            version: row.version,
            audit,
        })
    }

    /// Lists the tickets the asker's department holds or took, newest first.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_tickets(
        &self,
        session: &Session,
        purpose: Purpose,
        after: Option<TicketNo>,
        limit: u32,
    ) -> Result<TicketList, Error> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let ask = self.ask(session, Action::ListTickets, purpose)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let mut rows = self.page_of(session.actor.department(), after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let next = rows.last().filter(|_| more).map(|row| row.no);
        let tickets = rows.iter().map(|row| line(row)).collect();
        Ok(TicketList { tickets, next, audit })
    }

    /// Tickets a department holds or took, newest first, from the one after that number.
    async fn page_of(
        &self,
        department: DepartmentCode,
        after: Option<TicketNo>,
        limit: u32,
    ) -> Result<Vec<Genuine<TicketRow>>, Error> {
        let before = match after {
            None => [Cell::Int(i64::MAX), Cell::Text(String::new())],
            Some(no) => {
                let row = self.store.one(&BY_NO, &cells![no]).await?;
                let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
                let own = |row: &Genuine<TicketRow>| row.holder == department || row.origin == department;
                // A ticket that has left the department meanwhile ends the list, as one that never was.
                let Some(row) = row.filter(own) else {
                    return Ok(Vec::new());
                };
                cells![row.created_at, row.no]
            }
        };
        let [at, no] = before;
        let with = [department.cell(), at, no, limit.cell()];
        self.merged(&[&HELD, &TAKEN], &with).await
    }

    /// The names of a record's fields on file.
    async fn fields_of(&self, record: RecordId) -> Result<Vec<String>, Error> {
        let rows = self
            .store
            .all(&OF_RECORD, &cells![record.kind(), *record.as_bytes()])
            .await?;
        Ok(rows.into_iter().map(|row| row.field).collect())
    }

    /// Takes a ticket one step on: its row, the step of custody, the sealed reason and the leaf, in one transaction.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for an unknown department, [`Error::Bad`] for a closed one; [`Error::WrongState`]; [`Error::Stale`] where the
    /// ticket is not at the version that was `seen`; [`Error::Bad`] for a department that is missing or one too many.
    pub async fn step(
        &self,
        session: &Session,
        no: TicketNo,
        transition: Transition,
        body: &TicketStep,
        seen: Option<u64>,
        replay: Option<&Replay>,
    ) -> Result<Moved, Error> {
        let moved = self.step_once(session, no, transition, body, seen, replay).await;
        let (answer, audit) = self.or_replayed(session, replay, moved).await?;
        Ok(Moved { answer, audit })
    }

    async fn step_once(
        &self,
        session: &Session,
        no: TicketNo,
        transition: Transition,
        body: &TicketStep,
        seen: Option<u64>,
        replay: Option<&Replay>,
    ) -> Result<(MovedAnswer, Audit), Error> {
        let step = transition.step();
        let purpose = body
            .purpose
            .unwrap_or_else(|| session.actor.roles().purpose_for(step.purpose));
        let ask = self.ask(session, step.action, purpose)?.ticket(no);
        let facts = self.facts(&ask).await?;
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
        let next = moved(&row, &step, body.department)?;
        let (mut change, answer) = self.compose_step(session, &row, next, &step, &body.reason).await?;
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
        reason: &Submitted,
    ) -> Result<(Change, MovedAnswer), Error> {
        let mut change = Change::default();
        let field = session.rules.field(step.reason)?;
        let reason = field
            .normalise(reason, self.today()?)
            .map_err(|invalid| Error::Invalid(vec![invalid]))?;
        let key = self.sealing_key(RecordId::Ticket(row.id)).await?;
        if next.holder != row.holder {
            let holder = self.open_department(next.holder).await?;
            change.guards.push(Guard::unchanged(&holder));
            // On a confidential ticket a department hears nothing that it could follow the caller by.
            next.on_file = Vec::new();
            if !row.confidential {
                // Only a closed ticket's caller is erased, and no step leads on from there.
                let caller = self.keyring.caller_in(row)?.ok_or(Error::WrongState(row.state))?;
                let caller = self.traced(caller).await?;
                // The ticket is about its own record again once a merge is undone.
                for record in caller.line() {
                    self.refer(&mut change, RecordId::Caller(record.id), next.holder)
                        .await?;
                }
                next.on_file.clone_from(&caller.row.fields);
            }
        }
        let answer = MovedAnswer {
            no: next.no,
            state: next.state,
            holder: next.holder,
            version: next.version,
        };
        let now = self.clock.now()?;
        change.writes.push(Write::put(self.custody(session, &next, now)?));
        change.writes.extend(self.closed(&next, now)?);
        change.writes.push(Write::put(self.keyring.protect(next)?));
        change
            .writes
            .push(Write::put(self.keyring.seal(&key, field.name(), &reason)?));
        Ok((change, answer))
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
    };
    let misnamed = match to {
        None => Error::Bad(problems::NO_DEPARTMENT),
        Some(_) => Error::Bad(problems::NO_DEPARTMENT_HERE),
    };
    Ok(TicketRow {
        state: step.to,
        holder: step.holder.after(departments, to).ok_or(misnamed)?,
        version: row.version + 1,
        ..row.clone().into_row()
    })
}

fn line(row: &TicketRow) -> TicketLine {
    TicketLine {
        no: row.no,
        state: row.state,
        kind: row.kind,
        category: row.category.clone(),
        township: row.township.clone(),
        holder: row.holder,
        received_at: leaf::milliseconds(row.received_at),
    }
}
