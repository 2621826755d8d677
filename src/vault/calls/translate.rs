//! A caller's reference goes to another department (REFERENCES §2.5): the sender gets a transfer, the receiver gets its own reference by it.
//! Neither sees the other's, and only the log has both departments in one entry.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::clock::NoClock;
use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::ids::{RecordId, TransferId};
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::submitted::Submitted;
use crate::model::ticket_name::TicketName;
use crate::policy::Why;
use crate::store::rows::restriction::IN_FORCE;
use crate::store::rows::{TicketRow, TransferRow, transfer};
use crate::store::{Guard, Write};
use crate::vault::core::{random_text, text_hash, ticket_of};
use crate::vault::{Audit, Error, Session, Vault};

/// How long a transfer is good for.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(72);
/// What every transfer begins with, so that a leaked one is recognised.
const PREFIX: &str = "cvx_";
/// The word of an entry for the transfer that it is about.
const TRANSFER: &str = "transfer";

/// A reference to be translated.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Translate {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Code of the department that is to get a reference of its own.
    #[schema(value_type = String, example = "W2")]
    pub to_department: DepartmentCode,
    /// The ticket about the caller that your department works on.
    #[schema(value_type = String)]
    pub ticket: TicketName,
    /// What the other department needs it for.
    #[schema(example = "handle")]
    pub purpose: Purpose,
}

/// A transfer, once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Transfer {
    /// For the other department: shown now and never again.
    pub transfer: String,
    /// From when on it is worth nothing.
    pub expires_at: String,
    /// The log entry of this act.
    pub audit: Audit,
}

/// A transfer that was received.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptTransfer {
    /// As the other department has sent it.
    #[schema(value_type = String)]
    pub transfer: Submitted,
}

/// A caller as the receiving department names them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Accepted {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// The department that sent it.
    #[schema(value_type = String)]
    pub from_department: DepartmentCode,
    /// What for.
    pub purpose: Purpose,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Makes a transfer of a caller's reference, for one other department and one use.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for an unknown department, [`Error::Bad`] for a closed one and for one's own.
    pub async fn translate(&self, session: &Session, body: &Translate) -> Result<Transfer, Error> {
        let ask = self.ask(session, Action::Translate, body.purpose)?;
        let ask = ask.caller(body.r#ref).ticket(body.ticket);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let sender = session.actor.department();
        if body.to_department == sender {
            return Err(Error::Bad(problems::SAME_RECEIVER));
        }
        let receiver = self.open_department(body.to_department).await?;
        let made_at = permit.ask().at();
        let expires_at = made_at.checked_add(GOOD_FOR).map_err(|_| NoClock)?;
        let text = random_text(&*self.randomness, PREFIX)?;
        let ticket = ticket_of(&permit)?;
        let row = TransferRow {
            id: TransferId::random(&*self.randomness)?,
            hash: text_hash(&text),
            sender,
            receiver: receiver.code,
            ticket: ticket.id,
            subject: ticket.subject,
            purpose: body.purpose,
            made_by: session.actor.id(),
            made_at,
            expires_at,
            accepted_at: None,
            version: 1,
        };
        let change = Change {
            guards: vec![Guard::unchanged(&receiver)],
            link: link(&row),
            writes: vec![Write::put(self.keyring.protect(row)?)],
            ..Change::default()
        };
        let audit = self.record(permit, change).await?.position().into();
        Ok(Transfer {
            transfer: text.to_string(),
            expires_at: milliseconds(expires_at),
            audit,
        })
    }

    /// Gives a department its own reference to the caller of a transfer, and uses the transfer up.
    ///
    /// # Errors
    /// [`Error::Refused`], also for a transfer that is for another department, which stays good, that has expired or was used, or whose sender
    /// works on the ticket no more; [`Error::NotFound`] for an unknown one; [`Error::Bad`] where the caller was erased.
    pub async fn accept(&self, session: &Session, body: &AcceptTransfer) -> Result<Accepted, Error> {
        let hash = text_hash(body.transfer.expose().trim());
        let found = self.store.one(&transfer::BY_HASH, &cells![hash]).await?;
        let found = found.map(|row| self.keyring.genuine(row)).transpose()?;
        let purpose = found.as_ref().map_or(Purpose::Handle, |row| row.purpose);
        let ask = self.ask(session, Action::Accept, purpose)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = found.ok_or(Error::NotFound(Thing::Transfer))?;
        if row.receiver != session.actor.department() {
            return Err(self.refuse(permit, Why::ForeignTransfer).await);
        }
        let ticket = self.ticket_row(row.ticket).await?;
        let used_up = row.accepted_at.is_some() || row.expires_at <= permit.ask().at();
        if used_up || !still_stands(&row, &ticket) {
            return Err(self.refuse(permit, Why::TransferOver).await);
        }
        let caller = self.keyring.caller_in(&ticket)?.ok_or(Error::Bad(problems::ERASED))?;
        let caller = self.traced(caller).await?.row;
        if caller.restricted {
            return Err(self.refuse(permit, Why::Restricted).await);
        }
        let mut change = Change {
            guards: vec![
                Guard::unchanged(&row),
                Guard::unchanged(&ticket),
                Guard::none(&IN_FORCE, &cells![caller.subject]),
            ],
            subject: Some(caller.subject),
            ticket: Some(ticket.no),
            link: link(&row),
            ..Change::default()
        };
        let references = session.actor.references();
        let reference = self.refer(&mut change, RecordId::Caller(caller.id), references).await?;
        let (from_department, purpose) = (row.sender, row.purpose);
        let used = TransferRow {
            accepted_at: Some(permit.ask().at()),
            version: row.version + 1,
            ..row.into_row()
        };
        change.writes.push(Write::put(self.keyring.protect(used)?));
        let audit = self.record(permit, change).await?.position().into();
        Ok(Accepted {
            r#ref: reference,
            from_department,
            purpose,
            audit,
        })
    }
}

/// Whether the sender still works on the ticket, and it is still about the caller whom the transfer was made for.
fn still_stands(row: &TransferRow, ticket: &TicketRow) -> bool {
    ticket.subject == row.subject && ticket.holder == row.sender && ticket.state.is_worked_on() && !ticket.confidential
}

/// What both entries of a transfer say: which one, and between whom.
fn link(row: &TransferRow) -> std::collections::BTreeMap<String, String> {
    [
        (TRANSFER, row.id.to_string()),
        ("from", row.sender.to_string()),
        ("to", row.receiver.to_string()),
    ]
    .map(|(word, what)| (word.to_owned(), what))
    .into()
}
