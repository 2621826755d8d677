//! What one principal may cost the others: so many requests a minute, and so many refusals, each of which is an entry of the
//! log. Whoever is beyond either is held back before anything is decided or written.
//!
//! Requests that would be permitted are held back with the others. If only refusals were, somebody could find out what they
//! may see without an entry in the log.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::log::Refusal;
use crate::model::ids::PrincipalId;
use crate::policy::Denial;
use crate::vault::{Error, Session, Vault};

const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_secs(1);

/// How much each principal may ask for, in this process.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// Requests a minute.
    pub requests: NonZeroU32,
    /// Refusals a minute.
    pub refusals: NonZeroU32,
    /// Requests under way at once: each may hold as much memory as a body has.
    pub at_once: NonZeroU32,
}

impl Rates {
    /// More than a busy platform's account sends, and less than a node can serve.
    pub const REQUESTS: u32 = 12_000;
    /// More than a person causes by mistake.
    pub const REFUSALS: u32 = 120;
    /// More than a busy platform's account has under way.
    pub const AT_ONCE: u32 = 128;
}

/// Requests without a token that are let in, all together. A vault has few accounts that fetch a token at once.
pub(in crate::vault) const STRANGERS: Rates = Rates {
    requests: NonZeroU32::MIN.saturating_add(59),
    refusals: NonZeroU32::MIN,
    at_once: NonZeroU32::MIN.saturating_add(7),
};
/// Whose requests they are.
const NOBODY: PrincipalId = PrincipalId::from_bytes([0; 16]);

