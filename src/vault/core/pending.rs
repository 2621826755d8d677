//! Whether an administrator's account is being recovered: told by `/readyz` and the metrics without asking the data store.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// From when on the recovery that is under way may be finished.
#[derive(Default)]
pub(in crate::vault) struct PendingRecovery(Mutex<Option<Timestamp>>);

impl PendingRecovery {
    pub(in crate::vault) fn get(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::vault) fn set(&self, ready_at: Option<Timestamp>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ready_at;
    }
}
