//! The second person's side: yes and no.

use serde::Serialize;

use crate::log::Change;
use crate::model::approvals::{ApprovalState, Giver, Reason};
use crate::model::ask::Action;
use crate::model::ids::{ApprovalId, PrincipalId};
use crate::model::principals::PrincipalKind;
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::policy::{Permit, Why};
use crate::store::rows::{ApprovalRow, Genuine, PrincipalRow};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::bound::PRINCIPAL;
use crate::vault::people::approvals::{TOKEN_DEED, is_over, logged};
use crate::vault::{Audit, Error, Session, Vault};

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
    /// The log entry of this decision.
    pub audit: Audit,
}

impl Vault {
    /// Approves or refuses another person's request. An approval needs a reason.
    ///
    /// # Errors
    /// [`Error::Bad`] for an approval without a reason;
    /// [`Error::Refused`], also for one's own request and those of accounts one made or was made by;
    /// [`Error::RefusedBecause`] when it has been decided on or has expired, or when what it is about has changed;
    /// [`Error::NotFound`].
    pub async fn decide_on(
        &self,
        session: &Session,
        id: ApprovalId,
        decision: Decision,
        reason: Option<&Reason>,
    ) -> Result<Decided, Error> {
        let Some(row) = self.approval_row(id).await? else {
            // Who may not look does not learn that there is no such request.
            drop(self.may_look(session).await?);
            return Err(Error::NotFound(Thing::Approval));
        };
        let permit = self.may_decide(session, &row, decision).await?;
        if decision == Decision::Approve && reason.is_none() {
            return Err(Error::Bad(problems::APPROVER_SAYS_WHY));
        }
        let seal = |reason| self.keyring.seal_reason(id, Giver::Approver, reason);
        let approver = self.principal_row(session.actor.id()).await?;
        let decided = ApprovalRow {
            approver: Some(approver.id),
            approver_epoch: Some(approver.epoch),
            approver_reason: reason.map(seal).transpose()?,
            state: decision.state(),
            version: row.version + 1,
            ..row.into_row()
        };
        let mut link = logged(&decided);
        link.insert("action".to_owned(), decided.action.to_string());
        link.insert("asker".to_owned(), decided.asker.to_string());
        link.insert("decision".to_owned(), decision.state().to_string());
        let change = Change {
            guards: vec![Guard::unchanged(&approver)],
            writes: vec![Write::put(self.keyring.protect(decided)?)],
            link,
            ..Change::default()
        };
        match self.record(permit, change).await {
            Ok(recorded) => Ok(Decided {
                id: id.to_string(),
                state: decision.state(),
                audit: recorded.position().into(),
            }),
            Err(Error::Stale) => {
                // Two decided at once: the other was first, and now it is closed.
                if let Some(row) = self.approval_row(id).await? {
                    drop(self.may_decide(session, &row, decision).await?);
                }
                Err(Error::Stale)
            }
            Err(other) => Err(other),
        }
    }

    /// Whether this person may decide on this request, now.
    async fn may_decide(
        &self,
        session: &Session,
        row: &Genuine<ApprovalRow>,
        decision: Decision,
    ) -> Result<Permit, Error> {
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
        let told = match row.state {
            ApprovalState::Used => problems::APPROVAL_USED,
            ApprovalState::Approved => problems::APPROVED_ALREADY,
            ApprovalState::Refused => problems::REFUSED_ALREADY,
            ApprovalState::Asked if is_over(row, permit.ask().at()) => problems::APPROVAL_EXPIRED,
            ApprovalState::Asked => return self.still_about_that(permit, row, decision).await,
        };
        Err(self.refuse_because(permit.withdraw(Why::ApprovalClosed), told).await)
    }

    /// A request whose data has changed since it was made cannot be approved. It can always be refused.
    async fn still_about_that(
        &self,
        permit: Permit,
        row: &Genuine<ApprovalRow>,
        decision: Decision,
    ) -> Result<Permit, Error> {
        if decision == Decision::Refuse || self.bound(&row.about).await?.state == row.bound {
            return Ok(permit);
        }
        let denial = permit.withdraw(Why::TargetChanged);
        Err(self.refuse_because(denial, problems::TARGET_CHANGED_MEANWHILE).await)
    }
}

/// Whether the approver made the request, it is about the approver's account, or one of the two made the other's account.
fn is_own(second: &Genuine<PrincipalRow>, asker: &Genuine<PrincipalRow>, row: &Genuine<ApprovalRow>) -> bool {
    let about = |id: &PrincipalId| row.about.get(PRINCIPAL) == Some(&id.to_string());
    // That their own token goes is the owner's to approve.
    let revokes = row.about.get(TOKEN_DEED).is_some_and(|what| what == "revoke");
    are_one(second, asker) || (about(&second.id) && !revokes)
}

/// The same person, or one with an account that the other made and could use.
pub(in crate::vault) fn are_one(one: &Genuine<PrincipalRow>, other: &Genuine<PrincipalRow>) -> bool {
    let made = |by: &PrincipalRow, who: &PrincipalRow| who.created_by == Some(by.id);
    one.id == other.id || made(one, other) || made(other, one)
}
