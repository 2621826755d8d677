//! A caller is called without the number: a handler gets a contact code, a relay exchanges it for the number, once, and says what became of the
//! call ([0051](../../../docs/decisions/0051-contact-without-the-number.md)).

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::clock::NoClock;
use crate::keyring::Revealed;
use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::contacts::ContactOutcome;
use crate::model::fields::{CALLBACK_NUMBER, CALLER_NUMBER};
use crate::model::ids::{ContactId, RecordKind};
use crate::model::limits::Counted;
use crate::model::problems::{self, Thing};
use crate::model::purposes::{Form, Purpose};
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::model::ticket_name::TicketName;
use crate::policy::Why;
use crate::store::rows::{CallerRow, ContactRow, TicketRow, contact};
use crate::store::{Guard, Write};
use crate::vault::core::{caller_of, random_text, text_hash, ticket_of};
use crate::vault::{Audit, Error, Session, Vault};

/// How long a code is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(30);
/// What every code begins with, so that a leaked one is recognised.
const PREFIX: &str = "cvc_";
/// The word of an entry for the code that it is about.
const CONTACT: &str = "contact";
/// Numbers by which callers are called, the one that is taken first in front.
const NUMBERS: [&str; 2] = [CALLBACK_NUMBER, CALLER_NUMBER];

/// Which caller is to be called, and what for.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskContact {
    /// The ticket about the caller that your department works on.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// What the call is for.
    #[schema(example = "handle")]
    pub purpose: Purpose,
}

/// As [`AskContact`], where the address names the ticket.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskContactOfTicket {
    /// What the call is for.
    #[schema(example = "handle")]
    pub purpose: Purpose,
}

/// A contact code, once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ContactCode {
    /// For the relay: shown now and never again. It holds no number.
    pub code: String,
    /// Id of the contact: the relay reports the call under it.
    pub contact: String,
    /// From when on the code is worth nothing.
    pub expires_at: String,
    /// The log entry of this act.
    pub audit: Audit,
}

/// A code that a relay was given.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExchangeCode {
    /// As the handler has it.
    #[schema(value_type = String)]
    pub code: Submitted,
}

/// What became of a call.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportContact {
    /// What the caller's side did.
    #[schema(example = "answered")]
    pub outcome: ContactOutcome,
}

