//! The calls that were asked for, for the sake of a ticket.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::cells;
use crate::model::contacts::{ContactOutcome, ContactState};
use crate::store::rows::contact::OF_TICKET;
use crate::store::rows::{ContactRow, Genuine, TicketRow};
use crate::vault::tickets::told::Told;
use crate::vault::{Error, Vault};

/// Most calls that a page tells of.
const MOST_SHOWN: u32 = 50;
/// Within which time a relay reports.
const TO_REPORT: SignedDuration = SignedDuration::from_mins(30);

/// A call to the caller by a relay.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ContactLine {
    /// When its code was given out, UTC; outside the centre that took the call, the beginning of that day.
    pub at: String,
    /// Where it stands.
    pub state: ContactState,
    /// What became of it, once the relay has reported.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<ContactOutcome>,
}

impl Vault {
    /// The newest of them, as the reader of a ticket may know them: outside the centre those that their own department asked for.
    pub(super) async fn contacts_of(&self, ticket: &Genuine<TicketRow>, told: Told) -> Result<Vec<ContactLine>, Error> {
        let now = self.clock.now()?;
        let rows = self.store.all(&OF_TICKET, &cells![ticket.id, MOST_SHOWN]).await?;
        let rows = self.genuine(rows)?;
        let rows = rows.iter().filter(|row| told.tells_of(row.department));
        let line = |row: &Genuine<ContactRow>| ContactLine {
            at: told.time(row.made_at),
            state: state(row, now),
            // That a reporter has answered would tell that they have left a number.
            outcome: row.outcome.filter(|_| told.is_whole() || !ticket.confidential),
        };
        Ok(rows.map(line).collect())
    }
}

fn state(row: &ContactRow, now: Timestamp) -> ContactState {
    match (row.ended_at, row.exchanged_at) {
        (Some(_), _) => ContactState::Ended,
        (None, Some(at)) if now.duration_since(at) < TO_REPORT => ContactState::Calling,
        (None, Some(_)) => ContactState::Unreported,
        (None, None) if now < row.expires_at => ContactState::Waiting,
        (None, None) => ContactState::Lapsed,
    }
}
