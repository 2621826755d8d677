//! What a ticket is called towards somebody: by its number in the centre that took the call, elsewhere by the department's own reference.

use crate::model::ids::RecordId;
use crate::model::principals::Actor;
use crate::model::ticket_name::TicketName;
use crate::refs;
use crate::store::rows::{Genuine, TicketRow};
use crate::vault::{Error, Vault};

impl Vault {
    /// What a ticket is called towards this asker. A department that was given the ticket has a reference to it; what no department was
    /// given is called by what its reference would be, which leads nowhere.
    pub(in crate::vault) async fn name_of_ticket(&self, to: &Actor, ticket: &TicketRow) -> Result<TicketName, Error> {
        if ticket.origin == to.department() {
            return Ok(TicketName::No(ticket.no));
        }
        let id = RecordId::Ticket(ticket.id);
        let given = refs::mint(&self.keyring, &*self.store, to.references(), id).await?;
        Ok(TicketName::Reference(given.reference))
    }

    /// As [`Self::name_of_ticket`], of each.
    pub(in crate::vault) async fn names_of_tickets(
        &self,
        to: &Actor,
        tickets: impl Iterator<Item = &Genuine<TicketRow>>,
    ) -> Result<Vec<TicketName>, Error> {
        let mut names = Vec::new();
        for ticket in tickets {
            names.push(self.name_of_ticket(to, ticket).await?);
        }
        Ok(names)
    }
}