/// A call that was reported.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ContactReported {
    /// Id of the contact.
    pub contact: String,
    /// What became of it.
    pub outcome: ContactOutcome,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Gives a contact code for one call to a ticket's caller. `caller` is left out on a confidential ticket, where a department has no reference.
    ///
    /// # Errors
    /// [`Error::Refused`], also once the day's clear reveals are used up; [`Error::Bad`] where no number is on file.
    pub async fn ask_contact(
        &self,
        session: &Session,
        caller: Option<Reference>,
        body: &AskContact,
    ) -> Result<ContactCode, Error> {
        let numbers = NUMBERS.map(str::to_owned);
        let fields = session.rules.names(RecordKind::Caller, &numbers)?;
        let ask = self.ask(session, Action::AskContact, body.purpose)?.ticket(body.ticket);
        let ask = match caller {
            Some(caller) => ask.caller(caller),
            None => ask.caller_of_ticket(),
        };
        let ask = ask.fields(RecordKind::Caller, fields).counting(Counted::Reveal);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let (ticket, caller) = (ticket_of(&permit)?, caller_of(&permit)?);
        let (row, text) = self.new_contact(session, body.purpose, permit.ask().at(), &ticket, &caller)?;
        let (contact, expires_at) = (row.id.to_string(), milliseconds(row.expires_at));
        let change = Change {
            link: link(&row),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let audit = self.record(permit, change).await?.position().into();
        Ok(ContactCode {
            code: text.to_string(),
            contact,
            expires_at,
            audit,
        })
    }

    fn new_contact(
        &self,
        session: &Session,
        purpose: Purpose,
        made_at: Timestamp,
        ticket: &TicketRow,
        caller: &CallerRow,
    ) -> Result<(ContactRow, zeroize::Zeroizing<String>), Error> {
        let on_file = NUMBERS.into_iter().find(|field| caller.has(field));
        // Of a reporter nobody hears whether they have left a number: then the relay finds none.
        let field = on_file.or(ticket.confidential.then_some(CALLBACK_NUMBER));
        let field = field.ok_or(Error::Bad(problems::NO_NUMBER))?;
        let text = random_text(&*self.randomness, PREFIX)?;
        let row = ContactRow {
            id: ContactId::random(&*self.randomness)?,
            hash: text_hash(&text),
            ticket: ticket.id,
            field: field.to_owned(),
            department: session.actor.department(),
            made_by: session.actor.id(),
            purpose,
            made_at,
            expires_at: made_at.checked_add(GOOD_FOR).map_err(|_| NoClock)?,
            exchanged_by: None,
            exchanged_at: None,
            outcome: None,
            ended_at: None,
            version: 1,
        };
        Ok((row, text))
    }

    /// Gives a relay the number behind a code, once. It is a read like any other, in the log before the number is opened.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown code; [`Error::Refused`], also for one that was used or is too old, and once the department works on the ticket
    /// no more.
    pub async fn exchange_contact(
        &self,
        session: &Session,
        body: &ExchangeCode,
    ) -> Result<(Revealed, ContactId), Error> {
        let hash = text_hash(body.code.expose().trim());
        let found = self.store.one(&contact::BY_HASH, &cells![hash]).await?;
        let found = found.map(|row| self.keyring.genuine(row)).transpose()?;
        let row = found.ok_or(Error::NotFound(Thing::ContactCode))?;
        let named = self.ticket_row(row.ticket).await?;
        let fields = session
            .rules
            .names(RecordKind::Caller, std::slice::from_ref(&row.field))?;
        let ask = self
            .ask(session, Action::Reveal, Purpose::Connect)?
            .found_ticket(named.no)
            .caller_of_ticket()
            .fields(RecordKind::Caller, fields)
            .form_counted_before(Form::Clear);
        let mut facts = self.facts(&ask).await?;
        facts.contact = Some(row.clone());
        let permit = self.decide(ask, facts).await?;
        if row.exchanged_at.is_some() || row.expires_at <= permit.ask().at() {
            return Err(self.refuse(permit, Why::ContactOver).await);
        }
        let exchanged = ContactRow {
            exchanged_by: Some(session.actor.id()),
            exchanged_at: Some(permit.ask().at()),
            version: row.version + 1,
            ..row.clone().into_row()
        };
        let id = row.id;
        let change = Change {
            link: link(&exchanged),
            guards: vec![Guard::unchanged(&row)],
            writes: vec![Write::put(self.keyring.protect(exchanged)?)],
            ..Change::default()
        };
        let receipt = self.commit(permit, change).await?;
        Ok((self.open_fields(receipt).await?, id))
    }

    /// Takes down what became of a call, from the relay that put it through.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for a contact that this relay has not exchanged; [`Error::Bad`] for one that was reported.
    pub async fn report_contact(
        &self,
        session: &Session,
        id: ContactId,
        body: &ReportContact,
    ) -> Result<ContactReported, Error> {
        let ask = self.ask(session, Action::ReportContact, Purpose::Connect)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = self.store.one(&contact::BY_ID, &cells![id]).await?;
        let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
        let row = row.filter(|row| row.exchanged_by == Some(session.actor.id()));
        let row = row.ok_or(Error::NotFound(Thing::Contact))?;
        if row.ended_at.is_some() {
            return Err(Error::Bad(problems::CONTACT_REPORTED));
        }
        let about = self.ticket_row(row.ticket).await?;
        let ended = ContactRow {
            outcome: Some(body.outcome),
            ended_at: Some(permit.ask().at()),
            version: row.version + 1,
            ..row.clone().into_row()
        };
        let mut change = Change {
            link: link(&ended),
            guards: vec![Guard::unchanged(&row)],
            writes: vec![Write::put(self.keyring.protect(ended)?)],
            ticket: Some(about.no),
            subject: (!about.is_erased()).then_some(about.subject),
            ..Change::default()
        };
        change.link.insert("outcome".to_owned(), body.outcome.to_string());
        let audit = self.record(permit, change).await?.position().into();
        Ok(ContactReported {
            contact: id.to_string(),
            outcome: body.outcome,
            audit,
        })
    }
}

/// What each entry of a contact says of it: which one, and for whom it was asked.
fn link(row: &ContactRow) -> BTreeMap<String, String> {
    [(CONTACT, row.id.to_string()), ("for", row.made_by.to_string())]
        .map(|(word, what)| (word.to_owned(), what))
        .into()
}
