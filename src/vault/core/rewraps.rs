//! Rewraps as this process knows them: how far they have come, for metrics, and when there is something to do. What must outlast the
//! process stands in the data store (`RewrapRow`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, RwLock};

use crate::model::key_roles::KeyRole;

/// Passes over what in-flight requests have written with an older version meanwhile.
const MOST_AGAIN: u32 = 3;

/// One of them.
#[derive(Clone, Copy, Default)]
struct Known {
    seen: u64,
    total: u64,
    /// Whoever began it may not any more.
    halted: bool,
    /// How often it went over everything again.
    again: u32,
}

/// Written by the task that takes the steps, and by whoever starts one, under the locks inside.
#[derive(Default)]
pub(in crate::vault) struct Rewraps {
    known: Mutex<BTreeMap<KeyRole, Known>>,
    wanted: Notify,
    /// Read while a step is taken, written while one is started: steps that follow each other would overtake each start.
    pub(in crate::vault) turn: RwLock<()>,
}

impl Rewraps {
    fn known(&self) -> MutexGuard<'_, BTreeMap<KeyRole, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody has started one.
    pub(in crate::vault) fn start(&self, role: KeyRole) {
        self.known().insert(role, Known::default());
        self.wanted.notify_one();
    }

    /// Returns once somebody has started one.
    pub(in crate::vault) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// It has come this far.
    pub(in crate::vault) fn reach(&self, role: KeyRole, seen: u64, total: u64) {
        let mut known = self.known();
        let of_role = known.entry(role).or_default();
        (of_role.seen, of_role.total) = (seen, total);
    }

    /// It does not go on before somebody starts it again.
    pub(in crate::vault) fn halt(&self, role: KeyRole) {
        self.known().entry(role).or_default().halted = true;
    }

    pub(in crate::vault) fn is_halted(&self, role: KeyRole) -> bool {
        self.known().get(&role).is_some_and(|known| known.halted)
    }

    /// Whether it may go over everything once more.
    pub(in crate::vault) fn may_again(&self, role: KeyRole) -> bool {
        let mut known = self.known();
        let of_role = known.entry(role).or_default();
        of_role.again += 1;
        of_role.again <= MOST_AGAIN
    }

    /// Rows looked at, and rows there are to look at, of each that this process has worked on.
    pub(in crate::vault) fn progress(&self) -> Vec<(KeyRole, u64, u64)> {
        let known = self.known();
        known
            .iter()
            .map(|(role, known)| (*role, known.seen, known.total))
            .collect()
    }
}
