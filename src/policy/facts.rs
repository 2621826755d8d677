//! What the vault itself knows about an ask. The asker's word counts for nothing here.

use crate::merkle::Hash;
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, TicketId};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::TicketState;

/// What `vault::facts` found out about one ask.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The caller the reference stands for, if it is the asker's department's own.
    pub caller: Option<CallerFacts>,
    /// The ticket named, if there is one.
    pub ticket: Option<TicketFacts>,
    /// The reference named belongs to another department.
    pub foreign_reference: bool,
    /// A second person has approved this very request, and it still stands.
    pub approval: Option<ApprovalFacts>,
}

/// A second person's approval, checked.
#[derive(Clone, Copy, Debug)]
pub struct ApprovalFacts {
    /// Which, and the row's version, which the log's writer checks again when it commits: an approval is used once. Nothing
    /// where both persons are present.
    pub row: Option<(ApprovalId, u64)>,
    /// Who approved.
    pub by: PrincipalId,
}

/// A caller, resolved.
#[derive(Clone, Debug)]
pub struct CallerFacts {
    /// Inside the vault.
    pub id: CallerId,
    /// In the auditors' own pseudonymisation domain: what the log calls `subject`.
    pub subject: Reference,
    /// The asker's department has to do with them now: it holds an open ticket about them that is not confidential, or
    /// took one. Found out only where the ask is to read the caller's page.
    pub concerns: bool,
}

/// A ticket, as its row says (the row's own integrity has been checked).
#[derive(Clone, Debug)]
pub struct TicketFacts {
    /// Inside the vault.
    pub id: TicketId,
    /// Outside it.
    pub no: TicketNo,
    /// The row's version, which the log's writer checks again when it commits.
    pub version: u64,
    /// Whose ticket it is about.
    pub caller: CallerId,
    /// That caller in the auditors' domain.
    pub subject: Reference,
    /// Where it stands.
    pub state: TicketState,
    /// The department that holds it now.
    pub holder: DepartmentCode,
    /// The centre that took the call.
    pub origin: DepartmentCode,
    /// The asker took this call, a short while ago.
    pub own_call: bool,
    /// Secrecy was asked for or is the default of its kind.
    pub confidential: bool,
}

/// The policy that decided: SHA-256 over policies, schema and field declarations.
pub type PolicyHash = Hash;
