//! What the log's thread tells whom, and when.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;

use tokio::sync::oneshot;

use super::{Job, Placed, Sequencer};
use crate::log::startup::Proved;
use crate::log::stats::LogStats;
use crate::log::{Change, CommitError, LogKeys};
use crate::model::code::Code;
use crate::model::ids::RecordId;
use crate::model::key_roles::KeyRole;
use crate::model::reference::Reference;
use crate::note::Checkpoint;
use crate::store::rows::{
    Cell, Coded, Contradiction, DoomedKey, ErasedKey, ErasingAgain, Fence, HeadRow, KeyringRow, NewRow, Table,
    TallyRow, UnlockRow, UnlockTryRow, VaultRow, WrappedKey,
};
use crate::store::snapshot::Snapshot;
use crate::store::{Appended, Conflict, DataWriter, Guard, IsCode, KeyStore, StoreError, Write};

type Answer = Placed;
type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Takes the first job of a group and leaves the second out. When it commits, it looks what the second has been told.
struct Writer {
    attempts: u32,
    left_out: Arc<Mutex<oneshot::Receiver<Answer>>>,
    told_before: Arc<Mutex<Option<bool>>>,
    full: bool,
}

impl DataWriter for Writer {
    fn begin(&mut self) -> Result<()> {
        Ok(())
    }

    fn attempt(&mut self, _: &[Guard], _: &[Write], _: u64, _: IsCode<'_>) -> Result<Result<(), Conflict>> {
        self.attempts += 1;
        Ok(if self.attempts == 1 {
            Ok(())
        } else {
            Err(Conflict::Stale)
        })
    }

    fn tally(&mut self, _: &Reference) -> Result<Option<Coded<TallyRow>>> {
        unreachable!()
    }

