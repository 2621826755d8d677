//! A caller's data may only be stored, and no longer: one officer sets it, and lifting it takes two persons (decision 0041).
//!
//! The caller's row says so, under its code: whoever removes the row of a restriction does not lift it. The row of a restriction is what the
//! log's thread looks for when a read is committed, so that none is after the restriction in the log's order.

use serde::Serialize;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::Change;
use crate::model::approvals::{Giver, Reason};
use crate::model::ask::Action;
use crate::model::ids::{HoldId, RecordId};
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::store::rows::restriction::IN_FORCE;
use crate::store::rows::{About, CallerRow, Genuine, RestrictionRow};
use crate::store::{Guard, Write};
use crate::vault::core::caller_of;
use crate::vault::people::approvals::{Exact, RESTRICTED, is_overtaken};
use crate::vault::{Audit, Error, Session, Vault};

/// Whether a caller's data are restricted to storage now.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Restriction {
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// Whether the data may only be stored.
    pub restricted: bool,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// Restricts a caller's data to storage.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] where they are restricted already; [`Error::Stale`] where the caller was changed meanwhile.
    pub async fn restrict_caller(
        &self,
        session: &Session,
        caller: Reference,
        reason: &Reason,
    ) -> Result<Restriction, Error> {
        let ask = self.ask(session, Action::Restrict, Purpose::Audit)?.caller(caller);
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = caller_of(&permit)?;
        if row.restricted {
            return Err(Error::Bad(problems::RESTRICTED_ALREADY));
        }
        let key = self.sealing_key(RecordId::Caller(row.id)).await?;
        let id = HoldId::random(&*self.randomness)?;
        let set = RestrictionRow {
            id,
            subject: row.subject,
            reason: self.keyring.seal_for(&key, id, Giver::Asker, reason)?,
            set_by: session.actor.id(),
            set_at: permit.ask().at(),
            lifted_at: None,
            version: 1,
        };
        let mut change = self.to_be_restricted(&row, true)?;
        change.writes.push(Write::put(self.keyring.protect(set)?));
        let audit = self.record(permit, change).await?.position().into();
        Ok(Restriction {
            subject: row.subject,
            restricted: true,
            audit,
        })
    }

    /// Lifts the restriction of a caller's data, with a second person's approval.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::RefusedBecause`]; [`Error::Bad`] where they are not restricted.
    pub async fn unrestrict_caller(
        &self,
        session: &Session,
        caller: Reference,
        exact: &Exact,
    ) -> Result<Restriction, Error> {
        let done = self.unrestrict_once(session, caller, exact).await;
        if is_overtaken(&done, exact) {
            return self.unrestrict_once(session, caller, exact).await;
        }
        done
    }

    async fn unrestrict_once(&self, session: &Session, caller: Reference, exact: &Exact) -> Result<Restriction, Error> {
        let ask = self.ask(session, Action::Unrestrict, Purpose::Audit)?.caller(caller);
        self.may_with_two(&ask).await?;
        let row = self.facts(&ask).await?.caller.ok_or(Error::Stale)?.row;
        if !row.restricted && exact.approval.is_none() {
            return Err(Error::Bad(problems::NOT_RESTRICTED));
        }
        let about = About::from([(RESTRICTED.to_owned(), row.subject.to_string())]);
        let act = self.with_two(ask.subject(row.subject), about, exact).await?;
        let set = self.store.one(&IN_FORCE, &cells![row.subject]).await?;
        // The caller's row says that there is one: whoever removed it did not lift it.
        let set: Genuine<RestrictionRow> = self.keyring.genuine(set.ok_or(KeyError::Broken)?)?;
        let lifted = RestrictionRow {
            lifted_at: Some(act.permit().ask().at()),
            version: set.version + 1,
            ..set.into_row()
        };
        let mut change = self.to_be_restricted(&row, false)?;
        change.writes.push(Write::put(self.keyring.protect(lifted)?));
        let audit = self.act(act, change).await?.position().into();
        Ok(Restriction {
            subject: row.subject,
            restricted: false,
            audit,
        })
    }

    /// The caller's row, restricted or not from now on.
    fn to_be_restricted(&self, row: &Genuine<CallerRow>, restricted: bool) -> Result<Change, Error> {
        let next = CallerRow {
            restricted,
            version: row.version + 1,
            ..row.clone().into_row()
        };
        Ok(Change {
            guards: vec![Guard::unchanged(row)],
            writes: vec![Write::put(self.keyring.protect(next)?)],
            ..Change::default()
        })
    }
}