impl Default for Rates {
    fn default() -> Self {
        Self {
            requests: NonZeroU32::new(Self::REQUESTS).unwrap_or(NonZeroU32::MIN),
            refusals: NonZeroU32::new(Self::REFUSALS).unwrap_or(NonZeroU32::MIN),
            at_once: NonZeroU32::new(Self::AT_ONCE).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// What one principal has spent: until when it takes, at the rate, to work it off. A minute's worth may be spent at once.
#[derive(Clone, Copy)]
struct Spent(Instant);

impl Spent {
    fn one(&mut self, now: Instant, a_minute: NonZeroU32) {
        self.0 = self.0.max(now) + MINUTE / a_minute.get();
    }

    /// How long until one more fits.
    fn wait(self, now: Instant, a_minute: NonZeroU32) -> Duration {
        let room = MINUTE.saturating_sub(MINUTE / a_minute.get());
        self.0.saturating_duration_since(now).saturating_sub(room)
    }
}

struct Costs {
    requests: Spent,
    refusals: Spent,
    under_way: u32,
}

/// What each principal has spent.
type AllCosts = Arc<Mutex<HashMap<PrincipalId, Costs>>>;

/// A request under way, until the last copy of it is dropped.
pub(in crate::vault) struct UnderWay {
    costs: AllCosts,
    who: PrincipalId,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(costs) = costs.get_mut(&self.who) {
            costs.under_way = costs.under_way.saturating_sub(1);
        }
    }
}

/// A request under way without a token, until this is dropped.
pub struct Stranger(#[expect(dead_code, reason = "what counts is when it is dropped")] UnderWay);

pub(in crate::vault) struct RateLimiter {
    rates: Rates,
    // One for each principal that has sent a request since start. Held for a few instructions, never across a wait.
    costs: AllCosts,
    held: AtomicU64,
}

impl RateLimiter {
    pub(in crate::vault) fn new(rates: Rates) -> Self {
        Self {
            rates,
            costs: AllCosts::default(),
            held: AtomicU64::new(0),
        }
    }

    /// Counts a request, or says how long its sender is held back.
    fn admit(&self, who: PrincipalId, now: Instant) -> Result<UnderWay, Duration> {
        let Rates {
            requests,
            refusals,
            at_once,
        } = self.rates;
        self.of(who, now, |costs| {
            let wait = costs
                .requests
                .wait(now, requests)
                .max(costs.refusals.wait(now, refusals));
            // One of those under way may end at any moment.
            let crowded = costs.under_way >= at_once.get();
            let wait = if crowded { wait.max(SOON) } else { wait };
            if !wait.is_zero() {
                self.held.fetch_add(1, Ordering::Relaxed);
                return Err(wait);
            }
            costs.requests.one(now, requests);
            costs.under_way += 1;
            Ok(())
        })?;
        Ok(UnderWay {
            costs: Arc::clone(&self.costs),
            who,
        })
    }

    /// Counts a refusal. Those of requests that came in together may be more than fit: they are worked off, too.
    fn refused(&self, who: PrincipalId, now: Instant) {
        self.of(who, now, |costs| costs.refusals.one(now, self.rates.refusals));
    }

    fn of<T>(&self, who: PrincipalId, now: Instant, work: impl FnOnce(&mut Costs) -> T) -> T {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        work(costs.entry(who).or_insert(Costs {
            requests: Spent(now),
            refusals: Spent(now),
            under_way: 0,
        }))
    }
}

impl Vault {
    /// Lets a request in, before its body is read and anything is decided or written. It is under way as long as a copy of the
    /// session is kept.
    ///
    /// # Errors
    /// [`Error::TooMany`] for one whose sender has sent, or been refused, too many lately, or has too many under way.
    pub fn admit(&self, mut session: Session) -> Result<Session, Error> {
        let admitted = self.rate_limiter.admit(session.actor.id(), Instant::now());
        session.under_way.push(Arc::new(admitted.map_err(Error::TooMany)?));
        Ok(session)
    }

    /// Lets a request in whose sender presents no token, before its body is read. All of them share what one principal may: a few.
    ///
    /// # Errors
    /// [`Error::TooMany`].
    pub fn admit_stranger(&self) -> Result<Stranger, Error> {
        let admitted = self.strangers.admit(NOBODY, Instant::now());
        admitted.map(Stranger).map_err(Error::TooMany)
    }

    /// Makes a refusal durable, and counts it; where a service account acts on behalf of a clerk, for both.
    pub(in crate::vault) async fn log_refusal(&self, denial: Denial) -> Result<Refusal, Error> {
        let (who, now) = (denial.ask().who(), Instant::now());
        self.rate_limiter.refused(who.id(), now);
        if let Some((service, _)) = who.via() {
            self.rate_limiter.refused(service, now);
        }
        // Whatever is known of the token's day: the refusal is in the log.
        let used = self.first_use(denial.ask()).await.unwrap_or_default();
        let beside = used.writes();
        let refusal = self.log.refuse(denial, beside).await?;
        self.token_days.note(used);
        Ok(refusal)
    }

    /// How many requests were held back since start.
    #[must_use]
    pub fn requests_held(&self) -> u64 {
        self.rate_limiter.held.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests: u32, refusals: u32) -> RateLimiter {
        RateLimiter::new(Rates {
            requests: NonZeroU32::new(requests).unwrap(),
            refusals: NonZeroU32::new(refusals).unwrap(),
            at_once: NonZeroU32::new(1000).unwrap(),
        })
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// A request that is over at once.
    fn admit(limits: &RateLimiter, who: PrincipalId, now: Instant) -> Result<(), Duration> {
        limits.admit(who, now).map(drop)
    }

    const ONE: PrincipalId = PrincipalId::from_bytes([1; 16]);
    const OTHER: PrincipalId = PrincipalId::from_bytes([2; 16]);

    #[test]
    fn a_minutes_worth_at_once_and_then_at_the_rate() {
        let (limits, start) = (limits(6, 6), Instant::now());
        for _ in 0..6 {
            assert_eq!(admit(&limits, ONE, start), Ok(()));
        }
        assert_eq!(admit(&limits, ONE, start), Err(seconds(10)));
        assert_eq!(admit(&limits, OTHER, start), Ok(()));
        assert_eq!(admit(&limits, ONE, start + seconds(9)), Err(seconds(1)));
        assert_eq!(admit(&limits, ONE, start + seconds(10)), Ok(()));
        assert_eq!(admit(&limits, ONE, start + seconds(10)), Err(seconds(10)));
        assert_eq!(limits.held.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn who_is_idle_saves_no_more_than_a_minutes_worth() {
        let (limits, start) = (limits(2, 2), Instant::now());
        assert_eq!(admit(&limits, ONE, start), Ok(()));
        let later = start + seconds(3600);
        let admitted = (0..10).filter(|_| admit(&limits, ONE, later).is_ok()).count();
        assert_eq!(admitted, 2);
    }

    #[test]
    fn refusals_hold_every_request_back_until_they_are_worked_off() {
        let (limits, start) = (limits(6000, 2), Instant::now());
        // Five came in together: all are refused, and all are worked off.
        for _ in 0..5 {
            limits.refused(ONE, start);
        }
        assert_eq!(admit(&limits, ONE, start), Err(seconds(120)));
        assert_eq!(admit(&limits, OTHER, start), Ok(()));
        assert_eq!(admit(&limits, ONE, start + seconds(120)), Ok(()));
    }

    #[test]
    fn rates_as_they_are_usually() {
        let usual = Rates::default();
        assert_eq!(
            (usual.requests.get(), usual.refusals.get(), usual.at_once.get()),
            (Rates::REQUESTS, Rates::REFUSALS, Rates::AT_ONCE)
        );
    }

    #[test]
    fn what_is_under_way_is_bounded_for_each_principal() {
        let rates = Rates {
            at_once: NonZeroU32::new(2).unwrap(),
            ..Rates::default()
        };
        let (limits, now) = (RateLimiter::new(rates), Instant::now());
        let first = limits.admit(ONE, now).map_err(drop).unwrap();
        let _second = limits.admit(ONE, now).map_err(drop).unwrap();
        assert_eq!(admit(&limits, ONE, now), Err(SOON));
        assert_eq!(admit(&limits, OTHER, now), Ok(()));
        drop(first);
        assert_eq!(admit(&limits, ONE, now), Ok(()));
        assert_eq!(admit(&limits, ONE, now), Ok(()), "that one is over");
    }
}
