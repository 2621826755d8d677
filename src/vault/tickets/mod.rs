//! Tickets: the envelope, the list, and the steps.

mod caller;
mod contacts;
mod step;
mod told;

use serde::Serialize;

pub use self::caller::TicketCaller;
use self::caller::tells_of_caller;
pub use self::contacts::ContactLine;
pub use self::step::{Moved, MovedAnswer, TicketStep};
use self::told::Told;
use crate::cells;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::RecordId;
use crate::model::principals::Actor;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::ticket_name::TicketName;
use crate::model::tickets::{Channel, MatterKind, TicketState};
use crate::store::rows::custody::OF_TICKET;
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::ticket::{HELD, TAKEN};
use crate::store::rows::{Cell, Column, CustodyRow, Genuine, TicketRow};
use crate::vault::core::ticket_of;
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// A ticket without its sealed fields. Nothing in it identifies the caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketPage {
    /// The ticket: its number in the centre that took the call, elsewhere your department's reference to it. Either is taken where a
    /// ticket is named.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// Where it stands.
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
    /// When the call came in, UTC. Outside the centre that took it, the beginning of that day: by the very moment two departments could
    /// tell that they have had the same ticket.
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
    /// The departments that have held it, oldest first; outside the centre that took the call, only the steps at your department, with the days.
    pub custody: Vec<CustodyStep>,
    /// Calls to the caller by a relay, newest first, at most 50; outside the centre those that your department asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub contacts: Vec<ContactLine>,
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
    /// The ticket: its number in the centre that took the call, elsewhere your department's reference to it.
    #[schema(value_type = String)]
    pub ticket: TicketName,
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
    /// When the call came in, UTC; outside the centre that took it, the beginning of that day.
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
    pub next: Option<TicketName>,
    /// The log entry of this read.
    pub audit: Audit,
}

impl Vault {
    /// Reads a ticket's envelope.
    ///
    /// # Errors
    /// [`Error::Refused`] also for a ticket that does not exist.
    pub async fn read_ticket(
        &self,
        session: &Session,
        ticket: TicketName,
        purpose: Purpose,
    ) -> Result<TicketPage, Error> {
        let ask = self.ask(session, Action::ReadTicket, purpose)?.ticket(ticket);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = ticket_of(&permit)?;
        let mut change = Change::default();
        let caller = self.caller_of_ticket(session, &row, &mut change).await?;
        let audit = self.record(permit, change).await?.position().into();
        let told = Told::of(session, &row);
        let custody = self.custody_of(&row, told).await?;
        Ok(TicketPage {
            ticket: self.name_of_ticket(&session.actor, &row).await?,
            state: row.state,
            kind: row.kind,
            category: row.category.clone(),
            township: row.township.clone(),
            channel: row.channel,
            confidential: row.confidential,
            holder: row.holder,
            origin: row.origin,
            received_at: told.time(row.received_at),
            caller,
            caller_erased: row.is_erased() && tells_of_caller(session, &row, true),
            on_file: self.fields_of(RecordId::Ticket(row.id)).await?,
            contacts: self.contacts_of(&row, told).await?,
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
        after: Option<TicketName>,
        limit: u32,
    ) -> Result<TicketList, Error> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let ask = self.ask(session, Action::ListTickets, purpose)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let mut rows = self.page_of(&session.actor, after, limit + 1).await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let mut tickets = Vec::with_capacity(rows.len());
        for row in &rows {
            tickets.push(self.ticket_line(session, row).await?);
        }
        let next = tickets.last().filter(|_| more).map(|line| line.ticket);
        Ok(TicketList { tickets, next, audit })
    }

    async fn ticket_line(&self, session: &Session, row: &Genuine<TicketRow>) -> Result<TicketLine, Error> {
        Ok(TicketLine {
            ticket: self.name_of_ticket(&session.actor, row).await?,
            state: row.state,
            kind: row.kind,
            category: row.category.clone(),
            township: row.township.clone(),
            holder: row.holder,
            received_at: Told::of(session, row).time(row.received_at),
        })
    }

    /// The steps of a ticket, as its reader may know them.
    async fn custody_of(&self, row: &Genuine<TicketRow>, told: Told) -> Result<Vec<CustodyStep>, Error> {
        let steps = self.store.all(&OF_TICKET, &cells![row.id, LARGEST_PAGE]).await?;
        let steps = self.genuine(steps)?;
        let steps = steps.into_iter().filter(|step| told.tells_of(step.holder));
        let step = |step: Genuine<CustodyRow>| CustodyStep {
            state: step.state,
            holder: step.holder,
            at: told.time(step.at),
        };
        Ok(steps.map(step).collect())
    }

    /// Tickets a department holds or took, newest first, from the one after that one.
    async fn page_of(
        &self,
        who: &Actor,
        after: Option<TicketName>,
        limit: u32,
    ) -> Result<Vec<Genuine<TicketRow>>, Error> {
        let department = who.department();
        let before = match after {
            None => [Cell::Int(i64::MAX), Cell::Text(String::new())],
            Some(last) => {
                let row = self.ticket_named(who, &last).await?;
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
}
