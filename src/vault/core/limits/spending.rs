//! What each principal has spent of what is counted: guesses, intakes, and requests that show fields in clear.
//!
//! The counts stand in the data store, so that a restart forgets none and several nodes count together. A principal with a small
//! limit has each act written down. For one with a large limit a node takes a share ahead and spends it in memory; of a share
//! that was not used up when the process ended, the rest counts as spent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::audit::watch::LEVELS;
use crate::cells;
use crate::log::{Change, CommitError};
use crate::model::ids::PrincipalId;
use crate::model::limits::{Counted, Counts, Limits, Room, Window};
use crate::model::principals::{Actor, PrincipalKind};
use crate::model::problems::Thing;
use crate::model::reference_data::Allowed;
use crate::store::rows::spent::BY_PRINCIPAL;
use crate::store::rows::{SpentRow, principal};
use crate::store::{Guard, Write};
use crate::vault::core::limits::Watching;
use crate::vault::{Error, Vault};

/// Seconds in a slot of what is counted by the minute and hour.
const SLOT: i64 = 10;
/// Slots that hold any 60 seconds, wherever they begin.
const MINUTE: i64 = 60 / SLOT + 1;
/// Slots that hold any 60 minutes.
const HOUR: i64 = 3600 / SLOT + 1;
/// Seconds in a slot of what is counted by the day.
const DAY: i64 = 86_400;
/// Days that are remembered on each side of today: a clock set to and fro begins none anew.
const DAYS: i64 = 31;
/// A minute's limit is taken in so many shares at most.
const SHARES_A_MINUTE: u64 = 30;
/// The largest share of a minute.
const LARGEST_OF_MINUTE: u64 = 100;
/// A day's limit is taken in so many shares at most.
const SHARES_A_DAY: u64 = 40;
/// The largest share of a day at its beginning: no more than the first level at which an alarm is given.
const LARGEST_OF_DAY: u64 = LEVELS[0];
/// Later in the day a share may be one part in so many of what was used: an account that asks all the time does not wait for a flush
/// every few requests, and what a stopped process leaves unused stays a small part.
const PART_OF_USED: u64 = 10;
/// How often a share is tried for that other nodes or requests take at the same time.
const TRIES: usize = 16;

/// What came of asking for one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is counted.
    One,
    /// The limit is reached until then.
    NoneBefore(Timestamp),
}

/// How one thing is counted for one principal.
struct Rule {
    /// Seconds in a slot.
    slot: i64,
    /// Seconds by which slots begin before UTC's.
    ahead: i64,
    windows: Vec<Window>,
    /// Slots that are remembered on each side of the present one.
    reach: i64,
    /// How much is taken at a time, at first.
    first: u64,
    /// How much is taken at a time, at most.
    largest: u64,
}

impl Rule {
    fn slot(&self, at: Timestamp) -> i64 {
        (at.as_second() + self.ahead).div_euclid(self.slot)
    }

    /// How much is taken at a time after so much was used in the slot.
    fn share(&self, used: u64) -> u64 {
        self.first.max(used / PART_OF_USED).min(self.largest)
    }

    /// When a slot begins; the end of time for one beyond it.
    fn begins(&self, slot: i64) -> Timestamp {
        let seconds = slot.saturating_mul(self.slot).saturating_sub(self.ahead);
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    }
}

/// What this process has taken ahead for one principal, in one slot.
#[derive(Default)]
struct Share {
    slot: i64,
    /// Not used yet.
    left: u64,
    /// Used in this slot, by this process and before it took the share.
    used: u64,
    /// Of those used before, so many may not have been: they were left of a share when a process ended.
    unsure: u64,
}

type Shares = HashMap<(PrincipalId, Counted), Arc<tokio::sync::Mutex<Share>>>;

pub(in crate::vault) struct Spending {
    // Replaced when the rules are read again.
    limits: Option<ArcSwap<Limits>>,
    pub(in crate::vault) watching: Watching,
    // One for each principal that has done something counted since start. The map is held for a few instructions; a share while
    // the next one is written down, by the requests of its principal alone.
    shares: Mutex<Shares>,
    // What a process has seen since its start.
    alarms: [AtomicU64; LEVELS.len()],
}

impl Spending {
    /// Without limits neither guesses nor intakes are counted.
    pub(in crate::vault) fn new(limits: Option<Limits>, watching: Watching) -> Self {
        Self {
            limits: limits.map(ArcSwap::from_pointee),
            watching,
            shares: Mutex::default(),
            alarms: Default::default(),
        }
    }

