//! The second person's side: what waits, yes and no.

use jiff::Timestamp;
use serde::Serialize;

use super::super::admin::{Page, page, parsed};
use super::super::{Audit, Error, LARGEST_PAGE, Session, Vault};
use super::{is_over, logged};
use crate::cells;
use crate::log::{Change, CommitError, leaf};
use crate::model::approvals::ApprovalState;
use crate::model::ask::Action;
use crate::model::ids::{ApprovalId, PrincipalId};
use crate::model::principals::PrincipalKind;
use crate::model::purposes::Purpose;
use crate::model::reference::{DepartmentCode, Reference};
use crate::policy::{Permit, Why};
use crate::store::Write;
use crate::store::rows::approval::BEFORE;
use crate::store::rows::{About, ApprovalRow, Cell, Column, Genuine, PrincipalRow};

/// A request for approval, as those see it who may decide.
#[derive(Serialize, utoipa::ToSchema)]
pub struct RequestLine {
    /// Its id.
    pub id: String,
    /// What would be done, in the log's words.
    #[schema(value_type = String, example = "subject.resolve")]
    pub action: Action,
    /// The subject of the log it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub subject: Option<Reference>,
    /// With which particulars: an account and its roles, an index.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub about: About,
    /// Who asks.
    pub asker: Somebody,
    /// Who decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<Somebody>,
    /// When it was asked.
    pub created_at: String,
    /// From when on it is worth nothing.
    pub expires_at: String,
    /// `asked`, `approved`, `refused`, `used` or `expired`.
    pub state: &'static str,
}

/// A principal, by name.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Somebody {
    /// What the log calls `actor`.
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

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The asker may do it, once.
    Approve,
    /// They may not.
    Refuse,
}

impl Decision {
    const fn state(self) -> ApprovalState {
        match self {
            Self::Approve => ApprovalState::Approved,
            Self::Refuse => ApprovalState::Refused,
        }
    }
}

/// A request that has been decided on.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Decided {
    /// Its id.
    pub id: String,
    /// `approved` or `refused`.
    #[schema(value_type = String)]
    pub state: ApprovalState,
    /// Where the decision stands in the log.
    pub audit: Audit,
}

