//! `Log`: the way in to the sequencer, for any number of tasks at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use super::barred::{Bar, Barred};
use super::error::{CommitError, LogStopped};
use super::leaf::{Leaf, UNLOCK, WAY};
use super::numbered::LeafBytes;
use super::receipt::{LogPosition, Receipt, Recorded, Refusal};
use super::sequencer::{Job, Placed, Sequencer};
use super::stats::LogStats;
use super::{Change, LogKeys, Node, Unasked};
use crate::model::ask::Action;
use crate::model::key_roles::KeyRole;
use crate::model::reference::DepartmentCode;
use crate::policy::facts::{Facts, PolicyHash};
use crate::policy::{Denial, Permit};
use crate::store::rows::restriction::IN_FORCE;
use crate::store::rows::{DepartmentRow, PrincipalRow, TokenRow};
use crate::store::{DataWriter, Guard, KeyStore, Write};

/// Jobs that may wait, unless it is set otherwise.
const QUEUE: usize = 8192;
/// How long a job may wait before its asker is told that the log is not available, unless it is set otherwise.
const DEADLINE: Duration = Duration::from_secs(2);
/// As long waits a start, before which nobody is answered anyway.
const START: Duration = Duration::from_secs(60);
/// As long is waited for work on the whole log, which must not be told to have failed when it has not.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// The log, shared by every task. Dropping the last of it ends the thread after the jobs already taken.
pub struct Log {
    // Behind an option so that `drop` can hang up before it waits for the thread.
    queue: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
    stats: Arc<LogStats>,
    // The log's thread has it too.
    barred: Arc<Barred>,
    stopped: watch::Receiver<Option<LogStopped>>,
    /// How long a job may wait.
    deadline: Duration,
    origin: String,
    node: Node,
}

/// How the log's thread takes jobs.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Most jobs that may wait. More are refused at once.
    pub queue: usize,
    /// Most jobs in one commit. 1 measures what sharing a commit is worth.
    pub batch: usize,
    /// How long a job may wait before its asker is told that the log is not available.
    pub deadline: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            queue: QUEUE,
            batch: usize::MAX,
            deadline: DEADLINE,
        }
    }
}

