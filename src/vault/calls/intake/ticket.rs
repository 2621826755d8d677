//! The row of a new ticket.

use super::Intake;
use super::checked::Checked;
use crate::model::ids::TicketId;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::TicketState;
use crate::randomness::{NoRandomness, Randomness};
use crate::store::rows::{CallerRow, TicketRow};
use crate::vault::{Error, Session, Vault};

impl Vault {
    /// The row of a new ticket, as the centre takes it.
    pub(super) fn new_ticket_row(
        &self,
        session: &Session,
        body: &Intake,
        checked: &Checked<'_>,
        caller: &CallerRow,
        brought_in: bool,
    ) -> Result<TicketRow, Error> {
        let now = self.clock.now()?;
        let id = TicketId::random(&*self.randomness)?;
        let origin = session.actor.department();
        Ok(TicketRow {
            id,
            no: random_ticket_no(&*self.randomness)?,
            caller: self.keyring.seal_caller(id, caller.id)?,
            subject: caller.subject,
            kind: body.ticket.kind,
            category: checked.category.as_str().to_owned(),
            township: checked.township.as_str().to_owned(),
            channel: body.call.channel,
            urgency: body.ticket.urgency,
            state: TicketState::Accepted,
            holder: origin,
            origin,
            worker: None,
            returned_by: None,
            due: None,
            sign_due: None,
            extensions: 0,
            supervised: false,
            solved: None,
            taken_by: session.actor.id(),
            brought_in,
            confidential: body.is_confidential(),
            on_file: caller.fields.clone(),
            received_at: body.call.received_at,
            created_at: now,
            version: TicketRow::FIRST,
        })
    }
}

/// Twelve random digits with their check: no key to hold, and nobody can count tickets by them.
fn random_ticket_no(randomness: &dyn Randomness) -> Result<TicketNo, NoRandomness> {
    loop {
        let mut bytes = [0; 8];
        randomness.fill(&mut bytes)?;
        // 40 bits: nine in ten are below 10^12, and none is more likely than another.
        if let Some(no) = TicketNo::new(u64::from_be_bytes(bytes) >> 24) {
            return Ok(no);
        }
    }
}
