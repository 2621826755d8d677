//! What is restored is looked at before it is put in place.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;

use crate::keyring::unlock::Opener;
use crate::log::startup;
use crate::model::backups::Part;
use crate::note::{BackupManifest, NoteError, unverified_text};
use crate::randomness::{Randomness, System};
use crate::store::StoreError;
use crate::store::sqlite::{clear_restoring, open_restoring, restoring};
use crate::vault::life::fsck::{self, Report};
use crate::vault::life::open::{OpenError, Places, Unlocked};

/// Stores that were put back from backups.
pub struct Restored {
    /// What was looked at and found. That the log is behind the fence is told beside it.
    pub report: Report,
    /// The data store is older than the key store beside it.
    pub behind: Option<Behind>,
}

/// How far a data store lies behind its key store.
#[derive(serde::Serialize)]
pub struct Behind {
    /// The log of the data store.
    pub log: String,
    /// Its entries.
    pub size: u64,
    /// The log that the key store saw last.
    pub fence_log: String,
    /// Its entries, as the key store saw them.
    pub fence_size: u64,
}

/// Unlocks stores that nobody serves, verifies the manifests that they came with, and checks everything. Nothing is added to the log.
/// `progress` hears the number of rows and entries looked at.
///
/// # Errors
/// [`OpenError::OtherVault`] for stores that do not belong together; [`OpenError::Manifest`]; [`OpenError`] for stores that do not open.
pub async fn check(
    places: &Places,
    opener: Opener<'_>,
    manifests: &[String],
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Restored, OpenError> {
    let randomness: Arc<dyn Randomness> = Arc::new(System);
    let vault = Unlocked::open(places, opener, &randomness).await?;
    for note in manifests {
        is_of(&vault, note).await?;
    }
    let progress = |count| {
        progress(count);
        std::ops::ControlFlow::Continue(())
    };
    let report = fsck::checked(&vault, Some(&places.log_index()), &progress).await?;
    let behind = behind(&vault).await?;
    Ok(told(report, behind))
}

/// The directory in which a store is put together that is to go into this one: beside it, until it gets its name.
#[must_use]
pub fn beside(directory: &Path) -> PathBuf {
    restoring(directory)
}

/// Opens such a directory; nothing where it is not this user's alone, or a link.
///
/// # Errors
/// Those of the file system.
pub fn open_beside(beside: &Path) -> Result<Option<File>, StoreError> {
    open_restoring(beside)
}

/// Deletes what stands in such a directory, which was opened; of a key store, its bytes are overwritten before.
///
/// # Errors
/// Those of the file system.
pub fn clear(held: &File, beside: &Path, part: Part) -> Result<(), StoreError> {
    clear_restoring(held, beside, part == Part::Keys)
}

/// Whether this vault has signed a manifest.
async fn is_of(vault: &Unlocked, note: &str) -> Result<(), OpenError> {
    let named = BackupManifest::parse(unverified_text(note)?)?;
    let verifiers = vault.keyring.verifiers(&named.log)?;
    let manifest = BackupManifest::open(note, &verifiers)?;
    if manifest.vault == HEXLOWER.encode(&vault.keys.vault().await?.vault) {
        Ok(())
    } else {
        Err(NoteError::Backup.into())
    }
}

/// Whether the key store has seen more of the log, or a later one.
async fn behind(vault: &Unlocked) -> Result<Option<Behind>, OpenError> {
    let (head, fence) = (vault.store.head().await?, vault.keys.fence().await?);
    let (Some(log), Some(fence)) = (startup::named_origin(&head), fence) else {
        return Ok(None);
    };
    let is_behind = log != fence.origin || head.size < fence.size;
    Ok(is_behind.then(|| Behind {
        log: log.to_owned(),
        size: head.size,
        fence_log: fence.origin,
        fence_size: fence.size,
    }))
}

/// That a copy is older is no damage: it is told once, and what follows from it is left out.
fn told(mut report: Report, behind: Option<Behind>) -> Restored {
    if let Some(behind) = &behind {
        let other_log = behind.log != behind.fence_log;
        let follows = |place: &str| place == "fence" || (other_log && place == "log checkpoint");
        report.findings.retain(|finding| !follows(&finding.place));
    }
    Restored { report, behind }
}