impl Vault {
    /// Requests for approval, newest first.
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
        let after = parsed(after)?;
        let now = permit.ask().at();
        let audit = self.note(permit).await?;
        let mut lines = Vec::new();
        for row in self.approvals_before(after, limit.clamp(1, LARGEST_PAGE)).await? {
            lines.push(self.line(row, now).await?);
        }
        page(lines, limit, audit, |line: &RequestLine| line.id.clone())
    }

    /// Requests for approval, newest first, from the one after that id.
    async fn approvals_before(
        &self,
        after: Option<ApprovalId>,
        limit: u32,
    ) -> Result<Vec<Genuine<ApprovalRow>>, Error> {
        let [at, id] = match after {
            None => [Cell::Int(i64::MAX), Cell::Bytes(Vec::new())],
            Some(id) => match self.approval_row(id).await? {
                Some(row) => cells![row.created_at, row.id],
                None => return Ok(Vec::new()),
            },
        };
        self.genuine(self.store.all(&BEFORE, &[at, id, limit.cell()]).await?)
    }

    async fn line(&self, row: Genuine<ApprovalRow>, now: Timestamp) -> Result<RequestLine, Error> {
        let approver = match row.approver {
            Some(id) => Some(self.principal_row(id).await?.into()),
            None => None,
        };
        let waits = matches!(row.state, ApprovalState::Asked | ApprovalState::Approved);
        Ok(RequestLine {
            id: row.id.to_string(),
            action: row.action,
            subject: row.subject,
            asker: self.principal_row(row.asker).await?.into(),
            approver,
            created_at: leaf::milliseconds(row.created_at),
            expires_at: leaf::milliseconds(row.expires_at),
            state: if waits && is_over(&row, now) {
                "expired"
            } else {
                row.state.as_str()
            },
            about: row.into_row().about,
        })
    }

    /// Approves or refuses somebody else's request.
    ///
    /// # Errors
    /// [`Error::Refused`], also for one's own request and those of accounts one made or was made by;
    /// [`Error::RefusedBecause`] when it has been decided on or has expired; [`Error::NotFound`].
    pub async fn decide_on(&self, session: &Session, id: ApprovalId, decision: Decision) -> Result<Decided, Error> {
        let Some(row) = self.approval_row(id).await? else {
            // Who may not look does not learn that there is no such request.
            drop(self.may_look(session).await?);
            return Err(Error::NotFound("request for approval"));
        };
        let permit = self.may_decide(session, &row).await?;
        let mut link = logged(&row.about);
        link.insert("action".to_owned(), row.action.to_string());
        link.insert("asker".to_owned(), row.asker.to_string());
        link.insert("decision".to_owned(), decision.state().to_string());
        let decided = ApprovalRow {
            approver: Some(session.actor.id()),
            state: decision.state(),
            version: row.version + 1,
            ..row.into_row()
        };
        let change = Change {
            writes: vec![Write::put(self.keyring.protect(decided)?)],
            link,
            ..Change::default()
        };
        match self.log.record(permit, change).await {
            Ok(recorded) => Ok(Decided {
                id: id.to_string(),
                state: decision.state(),
                audit: recorded.position().into(),
            }),
            Err(CommitError::Stale) => {
                // Two decided at once: the other was first, and now it is closed.
                if let Some(row) = self.approval_row(id).await? {
                    drop(self.may_decide(session, &row).await?);
                }
                Err(Error::Stale)
            }
            Err(other) => Err(other.into()),
        }
    }

    async fn may_look(&self, session: &Session) -> Result<Permit, Error> {
        let ask = self.ask(session, Action::ReadApprovals, Purpose::Audit)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    /// Whether this person may decide on this request, now.
    async fn may_decide(&self, session: &Session, row: &Genuine<ApprovalRow>) -> Result<Permit, Error> {
        let ask = self
            .ask(session, Action::Approve, Purpose::Audit)?
            .approving(row.action);
        let ask = match row.subject {
            Some(subject) => ask.subject(subject),
            None => ask,
        };
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let second = self.principal_row(session.actor.id()).await?;
        if second.kind != PrincipalKind::Person {
            return Err(self.refuse(permit, Why::NotAPerson).await);
        }
        let asker = self.principal_row(row.asker).await?;
        if is_own(&second, &asker, row) {
            return Err(self.refuse(permit, Why::OwnRequest).await);
        }
        let words = match row.state {
            ApprovalState::Used => "the request was approved and has been used",
            ApprovalState::Approved => "the request has been approved already",
            ApprovalState::Refused => "the request has been refused already",
            ApprovalState::Asked if is_over(row, permit.ask().at()) => {
                "the request has expired: it must be asked again"
            }
            ApprovalState::Asked => return Ok(permit),
        };
        Err(self.refuse_because(permit.withdraw(Why::ApprovalClosed), words).await)
    }
}

/// Asked by themselves, by somebody they made or were made by, or about their own account.
fn is_own(second: &Genuine<PrincipalRow>, asker: &Genuine<PrincipalRow>, row: &Genuine<ApprovalRow>) -> bool {
    let about = |id: &PrincipalId| row.about.get("principal") == Some(&id.to_string());
    // That their own token goes is the owner's to approve.
    let revokes = row.about.get("token").is_some_and(|what| what == "revoke");
    are_one(second, asker) || (about(&second.id) && !revokes)
}

/// The same person, or one with an account that the other made and could use.
pub(in crate::vault) fn are_one(one: &Genuine<PrincipalRow>, other: &Genuine<PrincipalRow>) -> bool {
    let made = |by: &PrincipalRow, who: &PrincipalRow| who.created_by == Some(by.id);
    one.id == other.id || made(one, other) || made(other, one)
}
