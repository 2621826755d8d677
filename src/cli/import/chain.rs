//! Which records wait for which: two that may be of one person must not make two persons of them.

use std::collections::HashMap;

use tokio::sync::watch;

/// Records under way, by what they share with others.
#[derive(Default)]
pub(super) struct Chain {
    /// The last record that entered with it: its line, and a receiver that hears when it is done.
    last: HashMap<u64, (u64, watch::Receiver<()>)>,
}

/// A record's turn. Dropped, it lets those behind it go on.
pub(super) struct Turn {
    before: Vec<watch::Receiver<()>>,
    _done: watch::Sender<()>,
}

impl Chain {
    /// The record of a line enters, behind those that entered with one of the same digests.
    pub(super) fn enter(&mut self, line: u64, shared: &[u64]) -> Turn {
        let (sender, receiver) = watch::channel(());
        let enter = |digest: &u64| {
            let before = self.last.insert(*digest, (line, receiver.clone()));
            before.filter(|(other, _)| *other != line).map(|(_, before)| before)
        };
        let before = shared.iter().filter_map(enter).collect();
        Turn { before, _done: sender }
    }

    /// The record of a line is done.
    pub(super) fn leave(&mut self, line: u64, shared: &[u64]) {
        for digest in shared {
            if self.last.get(digest).is_some_and(|(last, _)| *last == line) {
                self.last.remove(digest);
            }
        }
    }
}

impl Turn {
    /// Waits until all before it are done.
    pub(super) async fn comes(&mut self) {
        for before in &mut self.before {
            // An error says that its sender is gone, which is what is waited for.
            while before.changed().await.is_ok() {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::{Chain, Turn};

    fn has_come(turn: &mut Turn) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(turn.comes()).poll(&mut context).is_ready()
    }

    #[test]
    fn records_that_share_a_digest_come_one_after_the_other() {
        let mut chain = Chain::default();
        let mut first = chain.enter(1, &[10, 20, 10]);
        let mut second = chain.enter(2, &[20]);
        let mut third = chain.enter(3, &[30, 10]);
        let mut fourth = chain.enter(4, &[20, 30]);
        assert!(has_come(&mut first));
        assert!(!has_come(&mut second) && !has_come(&mut third) && !has_come(&mut fourth));
        drop(first);
        chain.leave(1, &[10, 20, 10]);
        assert!(has_come(&mut second) && has_come(&mut third) && !has_come(&mut fourth));
        drop(second);
        chain.leave(2, &[20]);
        assert!(!has_come(&mut fourth));
        drop(third);
        chain.leave(3, &[30, 10]);
        assert!(has_come(&mut fourth));
        drop(fourth);
        chain.leave(4, &[20, 30]);
        assert!(chain.last.is_empty(), "what is done is forgotten");
        assert!(has_come(&mut chain.enter(5, &[10, 20, 30])));
    }
}
