//! Records are taken in, a bounded number at once, until the file ends, nothing more can be taken, or it is told to stop.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::chain::Chain;
use super::count::Count;
use super::feed::{Fed, Kept, Line};
use super::record::Record;
use super::row::Fault;
use super::take::{Outcome, Rejected, Taker};
use crate::cli::Failure;

/// A record that is done.
type Taken = (u64, Arc<Record>, Result<Outcome, Rejected>);

struct Flow {
    taker: Arc<Taker>,
    chain: Chain,
    under_way: JoinSet<Taken>,
    /// What is kept of lines under way, where bad lines are written.
    kept: HashMap<u64, Kept>,
    /// One until the first record is taken: if nothing can be taken, one record is enough to learn it.
    width: usize,
    count: Count,
}

/// Takes lines in. `stop` ends it: those under way are finished.
pub(super) async fn run(taker: Arc<Taker>, mut fed: mpsc::Receiver<Fed>, stop: impl Future<Output = ()>) -> Count {
    let mut flow = Flow {
        taker,
        chain: Chain::default(),
        under_way: JoinSet::new(),
        kept: HashMap::new(),
        width: 1,
        count: Count::default(),
    };
    let mut stop = pin!(stop);
    while flow.count.stopped.is_none() {
        tokio::select! {
            biased;
            () = &mut stop => {
                flow.count.interrupted = true;
                break;
            }
            Some(done) = flow.under_way.join_next() => flow.done(done),
            next = fed.recv(), if flow.under_way.len() < flow.width => match next {
                Some(Fed::Line(line)) => flow.begin(*line),
                Some(Fed::End(notes, failure)) => {
                    flow.count.notes = notes;
                    flow.count.unread = failure;
                    break;
                }
                None => {
                    flow.count.unread = Some(Failure::unavailable("an internal error stopped the reading of the file"));
                    break;
                }
            }
        }
    }
    // A thread that reads stops at the next line that nobody takes.
    drop(fed);
    while let Some(done) = flow.under_way.join_next().await {
        flow.done(done);
    }
    flow.count
}

impl Flow {
    fn begin(&mut self, line: Line) {
        self.count.last = line.number;
        let record = match line.record {
            Ok(record) => Arc::new(record),
            Err(faults) => return self.reject(line.number, faults, line.kept),
        };
        if !matches!(line.kept, Kept::Nothing) {
            self.kept.insert(line.number, line.kept);
        }
        let mut turn = self.chain.enter(line.number, &record.shared);
        let taker = Arc::clone(&self.taker);
        let task = async move {
            turn.comes().await;
            let outcome = taker.take(&record).await;
            drop(turn);
            (line.number, record, outcome)
        };
        self.under_way.spawn(task);
    }

    fn reject(&mut self, line: u64, faults: Vec<Fault>, kept: Kept) {
        match self.taker.sealed(line, kept) {
            Ok(kept) => self.count.reject(line, faults, kept),
            Err(failure) => self.count.stop(line, failure),
        }
    }

    fn done(&mut self, done: Result<Taken, JoinError>) {
        let (line, record, outcome) = match done {
            Ok(done) => done,
            Err(error) => {
                // Its message may quote a value.
                drop(error);
                let words =
                    "an internal error stopped the import\n  run it again: calls that were taken are not taken twice";
                return self.count.stop(self.count.last, Failure::unavailable(words));
            }
        };
        self.chain.leave(line, &record.shared);
        let kept = self.kept.remove(&line).unwrap_or_default();
        match outcome {
            Ok(outcome) => {
                self.width = self.taker.width();
                self.count.take(line, outcome);
            }
            Err(Rejected::Line(faults)) => self.reject(line, faults, kept),
            Err(Rejected::All(failure)) => {
                let words =
                    format!("line {line}: {failure}\n  run it again: calls that were taken are not taken twice");
                self.count.stop(line, Failure::new(failure.code, words));
            }
        }
    }
}
