//! What a step changes of a ticket beside its state and holder: deadlines and extensions, supervision, and what the caller said.

use jiff::Timestamp;

use super::TicketStep;
use crate::model::callbacks::{CallbackResults, YesNo};
use crate::model::deadlines::{Allowance, Deadlines};
use crate::model::problems;
use crate::model::tickets::TicketState;
use crate::model::transitions::{Step, Transition};
use crate::store::Write;
use crate::store::rows::{CallbackRow, TicketRow};
use crate::vault::{Error, Vault};

/// A step, and when and by which deadlines it is taken.
pub(super) struct Effects<'r> {
    pub(super) transition: Transition,
    pub(super) deadlines: &'r Deadlines,
    pub(super) now: Timestamp,
}

impl Effects<'_> {
    /// The ticket after the step, whose state and holder are those of `next` already.
    pub(super) fn on(&self, row: &TicketRow, next: TicketRow, body: &TicketStep) -> Result<TicketRow, Error> {
        if body.working_days.is_some() && !self.transition.takes_working_days() {
            return Err(Error::Bad(problems::NO_WORKING_DAYS_HERE));
        }
        if body.results.is_some() && !self.transition.takes_results() {
            return Err(Error::Bad(problems::NO_RESULTS_HERE));
        }
        let next = match self.transition {
            step if step.begins_work() => self.begun(next)?,
            Transition::Extend => self.asking(next)?,
            Transition::GrantExtension => self.extended(next, body.working_days)?,
            Transition::Callback => told(next, body.results)?,
            Transition::Supervise if row.supervised => return Err(Error::Bad(problems::SUPERVISED_ALREADY)),
            Transition::Unsupervise if !row.supervised => return Err(Error::Bad(problems::NOT_SUPERVISED)),
            Transition::Supervise | Transition::Unsupervise => TicketRow {
                supervised: !row.supervised,
                ..next
            },
            _ => next,
        };
        Ok(settled(next))
    }

    fn allowance(&self, ticket: &TicketRow) -> Allowance {
        self.deadlines.allowance(&ticket.category, ticket.urgency)
    }

    /// Work of a department begins, or begins anew.
    fn begun(&self, next: TicketRow) -> Result<TicketRow, Error> {
        let due = self.deadlines.from_dispatch(self.now, self.allowance(&next))?;
        Ok(TicketRow {
            due: Some(due.handle),
            sign_due: Some(due.sign),
            extensions: 0,
            ..next
        })
    }

    /// The department asks for more time, which it may still get.
    fn asking(&self, next: TicketRow) -> Result<TicketRow, Error> {
        let allowance = self.allowance(&next);
        if next.due.is_none() {
            return Err(Error::Bad(problems::NO_DEADLINE));
        }
        if allowance.extension == 0 || next.extensions >= allowance.extensions {
            return Err(Error::Bad(problems::NO_MORE_EXTENSIONS));
        }
        Ok(next)
    }

    /// It gets it, counted from the deadline that it had.
    fn extended(&self, next: TicketRow, working_days: Option<u32>) -> Result<TicketRow, Error> {
        let most = self.allowance(&next).extension;
        let days = working_days.ok_or(Error::Bad(problems::NO_WORKING_DAYS))?;
        if !(1..=most).contains(&days) {
            return Err(Error::TooManyDays(most));
        }
        let due = next.due.ok_or(Error::Bad(problems::NO_DEADLINE))?;
        Ok(TicketRow {
            due: Some(self.deadlines.extended(due, days)?),
            extensions: next.extensions + 1,
            ..next
        })
    }
}

/// What the caller said; an attempt that did not reach them leaves what they said before.
fn told(next: TicketRow, results: Option<CallbackResults>) -> Result<TicketRow, Error> {
    let results = results.filter(CallbackResults::is_whole);
    let results = results.ok_or(Error::Bad(problems::NO_RESULTS))?;
    Ok(TicketRow {
        solved: results.solved.or(next.solved),
        ..next
    })
}

/// Without what the ticket's state has no use for.
fn settled(next: TicketRow) -> TicketRow {
    let state = next.state;
    TicketRow {
        due: next.due.filter(|_| state.is_with_department()),
        sign_due: next.sign_due.filter(|_| state.awaits_signature()),
        solved: next.solved.filter(|_| state == TicketState::Callback),
        ..next
    }
}

/// The step as this ticket and this body have it: a ticket of which the caller has said that it is solved is closed without another reason.
pub(super) fn stated(step: Step, row: &TicketRow, body: &TicketStep) -> Step {
    let is_solved = step.to == Some(TicketState::Closed) && row.solved == Some(YesNo::Yes);
    Step {
        reason: step.reason.filter(|_| !is_solved || body.reason.is_some()),
        ..step
    }
}

impl Vault {
    /// The row of an attempt to ask the caller, if the step was one.
    pub(super) fn called_back(
        &self,
        next: &TicketRow,
        results: Option<CallbackResults>,
    ) -> Result<Option<Write>, Error> {
        let Some(results) = results else {
            return Ok(None);
        };
        let row = CallbackRow {
            ticket: next.id,
            version: next.version,
            valid: results.valid,
            contacted: results.contacted,
            solved: results.solved,
            satisfied: results.satisfied,
        };
        Ok(Some(Write::put(self.keyring.protect(row)?)))
    }
}
