//! Whose a ticket is, as far as its reader may know.

use serde::Serialize;

use crate::log::Change;
use crate::model::reference::Reference;
use crate::store::rows::{Genuine, TicketRow};
use crate::vault::{Error, Session, Vault};

/// A ticket's caller.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TicketCaller {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Your department's earlier references to the caller: of the version before, until it ends, and to records that were merged into this one. They still work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    pub superseded: Vec<Reference>,
}

impl Vault {
    /// The caller of a ticket that is read, with the row of a new reference among the writes.
    pub(super) async fn caller_of_ticket(
        &self,
        session: &Session,
        row: &Genuine<TicketRow>,
        change: &mut Change,
    ) -> Result<Option<TicketCaller>, Error> {
        let told = tells_of_caller(session, row, false);
        let Some(caller) = self.keyring.caller_in(row)?.filter(|_| told) else {
            return Ok(None);
        };
        let caller = self.traced(caller).await?.row;
        let names = self.references(change, &caller, session.actor.references()).await?;
        Ok(Some(TicketCaller {
            r#ref: names.current,
            superseded: names.superseded,
        }))
    }
}

/// Whether a reader may know whose ticket it is. Of a confidential one that is the agent who took the call and, of an `erased` caller, the
/// centre.
pub(super) fn tells_of_caller(session: &Session, row: &TicketRow, erased: bool) -> bool {
    let centre = row.origin == session.actor.department();
    !row.confidential || row.was_taken_by(&session.actor) || (erased && centre)
}
