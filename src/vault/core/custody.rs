//! The steps that tickets take.

use jiff::Timestamp;

use crate::model::ids::PrincipalId;
use crate::store::rows::{CustodyRow, Genuine, TicketRow};
use crate::vault::{Error, Session, Vault};

impl Vault {
    /// The step of custody that a ticket's row has just taken.
    pub(in crate::vault) fn custody(
        &self,
        session: &Session,
        row: &TicketRow,
        at: Timestamp,
    ) -> Result<Genuine<CustodyRow>, Error> {
        self.custody_by(session.actor.id(), row, at)
    }

    /// As [`Self::custody`], by this account.
    pub(in crate::vault) fn custody_by(
        &self,
        actor: PrincipalId,
        row: &TicketRow,
        at: Timestamp,
    ) -> Result<Genuine<CustodyRow>, Error> {
        let step = CustodyRow {
            ticket: row.id,
            version: row.version,
            state: row.state,
            holder: row.holder,
            actor,
            at,
        };
        Ok(self.keyring.protect(step)?)
    }
}
