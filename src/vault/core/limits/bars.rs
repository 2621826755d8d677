//! What withdraws a permit that the policy has given: one list, in the order in which it is asked.
//!
//! What costs nothing to ask comes first, so that a permit withdrawn for another reason is not counted.

use jiff::Timestamp;

use crate::model::ask::Action;
use crate::model::limits::Counted;
use crate::policy::{Permit, Why};
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::core::limits::spending::Taken;
use crate::vault::{Error, Vault};

/// One thing that may stand against a permit.
#[derive(Clone, Copy)]
enum Bar {
    /// A service account asks on behalf of a clerk for what is done in person.
    InPerson,
    /// The caller's data may only be stored.
    Restricted,
    /// The witnesses are silent, or one contradicts the log.
    Witnesses,
    /// The principal has done so as often as it may.
    Count(Counted),
}

const BARS: [Bar; 6] = [
    Bar::InPerson,
    Bar::Restricted,
    Bar::Witnesses,
    Bar::Count(Counted::Intake),
    Bar::Count(Counted::Guess),
    Bar::Count(Counted::Reveal),
];

/// Why a permit is withdrawn, and from when on it would not be, where that is known.
struct Barred {
    why: Why,
    until: Option<Timestamp>,
}

impl Vault {
    /// The permit, if nothing stands against it. What withdraws it is in the log before it is told.
    ///
    /// # Errors
    /// [`Error::Refused`], or [`Error::RefusedUntil`] where it is known from when on it would be permitted.
    pub(in crate::vault) async fn unbarred(&self, permit: Permit) -> Result<Permit, Error> {
        for bar in BARS {
            if let Some(barred) = self.barred_by(bar, &permit).await? {
                return Err(self.withdraw(permit, barred).await);
            }
        }
        Ok(permit)
    }

    async fn barred_by(&self, bar: Bar, permit: &Permit) -> Result<Option<Barred>, Error> {
        let ask = permit.ask();
        match bar {
            Bar::InPerson => {
                let for_another = ask.who().via().is_some() && !ask.action().is_done_for_clerks();
                Ok(for_another.then_some(Barred {
                    why: Why::InPerson,
                    until: None,
                }))
            }
            Bar::Restricted => Ok(self.is_restricted(permit).await?.then_some(Barred {
                why: Why::Restricted,
                until: None,
            })),
            Bar::Witnesses => {
                let why = self.witnessing.bar(ask.action(), self.clock.now()?);
                Ok(why.map(|why| Barred { why, until: None }))
            }
            Bar::Count(counted) if ask.counts_as(counted) => {
                let taken = self.take(ask.who(), counted, ask.at()).await?;
                Ok(match taken {
                    Taken::One => None,
                    Taken::NoneBefore(at) => Some(Barred {
                        why: too_many(counted),
                        until: Some(at),
                    }),
                })
            }
            Bar::Count(_) => Ok(None),
        }
    }

    /// Whether the permit is to use data that may only be stored (PIPL art. 47). In the caller's own call a wrong value may be put right, and nothing
    /// is shown: that it is their call, one agent alone can say.
    async fn is_restricted(&self, permit: &Permit) -> Result<bool, Error> {
        let facts = permit.facts();
        let action = permit.ask().action();
        if !action.processes() || (facts.is_own_call() && action == Action::Correct) {
            return Ok(false);
        }
        if let Some(caller) = &facts.caller {
            return Ok(caller.row.restricted);
        }
        let Some(ticket) = facts.ticket.as_ref().filter(|ticket| !ticket.is_own_call()) else {
            return Ok(false);
        };
        let caller: Option<Genuine<CallerRow>> = match ticket.caller {
            Some(id) => Some(self.traced(id).await?.row),
            None => None,
        };
        Ok(caller.is_some_and(|caller| caller.restricted))
    }

    async fn withdraw(&self, permit: Permit, barred: Barred) -> Error {
        let at = permit.ask().at();
        match (self.refuse(permit, barred.why).await, barred.until) {
            (Error::Refused(refusal), Some(until)) => {
                let wait = until.duration_since(at).unsigned_abs();
                Error::RefusedUntil(refusal, wait)
            }
            (other, _) => other,
        }
    }
}

const fn too_many(counted: Counted) -> Why {
    match counted {
        Counted::Guess => Why::TooManyGuesses,
        Counted::Intake => Why::TooManyIntakes,
        Counted::Reveal => Why::BudgetSpent,
    }
}
