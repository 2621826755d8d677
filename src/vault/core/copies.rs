//! Copies of the stores that this process has made: a backup that is fetched, a check that goes on. They are this node's own, and are
//! gone with the vault that made them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::keyring::KeyError;
use crate::model::backups::Part;
use crate::model::ids::{BackupId, PrincipalId};
use crate::store::StoreError;
use crate::store::sqlite::CopyFile;
use crate::vault::core::Error;
use crate::vault::core::report::Report;

/// How long a backup that its owner does not ask for stands in the way of somebody else's.
const KEPT: Duration = Duration::from_secs(600);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Work in the background, and what came of it. Written by its thread, read by those who ask.
pub(in crate::vault) struct Work<R> {
    done: AtomicU64,
    total: AtomicU64,
    /// Nobody waits for it any more.
    ends: AtomicBool,
    /// Written once.
    outcome: Mutex<Option<Result<Arc<R>, WorkFault>>>,
}

impl<R> Default for Work<R> {
    fn default() -> Self {
        Self {
            done: AtomicU64::new(0),
            total: AtomicU64::new(0),
            ends: AtomicBool::new(false),
            outcome: Mutex::new(None),
        }
    }
}

/// Why there is no result. The program log says it in full.
#[derive(Clone, Copy)]
pub(in crate::vault) enum WorkFault {
    /// The disk.
    Full,
    /// The keys are gone.
    Locked,
    /// A store, or a file.
    Store,
}

impl From<&Error> for WorkFault {
    fn from(error: &Error) -> Self {
        match error {
            Error::Store(StoreError::Full) => Self::Full,
            Error::Key(KeyError::Locked) => Self::Locked,
            _ => Self::Store,
        }
    }
}

impl From<WorkFault> for Error {
    fn from(fault: WorkFault) -> Self {
        match fault {
            WorkFault::Full => StoreError::Full.into(),
            WorkFault::Locked => KeyError::Locked.into(),
            WorkFault::Store => StoreError::Database("a copy of a store could not be made".to_owned()).into(),
        }
    }
}

impl<R> Work<R> {
    /// So much of so much is done. Whether to go on.
    pub(in crate::vault) fn reach(&self, done: u64, total: u64) -> ControlFlow<()> {
        self.done.store(done, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
        if self.is_ended() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// How much is done, and of how much.
    pub(in crate::vault) fn reached(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }

    /// Whether nobody waits for it any more.
    pub(in crate::vault) fn is_ended(&self) -> bool {
        self.ends.load(Ordering::Relaxed)
    }

    /// Its result, once it has one.
    ///
    /// # Errors
    /// Why there will be none.
    pub(in crate::vault) fn result(&self) -> Result<Option<Arc<R>>, Error> {
        let outcome = locked(&self.outcome);
        match &*outcome {
            None => Ok(None),
            Some(Ok(result)) => Ok(Some(Arc::clone(result))),
            Some(Err(fault)) => Err((*fault).into()),
        }
    }

    /// What came of it.
    pub(in crate::vault) fn end_with(&self, outcome: Result<R, WorkFault>) {
        *locked(&self.outcome) = Some(outcome.map(Arc::new));
    }

    fn is_over(&self) -> bool {
        locked(&self.outcome).is_some()
    }

    fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }
}

/// A copy of one store that can be fetched.
pub(in crate::vault) struct CopiedPart {
    /// The signed manifest.
    pub(in crate::vault) manifest: String,
    /// Bytes of the copy.
    pub(in crate::vault) length: u64,
    /// The copy, opened.
    pub(in crate::vault) content: File,
    /// Its file is deleted with this.
    #[expect(dead_code, reason = "what counts is when it is dropped")]
    pub(in crate::vault) file: CopyFile,
}

/// The parts of a backup.
pub(in crate::vault) type Parts = BTreeMap<Part, CopiedPart>;

/// A backup in the making, or one that can be fetched.
pub(in crate::vault) struct Backup {
    pub(in crate::vault) id: BackupId,
    /// Who has asked for it, and alone may fetch it.
    pub(in crate::vault) owner: PrincipalId,
    pub(in crate::vault) work: Work<Parts>,
    /// When its owner last asked for it.
    touched: Mutex<Timestamp>,
    /// The parts of which an entry says that they are fetched.
    fetched: Mutex<BTreeSet<Part>>,
}

impl Backup {
    pub(in crate::vault) fn new(id: BackupId, owner: PrincipalId, at: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            id,
            owner,
            work: Work::default(),
            touched: Mutex::new(at),
            fetched: Mutex::default(),
        })
    }

    /// Whether an entry says that somebody fetches this part.
    pub(in crate::vault) fn is_fetched(&self, part: Part) -> bool {
        locked(&self.fetched).contains(&part)
    }

    /// An entry says so.
    pub(in crate::vault) fn fetch(&self, part: Part) {
        locked(&self.fetched).insert(part);
    }
}

