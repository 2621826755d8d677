//! What the vault itself knows about an ask: the policy decides on this, not on the asker's word.

use jiff::SignedDuration;

use crate::cells;
use crate::model::ask::{Action, Ask};
use crate::model::ids::{RecordId, TicketId};
use crate::model::principals::Actor;
use crate::model::problems::Thing;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::reference_versions::Standing;
use crate::model::ticket_name::TicketName;
use crate::policy::Permit;
use crate::policy::facts::{CallerFacts, Facts, TicketFacts};
use crate::refs;
use crate::store::rows::Cell;
use crate::store::rows::ticket::{BY_ID, BY_NO, HELD_ABOUT, TAKEN_ABOUT};
use crate::store::rows::{CallerRow, Coded, DepartmentRow, Genuine, Protected, Read, TicketRow, department};
use crate::vault::core::records::Traced;
use crate::vault::{Error, LARGEST_PAGE, Vault};

/// How long a call counts as the agent's own live call.
const OWN_CALL: SignedDuration = SignedDuration::from_hours(1);

impl Vault {
    /// Resolves the reference and the ticket an ask names. What does not exist is simply absent.
    pub(in crate::vault) async fn facts(&self, ask: &Ask) -> Result<Facts, Error> {
        let is_foreign = |reference: &Reference| reference.department() != ask.department();
        let foreign_reference = ask.references().any(is_foreign);
        let ended_reference = ask.references().any(|reference| {
            !is_foreign(reference) && ask.who().references().standing(reference, ask.at()) == Standing::Ended
        });
        let mut ticket = match ask.ticket_name() {
            Some(name) => self.ticket_facts(ask, name).await?,
            None => None,
        };
        let caller = match ask.caller_reference() {
            Some(reference) if !foreign_reference && !ended_reference => {
                self.caller_facts(ask, reference, ticket.as_mut()).await?
            }
            None if ask.is_about_caller_of_ticket() => self.caller_of_ticket_facts(ticket.as_mut()).await?,
            _ => None,
        };
        Ok(Facts {
            caller,
            ticket,
            foreign_reference,
            ended_reference,
            contact: None,
            approval: None,
        })
    }

    /// The caller of a ticket, whoever that is.
    async fn caller_of_ticket_facts(&self, ticket: Option<&mut TicketFacts>) -> Result<Option<CallerFacts>, Error> {
        let Some(ticket) = ticket else { return Ok(None) };
        let Some(id) = ticket.caller else { return Ok(None) };
        let Traced { row, via } = self.traced(id).await?;
        ticket.caller = Some(row.id);
        ticket.via.clone_from(&via);
        Ok(Some(CallerFacts {
            row,
            via,
            concerns: false,
        }))
    }

    async fn caller_facts(
        &self,
        ask: &Ask,
        reference: &Reference,
        ticket: Option<&mut TicketFacts>,
    ) -> Result<Option<CallerFacts>, Error> {
        let Some(RecordId::Caller(id)) = self.resolved(ask.who(), reference).await? else {
            return Ok(None);
        };
        let caller = self.traced(id).await?;
        if let Some(ticket) = ticket {
            let of_ticket = match ticket.caller {
                None => None,
                Some(same) if same == id => Some(caller.clone()),
                Some(other) => Some(self.traced(other).await?),
            };
            if let Some(of_ticket) = of_ticket {
                // Who took a call heard what was said in it, and not what another record said that was joined with this one since, nor
                // what this one said before they corrected it to agree with the call.
                ticket.own_call &=
                    of_ticket.is_as_at(ticket.row.created_at) && !of_ticket.row.was_corrected_by(ask.who().id());
                ticket.caller = Some(of_ticket.row.id);
                ticket.via = of_ticket.via;
            }
        }
        let Traced { row, via } = caller;
        let concerns = ask.action() == Action::ReadCaller && self.concerns(ask.department(), &row).await?;
        Ok(Some(CallerFacts { row, via, concerns }))
    }

    /// Whether a department took a ticket of this caller, or works on one that is not confidential.
    async fn concerns(&self, department: DepartmentCode, caller: &Genuine<CallerRow>) -> Result<bool, Error> {
        let tickets = self.tickets_about(caller, department).await?;
        Ok(tickets.iter().any(|ticket| {
            let held = ticket.holder == department && ticket.state.is_worked_on() && !ticket.confidential;
            ticket.origin == department || held
        }))
    }

