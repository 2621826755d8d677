//! The one thread that writes: group commit without a timer.
//!
//! At rest a job costs one flush; under load the next group gathers while the disk works. What a crash leaves: a group
//! is in the data store whole or not at all; keys of records that did not make it are orphans in the key store, which
//! `fsck` names and which harm nobody.

mod owed;
pub(super) mod tally;
#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Instant;

use tokio::sync::{oneshot, watch};

use self::owed::Owed;
use self::tally::{Counts, Tally};
use super::barred::Barred;
use super::error::{CommitError, LogStopped};
use super::numbered::{LeafBytes, Numbered};
use super::receipt::LogPosition;
use super::startup::Proved;
use super::stats::LogStats;
use super::{Change, LogKeys};
use crate::merkle::{Frontier, TileBuilder};
use crate::model::code::Code;
use crate::note::Checkpoint;
use crate::store::rows::{Cell, ClientRow, EntryRow, Fence, HeadRow, One, WrappedKey};
use crate::store::{Appended, Conflict, DataWriter, KeyStore, StoreError};

const LARGEST_GROUP: usize = 4096;

/// Where a job's leaf stands; nothing where it has none. Or why the job did not happen.
pub(super) type Placed = Result<Option<LogPosition>, CommitError>;

/// One leaf and what goes with it.
pub(super) struct Job {
    /// Nothing for a change of which the log says nothing.
    pub(super) leaf: Option<LeafBytes>,
    pub(super) change: Change,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Placed>,
}

/// A job that was tried in the open transaction, waiting for the flush: its place, or the conflict that left it out. Who was in the
/// way may stand in the same transaction, so that nobody hears of a conflict before it can be seen what it was with.
struct Taken {
    outcome: Placed,
    reply: oneshot::Sender<Placed>,
}

/// The log as it will be when a group is committed, and what of it is new.
struct Tried {
    frontier: Frontier,
    tiles: TileBuilder,
    added: Appended,
    counts: Counts,
    owed: Owed,
}

impl Tried {
    fn add(&mut self, index: u64, leaf: Numbered) {
        self.frontier.push(leaf.hash);
        self.added.tiles.extend(self.tiles.push(leaf.hash));
        let client = leaf.client.map(|client| ClientRow::beside(index, &client));
        self.added.clients.extend(client);
        self.added.entries.push(EntryRow {
            idx: index,
            body: leaf.bytes,
            leaf_hash: leaf.hash,
        });
    }
}

/// Owned by the log's thread alone.
pub(super) struct Sequencer {
    origin: String,
    frontier: Frontier,
    tiles: TileBuilder,
    writer: Box<dyn DataWriter>,
    keys: Arc<dyn KeyStore>,
    signer: Arc<dyn LogKeys>,
    stats: Arc<LogStats>,
    barred: Arc<Barred>,
    batch: usize,
    /// Where the key store had no room for the fence of the last group. Nothing more is committed until it is moved there.
    unmoved: Option<Fence>,
    /// What the key store could not do yet.
    owed: Owed,
    tally: Tally,
}

impl Sequencer {
    pub(super) fn new(
        proved: Proved,
        writer: Box<dyn DataWriter>,
        keys: Arc<dyn KeyStore>,
        signer: Arc<dyn LogKeys>,
        stats: Arc<LogStats>,
        barred: Arc<Barred>,
        batch: usize,
    ) -> Self {
        let (origin, frontier, tiles, owing, counts) = proved.into_parts();
        Self {
            origin,
            frontier,
            tiles,
            writer,
            keys,
            signer,
            stats,
            barred,
            batch: batch.min(LARGEST_GROUP),
            unmoved: None,
            owed: Owed::of_start(owing),
            tally: Tally::new(counts),
        }
    }

    /// Until everybody has hung up, or a store fails. `stopping` then hears why.
    pub(super) fn run(mut self, jobs: &Receiver<Job>, stopping: &watch::Sender<Option<LogStopped>>) {
        while let Ok(first) = jobs.recv() {
            let mut group = vec![first];
            while group.len() < self.batch
                && let Ok(job) = jobs.try_recv()
            {
                group.push(job);
            }
            if let Err(fault) = self.commit_group(group) {
                tracing::error!(%fault, "the log cannot be written; the process must end and prove it afresh");
                stopping.send_replace(Some(LogStopped::Store(Arc::new(fault))));
                return;
            }
        }
    }

