//! Records are taken in, a bounded number at once, until the file ends, nothing more can be taken, or it is told to stop.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};

use super::chain::Chain;
use super::count::Count;
use super::feed::{Fed, Kept, Line};
use super::halt::Halt;
use super::record::Record;
use super::row::Fault;
use super::take::{Outcome, Rejected, Taker};
use crate::cli::Failure;

/// A record that is done.
type Taken = (u64, Arc<Record>, Result<Outcome, Rejected>);

struct Flow {
    taker: Arc<Taker>,
    halt: Halt,
    chain: Chain,
    under_way: JoinSet<Taken>,
    /// What is kept of lines under way, where bad lines are written.
    kept: HashMap<u64, Kept>,
    /// One until the first record is taken: if nothing can be taken, one record is enough to learn it.
    width: usize,
    count: Count,
}

/// Takes lines in. When it is told to halt, those under way are finished.
pub(super) async fn run(taker: Arc<Taker>, mut fed: mpsc::Receiver<Fed>, mut halt: Halt) -> Count {
    let mut flow = Flow {
        taker,
        halt: halt.clone(),
        chain: Chain::default(),
        under_way: JoinSet::new(),
        kept: HashMap::new(),
        width: 1,
        count: Count::default(),
    };
    while flow.count.stopped.is_none() {
        tokio::select! {
            biased;
            () = halt.told() => {
                flow.count.interrupted = true;
                break;
            }
            Some(done) = flow.under_way.join_next() => flow.done(done),
            next = fed.recv(), if flow.under_way.len() < flow.width => match next {
                Some(Fed::Found(found)) => flow.count.notes.found(&found),
                Some(Fed::Line(line)) => flow.begin(*line),
                Some(Fed::End(failure)) => {
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
    flow.finish(halt).await;
    flow.count
}

impl Flow {
    /// Waits for those under way, unless it is told not to.
    async fn finish(&mut self, mut halt: Halt) {
        loop {
            tokio::select! {
                biased;
                done = self.under_way.join_next() => match done {
                    Some(done) => self.done(done),
                    None => return,
                },
                () = halt.at_once() => {
                    self.count.interrupted = true;
                    return self.under_way.abort_all();
                }
            }
        }
    }

    fn begin(&mut self, line: Line) {
        self.count.last = line.number;
        self.count.notes.add(line.not_taken, line.record.is_ok());
        let record = match line.record {
            Ok(record) => Arc::new(record),
            Err(faults) => return self.reject(line.number, faults, line.kept),
        };
        if !matches!(line.kept, Kept::Nothing) {
            self.kept.insert(line.number, line.kept);
        }
        let mut turn = self.chain.enter(line.number, &record.shared);
        let taker = Arc::clone(&self.taker);
        let halt = self.halt.clone();
        let task = async move {
            turn.comes().await;
            let outcome = taker.take(&record, halt).await;
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
            Err(Rejected::Halted) => self.count.interrupted = true,
            Err(Rejected::All(failure)) => {
                let words =
                    format!("line {line}: {failure}\n  run it again: calls that were taken are not taken twice");
                self.count.stop(line, Failure::new(failure.code, words));
            }
        }
    }
}