    fn append(&mut self, _: &Appended, _: &HeadRow) -> Result<()> {
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        let told = self.left_out.lock().unwrap().try_recv();
        *self.told_before.lock().unwrap() = Some(!matches!(told, Err(oneshot::error::TryRecvError::Empty)));
        if self.full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn rollback(&mut self) {}

    fn scrub(&mut self) -> Result<()> {
        unreachable!()
    }
}

/// A key store that nobody asks anything.
struct Unasked;

#[async_trait]
impl KeyStore for Unasked {
    async fn vault(&self) -> Result<VaultRow> {
        unreachable!()
    }
    async fn unlocks(&self) -> Result<Vec<UnlockRow>> {
        unreachable!()
    }
    async fn keyring(&self) -> Result<Vec<KeyringRow>> {
        unreachable!()
    }
    async fn record_key(&self, _: RecordId) -> Result<Option<WrappedKey>> {
        unreachable!()
    }
    async fn record_keys(&self, _: &mut (dyn FnMut(u64, Option<WrappedKey>) + Send)) -> Result<()> {
        unreachable!()
    }
    fn doom_keys(&self, _: &Reference, _: &[RecordId]) -> Result<()> {
        unreachable!()
    }
    async fn doomed_keys(&self) -> Result<Vec<DoomedKey>> {
        unreachable!()
    }
    fn destroy_keys(&self, _: &Reference, _: Timestamp) -> Result<()> {
        unreachable!()
    }
    fn spare_keys(&self, _: &Reference) -> Result<()> {
        unreachable!()
    }
    async fn erased_keys(&self, _: &mut (dyn FnMut(ErasedKey) + Send)) -> Result<()> {
        unreachable!()
    }
    async fn older_record_keys(&self, _: u8, _: Option<&[Cell]>, _: u32) -> Result<Vec<WrappedKey>> {
        unreachable!()
    }
    async fn count_record_keys(&self, _: u8) -> Result<u64> {
        unreachable!()
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        unreachable!()
    }
    async fn schema(&self) -> Result<Vec<String>> {
        unreachable!()
    }
    async fn integrity(&self) -> Result<Vec<String>> {
        unreachable!()
    }
    fn statements(&self) -> u64 {
        0
    }
    async fn fence(&self) -> Result<Option<Fence>> {
        unreachable!()
    }
    fn put_fence(&self, _: &Fence) -> Result<()> {
        unreachable!()
    }
    async fn contradictions(&self, _: &str) -> Result<Vec<Contradiction>> {
        unreachable!()
    }
    async fn put_contradiction(&self, _: &Contradiction) -> Result<()> {
        unreachable!()
    }
    async fn drop_contradiction(&self, _: &str, _: &str) -> Result<()> {
        unreachable!()
    }
    fn put_record_keys(&self, _: &[WrappedKey]) -> Result<()> {
        unreachable!()
    }
    async fn is_erased(&self, _: RecordId) -> Result<bool> {
        unreachable!()
    }
    fn begin_erasing_again(&self, _: &ErasingAgain) -> Result<()> {
        unreachable!()
    }
    async fn erasing_again(&self) -> Result<Option<ErasingAgain>> {
        unreachable!()
    }
    fn end_erasing_again(&self) -> Result<()> {
        unreachable!()
    }
    fn put_key(&self, _: &KeyringRow) -> Result<()> {
        unreachable!()
    }
    fn put_unlock(&self, _: &UnlockRow) -> Result<()> {
        unreachable!()
    }
    fn activate_key(&self, _: &str, _: u8) -> Result<()> {
        unreachable!()
    }
    fn rewrap_record_keys(&self, _: &[(WrappedKey, WrappedKey)]) -> Result<u64> {
        unreachable!()
    }
    fn destroy_key(&self, _: &str, _: u8) -> Result<()> {
        unreachable!()
    }
    async fn unlock_tries(&self) -> Result<Vec<UnlockTryRow>> {
        unreachable!()
    }
    fn put_unlock_try(&self, _: &UnlockTryRow) -> Result<()> {
        unreachable!()
    }
    fn forget_unlock_tries(&self) -> Result<()> {
        unreachable!()
    }
}

impl LogKeys for Unasked {
    fn sign(&self, _: &Checkpoint) -> Option<String> {
        unreachable!()
    }
    fn activate(&self, _: &KeyringRow) -> bool {
        unreachable!()
    }
    fn forget(&self, _: KeyRole, _: u8) {
        unreachable!()
    }
    fn is_code(&self, _: &'static Table, _: &[Cell], _: &Code) -> bool {
        unreachable!()
    }
    fn tally_row(&self, _: TallyRow) -> Option<NewRow> {
        unreachable!()
    }
    fn tally_of(&self, _: Coded<TallyRow>) -> Option<TallyRow> {
        unreachable!()
    }
}

/// A job of which the log says nothing.
fn job() -> (Job, oneshot::Receiver<Answer>) {
    let (reply, answer) = oneshot::channel();
    let job = Job {
        leaf: None,
        change: Change::default(),
        deadline: Instant::now() + Duration::from_secs(3_600),
        reply,
    };
    (job, answer)
}

/// Two jobs in one group, of which the second conflicts with the first: what both hear, and whether the second heard it before the
/// first was committed.
fn told(full: bool) -> ([Answer; 2], bool) {
    let ((first, mut answer), (second, left_out)) = (job(), job());
    let (left_out, told_before) = (Arc::new(Mutex::new(left_out)), Arc::new(Mutex::new(None)));
    let writer = Writer {
        attempts: 0,
        left_out: Arc::clone(&left_out),
        told_before: Arc::clone(&told_before),
        full,
    };
    let proved = Proved::empty("test.invalid/log/1".to_owned());
    let (keys, signer, stats) = (Arc::new(Unasked), Arc::new(Unasked), Arc::new(LogStats::default()));
    let barred = Arc::default();
    let mut sequencer = Sequencer::new(proved, Box::new(writer), keys, signer, stats, barred, usize::MAX);
    sequencer.commit_group(vec![first, second]).unwrap();
    let answers = [answer.try_recv().unwrap(), left_out.lock().unwrap().try_recv().unwrap()];
    (answers, told_before.lock().unwrap().unwrap())
}

/// Else a repeated request would look for the first one's answer before it can be seen.
#[test]
fn nobody_hears_of_a_conflict_before_what_was_in_the_way_is_committed() {
    let ([first, second], before) = told(false);
    assert!(matches!((first, second), (Ok(None), Err(CommitError::Stale))));
    assert!(!before);
}

#[test]
fn a_conflict_with_what_was_not_written_is_none() {
    let ([first, second], _) = told(true);
    assert!(matches!(
        (first, second),
        (Err(CommitError::Full), Err(CommitError::Full))
    ));
}
