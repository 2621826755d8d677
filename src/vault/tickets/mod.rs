//! Tickets: the envelope, the list, and the steps.

mod caller;
mod contacts;
mod counts;
mod effects;
mod list;
mod step;
mod told;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

pub use self::caller::TicketCaller;
use self::caller::tells_of_caller;
pub use self::contacts::ContactLine;
pub use self::counts::{StateCount, TicketCounts};
pub use self::list::{After, Wanted};
pub use self::step::{Moved, MovedAnswer, TicketStep};
use self::told::Told;
use crate::cells;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::callbacks::CallbackResults;
use crate::model::deadlines::{Card, Cards, Deadlines};
use crate::model::ids::RecordId;
use crate::model::principals::Role;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::ticket_name::TicketName;
use crate::model::tickets::{Channel, MatterKind, TicketOrder, TicketState, Urgency};
use crate::store::rows::callback;
use crate::store::rows::custody::OF_TICKET;
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::{CustodyRow, Genuine, TicketRow};
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
    /// Urgency, deadlines, supervision, and who acts next.
    #[serde(flatten)]
    pub standing: Standing,
    /// Extensions granted since it was dispatched or sent back for more work.
    pub extensions: u32,
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

/// How soon a ticket has to be dealt with, by whom, and how that stands today.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Standing {
    /// How urgent it is.
    pub urgency: Urgency,
    /// The last day for the department's report, while it lies with one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub due: Option<Date>,
    /// The last day for the department's signature, until it has signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    pub sign_due: Option<Date>,
    /// The card that `due` has today: yellow from the last working day before it, red from the first working day after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<Card>,
    /// Whether the centre watches over it.
    pub supervised: bool,
    /// The role that must act next, unless the ticket is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Role>,
}

impl Standing {
    fn new(row: &TicketRow, deadlines: &Deadlines, cards: Cards) -> Self {
        Self {
            urgency: row.urgency,
            due: row.due.map(|due| deadlines.date(due)),
            sign_due: row.sign_due.map(|due| deadlines.date(due)),
            card: row.due.and_then(|due| cards.of(due)),
            supervised: row.supervised,
            next: row.state.next_role(),
        }
    }
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
    /// For the centre that took the call: what came of asking the caller, where the step recorded that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<CallbackResults>,
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
    /// Urgency, deadlines, supervision, and who acts next.
    #[serde(flatten)]
    pub standing: Standing,
    /// For the centre that took the call: whether the caller has other tickets there that are not over. Of confidential tickets it is not told.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub repeat: bool,
}

/// A page of the list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketList {
    /// The order that they are in.
    pub order: TicketOrder,
    /// A page may have fewer than `limit`, even none, although there are more.
    pub tickets: Vec<TicketLine>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
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
        let cards = session.rules.deadlines.cards(permit.ask().at())?;
        let audit = self.record(permit, change).await?.position().into();
        let told = Told::of(session, &row);
        let custody = self.custody_of(session, &row, told).await?;
        Ok(TicketPage {
            ticket: self.name_of_ticket(&session.actor, &row).await?,
            state: row.state,
            kind: row.kind,
            category: row.category.clone(),
            township: row.township.clone(),
            channel: row.channel,
            standing: Standing::new(&row, &session.rules.deadlines, cards),
            extensions: row.extensions,
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

    /// What came of asking the ticket's caller, by the version of the step; for the centre alone.
    async fn results_of(
        &self,
        session: &Session,
        row: &Genuine<TicketRow>,
    ) -> Result<BTreeMap<u64, CallbackResults>, Error> {
        if row.origin != session.actor.department() {
            return Ok(BTreeMap::new());
        }
        let rows = self
            .store
            .all(&callback::OF_TICKET, &cells![row.id, LARGEST_PAGE])
            .await?;
        let rows = self.genuine(rows)?;
        Ok(rows.iter().map(|row| (row.version, row.results())).collect())
    }

    /// The steps of a ticket, as its reader may know them.
    async fn custody_of(
        &self,
        session: &Session,
        row: &Genuine<TicketRow>,
        told: Told,
    ) -> Result<Vec<CustodyStep>, Error> {
        let mut results = self.results_of(session, row).await?;
        let steps = self.store.all(&OF_TICKET, &cells![row.id, LARGEST_PAGE]).await?;
        let steps = self.genuine(steps)?;
        let steps = steps.into_iter().filter(|step| told.tells_of(step.holder));
        let step = |step: Genuine<CustodyRow>| CustodyStep {
            state: step.state,
            holder: step.holder,
            at: told.time(step.at),
            results: results.remove(&step.version),
        };
        Ok(steps.map(step).collect())
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

/// A line of the list, for a ticket that its reader calls so.
fn line(session: &Session, ticket: TicketName, row: &TicketRow, standing: Standing, repeat: bool) -> TicketLine {
    TicketLine {
        ticket,
        state: row.state,
        kind: row.kind,
        category: row.category.clone(),
        township: row.township.clone(),
        holder: row.holder,
        received_at: Told::of(session, row).time(row.received_at),
        standing,
        repeat,
    }
}
