//! Signals that end a run: the first lets the records under way finish, the second does not wait for them.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::cli::aside;

/// How many signals have come. One for the whole run, whichever file is being read.
#[derive(Clone)]
pub(super) struct Halt(watch::Receiver<u32>);

impl Halt {
    /// Hears these signals from now on, until the last clone is dropped. Where that is not possible, they end the process.
    pub(super) fn on(kinds: &[SignalKind]) -> Self {
        let (sender, receiver) = watch::channel(0);
        for signals in kinds.iter().filter_map(|kind| signal(*kind).ok()) {
            tokio::spawn(hear(signals, sender.clone()));
        }
        Self(receiver)
    }

    /// Whether the run is to end.
    pub(super) fn is_told(&self) -> bool {
        *self.0.borrow() > 0
    }

    /// Waits until it is.
    pub(super) async fn told(&mut self) {
        self.more_than(0).await;
    }

    /// Waits until it is to end without those under way.
    pub(super) async fn at_once(&mut self) {
        self.more_than(1).await;
    }

    async fn more_than(&mut self, few: u32) {
        if self.0.wait_for(|count| *count > few).await.is_err() {
            // Nobody hears signals, so none comes.
            std::future::pending().await
        }
    }
}

async fn hear(mut signals: Signal, told: watch::Sender<u32>) {
    loop {
        tokio::select! {
            () = told.closed() => return,
            heard = signals.recv() => if heard.is_none() { return },
        }
        told.send_modify(|count| *count += 1);
        if *told.borrow() == 1 {
            aside("stopping after the records under way; a second signal stops at once");
        }
    }
}
