//! What takes two persons (双人复核): one asks, another approves that very request, the first sends it again.
//!
//! An approval is for a request and for the state of what the request is about ([`bound`]).
//! A use case calls [`Vault::with_two`] and does its work through [`Vault::act`], which uses the approval up in the same
//! transaction. Where nobody has approved yet, the first is an error that asks ([`Error::Asked`]) and ends the use case.
//! The rule stands in the policy (`all.two-persons`) and here: a policy that forgets it does not lift it.

mod asking;
mod bound;
mod decide;
mod read;

use jiff::{SignedDuration, Timestamp};

use self::asking::gives_a_reason;
use crate::cells;
use crate::log::{Change, Recorded, leaf};
use crate::model::approvals::{ApprovalState, Giver, Reason};
use crate::model::ask::{Action, Ask};
use crate::model::ids::ApprovalId;
use crate::model::principals::PrincipalKind;
use crate::model::problems::{self, ProblemKind, Words};
use crate::policy::facts::{ApprovalFacts, Facts};
use crate::policy::{Permit, Why};
use crate::store::rows::{About, ApprovalRow, Genuine, PrincipalRow, approval};
use crate::store::{Guard, Write};
pub(in crate::vault) use crate::vault::people::approvals::bound::{
    DEPARTMENT, ERASED, KEPT_TICKET, KEY, LOG, MERGED_TICKET, MOST_TICKETS, PRINCIPAL, RESTRICTED, SPLIT_TICKET, TOKEN,
};
pub(in crate::vault) use crate::vault::people::approvals::decide::are_one;
pub use crate::vault::people::approvals::decide::{Decided, Decision};
pub use crate::vault::people::approvals::read::{RequestLine, RequestPage, Somebody};
use crate::vault::{Asked, Error, Pending, Vault};

/// How long a request for approval is good for, approved or not.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Requests of one asker that may be open at once: neither refused nor used, and not expired. Each is a row and a line in the
/// list of whoever decides.
const MOST_OPEN: u32 = 20;
/// The word of `about` for what is done to a token: `issue`, `revoke`, or `code` where its owner is to fetch it by one.
pub(in crate::vault) const TOKEN_DEED: &str = "token";
/// Words of `about` that stay out of the log.
const UNLOGGED: [&str; 7] = ["account", "label", AGREE, DIFFER, TICKETS, MOVED, COPIED];
/// Fields that two records have in common, and those in which they differ: for the second person, and not for the asker.
pub(in crate::vault) const AGREE: &str = "agree";
/// As [`AGREE`].
pub(in crate::vault) const DIFFER: &str = "differ";
/// The other tickets of a split. The entry of the act has the places of all of them, and of the fields.
pub(in crate::vault) const TICKETS: &str = "tickets";
/// Fields that go to the new record.
pub(in crate::vault) const MOVED: &str = "move";
/// Fields that both records have.
pub(in crate::vault) const COPIED: &str = "copy";

const NOW: Words = Words {
    en: "Another person must approve it. Then send the same request again with the header `Approval`.",
    zh: "须由另一人批准。批准后，请带上 `Approval` 标头再次发送同一请求。",
};
const EXPORT_FIRST: Words = Words {
    en: "Before another person approves it, run `callervault audit export` and keep the archive: the entries will be nowhere \
         else. Then send the same request again with the header `Approval`.",
    zh: "批准之前，请先运行 `callervault audit export` 并妥善保存归档文件，删除后别处不再有这些记录。批准后，请带上 `Approval` 标头再次发送同一请求。",
};

/// A request as it came in, and the approval it names. What one person may do alone needs neither.
#[derive(Default)]
pub struct Exact {
    /// Method, path, `If-Match` and body in canonical form: what must be the same when it is sent again.
    pub request: Vec<u8>,
    /// The `Approval` header.
    pub approval: Option<ApprovalId>,
    /// Why the asker asks, if they say so. It is kept when the approval is asked for, and not looked at afterwards.
    pub reason: Option<Reason>,
}

/// A permit, with the approval it uses up. [`Vault::act`] is the only way to spend it.
#[must_use = "a permit that is not logged permits nothing"]
pub(in crate::vault) struct Act {
    permit: Permit,
    approved: Option<(Approved, Vec<Guard>)>,
}

impl Act {
    /// What one person may do alone.
    pub(in crate::vault) const fn alone(permit: Permit) -> Self {
        Self { permit, approved: None }
    }

    /// What was permitted.
    pub(in crate::vault) const fn permit(&self) -> &Permit {
        &self.permit
    }

    /// Whether a second person stands behind it.
    pub(in crate::vault) const fn is_of_two(&self) -> bool {
        self.approved.is_some()
    }
}

/// An approval that stands: genuine, of this request, of this asker, in time, by somebody who still may.
struct Approved {
    row: Genuine<ApprovalRow>,
    by: Genuine<PrincipalRow>,
}

