//! A field leaves: facts, decision, log, sealed bytes, opening, in this order.

use serde::Deserialize;

use crate::cells;
use crate::keyring::{KeyError, Revealed};
use crate::log::{Change, Receipt};
use crate::model::ask::{Action, Ask};
use crate::model::ids::RecordKind;
use crate::model::purposes::{Form, Purpose};
use crate::model::reference::Reference;
use crate::model::ticket_name::TicketName;
use crate::store::rows::field::ONE;
use crate::vault::core::Superseded;
use crate::vault::{Error, Session, Vault};

/// A request to show fields of a caller for a ticket.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealCaller {
    /// The ticket for which you need the fields.
    #[schema(value_type = String, example = "48213900127764")]
    pub ticket: TicketName,
    /// The purpose of the read.
    #[schema(example = "handle")]
    pub purpose: Purpose,
    /// Names of the fields.
    #[schema(example = json!(["callback_number"]))]
    pub fields: Vec<String>,
    /// `clear` or `masked`.
    #[schema(example = "clear")]
    pub form: Form,
}

/// A request to show fields of the ticket itself.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RevealTicket {
    /// The purpose of the read.
    #[schema(example = "handle")]
    pub purpose: Purpose,
    /// Names of the fields.
    #[schema(example = json!(["text"]))]
    pub fields: Vec<String>,
    /// `clear` or `masked`.
    #[schema(example = "clear")]
    pub form: Form,
}

impl Vault {
    /// The ask for fields of a caller.
    ///
    /// # Errors
    /// [`Error::Bad`] for a field that is not a caller's.
    pub fn ask_caller(&self, session: &Session, caller: Reference, body: &RevealCaller) -> Result<Ask, Error> {
        let fields = session.rules.names(RecordKind::Caller, &body.fields)?;
        let ask = self.ask(session, Action::Reveal, body.purpose)?;
        Ok(ask
            .caller(caller)
            .ticket(body.ticket)
            .fields(RecordKind::Caller, fields)
            .form(body.form))
    }

    /// The ask for fields of a ticket.
    ///
    /// # Errors
    /// [`Error::Bad`] for a field that is not a ticket's.
    pub fn ask_ticket(&self, session: &Session, ticket: TicketName, body: &RevealTicket) -> Result<Ask, Error> {
        let fields = session.rules.names(RecordKind::Ticket, &body.fields)?;
        let ask = self.ask(session, Action::Reveal, body.purpose)?;
        Ok(ask.ticket(ticket).fields(RecordKind::Ticket, fields).form(body.form))
    }

    /// Opens the fields an ask names, once the read stands in the log.
    ///
    /// # Errors
    /// [`Error::Refused`], which stands in the log too; otherwise whatever prevented it, and nothing was opened.
    pub async fn reveal(&self, ask: Ask) -> Result<(Revealed, Option<Superseded>), Error> {
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let mut change = Change::default();
        let superseded = self.superseded(&permit, &mut change).await?;
        let receipt = self.commit(permit, change).await?;
        Ok((self.open_fields(receipt).await?, superseded))
    }

    pub(in crate::vault::calls) async fn open_fields(&self, receipt: Receipt) -> Result<Revealed, Error> {
        let record = receipt.record().ok_or(KeyError::NoRecordKey)?;
        let mut rows = Vec::with_capacity(receipt.fields().len());
        for name in receipt.fields() {
            let with = cells![record.kind(), *record.as_bytes(), name.as_str().to_owned()];
            rows.extend(self.store.one(&ONE, &with).await?);
        }
        let key = self.wrapped_key(record).await?;
        Ok(self.keyring.open(&rows, &key, &self.rules.load().fields, receipt)?)
    }
}
