//! Copies of a store as it stood at one moment, made while it is used.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::Result;
use super::rows::VaultRow;
use super::sqlite::CopyFile;
use crate::merkle::Hash;

/// Hears how many bytes of how many were copied, and says whether to go on.
pub type Progress<'p> = &'p mut dyn FnMut(u64, u64) -> ControlFlow<()>;

/// A copy in the making.
pub trait Snapshot: Send {
    /// The moment is now: what is written later is not in the copy. It waits for nobody, and nobody waits for it.
    ///
    /// # Errors
    /// Whatever the database reports.
    fn begin(&mut self) -> Result<()>;

    /// Copies everything into a file beside the store, in steps of bounded size; nothing when it was broken off. Whoever writes the store
    /// goes on meanwhile. What they write stays in the write-ahead log until this is done.
    ///
    /// # Errors
    /// [`super::StoreError::Full`], and whatever the database reports. Nothing is left of the copy then.
    fn copy(self: Box<Self>, progress: Progress<'_>) -> Result<Option<StoreCopy>>;
}

/// A copy of a store, and what it holds.
pub struct StoreCopy {
    /// The copy: one file, a whole store.
    pub file: CopyFile,
    /// Which vault it is of.
    pub vault: VaultRow,
    /// How the log stood, as the data store's head or the key store's fence has it: its origin, size and root.
    pub log: (String, u64, Hash),
    /// The newest migration of its schema.
    pub schema: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<&'static str, u64>,
}