impl Log {
    /// Starts the sequencer on a log that [`super::startup::prove`] has proved.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        proved: super::startup::Proved,
        writer: Box<dyn DataWriter>,
        keys: Arc<dyn KeyStore>,
        signer: Arc<dyn LogKeys>,
        node: Node,
    ) -> std::io::Result<Self> {
        Self::start_with(proved, writer, keys, signer, node, Pace::default())
    }

    /// As `start`, at another pace.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start_with(
        proved: super::startup::Proved,
        writer: Box<dyn DataWriter>,
        keys: Arc<dyn KeyStore>,
        signer: Arc<dyn LogKeys>,
        node: Node,
        pace: Pace,
    ) -> std::io::Result<Self> {
        let (queue, jobs) = std::sync::mpsc::sync_channel(pace.queue);
        let (stopping, stopped) = watch::channel(None);
        let stats = Arc::new(LogStats::default());
        stats.size.send_replace(proved.size());
        let origin = proved.origin().to_owned();
        let barred = Arc::new(Barred::default());
        let (of_thread, bars) = (Arc::clone(&stats), Arc::clone(&barred));
        let sequencer = Sequencer::new(proved, writer, keys, signer, of_thread, bars, pace.batch);
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || sequencer.run(&jobs, &stopping))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
            stats,
            barred,
            stopped,
            deadline: pace.deadline,
            origin,
            node,
        })
    }

    /// Makes a permitted read durable, with what is written beside it.
    ///
    /// # Errors
    /// [`CommitError`]: then nothing may be shown.
    pub async fn commit(&self, permit: Permit, mut beside: Change) -> Result<Receipt, CommitError> {
        let leaf = Leaf::changed(&permit, &beside, &self.node)?.to_bytes(permit.ask().client())?;
        beside.guards.extend(guards(&permit));
        let position = self.sequence(leaf, beside).await?;
        Ok(Receipt::new(permit, position))
    }

    /// Makes a permitted act durable together with what it changes.
    ///
    /// # Errors
    /// [`CommitError`]: then nothing was changed.
    pub async fn record(&self, permit: Permit, mut change: Change) -> Result<Recorded, CommitError> {
        let leaf = Leaf::changed(&permit, &change, &self.node)?.to_bytes(permit.ask().client())?;
        change.guards.extend(guards(&permit));
        let position = self.sequence(leaf, change).await?;
        Ok(Recorded::new(permit, position))
    }

    /// Makes a change durable of which the log says nothing: how much of a limit is spent.
    ///
    /// # Errors
    /// [`CommitError`]: then nothing was changed.
    pub async fn keep(&self, change: Change) -> Result<(), CommitError> {
        self.queue(None, change, self.deadline).await?;
        Ok(())
    }

    /// From when this returns, nothing that was made with this version of a key is written: who tries is told that it was changed in the
    /// meantime. What was written before can be read.
    ///
    /// # Errors
    /// [`CommitError`]: nothing is barred.
    pub async fn bar(&self, role: KeyRole, version: u8) -> Result<Bar, CommitError> {
        let bar = Bar::put_up(&self.barred, (role, version));
        // Jobs that were taken before it are done when this one is.
        self.keep(Change::default()).await?;
        Ok(bar)
    }

    /// Makes a refusal durable, with what is written beside it.
    ///
    /// # Errors
    /// [`CommitError`]: the refusal stands all the same, but the caller is told that the log is not available.
    pub async fn refuse(&self, denial: Denial, beside: Vec<Write>) -> Result<Refusal, CommitError> {
        let leaf = Leaf::denied(&denial, &self.node)?.to_bytes(denial.ask().client())?;
        let change = Change {
            writes: beside,
            ..Change::default()
        };
        let position = self.sequence(leaf, change).await?;
        self.stats.refused(denial.why());
        Ok(Refusal::new(denial.why(), position))
    }

    /// Makes durable that the vault was unlocked here, and in which way, together with what that changes.
    ///
    /// # Errors
    /// [`CommitError`].
    pub async fn unlocked(
        &self,
        way: &str,
        at: Timestamp,
        policy: PolicyHash,
        mut change: Change,
    ) -> Result<LogPosition, CommitError> {
        change.link.insert(WAY.to_owned(), way.to_owned());
        let unlock = Unasked::new(UNLOCK, DepartmentCode::AUDITORS, at, policy);
        self.unasked_patiently(&unlock, change).await
    }

    /// As `unasked`, where nobody waits for an answer and a busy disk is no reason to give up.
    ///
    /// # Errors
    /// As `unasked`.
    pub async fn unasked_patiently(&self, act: &Unasked<'_>, change: Change) -> Result<LogPosition, CommitError> {
        let leaf = Leaf::unasked(act, &change, &self.node)?.to_bytes(act.client)?;
        self.sequence_within(leaf, change, self.deadline.max(START)).await
    }

    /// Makes an act durable that no token was presented for, together with what it changes.
    ///
    /// # Errors
    /// [`CommitError`]: then nothing was changed.
    pub async fn unasked(&self, act: &Unasked<'_>, change: Change) -> Result<LogPosition, CommitError> {
        let leaf = Leaf::unasked(act, &change, &self.node)?.to_bytes(act.client)?;
        self.sequence(leaf, change).await
    }

    /// The origin of the log in force.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Number of entries.
    #[must_use]
    pub fn size(&self) -> u64 {
        *self.stats.size.borrow()
    }

    /// Returns once there are more entries than that.
    pub async fn grown_beyond(&self, size: u64) {
        let mut now = self.stats.size.subscribe();
        // An error means that the sender is gone, which lives as long as this log.
        let _ = now.wait_for(|now| *now > size).await;
    }

    /// Counts since start.
    #[must_use]
    pub fn stats(&self) -> &LogStats {
        &self.stats
    }

    /// Whether the newest entries may be told of.
    ///
    /// # Errors
    /// [`CommitError::Unfenced`].
    pub fn is_fenced(&self) -> Result<(), CommitError> {
        if self.stats.unfenced.load(Ordering::Acquire) {
            Err(CommitError::Unfenced)
        } else {
            Ok(())
        }
    }

    /// Returns when the log's thread has ended: the process should end, and prove the log afresh.
    pub async fn stopped(&self) -> LogStopped {
        let mut stopped = self.stopped.clone();
        let why = stopped.wait_for(Option::is_some).await;
        // Where it did not say why, it has panicked.
        why.ok().and_then(|why| why.clone()).unwrap_or(LogStopped::Panicked)
    }

    async fn sequence(&self, leaf: LeafBytes, change: Change) -> Result<LogPosition, CommitError> {
        let patience = if change.is_long() { PATIENCE } else { self.deadline };
        self.sequence_within(leaf, change, patience).await
    }

    async fn sequence_within(
        &self,
        leaf: LeafBytes,
        change: Change,
        patience: Duration,
    ) -> Result<LogPosition, CommitError> {
        let placed = self.queue(Some(leaf), change, patience).await?;
        // A leaf that was taken stands somewhere.
        placed.ok_or(CommitError::Dead)
    }

    /// Hands a job to the log's thread and waits for it.
    async fn queue(&self, leaf: Option<LeafBytes>, change: Change, patience: Duration) -> Placed {
        let (reply, answer) = oneshot::channel();
        let job = Job {
            leaf,
            change,
            deadline: Instant::now() + patience,
            reply,
        };
        let queue = self.queue.as_ref().ok_or(CommitError::Dead)?;
        queue.try_send(job).map_err(|refused| match refused {
            TrySendError::Full(_) => CommitError::Unavailable,
            TrySendError::Disconnected(_) => CommitError::Dead,
        })?;
        tokio::time::timeout(patience, answer)
            .await
            .map_err(|_| CommitError::Unavailable)?
            .map_err(|_| CommitError::Dead)?
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.take();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported where it happened.
            let _ = thread.join();
        }
    }
}

