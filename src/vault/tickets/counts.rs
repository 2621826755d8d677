//! How many tickets a department has in each state.

use serde::Serialize;

use crate::cells;
use crate::model::ask::Action;
use crate::model::purposes::Purpose;
use crate::model::tickets::TicketState;
use crate::store::rows::ticket::{COUNT_HELD, COUNT_TAKEN};
use crate::vault::{Audit, Error, Session, Vault};

/// No count goes further: the database looks at no more entries of an index for it.
const MOST: u32 = 1_000;

/// How many tickets there are in each state.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketCounts {
    /// Each state.
    pub states: Vec<StateCount>,
    /// Where a count is this number, there may be more.
    pub most: u32,
    /// The log entry of this read.
    pub audit: Audit,
}

/// How many tickets there are in one state.
#[derive(Serialize, utoipa::ToSchema)]
pub struct StateCount {
    /// The state.
    pub state: TicketState,
    /// Tickets in it that your department holds.
    pub held: usize,
    /// Tickets in it that your department took.
    pub taken: usize,
}

impl Vault {
    /// Counts the tickets that the asker's department holds or took.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn count_tickets(&self, session: &Session, purpose: Purpose) -> Result<TicketCounts, Error> {
        let ask = self.ask(session, Action::ListTickets, purpose)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let mut states = Vec::with_capacity(TicketState::ALL.len());
        for &state in TicketState::ALL {
            let with = cells![session.actor.department(), state, MOST];
            states.push(StateCount {
                state,
                held: self.store.all(&COUNT_HELD, &with).await?.len(),
                taken: self.store.all(&COUNT_TAKEN, &with).await?.len(),
            });
        }
        Ok(TicketCounts {
            states,
            most: MOST,
            audit,
        })
    }
}