    /// Whether calls are counted: not where they are brought in with the passphrase.
    pub(in crate::vault) const fn is_limited(&self) -> bool {
        self.limits.is_some()
    }

    /// Counts by other limits from now on.
    pub(in crate::vault) fn limit(&self, limits: Limits) {
        if let Some(in_force) = &self.limits {
            in_force.store(Arc::new(limits));
        }
    }

    /// How much of it an account may have that has no limits of its own.
    pub(in crate::vault) fn allowed(&self, counted: Counted) -> Allowed {
        if counted == Counted::Reveal {
            return Allowed {
                day: self.watching.limit,
                ..Allowed::default()
            };
        }
        let limit = self.limits.as_ref().and_then(|limits| limits.load().on(counted, None));
        Allowed {
            minute: limit.map(|limit| limit.minute.get()),
            hour: limit.map(|limit| limit.hour.get()),
            day: None,
        }
    }

    fn share(&self, who: PrincipalId, counted: Counted) -> Arc<tokio::sync::Mutex<Share>> {
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shares.entry((who, counted)).or_default())
    }

    /// How something is counted for a principal; nothing where it is not. `account` as in [`Limits::on`].
    fn rule(&self, counted: Counted, account: Option<&str>) -> Option<Rule> {
        if counted == Counted::Reveal {
            return Some(self.of_day());
        }
        let limits = self.limits.as_ref()?.load();
        let limit = limits.on(counted, account)?;
        let (minute, hour) = (limit.minute.get(), limit.hour.get());
        let share = (minute.min(hour) / SHARES_A_MINUTE).clamp(1, LARGEST_OF_MINUTE);
        Some(Rule {
            slot: SLOT,
            ahead: 0,
            windows: vec![
                Window {
                    slots: MINUTE,
                    most: minute,
                },
                Window {
                    slots: HOUR,
                    most: hour,
                },
            ],
            reach: HOUR,
            first: share,
            largest: share,
        })
    }

    fn of_day(&self) -> Rule {
        let largest = self
            .watching
            .limit
            .map_or(u64::MAX, |limit| (limit / SHARES_A_DAY).max(1));
        let window = |most| Window { slots: 1, most };
        Rule {
            slot: DAY,
            ahead: i64::from(self.watching.hours.offset.seconds()),
            windows: self.watching.limit.map(window).into_iter().collect(),
            reach: DAYS,
            first: LARGEST_OF_DAY.min(largest),
            largest,
        }
    }

    /// Tells somebody when a principal reaches a level. Where it is not sure that it was told before, it is told again.
    fn watch(&self, who: PrincipalId, share: &mut Share) {
        let unsure = std::mem::take(&mut share.unsure);
        let reached = |level: &u64| share.used >= *level && share.used - 1 - unsure < *level;
        if let Some(level) = LEVELS.iter().rposition(reached) {
            if let Some(alarm) = self.alarms.get(level) {
                alarm.fetch_add(1, Ordering::Relaxed);
            }
            tracing::warn!(actor = %who, count = share.used, "so many clear reveals by one principal today");
        }
    }
}

impl Vault {
    /// Counts one more, durably, or says from when on there is room. What then fails to be logged stays counted.
    pub(super) async fn take(&self, who: &Actor, counted: Counted, at: Timestamp) -> Result<Taken, Error> {
        let account = self.service_account(who, counted).await?;
        let Some(rule) = self.spending.rule(counted, account.as_deref()) else {
            return Ok(Taken::One);
        };
        let share = self.spending.share(who.id(), counted);
        let mut share = share.lock().await;
        let now = rule.slot(at);
        // Requests overtake each other: one of the slot before is counted in the present one.
        let serves = share.slot == now || share.slot == now.saturating_add(1);
        if !serves || share.left == 0 {
            // Given back once: where it is not known what came of that, or nobody waits for it any more, it counts as spent.
            let unused = std::mem::take(&mut share.left);
            let next = self.next_share(who.id(), counted, &rule, now, (share.slot, unused));
            let next = match next.await? {
                Ok(next) => next,
                Err(free) => {
                    share.left = unused;
                    return Ok(Taken::NoneBefore(rule.begins(free)));
                }
            };
            let all_used_here = share.slot == now && share.used == next.used;
            let unsure = if all_used_here { 0 } else { next.unsure };
            *share = Share { unsure, ..next };
        }
        share.left -= 1;
        share.used += 1;
        if counted == Counted::Reveal {
            self.spending.watch(who.id(), &mut share);
        }
        Ok(Taken::One)
    }

