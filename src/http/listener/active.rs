//! Whether a connection is idle: no request of it has been under way for some time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;

/// Counts the requests under way on one connection.
#[derive(Clone)]
pub(super) struct ActiveRequests {
    count: watch::Sender<usize>,
    /// They share the connection, as those of HTTP/2 do.
    multiplexed: Arc<AtomicBool>,
    /// The next answer is the last.
    closing: Arc<AtomicBool>,
}

/// One request under way, until it is dropped.
pub(super) struct ActiveRequest(ActiveRequests);

impl ActiveRequests {
    pub(super) fn none() -> Self {
        Self {
            count: watch::Sender::new(0),
            multiplexed: Arc::default(),
            closing: Arc::default(),
        }
    }

    pub(super) fn begin(&self) -> ActiveRequest {
        self.count.send_modify(|count| *count += 1);
        ActiveRequest(self.clone())
    }

    pub(super) fn set_multiplexed(&self) {
        self.multiplexed.store(true, Ordering::Release);
    }

    pub(super) fn are_multiplexed(&self) -> bool {
        self.multiplexed.load(Ordering::Acquire)
    }

    pub(super) fn close_with_the_next_answer(&self) {
        self.closing.store(true, Ordering::Release);
    }

    pub(super) fn closes_with_this_answer(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    /// Returns when no request has been under way for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        let mut count = self.count.subscribe();
        loop {
            let idle = *count.borrow_and_update() == 0;
            // The sender lives as long as `self`, so that there is always a next change to wait for. A request that began
            // and ended in between is a change too.
            if !idle {
                let _ = count.changed().await;
            } else if tokio::time::timeout(time, count.changed()).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.count.send_modify(|count| *count -= 1);
    }
}