    /// A caller's tickets that a department holds or took, newest first, at most [`LARGEST_PAGE`] of each.
    pub(in crate::vault) async fn tickets_about(
        &self,
        caller: &Genuine<CallerRow>,
        department: DepartmentCode,
    ) -> Result<Vec<Genuine<TicketRow>>, Error> {
        let mut tickets = Vec::new();
        for record in self.family(caller).await? {
            let with = cells![record.subject, department, LARGEST_PAGE];
            tickets.extend(self.merged(&[&HELD_ABOUT, &TAKEN_ABOUT], &with).await?);
        }
        newest_first(&mut tickets);
        Ok(tickets)
    }

    /// The tickets that several statements show, newest first, each once.
    pub(in crate::vault) async fn merged(
        &self,
        reads: &[&'static Read<Coded<TicketRow>>],
        with: &[Cell],
    ) -> Result<Vec<Genuine<TicketRow>>, Error> {
        let mut tickets = Vec::new();
        for read in reads {
            tickets.extend(self.genuine(self.store.all(read, with).await?)?);
        }
        newest_first(&mut tickets);
        Ok(tickets)
    }

    /// The record that a reference of the asker's own department stands for.
    async fn resolved(&self, who: &Actor, reference: &Reference) -> Result<Option<RecordId>, Error> {
        Ok(refs::resolve(&self.keyring, &*self.store, who.references(), reference).await?)
    }

    /// The ticket that somebody names.
    pub(in crate::vault) async fn ticket_named(
        &self,
        who: &Actor,
        name: &TicketName,
    ) -> Result<Option<Genuine<TicketRow>>, Error> {
        let row = match name {
            TicketName::No(no) => self.store.one(&BY_NO, &cells![*no]).await?,
            TicketName::Reference(reference) => match self.resolved(who, reference).await? {
                Some(RecordId::Ticket(id)) => self.store.one(&BY_ID, &cells![id]).await?,
                _ => None,
            },
        };
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// The ticket's row, if it is as the vault wrote it.
    pub(in crate::vault) async fn ticket_row(&self, id: TicketId) -> Result<Genuine<TicketRow>, Error> {
        let row = self.store.one(&BY_ID, &cells![id]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Ticket))?)?)
    }

    async fn ticket_facts(&self, ask: &Ask, name: &TicketName) -> Result<Option<TicketFacts>, Error> {
        let Some(row) = self.ticket_named(ask.who(), name).await? else {
            return Ok(None);
        };
        let recent = ask.at().duration_since(row.created_at) <= OWN_CALL;
        Ok(Some(TicketFacts {
            caller: self.keyring.caller_in(&row)?,
            own_call: row.was_taken_by(ask.who()) && recent,
            via: Vec::new(),
            name: *name,
            row,
        }))
    }

    /// The department's row, if it is as the vault wrote it.
    pub(in crate::vault) async fn department_row(&self, code: DepartmentCode) -> Result<Genuine<DepartmentRow>, Error> {
        let row = self.store.one(&department::BY_CODE, &cells![code]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Department))?)?)
    }

    /// Rows of a page, if each is as the vault wrote it.
    pub(in crate::vault) fn genuine<R: Protected>(&self, rows: Vec<Coded<R>>) -> Result<Vec<Genuine<R>>, Error> {
        rows.into_iter().map(|row| Ok(self.keyring.genuine(row)?)).collect()
    }
}

/// The ticket that a permit was decided on.
pub(in crate::vault) fn ticket_of(permit: &Permit) -> Result<Genuine<TicketRow>, Error> {
    ticket_of_facts(permit.facts())
}

/// The ticket that facts are about.
pub(in crate::vault) fn ticket_of_facts(facts: &Facts) -> Result<Genuine<TicketRow>, Error> {
    let ticket = facts.ticket.as_ref();
    ticket
        .map(|ticket| ticket.row.clone())
        .ok_or(Error::NotFound(Thing::Ticket))
}

/// The caller that a permit was decided on.
pub(in crate::vault) fn caller_of(permit: &Permit) -> Result<Genuine<CallerRow>, Error> {
    let caller = permit.facts().caller.as_ref();
    caller
        .map(|caller| caller.row.clone())
        .ok_or(Error::NotFound(Thing::Caller))
}

fn newest_first(tickets: &mut Vec<Genuine<TicketRow>>) {
    tickets.sort_by(|one, other| (other.created_at, other.no.as_str()).cmp(&(one.created_at, one.no.as_str())));
    tickets.dedup_by(|one, other| one.id == other.id);
}
