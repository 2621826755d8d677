//! What the vault itself knows about an ask: the policy decides on this, not on the asker's word.

use jiff::SignedDuration;

use super::{Error, LARGEST_PAGE, Vault};
use crate::model::ask::{Action, Ask};
use crate::model::ids::{CallerId, RecordId};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::policy::facts::{CallerFacts, Facts, TicketFacts};
use crate::refs;
use crate::store::rows::{CallerRow, DepartmentRow, TicketRow};

/// How long a call counts as the agent's own live call.
const OWN_CALL: SignedDuration = SignedDuration::from_hours(1);

impl Vault {
    /// Resolves the reference and the ticket an ask names. What does not exist is simply absent.
    pub(super) async fn facts(&self, ask: &Ask) -> Result<Facts, Error> {
        let foreign_reference = ask
            .caller_reference()
            .is_some_and(|caller| caller.department() != ask.department());
        let caller = match ask.caller_reference() {
            Some(reference) if !foreign_reference => self.caller_facts(ask, reference).await?,
            _ => None,
        };
        let ticket = match ask.ticket_no() {
            Some(no) => self.ticket_facts(ask, no, caller.as_ref()).await?,
            None => None,
        };
        Ok(Facts {
            caller,
            ticket,
            foreign_reference,
            approval: None,
        })
    }

    async fn caller_facts(&self, ask: &Ask, reference: &Reference) -> Result<Option<CallerFacts>, Error> {
        let Some(RecordId::Caller(id)) = refs::resolve(&self.keyring, &*self.store, reference).await? else {
            return Ok(None);
        };
        let concerns = ask.action() == Action::ReadCaller && self.concerns(ask.department(), id).await?;
        Ok(Some(CallerFacts {
            id,
            subject: self.subject(id).await?.reference,
            concerns,
        }))
    }

    /// Whether a department took a ticket of this caller, or holds an open one that is not confidential.
    async fn concerns(&self, department: DepartmentCode, caller: CallerId) -> Result<bool, Error> {
        let tickets = self.store.tickets_about(caller, department, LARGEST_PAGE).await?;
        for ticket in tickets {
            let ticket = self.keyring.genuine(ticket)?;
            let held = ticket.holder == department && ticket.state.is_open() && !ticket.confidential;
            if ticket.origin == department || held {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn ticket_facts(
        &self,
        ask: &Ask,
        no: &TicketNo,
        known: Option<&CallerFacts>,
    ) -> Result<Option<TicketFacts>, Error> {
        let Some(row) = self.ticket_row(no).await? else {
            return Ok(None);
        };
        let subject = match known.filter(|caller| caller.id == row.caller) {
            Some(caller) => caller.subject,
            None => self.subject(row.caller).await?.reference,
        };
        Ok(Some(TicketFacts {
            id: row.id,
            no: row.no,
            version: row.version,
            caller: row.caller,
            subject,
            state: row.state,
            holder: row.holder,
            origin: row.origin,
            own_call: row.taken_by == ask.who().id() && ask.at().duration_since(row.created_at) <= OWN_CALL,
            confidential: row.confidential,
        }))
    }

    /// The ticket's row, if it is as the vault wrote it.
    pub(super) async fn ticket_row(&self, no: &TicketNo) -> Result<Option<TicketRow>, Error> {
        let row = self.store.ticket(no).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// The caller's row, if it is as the vault wrote it.
    pub(super) async fn caller_row(&self, id: CallerId) -> Result<CallerRow, Error> {
        let row = self.store.caller(id).await?.ok_or(Error::NotFound("caller"))?;
        Ok(self.keyring.genuine(row)?)
    }

    /// The department's row, if it is as the vault wrote it.
    pub(super) async fn department_row(&self, code: DepartmentCode) -> Result<DepartmentRow, Error> {
        let row = self.store.department(code).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound("department"))?)?)
    }

    /// The caller as the log names them: a reference in the auditors' own domain.
    pub(super) async fn subject(&self, caller: CallerId) -> Result<refs::Minted, Error> {
        let record = RecordId::Caller(caller);
        Ok(refs::mint(&self.keyring, &*self.store, DepartmentCode::AUDITORS, record).await?)
    }
}
