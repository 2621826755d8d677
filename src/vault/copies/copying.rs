//! The moment of a copy, and the thread that makes it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::thread;

use tokio::sync::oneshot;

use crate::causes::with_causes;
use crate::log::CommitError;
use crate::model::backups::Part;
use crate::store::StoreError;
use crate::store::snapshot::{Snapshot, StoreCopy};
use crate::vault::core::{Work, WorkFault};
use crate::vault::{Error, Vault};

/// What begins the copies, on the log's thread.
type Begin = Box<dyn FnOnce() + Send>;

/// Copies that are begun at one moment.
pub(super) type Snapshots = BTreeMap<Part, Box<dyn Snapshot>>;

/// Copies that the log's thread is to begin.
pub(super) struct Moment(oneshot::Receiver<Result<Snapshots, StoreError>>);

impl Moment {
    /// The copies, once what they were begun with is committed.
    ///
    /// # Errors
    /// Whatever a database reports.
    pub(super) async fn begun(self) -> Result<Snapshots, Error> {
        Ok(self.0.await.map_err(|_| Error::from(CommitError::Dead))??)
    }
}

impl Vault {
    /// Copies of these stores, to be begun by the log's thread between two groups: there the key store has every key of the data
    /// store's records, and the fence is where the log is.
    pub(super) fn moment(&self, parts: &[Part]) -> Result<(Begin, Moment), Error> {
        let mut snapshots = Snapshots::new();
        for &part in parts {
            let snapshot = match part {
                Part::Data => self.store.snapshot()?,
                Part::Keys => self.keys.snapshot()?,
            };
            snapshots.insert(part, snapshot);
        }
        let (begun, moment) = oneshot::channel();
        let begin = move || {
            let result = snapshots.values_mut().try_for_each(|snapshot| snapshot.begin());
            // Whoever asked may have gone.
            let _ = begun.send(result.map(|()| snapshots));
        };
        Ok((Box::new(begin), Moment(moment)))
    }
}

/// Makes the copies, the small one first: as long as one is made, keys that are erased cannot leave the write-ahead log of its store.
/// `progress` hears how many bytes of how many were copied. Nothing when it breaks that off.
pub(super) fn copied(
    snapshots: Snapshots,
    progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
) -> Result<Option<BTreeMap<Part, StoreCopy>>, Error> {
    let mut copies = BTreeMap::new();
    let mut before = 0;
    for (part, snapshot) in snapshots.into_iter().rev() {
        let mut all = 0;
        let copy = snapshot.copy(&mut |done, of| {
            all = of;
            progress(before + done, before + of)
        })?;
        let Some(copy) = copy else { return Ok(None) };
        before += all;
        copies.insert(part, copy);
    }
    Ok(Some(copies))
}

/// Does work on a thread of its own. What comes of it is kept with the work.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn in_background<R: Send + Sync + 'static, W>(
    name: &'static str,
    kept: W,
    of: impl Fn(&W) -> &Work<R> + Send + 'static,
    work: impl FnOnce(&W) -> Result<Option<R>, Error> + Send + 'static,
) -> Result<(), Error>
where
    W: Send + 'static,
{
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let outcome = match work(&kept) {
            Ok(Some(result)) => Ok(result),
            // It was broken off, and nobody asks.
            Ok(None) => Err(WorkFault::Store),
            Err(fault) => {
                tracing::error!(
                    error = with_causes(&fault),
                    "{name}: a copy of the stores came to nothing"
                );
                Err(WorkFault::from(&fault))
            }
        };
        of(&kept).end_with(outcome);
    });
    thread
        .map(drop)
        .map_err(|fault| StoreError::Database(format!("no thread for a {name}: {fault}")).into())
}