impl Vault {
    /// What a second person stands behind. Without one nothing happens but that the asker asks for one; `about` tells them
    /// what would be done.
    ///
    /// # Errors
    /// [`Error::Asked`] when the request now waits for a second person; [`Error::Refused`] when the asker may not do this
    /// with any approval; [`Error::RefusedBecause`] when the approval named does not stand, or what it is about has changed.
    pub(in crate::vault) async fn with_two(&self, ask: Ask, about: About, exact: &Exact) -> Result<Act, Error> {
        let Some(id) = exact.approval else {
            return Err(Error::Asked(self.ask_second(ask, about, exact).await?));
        };
        let now = self.bound(&about).await?;
        let mut facts = self.facts(&ask).await?;
        let approved = match self.standing(&ask, id, Some(&exact.request)).await? {
            Ok(approved) => approved,
            Err(told) => return Err(self.unapproved(ask, facts, told).await),
        };
        facts.approval = Some(ApprovalFacts {
            row: Some(approved.row.clone()),
            by: approved.by.id,
        });
        let permit = self.decide(ask, facts).await?;
        if now.state != approved.row.bound {
            return Err(self
                .refuse_because(permit.withdraw(Why::TargetChanged), problems::TARGET_CHANGED)
                .await);
        }
        Ok(Act {
            permit,
            approved: Some((approved, now.guards)),
        })
    }

    /// Asks for a second person. The asker could do it with one, and is a person themselves.
    async fn ask_second(&self, ask: Ask, about: About, exact: &Exact) -> Result<Asked, Error> {
        self.may_with_two(&ask).await?;
        let asking = same(&ask, Action::AskApproval);
        let facts = self.facts(&asking).await?;
        let permit = self.decide(asking, facts).await?;
        let asker = self.principal_row(permit.ask().who().id()).await?;
        if asker.kind != PrincipalKind::Person {
            return Err(self.refuse(permit, Why::NotAPerson).await);
        }
        gives_a_reason(ask.action(), exact)?;
        let created_at = ask.at();
        let last = cells![asker.id, created_at, MOST_OPEN - 1];
        if self.store.one(&approval::OPEN_BESIDES, &last).await?.is_some() {
            return Err(self.refuse(permit, Why::TooManyOpen).await);
        }
        let id = ApprovalId::random(&*self.randomness)?;
        let bound = self.bound(&about).await?;
        let seal = |reason| self.keyring.seal_reason(id, Giver::Asker, reason);
        let row = ApprovalRow {
            id,
            action: ask.action(),
            subject: ask.subject_reference().copied(),
            about,
            request: self.keyring.request_code(&exact.request)?,
            bound: bound.state,
            asker_reason: exact.reason.as_ref().map(seal).transpose()?,
            asker: asker.id,
            asker_epoch: asker.epoch,
            approver: None,
            approver_epoch: None,
            approver_reason: None,
            state: ApprovalState::Asked,
            created_at,
            expires_at: created_at.checked_add(GOOD_FOR).map_err(|_| crate::clock::NoClock)?,
            version: 1,
        };
        let approval = Pending {
            id: row.id.to_string(),
            expires_at: leaf::milliseconds(row.expires_at),
        };
        let mut link = logged(&row);
        link.insert("action".to_owned(), row.action.to_string());
        let mut guards = bound.guards;
        guards.push(Guard::none(&approval::OPEN_BESIDES, &last));
        let change = Change {
            guards,
            writes: vec![Write::put(self.keyring.protect(row)?)],
            link,
            ..Change::default()
        };
        Ok(Asked {
            approval,
            detail: what_now(ask.action()),
            audit: self.record(permit, change).await?.position().into(),
        })
    }

    /// Does it: the change, its leaf and the end of the approval in one transaction, if what it is about is still as it was.
    ///
    /// # Errors
    /// [`Error::RefusedBecause`] when somebody else has used the approval meanwhile. [`Error::Stale`] when what it is about has
    /// changed meanwhile: the use case then runs once more ([`is_overtaken`]), which refuses it.
    pub(in crate::vault) async fn act(&self, act: Act, mut change: Change) -> Result<Recorded, Error> {
        let Act { permit, approved } = act;
        let Some((Approved { row, by }, bound)) = approved else {
            return self.record(permit, change).await;
        };
        let (again, id) = (same(permit.ask(), permit.ask().action()), row.id);
        change.guards.push(Guard::unchanged(&by));
        change.guards.extend(bound);
        change.link.extend(logged(&row));
        let used = ApprovalRow {
            state: ApprovalState::Used,
            version: row.version + 1,
            ..row.into_row()
        };
        change.writes.push(Write::put(self.keyring.protect(used)?));
        match self.record(permit, change).await {
            Err(Error::Stale) => Err(match self.standing(&again, id, None).await? {
                Ok(_) => Error::Stale,
                Err(told) => {
                    let facts = self.facts(&again).await?;
                    self.unapproved(again, facts, told).await
                }
            }),
            done => done,
        }
    }

