//! How many fields each principal has had shown in clear today: somebody is told at 25, 250 and 2,500, and a limit may
//! stop it. Counted in this process, and from the log at start.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Error, Vault};
use crate::audit::leaf::Leaf;
use crate::audit::watch::LEVELS;
use crate::audit::watch::hours::Hours;
use crate::model::ask::Action;
use crate::model::ids::PrincipalId;
use crate::model::purposes::Form;
use crate::policy::{Permit, Why};
use crate::store::rows::EntryRow;
use crate::store::{DataStore, StoreError};

/// Entries read at a time when counting back.
const PAGE: u64 = 1000;
/// Days that are remembered: around midnight requests of two days may overtake each other.
const DAYS: usize = 3;

/// What counts as too much, and when people work.
#[derive(Clone, Copy, Debug, Default)]
pub struct Watching {
    /// Working hours; budgets begin anew at local midnight.
    pub hours: Hours,
    /// Clear reveals a principal may have in a day. None: as many as the policy permits.
    pub limit: Option<u64>,
}

type Counts = HashMap<PrincipalId, u64>;

pub(super) struct Budgets {
    pub(super) rules: Watching,
    // Held from the count to the verdict, never across a wait: as many as the limit pass, however many ask at once.
    days: Mutex<BTreeMap<Date, Counts>>,
    alarms: [AtomicU64; LEVELS.len()],
}

impl Budgets {
    /// Counts from the end of the log back to before the last day in it.
    pub(super) async fn of_log(store: &dyn DataStore, rules: Watching) -> Result<Self, StoreError> {
        let mut end = store.head().await?.size;
        let mut last: Option<Date> = None;
        let mut counts = Counts::new();
        while end > 0 {
            let first = end.saturating_sub(PAGE);
            let limit = u32::try_from(end - first).unwrap_or(u32::MAX);
            let mut of_last = 0;
            for entry in store.entries(first, limit).await?.iter().rev() {
                let Some((day, spender)) = read(entry, rules.hours) else {
                    continue;
                };
                if *last.get_or_insert(day) == day {
                    of_last += 1;
                    if let Some(who) = spender {
                        *counts.entry(who).or_default() += 1;
                    }
                }
            }
            if of_last == 0 {
                break;
            }
            end = first;
        }
        Ok(Self {
            rules,
            days: Mutex::new(last.map(|day| (day, counts)).into_iter().collect()),
            alarms: Default::default(),
        })
    }

    /// Counts one clear reveal. Says whether it is within the limit; one beyond it is not counted.
    fn take(&self, who: PrincipalId, at: Timestamp) -> bool {
        let mut days = self.days.lock().unwrap_or_else(PoisonError::into_inner);
        let today = self.rules.hours.day(at);
        let counts = days.entry(today).or_default();
        let count = counts.entry(who).or_default();
        if self.rules.limit.is_some_and(|limit| *count >= limit) {
            return false;
        }
        *count += 1;
        let count = *count;
        forget(&mut days, today);
        drop(days);
        if let Some(level) = LEVELS.iter().position(|level| *level == count) {
            if let Some(alarm) = self.alarms.get(level) {
                alarm.fetch_add(1, Ordering::Relaxed);
            }
            tracing::warn!(actor = %who, count, "so many clear reveals by one principal today");
        }
        true
    }
}

/// Forgets the days that are farthest from today, never today: the clock may have been set to and fro.
fn forget(days: &mut BTreeMap<Date, Counts>, today: Date) {
    while days.len() > DAYS {
        let far = |day: &&Date| today.duration_until(**day).abs();
        let Some(farthest) = days.keys().max_by_key(far).copied() else {
            return;
        };
        days.remove(&farthest);
    }
}

/// The local day of an entry, and who was shown something in clear by it.
fn read(entry: &EntryRow, hours: Hours) -> Option<(Date, Option<PrincipalId>)> {
    let leaf = Leaf::parse(&entry.body)?;
    let day = hours.day(leaf.t.parse().ok()?);
    let clear = leaf.act == Action::Reveal.as_str()
        && leaf.out == "granted"
        && leaf.form.as_deref() == Some(Form::Clear.as_str());
    let who = if clear { leaf.actor.parse().ok() } else { None };
    Some((day, who))
}

impl Vault {
    /// Counts a clear reveal before it is in the log. One beyond the limit makes the permit a refusal; one that then
    /// fails to be logged stays counted.
    pub(super) async fn spend(&self, permit: Permit) -> Result<Permit, Error> {
        let ask = permit.ask();
        if ask.shown_as() != Some(Form::Clear) || self.budgets.take(ask.who().id(), ask.at()) {
            Ok(permit)
        } else {
            Err(self.refuse(permit, Why::BudgetSpent).await)
        }
    }

    /// How often 25, 250 and 2,500 clear reveals a day were reached since start.
    pub fn reveal_alarms(&self) -> impl Iterator<Item = (u64, u64)> {
        let counts = self.budgets.alarms.iter().map(|alarm| alarm.load(Ordering::Relaxed));
        LEVELS.into_iter().zip(counts)
    }
}
