//! What the vault itself knows about an ask. The asker's word counts for nothing here.

use crate::merkle::Hash;
use crate::model::ids::{CallerId, PrincipalId};
use crate::model::ticket_name::TicketName;
use crate::store::rows::{ApprovalRow, CallerRow, ContactRow, Genuine, TicketRow};

/// What `vault::facts` found out about one ask.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The caller the reference stands for, if it is the asker's department's own.
    pub caller: Option<CallerFacts>,
    /// The ticket named, if there is one.
    pub ticket: Option<TicketFacts>,
    /// A reference named, to a caller or a ticket, belongs to another department.
    pub foreign_reference: bool,
    /// The reference named is of a version that is good no more.
    pub ended_reference: bool,
    /// The contact code that a relay has presented.
    pub contact: Option<Genuine<ContactRow>>,
    /// A second person has approved this very request, and it still stands.
    pub approval: Option<ApprovalFacts>,
}

impl Facts {
    /// The ticket is of a call about the caller that the asker has just taken, and no step of it was taken since, also none that led back.
    #[must_use]
    pub fn is_own_call(&self) -> bool {
        let (Some(caller), Some(ticket)) = (&self.caller, &self.ticket) else {
            return false;
        };
        ticket.is_own_call() && ticket.caller == Some(caller.row.id)
    }
}

impl TicketFacts {
    /// The asker has just taken the call, and no step of the ticket was taken since, also none that led back.
    #[must_use]
    pub fn is_own_call(&self) -> bool {
        self.own_call && self.row.version == TicketRow::FIRST
    }
}

/// A second person's approval, checked.
#[derive(Clone, Debug)]
pub struct ApprovalFacts {
    /// The approval's row, which the log's writer checks again when it commits: an approval is used once. Nothing where both
    /// persons are present.
    pub row: Option<Genuine<ApprovalRow>>,
    /// Who approved.
    pub by: PrincipalId,
}

/// A caller, resolved.
#[derive(Clone, Debug)]
pub struct CallerFacts {
    /// Their row: that of the record in force, where the one that the reference was given for was merged into another.
    pub row: Genuine<CallerRow>,
    /// The records that were merged, on the way to it. The log's writer checks them again when it commits.
    pub via: Vec<Genuine<CallerRow>>,
    /// The asker's department has to do with them now: it works on a ticket about them that is not confidential, or took
    /// one. Found out only where the ask is to read the caller's page.
    pub concerns: bool,
}

/// A ticket.
#[derive(Clone, Debug)]
pub struct TicketFacts {
    /// As the asker named it.
    pub name: TicketName,
    /// Its row, which the log's writer checks again when it commits.
    pub row: Genuine<TicketRow>,
    /// Whom it is about: the record in force, where the ask is about a caller. Nothing where the caller was erased.
    pub caller: Option<CallerId>,
    /// The records that were merged, on the way to it; checked again like those of the caller.
    pub via: Vec<Genuine<CallerRow>>,
    /// The asker took this call, a short while ago. Its record was joined with no other since, and the asker has not corrected it before
    /// so that it agrees.
    pub own_call: bool,
}

/// The policy that decided: SHA-256 over policies, schema, field declarations and limits.
pub type PolicyHash = Hash;
