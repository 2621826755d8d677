//! Whether somebody may ask for a second person at all, and what they are told before there is one.

use super::{Exact, same};
use crate::model::ask::{Action, Ask};
use crate::model::problems::{self, ProblemKind};
use crate::policy::{Permit, Why};
use crate::vault::{Error, Vault};

impl Vault {
    /// Refuses the asker who may not do this with any approval.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub(in crate::vault) async fn may_with_two(&self, ask: &Ask) -> Result<(), Error> {
        let facts = self.facts(ask).await?;
        match self.rules.load().policy.decide(same(ask, ask.action()), facts) {
            Err(denial) if denial.why() != Why::NotApproved => Err(Error::Refused(self.log_refusal(denial).await?)),
            // A policy that permits it to one person does not lift the rule.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The permit to ask for a second person, for an act that tells the asker something of a record before it is approved: none where
    /// it was approved already. What stands against the act is told by [`Self::not_as_asked`].
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] without a reason where one is needed.
    pub(in crate::vault) async fn may_ask(
        &self,
        action: Action,
        asking: Ask,
        exact: &Exact,
    ) -> Result<Option<Permit>, Error> {
        if exact.approval.is_some() {
            return Ok(None);
        }
        gives_a_reason(action, exact)?;
        let facts = self.facts(&asking).await?;
        Ok(Some(self.decide(asking, facts).await?))
    }

    /// What the records have against an act. Whoever asks for it is told once that stands in the log. Who was approved asked before, and
    /// that stands there.
    pub(in crate::vault) async fn not_as_asked(&self, asking: Option<Permit>, told: &'static ProblemKind) -> Error {
        match asking {
            Some(permit) => self.refuse_because(permit.withdraw(Why::NotAsAsked), told).await,
            None => Error::Bad(told),
        }
    }
}

/// What is asked for with a reason is not asked for without one.
pub(super) fn gives_a_reason(action: Action, exact: &Exact) -> Result<(), Error> {
    if action.is_asked_with_a_reason() && exact.reason.is_none() {
        return Err(Error::Bad(problems::REASON_REQUIRED));
    }
    Ok(())
}
