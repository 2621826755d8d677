//! Which caller a subject of the log is.

use serde::{Deserialize, Serialize};

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::RecordId;
use crate::model::problems::{self, Thing};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_name::TicketName;
use crate::store::rows::About;
use crate::vault::people::approvals::{DEPARTMENT, Exact};
use crate::vault::{Audit, Error, Session, Vault};

/// The subject to resolve.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Resolve {
    /// The log's reference to a caller.
    #[schema(value_type = String)]
    pub subject: Reference,
}

/// A caller, without personal values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ResolvedCaller {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
}

/// The caller behind a subject.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Resolved {
    /// The caller.
    pub caller: ResolvedCaller,
    /// Tickets about the caller that your department holds or took, newest first, at most 200.
    #[schema(value_type = Vec<String>)]
    pub tickets: Vec<TicketName>,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Resolves a subject of the log to a caller, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] for a reference that is no subject;
    /// [`Error::NotFound`] after the attempt is logged.
    pub async fn resolve_subject(&self, session: &Session, body: &Resolve, exact: &Exact) -> Result<Resolved, Error> {
        let subject = body.subject;
        if subject.department() != DepartmentCode::AUDITORS || !subject.is_caller() {
            return Err(Error::Bad(problems::NO_SUBJECT));
        }
        let ask = self.ask_log(session, Action::ResolveSubject)?.subject(subject);
        let department = session.actor.references();
        // What is approved is an answer to this department, by its reference: an officer who moves does not take it along.
        let about = About::from([(DEPARTMENT.to_owned(), department.department().to_string())]);
        let act = self.with_two(ask, about, exact).await?;
        let caller = self.subject(&subject).await?;
        let mut change = Change::default();
        let mut found = None;
        if let Some(caller) = caller {
            let row = self.traced(caller).await?.row;
            let reference = self.refer(&mut change, RecordId::Caller(row.id), department).await?;
            found = Some((row, reference));
        }
        let audit = self.act(act, change).await?.position().into();
        let Some((row, reference)) = found else {
            return Err(match self.erased(&subject).await? {
                Some(_) => Error::Bad(problems::SUBJECT_ERASED),
                None => Error::NotFound(Thing::Subject),
            });
        };
        Ok(Resolved {
            caller: ResolvedCaller { r#ref: reference },
            tickets: self.tickets_known(&row, &session.actor).await?,
            audit,
        })
    }
}
