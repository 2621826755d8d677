//! Whether a connection is idle: no request of it has been under way for some time.

use std::time::Duration;

use tokio::sync::watch;

/// Counts the requests under way on one connection.
#[derive(Clone)]
pub(super) struct ActiveRequests(watch::Sender<usize>);

/// One request under way, until it is dropped.
pub(super) struct ActiveRequest(ActiveRequests);

impl ActiveRequests {
    pub(super) fn none() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(super) fn begin(&self) -> ActiveRequest {
        self.0.send_modify(|count| *count += 1);
        ActiveRequest(self.clone())
    }

    /// Returns when no request has been under way for so long.
    pub(super) async fn idle_for(&self, time: Duration) {
        let mut count = self.0.subscribe();
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
        self.0.0.send_modify(|count| *count -= 1);
    }
}
