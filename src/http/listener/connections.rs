//! How many connections there are: those that are served and those that wait for their turn.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Counts connections. Nobody closes its semaphores.
pub(in crate::http) struct Connections {
    limit: usize,
    served: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// How one comes in. Its place is free again when this is dropped.
pub(super) enum Entry {
    /// Served at once.
    Turn(Turn),
    /// Among those that wait.
    Wait(OwnedSemaphorePermit),
}

/// A place among those that are served; free again when it is dropped.
pub(super) struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Connections {
    /// No more than `limit` are served at once, and no more wait.
    pub(in crate::http) fn new(limit: usize) -> Arc<Self> {
        let free = || Arc::new(Semaphore::new(limit));
        Arc::new(Self {
            limit,
            served: free(),
            waiting: free(),
        })
    }

    /// How many are served.
    pub(in crate::http) fn served(&self) -> usize {
        self.limit.saturating_sub(self.served.available_permits())
    }

    /// How many wait for their turn.
    pub(in crate::http) fn waiting(&self) -> usize {
        self.limit.saturating_sub(self.waiting.available_permits())
    }

    /// Lets one in; none where as many wait as may. A place that becomes free is the next waiting one's before it can be
    /// taken here.
    pub(super) fn enter(&self) -> Option<Entry> {
        if let Ok(permit) = Arc::clone(&self.served).try_acquire_owned() {
            return Some(Entry::Turn(Turn { _permit: permit }));
        }
        Arc::clone(&self.waiting).try_acquire_owned().ok().map(Entry::Wait)
    }

    /// Returns when it is this one's turn.
    pub(super) async fn turn(&self, entry: Entry) -> Option<Turn> {
        let _waiting = match entry {
            Entry::Turn(turn) => return Some(turn),
            Entry::Wait(permit) => permit,
        };
        let permit = Arc::clone(&self.served).acquire_owned().await.ok()?;
        Some(Turn { _permit: permit })
    }
}
