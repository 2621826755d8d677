//! Legal holds: as long as one is in force, the caller is not erased. One person sets it, and another lifts it (decision 0040).
//!
//! The caller's row counts its holds. So whoever removes the row of a hold does not get the caller erased.

use jiff::civil::Date;
use serde::Serialize;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::{Change, leaf};
use crate::model::approvals::{Giver, Reason};
use crate::model::ask::Action;
use crate::model::ids::{HoldId, PrincipalId, RecordId};
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::policy::Why;
use crate::store::rows::hold::{AFTER, BY_ID, IN_FORCE};
use crate::store::rows::{CallerRow, Cell, Column, Genuine, HoldRow, PrincipalRow};
use crate::store::{Guard, Write};
use crate::vault::core::caller_of;
use crate::vault::people::approvals::are_one;
use crate::vault::people::{Page, page, parsed};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Most holds that a refusal names.
const NAMED: u32 = 5;
/// The word of an entry for the hold that it is about.
const HOLD: &str = "hold";

/// A legal hold to be set.
pub struct NewHold {
    /// Why.
    pub reason: Reason,
    /// The day on which the owner checks whether it is still needed.
    pub review: Date,
    /// The account that answers for it; nothing: the one that sets it.
    pub owner: Option<PrincipalId>,
}

/// A legal hold that was set or lifted.
#[derive(Serialize, utoipa::ToSchema)]
pub struct HoldChanged {
    /// Its id.
    pub id: String,
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// Whether it is in force.
    pub in_force: bool,
    /// The log entry of this act.
    pub audit: Audit,
}

/// A legal hold in force.
#[derive(Serialize, utoipa::ToSchema)]
pub struct HoldLine {
    /// Its id.
    pub id: String,
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// Id of the account that answers for it.
    pub owner: String,
    /// The account's current name.
    pub owner_name: String,
    /// The reason. Absent where nothing of the caller can be opened any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the caller is no more: erased, or removed past the vault. The hold keeps nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub caller_gone: bool,
    /// The day on which the owner checks whether it is still needed.
    pub review: String,
    /// Id of the account that set it.
    pub set_by: String,
    /// When it was set, UTC.
    pub set_at: String,
}

impl Vault {
    /// Puts a legal hold on a caller.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for an owner who has no account; [`Error::Stale`] where the caller was changed meanwhile.
    pub async fn set_hold(&self, session: &Session, caller: Reference, new: NewHold) -> Result<HoldChanged, Error> {
        let ask = self.ask(session, Action::SetHold, Purpose::Audit)?.caller(caller);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = caller_of(&permit)?;
        let owner = self
            .principal_row(new.owner.unwrap_or_else(|| session.actor.id()))
            .await?;
        let key = self.sealing_key(RecordId::Caller(row.id)).await?;
        let id = HoldId::random(&*self.randomness)?;
        let hold = HoldRow {
            id,
            subject: row.subject,
            owner: owner.id,
            review: new.review.to_string(),
            reason: self.keyring.seal_for(&key, id, Giver::Asker, &new.reason)?,
            set_by: session.actor.id(),
            set_at: permit.ask().at(),
            lifted_by: None,
            lift_reason: None,
            lifted_at: None,
            version: 1,
        };
        let mut change = self.counted(&row, row.holds + 1)?;
        change.link.insert(HOLD.to_owned(), id.to_string());
        change.writes.push(Write::put(self.keyring.protect(hold)?));
        let audit = self.record(permit, change).await?.position().into();
        Ok(HoldChanged {
            id: id.to_string(),
            subject: row.subject,
            in_force: true,
            audit,
        })
    }

    /// Lifts a legal hold that another person set.
    ///
    /// # Errors
    /// [`Error::Refused`], also for one's own hold; [`Error::Bad`] for a hold that was lifted; [`Error::NotFound`]; [`Error::Stale`] where the caller was changed meanwhile.
    pub async fn lift_hold(&self, session: &Session, id: HoldId, reason: &Reason) -> Result<HoldChanged, Error> {
        let hold = self.hold(id).await?;
        let ask = self.ask(session, Action::LiftHold, Purpose::Audit)?;
        let ask = match &hold {
            Some(hold) => ask.subject(hold.subject),
            None => ask,
        };
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let hold = hold.ok_or(Error::NotFound(Thing::Hold))?;
        let (lifting, setting) = (
            self.principal_row(session.actor.id()).await?,
            self.principal_row(hold.set_by).await?,
        );
        if are_one(&lifting, &setting) {
            return Err(self.refuse(permit, Why::OwnHold).await);
        }
        if hold.lifted_at.is_some() {
            return Err(Error::Bad(problems::LIFTED_ALREADY));
        }
        let row = self.held(&hold).await?;
        let key = self.sealing_key(RecordId::Caller(row.id)).await?;
        let subject = hold.subject;
        let lifted = HoldRow {
            lifted_by: Some(lifting.id),
            lift_reason: Some(self.keyring.seal_for(&key, id, Giver::Approver, reason)?),
            lifted_at: Some(permit.ask().at()),
            version: hold.version + 1,
            ..hold.into_row()
        };
        let mut change = self.counted(&row, row.holds.saturating_sub(1))?;
        change.link.insert(HOLD.to_owned(), id.to_string());
        change.writes.push(Write::put(self.keyring.protect(lifted)?));
        let audit = self.record(permit, change).await?.position().into();
        Ok(HoldChanged {
            id: id.to_string(),
            subject,
            in_force: false,
            audit,
        })
    }

