//! The steps that tickets take.

use jiff::Timestamp;

use crate::model::ids::PrincipalId;
use crate::store::Write;
use crate::store::rows::{ClosedRow, CustodyRow, Genuine, TicketRow};
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

    /// When a ticket ended, if this step has ended it.
    pub(in crate::vault) fn closed(&self, row: &TicketRow, at: Timestamp) -> Result<Option<Write>, Error> {
        if row.state.is_open() {
            return Ok(None);
        }
        let closed = ClosedRow {
            ticket: row.id,
            kind: row.kind,
            closed_at: at,
        };
        Ok(Some(Write::put(self.keyring.protect(closed)?)))
    }
}