    /// How many more the asker has now of what is counted for them.
    pub(in crate::vault) async fn left(&self, who: &Actor, at: Timestamp) -> Result<Vec<(Counted, u64)>, Error> {
        let mut left = Vec::new();
        for &counted in Counted::ALL {
            let account = self.service_account(who, counted).await?;
            let rule = self.spending.rule(counted, account.as_deref());
            let Some(rule) = rule.filter(|rule| !rule.windows.is_empty()) else {
                continue;
            };
            let row = self.store.one(&BY_PRINCIPAL, &cells![who.id(), counted]).await?;
            let row = row.map(|row| self.keyring.genuine(row)).transpose()?;
            let mut counts = row.map(|row| row.counts.clone()).unwrap_or_default();
            let share = self.spending.share(who.id(), counted);
            let share = share.lock().await;
            counts.take_back(share.slot, share.left);
            let room = match counts.room(rule.slot(at), &rule.windows) {
                Room::For(room) => room,
                Room::From(_) => 0,
            };
            left.push((counted, room));
        }
        Ok(left)
    }

    /// The account's name, where it is a service's and some have limits of their own.
    async fn service_account(&self, who: &Actor, counted: Counted) -> Result<Option<String>, Error> {
        let own = |limits: &Limits| counted != Counted::Reveal && limits.names_accounts();
        if !self.spending.limits.as_ref().is_some_and(|limits| own(&limits.load())) {
            return Ok(None);
        }
        let row = self.store.one(&principal::BY_ID, &cells![who.id()]).await?;
        let row = self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Principal))?)?;
        Ok((row.kind == PrincipalKind::Service).then(|| row.account.clone()))
    }

    /// Writes down that a share is taken and what of the last one was not used, or says from which slot on there is room.
    async fn next_share(
        &self,
        who: PrincipalId,
        counted: Counted,
        rule: &Rule,
        now: i64,
        (before, unused): (i64, u64),
    ) -> Result<Result<Share, i64>, Error> {
        for _ in 0..TRIES {
            let mut change = Change::default();
            let mut row = match self.store.one(&BY_PRINCIPAL, &cells![who, counted]).await? {
                Some(row) => {
                    let row = self.keyring.genuine(row)?;
                    change.guards.push(Guard::unchanged(&row));
                    let row = row.into_row();
                    SpentRow {
                        version: row.version + 1,
                        ..row
                    }
                }
                None => SpentRow {
                    principal: who,
                    counted,
                    counts: Counts::default(),
                    version: 1,
                },
            };
            row.counts.take_back(before, unused);
            let used = row.counts.of(now);
            let share = rule.share(used);
            let left = match row.counts.room(now, &rule.windows) {
                Room::For(room) => room.min(share),
                Room::From(free) => return Ok(Err(free)),
            };
            row.counts.add(now, left);
            row.counts.forget(now, rule.reach);
            change.writes.push(Write::put(self.keyring.protect(row)?));
            match self.log.keep(change).await {
                Ok(()) => {
                    let unsure = used.min(share - 1);
                    return Ok(Ok(Share {
                        slot: now,
                        left,
                        used,
                        unsure,
                    }));
                }
                Err(CommitError::Stale | CommitError::Duplicate) => {}
                Err(other) => return Err(other.into()),
            }
        }
        Err(CommitError::Unavailable.into())
    }

    /// How often 25, 250 and 2,500 clear reveals a day were reached since start.
    pub fn reveal_alarms(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.spending.alarms.iter().map(|alarm| alarm.load(Ordering::Relaxed));
        LEVELS.into_iter().zip(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(limit: Option<u64>, used: u64) -> u64 {
        let watching = Watching {
            limit,
            ..Watching::default()
        };
        Spending::new(None, watching).of_day().share(used)
    }

    #[test]
    fn shares_of_a_day_grow_with_what_was_used() {
        assert_eq!(
            [0, 250, 2_500, 17_000].map(|used| share(None, used)),
            [25, 25, 250, 1_700]
        );
    }

    #[test]
    fn no_share_is_more_than_a_fortieth_of_the_days_limit() {
        for (limit, largest) in [(1, 1), (40, 1), (400, 10), (4_000, 100)] {
            assert_eq!(share(Some(limit), 1_000_000), largest, "{limit}");
        }
    }
}