/// A check of the whole vault, on a copy.
pub(in crate::vault) struct Checking {
    pub(in crate::vault) work: Work<Report>,
    /// When it was begun, RFC 3339.
    pub(in crate::vault) started_at: String,
}

/// The newest of each, under locks inside.
#[derive(Default)]
pub(in crate::vault) struct Copies {
    backup: Mutex<Option<Arc<Backup>>>,
    check: Mutex<Option<Arc<Checking>>>,
}

impl Copies {
    /// Whether somebody else's backup is being made or fetched. There is one at a time: each takes as much of the disk as the stores.
    pub(in crate::vault) fn is_taken(&self, owner: PrincipalId, now: Timestamp) -> bool {
        let backup = locked(&self.backup);
        let other = backup.as_ref().filter(|backup| backup.owner != owner);
        // A clock that was set back keeps nobody waiting for longer.
        other.is_some_and(|backup| now.duration_since(*locked(&backup.touched)).unsigned_abs() < KEPT)
    }

    /// Keeps a backup, in place of the one before.
    pub(in crate::vault) fn put_backup(&self, backup: Arc<Backup>) {
        if let Some(before) = locked(&self.backup).replace(backup) {
            before.work.end();
        }
    }

    /// The backup of that id, if it is its owner who asks.
    pub(in crate::vault) fn backup(&self, id: BackupId, owner: PrincipalId, now: Timestamp) -> Option<Arc<Backup>> {
        let backup = locked(&self.backup).as_ref().map(Arc::clone)?;
        let is_it = (backup.id, backup.owner) == (id, owner);
        if is_it {
            *locked(&backup.touched) = now;
        }
        is_it.then_some(backup)
    }

    /// Forgets that backup.
    pub(in crate::vault) fn drop_backup(&self, id: BackupId) {
        let mut kept = locked(&self.backup);
        if let Some(backup) = kept.take_if(|backup| backup.id == id) {
            backup.work.end();
        }
    }

    /// The newest check.
    pub(in crate::vault) fn check(&self) -> Option<Arc<Checking>> {
        locked(&self.check).as_ref().map(Arc::clone)
    }

    /// The check that goes on, if there is one.
    pub(in crate::vault) fn running_check(&self) -> Option<Arc<Checking>> {
        self.check().filter(|check| !check.work.is_over())
    }

    /// Lets all go: a key was destroyed that they still have.
    pub(in crate::vault) fn forget(&self) {
        if let Some(backup) = locked(&self.backup).take() {
            backup.work.end();
        }
        if let Some(check) = self.running_check() {
            check.work.end();
        }
    }

    /// Keeps a check, in place of the one before.
    pub(in crate::vault) fn put_check(&self, check: Arc<Checking>) {
        if let Some(before) = locked(&self.check).replace(check) {
            before.work.end();
        }
    }
}

/// Nobody can ask for them any more.
impl Drop for Copies {
    fn drop(&mut self) {
        self.forget();
    }
}
