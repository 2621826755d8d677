//! Requests for approval, for those who decide on them and for those who asked.

use jiff::Timestamp;
use serde::Serialize;

use crate::cells;
use crate::log::leaf;
use crate::model::approvals::{ApprovalState, Giver};
use crate::model::ask::Action;
use crate::model::ids::ApprovalId;
use crate::model::problems::Thing;
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::policy::Permit;
use crate::store::rows::approval::{BEFORE, OF_ASKER};
use crate::store::rows::{About, ApprovalRow, Cell, Column, Genuine, PrincipalRow};
use crate::vault::people::approvals::{AGREE, DIFFER, is_over};
use crate::vault::people::{Page, page, parsed};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// A request for approval, as its asker and those who may decide it see it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RequestLine {
    /// Its id.
    pub id: String,
    /// The act to approve, as the log names it.
    #[schema(value_type = String, example = "subject.resolve")]
    pub action: Action,
    /// The log's reference to the caller it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<Reference>,
    /// Its details: for example an account with its version and roles, a token with its expiry, or an index.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub about: About,
    /// The asker.
    pub asker: Somebody,
    /// The asker's reason, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asker_reason: Option<String>,
    /// The person who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<Somebody>,
    /// The reason of the person who decided, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_reason: Option<String>,
    /// When it was made.
    pub created_at: String,
    /// When it expires.
    pub expires_at: String,
    /// `asked`, `approved`, `refused`, `used`, `expired`, or `stale`: the data it is about has changed since.
    pub state: &'static str,
}

/// A principal with its name.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Somebody {
    /// Its id, which the log calls `actor`.
    pub id: String,
    /// Account name.
    pub account: String,
    /// Department.
    #[schema(value_type = String)]
    pub department: DepartmentCode,
}

impl From<Genuine<PrincipalRow>> for Somebody {
    fn from(row: Genuine<PrincipalRow>) -> Self {
        Self {
            id: row.id.to_string(),
            department: row.department,
            account: row.into_row().account,
        }
    }
}

/// One request for approval, and the log entry of this read.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RequestPage {
    /// The request.
    #[serde(flatten)]
    pub request: RequestLine,
    /// The log entry of this read.
    pub audit: Audit,
}

impl Vault {
    /// All requests for approval, newest first, for those who may decide them.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn approvals(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<RequestLine>, Error> {
        let permit = self.may_look(session).await?;
        self.requests(permit, after, limit, false).await
    }

    /// One's own requests for approval, newest first.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn own_approvals(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<RequestLine>, Error> {
        let permit = self.may_look_at_own(session).await?;
        self.requests(permit, after, limit, true).await
    }

    /// One request for approval: one's own, or for those who may decide on it anybody's.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`].
    pub async fn approval(&self, session: &Session, id: ApprovalId) -> Result<RequestPage, Error> {
        let row = self.approval_row(id).await?;
        let own = row.as_ref().is_some_and(|row| row.asker == session.actor.id());
        let permit = if own {
            self.may_look_at_own(session).await?
        } else {
            // Who may not look does not learn whether there is such a request.
            self.may_look(session).await?
        };
        let row = row.ok_or(Error::NotFound(Thing::Approval))?;
        let now = permit.ask().at();
        let audit = self.note(permit).await?;
        let request = self.line(row, now, own).await?;
        Ok(RequestPage { request, audit })
    }

    async fn requests(
        &self,
        permit: Permit,
        after: Option<&str>,
        limit: u32,
        own: bool,
    ) -> Result<Page<RequestLine>, Error> {
        let after = parsed(after)?;
        let asker = permit.ask().who().id();
        let now = permit.ask().at();
        let audit = self.note(permit).await?;
        let limit = limit.clamp(1, LARGEST_PAGE);
        let rows = match self.before(after).await? {
            None => Vec::new(),
            Some([at, id]) if own => {
                let with = [asker.cell(), at, id, limit.cell()];
                self.store.all(&OF_ASKER, &with).await?
            }
            Some([at, id]) => self.store.all(&BEFORE, &[at, id, limit.cell()]).await?,
        };
        let mut lines = Vec::new();
        for row in self.genuine(rows)? {
            lines.push(self.line(row, now, own).await?);
        }
        page(lines, limit, audit, |line: &RequestLine| line.id.clone())
    }

    /// Where a page begins: time and id. Nothing for a request that is not there.
    async fn before(&self, after: Option<ApprovalId>) -> Result<Option<[Cell; 2]>, Error> {
        Ok(match after {
            None => Some([Cell::Int(i64::MAX), Cell::Bytes(Vec::new())]),
            Some(id) => self.approval_row(id).await?.map(|row| cells![row.created_at, row.id]),
        })
    }

    /// A request as it is shown. Its reasons are opened: the read is in the log by now.
    async fn line(&self, row: Genuine<ApprovalRow>, now: Timestamp, own: bool) -> Result<RequestLine, Error> {
        let approver = match row.approver {
            Some(id) => Some(self.principal_row(id).await?.into()),
            None => None,
        };
        Ok(RequestLine {
            id: row.id.to_string(),
            action: row.action,
            subject: row.subject,
            asker: self.principal_row(row.asker).await?.into(),
            asker_reason: self.reason(&row, Giver::Asker)?,
            approver,
            approver_reason: self.reason(&row, Giver::Approver)?,
            created_at: leaf::milliseconds(row.created_at),
            expires_at: leaf::milliseconds(row.expires_at),
            state: self.shown_state(&row, now).await?,
            about: told(row.into_row().about, own),
        })
    }

    async fn shown_state(&self, row: &Genuine<ApprovalRow>, now: Timestamp) -> Result<&'static str, Error> {
        Ok(match row.state {
            ApprovalState::Refused | ApprovalState::Used => row.state.as_str(),
            ApprovalState::Asked | ApprovalState::Approved if is_over(row, now) => "expired",
            ApprovalState::Asked | ApprovalState::Approved => {
                if self.bound(&row.about).await?.state == row.bound {
                    row.state.as_str()
                } else {
                    "stale"
                }
            }
        })
    }

    fn reason(&self, row: &Genuine<ApprovalRow>, giver: Giver) -> Result<Option<String>, Error> {
        let Some(sealed) = row.reason_of(giver) else {
            return Ok(None);
        };
        let reason = self.keyring.open_reason(row.id, giver, sealed)?;
        Ok(Some(reason.expose().to_owned()))
    }

    pub(super) async fn may_look(&self, session: &Session) -> Result<Permit, Error> {
        self.may_read(session, Action::ReadApprovals, Purpose::Audit).await
    }

    /// Those who ask do so in their own line of work: administrators for administration, auditors and officers for audit.
    async fn may_look_at_own(&self, session: &Session) -> Result<Permit, Error> {
        let purpose = session.actor.roles().usual_purpose();
        self.may_read(session, Action::ReadOwnRequests, purpose).await
    }

    async fn may_read(&self, session: &Session, action: Action, purpose: Purpose) -> Result<Permit, Error> {
        let ask = self.ask(session, action, purpose)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }
}

/// What a request is about: to its asker, without what two records have in common.
fn told(mut about: About, own: bool) -> About {
    about.retain(|word, _| !own || ![AGREE, DIFFER].contains(&word.as_str()));
    about
}