    /// Commits a group, or tells each of its waiters why not. An error is one after which nobody knows what the disk holds.
    fn commit_group(&mut self, group: Vec<Job>) -> Result<(), StoreError> {
        let now = Instant::now();
        let (group, late): (Vec<Job>, Vec<Job>) = group.into_iter().partition(|job| job.deadline > now);
        answer(late.into_iter().map(|job| job.reply), CommitError::Unavailable);
        let (barred, mut group): (Vec<Job>, Vec<Job>) = group.into_iter().partition(|job| self.barred.bars(job));
        answer(barred.into_iter().map(|job| job.reply), CommitError::Stale);
        if group.is_empty() {
            return Ok(());
        }

        let between: Vec<_> = group.iter_mut().filter_map(|job| job.change.between.take()).collect();
        let mut taken = Vec::with_capacity(group.len());
        let result = self.write(group, &mut taken);
        match result {
            Ok(()) => {
                between.into_iter().for_each(|work| work());
                for job in taken {
                    // The asker may have given up waiting: the log then shows a read that was not disclosed.
                    let _ = job.reply.send(job.outcome);
                }
                Ok(())
            }
            Err(Fault::Nothing(why)) => {
                self.writer.rollback();
                // Where the group stands in the log all the same, what was left out is not in it.
                let unfenced = matches!(why, CommitError::Unfenced);
                let (out, taken): (Vec<Taken>, Vec<Taken>) =
                    taken.into_iter().partition(|job| unfenced && job.outcome.is_err());
                for job in out {
                    let _ = job.reply.send(job.outcome);
                }
                answer(taken.into_iter().map(|job| job.reply), why);
                Ok(())
            }
            Err(Fault::Unknown(fault)) => {
                self.writer.rollback();
                answer(taken.into_iter().map(|job| job.reply), CommitError::Dead);
                Err(fault)
            }
        }
    }

    fn write(&mut self, group: Vec<Job>, taken: &mut Vec<Taken>) -> Result<(), Fault> {
        let mut waiting = group.into_iter();
        let result = self.write_jobs(&mut waiting, taken);
        if result.is_err() {
            // Those not reached share the fate of those that were: they all hear the same.
            taken.extend(waiting.map(|job| Taken {
                outcome: Err(CommitError::Unavailable),
                reply: job.reply,
            }));
        }
        result
    }

    /// The key store works while the jobs are tried. The new keys are durable before their records are committed.
    fn write_jobs(&mut self, waiting: &mut std::vec::IntoIter<Job>, taken: &mut Vec<Taken>) -> Result<(), Fault> {
        self.move_fence()?;
        self.settle_again()?;
        let of_jobs = waiting.as_slice().iter().flat_map(|job| &job.change.keys);
        let keys: Vec<WrappedKey> = of_jobs.cloned().collect();
        let store = Arc::clone(&self.keys);
        let put = || store.put_record_keys(&keys);
        let (tried, stored) = thread::scope(|scope| {
            let storing =
                (!keys.is_empty()).then(|| thread::Builder::new().name("keys".to_owned()).spawn_scoped(scope, put));
            let tried = self.try_jobs(waiting, taken);
            let stored = match storing {
                None => Ok(()),
                Some(Ok(thread)) => thread.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // The system gives no thread.
                Some(Err(_)) => put(),
            };
            (tried, stored)
        });
        let mut tried = match (tried, stored) {
            (Ok(tried), Ok(())) => tried,
            (Err(fault), Ok(())) | (Err(fault @ Fault::Unknown(_)), Err(_)) => return Err(fault),
            (_, Err(fault)) => return Err(fault.into()),
        };
        if taken.iter().all(|job| job.outcome.is_err()) {
            self.writer.rollback();
            return Ok(());
        }
        if tried.added.entries.is_empty() {
            // The log is as it was: neither head nor fence changes.
            return Ok(self.writer.commit()?);
        }
        let owed = std::mem::take(&mut tried.owed);
        self.commit(tried)?;
        self.owe(owed)?;
        self.put_fence()
    }

    fn try_jobs(&mut self, waiting: &mut std::vec::IntoIter<Job>, taken: &mut Vec<Taken>) -> Result<Tried, Fault> {
        self.writer.begin()?;
        let mut tried = Tried {
            frontier: self.frontier.clone(),
            tiles: self.tiles.clone(),
            added: Appended::default(),
            counts: Counts::new(),
            owed: Owed::default(),
        };
        for job in waiting {
            self.tally.before(&job.change);
            let (outcome, fault) = match self.try_job(&mut tried, job.leaf, job.change) {
                Ok(placed) => (placed, None),
                Err(fault) => (Err(CommitError::Unavailable), Some(fault)),
            };
            taken.push(Taken {
                outcome,
                reply: job.reply,
            });
            if let Some(fault) = fault {
                return Err(fault.into());
            }
        }
        Ok(tried)
    }