    /// The approval, if it stands for this very ask and, where one is given, this very request; or else what is wrong with it.
    async fn standing(
        &self,
        ask: &Ask,
        id: ApprovalId,
        request: Option<&[u8]>,
    ) -> Result<Result<Approved, &'static ProblemKind>, Error> {
        let row = self.approval_row(id).await?;
        // Somebody else's is as unknown as none.
        let Some(row) = row.filter(|row| row.asker == ask.who().id()) else {
            return Ok(Err(problems::NO_SUCH_APPROVAL));
        };
        let this = match request {
            Some(request) => self.keyring.is_request(&row.request, request)?,
            None => true,
        };
        if row.action != ask.action() || row.subject.as_ref() != ask.subject_reference() || !this {
            return Ok(Err(problems::APPROVAL_OF_ANOTHER));
        }
        let wrong = match row.state {
            ApprovalState::Used => problems::APPROVAL_SPENT,
            ApprovalState::Refused => problems::APPROVAL_REFUSED,
            _ if is_over(&row, ask.at()) => problems::APPROVAL_TOO_OLD,
            ApprovalState::Asked => problems::APPROVAL_WAITS,
            ApprovalState::Approved => {
                let Some(by) = row.approver else {
                    return Ok(Err(problems::APPROVER_GONE));
                };
                let by = self.principal_row(by).await?;
                // Whoever was switched off or moved meanwhile has stood behind it as somebody else.
                if row.approver_epoch != Some(by.epoch) {
                    return Ok(Err(problems::APPROVER_GONE));
                }
                if self.principal_row(row.asker).await?.epoch != row.asker_epoch {
                    return Ok(Err(problems::ASKER_CHANGED));
                }
                if self.still_approves(&by, row.action).await? {
                    return Ok(Ok(Approved { row, by }));
                }
                problems::APPROVER_GONE
            }
        };
        Ok(Err(wrong))
    }

    async fn still_approves(&self, approver: &Genuine<PrincipalRow>, action: Action) -> Result<bool, Error> {
        let department = self.department_row(approver.department).await?;
        Ok(approver.active
            && self
                .rules
                .load()
                .policy
                .may_approve(approver.roles, department.kind, action))
    }

    /// Refuses an act whose approval does not stand. What the policy has against it comes first.
    async fn unapproved(&self, ask: Ask, facts: Facts, told: &'static ProblemKind) -> Error {
        let denial = match self.rules.load().policy.decide(ask, facts) {
            Ok(permit) => permit.withdraw(Why::NotApproved),
            Err(denial) => denial,
        };
        if denial.why() == Why::NotApproved {
            return self.refuse_because(denial, told).await;
        }
        match self.log_refusal(denial).await {
            Ok(refusal) => Error::Refused(refusal),
            Err(fault) => fault,
        }
    }

    /// The request for approval, as the vault last wrote it.
    async fn approval_row(&self, id: ApprovalId) -> Result<Option<Genuine<ApprovalRow>>, Error> {
        let row = self.store.one(&approval::BY_ID, &cells![id]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }
}

/// The same asker, purpose, time, request, caller, ticket and subjects, with another action.
pub(in crate::vault) fn same(ask: &Ask, action: Action) -> Ask {
    let mut again = Ask::new(*ask.who(), action, ask.purpose(), ask.at(), ask.request().clone());
    again = again.from_client(ask.client().cloned());
    if let Some(subject) = ask.subject_reference() {
        again = again.subject(*subject);
    }
    if let Some(other) = ask.other_subject() {
        again = again.other(*other);
    }
    if let Some(caller) = ask.caller_reference() {
        again = again.caller(*caller);
    }
    match ask.ticket_name() {
        Some(ticket) => again.ticket(*ticket),
        None => again,
    }
}

/// What the asker does next.
const fn what_now(action: Action) -> Words {
    match action {
        Action::PruneLog => EXPORT_FIRST,
        _ => NOW,
    }
}

fn is_over(row: &ApprovalRow, now: Timestamp) -> bool {
    row.expires_at <= now
}

/// What the log says of what a request is about: the words, without names.
pub(in crate::vault) fn without_names(about: &About) -> About {
    let mut link = about.clone();
    link.retain(|name, _| !UNLOGGED.contains(&name.as_str()));
    link
}

/// What the log says of what was asked: the words, and SHA-256 of each sealed reason.
fn logged(row: &ApprovalRow) -> About {
    let mut link = without_names(&row.about);
    let reasons = Giver::ALL
        .iter()
        .filter_map(|&giver| Some((giver, row.reason_of(giver)?)));
    link.extend(reasons.map(|(giver, sealed)| (format!("{giver}_reason"), leaf::base64_sha256(sealed))));
    link
}

/// Whether a use case that names an approval is to run once more: something changed between its decision and the commit, and a
/// second run says what.
pub(in crate::vault) fn is_overtaken<T>(done: &Result<T, Error>, exact: &Exact) -> bool {
    exact.approval.is_some() && matches!(done, Err(Error::Stale))
}
