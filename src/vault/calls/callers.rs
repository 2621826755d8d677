//! What is on file about a caller, by name: no values.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::principals::{Actor, DepartmentKind};
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::ticket_name::TicketName;
use crate::store::rows::{CallerRow, Genuine, TicketRow};
use crate::vault::core::caller_of;
use crate::vault::{Audit, Error, Session, Vault};

/// The purpose for which a page is read.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PurposeQuery {
    /// The purpose; by default the usual one for your role.
    pub purpose: Option<Purpose>,
}

/// A caller without values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CallerPage {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Your department's earlier references to the caller: of the version before, until it ends, and to records that were merged into this one. They still work.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    pub superseded: Vec<Reference>,
    /// Names of the fields on file.
    pub on_file: Vec<String>,
    /// Tickets about this caller that your department holds or took, newest first, at most 200.
    #[schema(value_type = Vec<String>)]
    pub tickets: Vec<TicketName>,
    /// Version; the `ETag`. Each change increases it. Only the centre gets it: only the centre corrects callers, and the version is
    /// the same for all departments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The log entry of this read.
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
        let mut change = Change::default();
        let names = self.references(&mut change, &row, session.actor.references()).await?;
        let audit = self.record(permit, change).await?.position().into();
        let centre = session.actor.department_kind() == DepartmentKind::Centre;
        Ok(CallerPage {
            r#ref: names.current,
            superseded: names.superseded,
            tickets: self.tickets_known(&row, &session.actor).await?,
            version: centre.then_some(row.version),
            on_file: self.on_file(session, &row).await?,
            audit,
        })
    }

    /// The names of a caller's fields on file, as this session may hear of them: in the centre all; elsewhere those that its
    /// roles may ask for, as they stood when the department got its tickets. What a confidential call adds shows nowhere.
    async fn on_file(&self, session: &Session, row: &Genuine<CallerRow>) -> Result<Vec<String>, Error> {
        let actor = &session.actor;
        if actor.department_kind() == DepartmentKind::Centre {
            return Ok(row.fields.clone());
        }
        let tickets = self.tickets_about(row, actor.department()).await?;
        let held = tickets.iter().filter(|ticket| {
            ticket.holder == actor.department() && ticket.state.is_worked_on() && !ticket.confidential
        });
        let names: BTreeSet<&String> = held.flat_map(|ticket| &ticket.on_file).collect();
        let may = |name: &&&String| {
            session
                .rules
                .policy
                .may_ask_for(actor.roles(), actor.department_kind(), name)
        };
        Ok(names.iter().filter(may).map(|name| (*name).clone()).collect())
    }

    /// The caller's tickets in the asker's department. Of the confidential tickets, only those whose call the asker took.
    pub(in crate::vault) async fn tickets_known(
        &self,
        caller: &Genuine<CallerRow>,
        by: &Actor,
    ) -> Result<Vec<TicketName>, Error> {
        let tickets = self.tickets_about(caller, by.department()).await?;
        let mine = |ticket: &&Genuine<TicketRow>| !ticket.confidential || ticket.was_taken_by(by);
        let known = tickets.iter().filter(mine).take(crate::vault::LARGEST_PAGE as usize);
        self.names_of_tickets(by, known).await
    }
}