    /// Tries one job, and places its leaf behind those of the jobs before it.
    fn try_job(&mut self, tried: &mut Tried, leaf: Option<LeafBytes>, change: Change) -> Result<Placed, StoreError> {
        let index = tried.frontier.size();
        let nth = match self.next_count(&tried.counts, leaf.as_ref())? {
            Ok(nth) => nth,
            Err(why) => return Ok(Err(why)),
        };
        match self.attempt(&change, index)? {
            Ok(()) => {}
            Err(Conflict::Stale) => return Ok(Err(CommitError::Stale)),
            Err(Conflict::Duplicate) => return Ok(Err(CommitError::Duplicate)),
        }
        tried.owed.add(change);
        let Some(leaf) = leaf else { return Ok(Ok(None)) };
        tried.counts.extend(leaf.subject().zip(nth));
        let leaf = leaf.numbered(nth);
        let leaf_hash = leaf.hash;
        tried.add(index, leaf);
        Ok(Ok(Some(LogPosition { index, leaf_hash })))
    }

    /// Tries one job's guards and writes. A new key is durable before the transaction that says it is there, and so is which keys an erasure destroys. Nobody
    /// else's can be in its place, since the job has passed its guards.
    fn attempt(&mut self, change: &Change, index: u64) -> Result<Result<(), Conflict>, StoreError> {
        let signer = &self.signer;
        let codes = |table, columns: &[Cell], code: &Code| signer.is_code(table, columns, code);
        let outcome = self.writer.attempt(&change.guards, &change.writes, index, &codes)?;
        if let (Ok(()), Some(key)) = (&outcome, &change.new_key) {
            self.keys.put_key(key)?;
        }
        if let (Ok(()), Some(doomed)) = (&outcome, &change.doomed) {
            self.keys.doom_keys(&doomed.subject, &doomed.records)?;
        }
        Ok(outcome)
    }

    fn commit(&mut self, tried: Tried) -> Result<(), Fault> {
        let Tried {
            frontier,
            tiles,
            mut added,
            counts,
            ..
        } = tried;
        added.tallies = self.tallies(added.entries.len(), &counts)?;
        let checkpoint = Checkpoint {
            origin: self.origin.clone(),
            size: frontier.size(),
            root: frontier.root(),
        };
        let note = self
            .signer
            .sign(&checkpoint)
            .ok_or(Fault::Nothing(CommitError::Locked))?;
        let head = HeadRow {
            one: One,
            size: checkpoint.size,
            root: checkpoint.root,
            frontier: frontier.to_bytes(),
            checkpoint: note,
        };
        self.writer.append(&added, &head)?;
        self.writer.commit()?;
        self.frontier = frontier;
        self.tiles = tiles;
        self.tally.committed(added.entries.len(), counts);
        self.stats
            .committed(u64::try_from(added.entries.len()).unwrap_or(u64::MAX), checkpoint.size);
        Ok(())
    }

    /// Only then is anybody answered: what was acknowledged is behind the fence. The group stands in the log already, so that no
    /// fault from here on means that nothing was written.
    fn put_fence(&mut self) -> Result<(), Fault> {
        let fence = Fence {
            one: One,
            origin: self.origin.clone(),
            size: self.frontier.size(),
            root: self.frontier.root(),
        };
        self.keys.put_fence(&fence).map_err(|fault| match fault {
            StoreError::Full => {
                self.stats.set_fenced(false);
                self.unmoved = Some(fence);
                Fault::Nothing(CommitError::Unfenced)
            }
            other => Fault::Unknown(other),
        })
    }

    /// Moves the fence that the disk had no room for, before anything else is written.
    fn move_fence(&mut self) -> Result<(), Fault> {
        if let Some(fence) = &self.unmoved {
            self.keys.put_fence(fence)?;
            self.unmoved = None;
            self.stats.set_fenced(true);
        }
        Ok(())
    }
}

/// How a group failed.
enum Fault {
    /// Nothing was written that anybody is told of, and the log goes on.
    Nothing(CommitError),
    /// Nobody knows what was written.
    Unknown(StoreError),
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Nothing(CommitError::Full),
            StoreError::Busy => Self::Nothing(CommitError::Unavailable),
            other => Self::Unknown(other),
        }
    }
}

fn answer(waiters: impl IntoIterator<Item = oneshot::Sender<Placed>>, why: CommitError) {
    for reply in waiters {
        // Who has given up waiting needs no answer.
        let _ = reply.send(Err(why));
    }
}
