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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Waker};

    use super::{Connections, Entry};

    const LIMIT: usize = 3;

    /// Lets that many in at once; none of them has a task yet. How each came in.
    fn burst(connections: &Arc<Connections>, of: usize) -> Vec<Option<Entry>> {
        (0..of).map(|_| connections.enter()).collect()
    }

    #[test]
    fn a_burst_is_queued_only_where_no_place_is_free() {
        let connections = Connections::new(LIMIT);
        let mut entries = burst(&connections, 2 * LIMIT + 1);
        let (served, others) = entries.split_at(LIMIT);
        assert!(served.iter().all(|entry| matches!(entry, Some(Entry::Turn(_)))));
        let (waiting, refused) = others.split_at(LIMIT);
        assert!(waiting.iter().all(|entry| matches!(entry, Some(Entry::Wait(_)))));
        assert!(matches!(refused, [None]));
        assert_eq!((connections.served(), connections.waiting()), (LIMIT, LIMIT));

        entries.clear();
        assert_eq!((connections.served(), connections.waiting()), (0, 0));
        assert!(matches!(connections.enter(), Some(Entry::Turn(_))));
    }

    #[test]
    fn a_place_that_becomes_free_is_the_next_waiting_ones() {
        let connections = Connections::new(1);
        let served = connections.enter();
        let waiting = connections.enter().unwrap();
        let mut turn = pin!(connections.turn(waiting));
        let mut context = Context::from_waker(Waker::noop());
        assert!(turn.as_mut().poll(&mut context).is_pending());
        drop(served);
        // The one that waits has not run since.
        assert!(!matches!(connections.enter(), Some(Entry::Turn(_))));
        assert!(turn.as_mut().poll(&mut context).is_ready());
    }
}
