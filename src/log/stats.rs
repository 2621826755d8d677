//! Counts of the log since start, written by its thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

use crate::policy::Why;

/// Counts since start, for metrics and benches.
#[derive(Default)]
pub struct LogStats {
    pub(super) entries: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) size: watch::Sender<u64>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    // Set by the log's thread: there are entries that the fence has had no room for.
    pub(super) unfenced: AtomicBool,
}

impl LogStats {
    pub(super) fn committed(&self, entries: u64, size: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.size.send_replace(size);
    }

    /// Whether the fence has come as far as the log.
    pub(super) fn set_fenced(&self, fenced: bool) {
        self.unfenced.store(!fenced, Ordering::Release);
    }

    /// Entries committed since start.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    pub(super) fn refused(&self, why: Why) {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        *refusals.entry(why.as_str()).or_default() += 1;
    }

    /// Refusals committed since start, by the word of their reason.
    #[must_use]
    pub fn refusals(&self) -> BTreeMap<&'static str, u64> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Commits (flushes) since start.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }
}
