//! What is on file about a caller, by name: no values.

use serde::{Deserialize, Serialize};

use super::facts::caller_of;
use super::{Audit, Error, Session, Vault};
use crate::model::ask::Action;
use crate::model::principals::DepartmentKind;
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;

/// Why the caller's page is read.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// `handle` unless said otherwise.
    #[param(value_type = Option<String>)]
    pub purpose: Option<Purpose>,
}

/// A caller without a single value.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallerPage {
    /// The asker's department's reference.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Names of the fields on file.
    pub on_file: Vec<String>,
    /// Tickets about this caller that the asker's department holds or took, newest first, at most 200.
    #[schema(value_type = Vec<String>)]
    pub tickets: Vec<TicketNo>,
    /// Goes up with each change; the `ETag`. Told in the centre only, where corrections are made: it is the same for all
    /// departments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Where this read stands in the log.
    pub audit: Audit,
}

impl Vault {
    /// Reads a caller's page.
    ///
    /// # Errors
    /// [`Error::Refused`] also for a reference that is unknown or another department's.
    pub async fn read_caller(
        &self,
        session: &Session,
        caller: Reference,
        purpose: Purpose,
    ) -> Result<CallerPage, Error> {
        let ask = self.ask(session, Action::ReadCaller, purpose)?.caller(caller);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = caller_of(&permit)?;
        let audit = self.note(permit).await?;
        let department = session.actor.department();
        let centre = session.actor.department_kind() == DepartmentKind::Centre;
        Ok(CallerPage {
            r#ref: caller,
            tickets: self.tickets_known(&row.subject, department).await?,
            version: centre.then_some(row.version),
            on_file: row.into_row().fields,
            audit,
        })
    }

    /// A caller's tickets as a department may hear of them: not of confidential ones that it did not take.
    pub(super) async fn tickets_known(
        &self,
        caller: &Reference,
        department: DepartmentCode,
    ) -> Result<Vec<TicketNo>, Error> {
        let tickets = self.tickets_about(caller, department).await?;
        let known = tickets
            .iter()
            .filter(|ticket| ticket.origin == department || !ticket.confidential);
        Ok(known
            .map(|ticket| ticket.no)
            .take(super::LARGEST_PAGE as usize)
            .collect())
    }
}