    /// The legal holds in force, by their days of review.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn legal_holds(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<HoldLine>, Error> {
        let after: Option<HoldId> = parsed(after)?;
        let ask = self.ask(session, Action::ReadHolds, Purpose::Audit)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        let limit = limit.clamp(1, LARGEST_PAGE);
        let from = match after {
            None => Some([Cell::Text(String::new()), Cell::Bytes(Vec::new())]),
            Some(id) => self.hold(id).await?.map(|hold| cells![hold.review, hold.id]),
        };
        let mut lines = Vec::new();
        if let Some([review, id]) = from {
            let rows = self.store.all(&AFTER, &[review, id, limit.cell()]).await?;
            for hold in self.genuine(rows)? {
                lines.push(self.hold_line(hold).await?);
            }
        }
        page(lines, limit, audit, |line: &HoldLine| line.id.clone())
    }

    async fn hold_line(&self, hold: Genuine<HoldRow>) -> Result<HoldLine, Error> {
        let reason = match self.reason_of(&hold).await {
            // One such hold does not keep the others from being listed.
            Err(Error::NotFound(_) | Error::Bad(_) | Error::Key(KeyError::NoRecordKey)) => None,
            reason => Some(reason?),
        };
        let owner: Genuine<PrincipalRow> = self.principal_row(hold.owner).await?;
        Ok(HoldLine {
            id: hold.id.to_string(),
            subject: hold.subject,
            owner: hold.owner.to_string(),
            owner_name: owner.into_row().account,
            caller_gone: reason.is_none(),
            reason,
            review: hold.review.clone(),
            set_by: hold.set_by.to_string(),
            set_at: leaf::milliseconds(hold.set_at),
        })
    }

    async fn reason_of(&self, hold: &HoldRow) -> Result<String, Error> {
        let record = RecordId::Caller(self.held(hold).await?.id);
        let key = self.wrapped_key(record).await?;
        let reason = self.keyring.open_for(&key, hold.id, Giver::Asker, &hold.reason)?;
        Ok(reason.expose().to_owned())
    }

    /// The holds on these records, in words for a refusal.
    pub(super) async fn names_of_holds(&self, family: &[Genuine<CallerRow>]) -> Result<String, Error> {
        let mut named = Vec::new();
        for record in family {
            let rows = self.store.all(&IN_FORCE, &cells![record.subject, NAMED]).await?;
            let holds = self.genuine(rows)?;
            named.extend(holds.iter().map(|hold| format!("{} ({})", hold.id, hold.review)));
        }
        named.truncate(NAMED as usize);
        Ok(if named.is_empty() {
            // The caller's row counts more than there are: one was removed. `fsck` names it.
            "?".to_owned()
        } else {
            named.join(", ")
        })
    }

    async fn hold(&self, id: HoldId) -> Result<Option<Genuine<HoldRow>>, Error> {
        let row = self.store.one(&BY_ID, &cells![id]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }

    /// The record that a hold is on.
    async fn held(&self, hold: &HoldRow) -> Result<Genuine<CallerRow>, Error> {
        match self.subject(&hold.subject).await? {
            Some(id) => self.caller_row(id).await,
            None => Err(Error::NotFound(Thing::Caller)),
        }
    }

    /// The caller's row with another number of holds in force.
    fn counted(&self, row: &Genuine<CallerRow>, holds: u32) -> Result<Change, Error> {
        let next = CallerRow {
            holds,
            version: row.version + 1,
            ..row.clone().into_row()
        };
        Ok(Change {
            guards: vec![Guard::unchanged(row)],
            writes: vec![Write::put(self.keyring.protect(next)?)],
            subject: Some(row.subject),
            ..Change::default()
        })
    }
}