/// What the decision rested on: checked again by the log's thread, so that no read follows the close of its ticket, the
/// loss of its role, or another change, in the log's order.
fn guards(permit: &Permit) -> Vec<Guard> {
    let who = permit.ask().who();
    let mut guards = vec![
        Guard::code_of::<PrincipalRow>(&who.id(), who.code()),
        Guard::code_of::<TokenRow>(&who.token(), who.token_code()),
        Guard::code_of::<DepartmentRow>(&who.department(), who.department_code()),
    ];
    if let Some((service, code)) = who.via() {
        guards.push(Guard::code_of::<PrincipalRow>(&service, code));
    }
    if let Some(approval) = permit
        .facts()
        .approval
        .as_ref()
        .and_then(|approval| approval.row.as_ref())
    {
        guards.push(Guard::unchanged(approval));
    }
    let Facts { caller, ticket, .. } = permit.facts();
    let subject = caller.as_ref().map(|caller| caller.row.subject);
    let subject = subject.or_else(|| ticket.as_ref().map(|ticket| ticket.row.subject));
    if let Some(subject) = subject
        && permit.ask().action().processes()
        && !(ticket.as_ref().is_some_and(|ticket| ticket.is_own_call())
            && (caller.is_none() || permit.ask().action() == Action::Correct))
    {
        guards.push(Guard::none(&IN_FORCE, &crate::cells![subject]));
    }
    if let Some(ticket) = ticket {
        guards.push(Guard::unchanged(&ticket.row));
        guards.extend(ticket.via.iter().map(Guard::unchanged));
    }
    if let Some(caller) = caller {
        guards.extend(caller.via.iter().map(Guard::unchanged));
        // What is shown of one's own call is what was heard in it: no other record has been joined with it.
        let own_call = ticket.as_ref().is_some_and(|ticket| ticket.own_call);
        guards.extend(own_call.then(|| Guard::unchanged(&caller.row)));
    }
    guards
}
