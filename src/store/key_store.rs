//! What the vault asks of the database that holds the wrapped keys.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use super::rows::{
    Cell, Contradiction, DoomedKey, ErasedKey, ErasingAgain, Fence, KeyringRow, UnlockRow, UnlockTryRow, VaultRow,
    WrappedKey,
};
use super::snapshot::Snapshot;
use crate::model::ids::RecordId;
use crate::model::reference::Reference;

/// The key store.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Which vault this is.
    async fn vault(&self) -> Result<VaultRow>;
    /// How the root key opens: one row.
    async fn unlocks(&self) -> Result<Vec<UnlockRow>>;
    /// The wrapped keyring.
    async fn keyring(&self) -> Result<Vec<KeyringRow>>;
    /// One record's wrapped key.
    async fn record_key(&self, record: RecordId) -> Result<Option<WrappedKey>>;
    /// Shows every wrapped key and its position from 1, for `fsck`; nothing for one that cannot even be read.
    async fn record_keys(&self, visit: &mut (dyn FnMut(u64, Option<WrappedKey>) + Send)) -> Result<()>;
    /// Record keys under older versions of the key-encryption key than this one, by version and record, behind one of them: its version,
    /// kind and id.
    async fn older_record_keys(&self, kek: u8, behind: Option<&[Cell]>, limit: u32) -> Result<Vec<WrappedKey>>;
    /// How many record keys are under one version of the key-encryption key. It walks that part of an index, in pages: others read in
    /// between. What comes under the version meanwhile may be missed.
    async fn count_record_keys(&self, kek: u8) -> Result<u64>;
    /// How tables, indexes and migration history differ from what this program makes: nothing when sound.
    async fn schema(&self) -> Result<Vec<String>>;
    /// What is wrong with the schema, and what the database says of its own pages: nothing when sound.
    async fn integrity(&self) -> Result<Vec<String>>;

    /// Statements run since the store was opened, as [`DataStore::statements`].
    fn statements(&self) -> u64;

    /// As [`super::DataStore::snapshot`].
    ///
    /// # Errors
    /// Whatever the database reports.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// How far the log had come.
    async fn fence(&self) -> Result<Option<Fence>>;

    /// Puts down how far the log has come. Survives the end of the process; after a loss of power it may be some commits
    /// behind, never ahead. Called by the log's thread after each commit.
    ///
    /// # Errors
    /// Whatever the database reports; [`super::StoreError::Displaced`] as for [`super::DataWriter::commit`].
    fn put_fence(&self, fence: &Fence) -> Result<()>;

    /// What witnesses have said against a log and not taken back.
    async fn contradictions(&self, origin: &str) -> Result<Vec<Contradiction>>;

    /// Makes a witness's word durable before it returns, in place of an earlier one.
    async fn put_contradiction(&self, said: &Contradiction) -> Result<()>;

    /// Forgets what a witness said against a log.
    async fn drop_contradiction(&self, origin: &str, witness: &str) -> Result<()>;

    /// Makes new record keys durable before it returns. Called by the log's thread before the records are committed.
    ///
    /// # Errors
    /// Whatever the database reports; none of the keys is stored. [`super::StoreError::Displaced`] as for [`super::DataWriter::commit`].
    fn put_record_keys(&self, keys: &[WrappedKey]) -> Result<()>;

    /// Puts down which record keys the erasure of a caller is about to destroy, in place of what an earlier try put down. Durable before
    /// it returns. Called by the log's thread before the log says that the caller is erased.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn doom_keys(&self, subject: &Reference, records: &[RecordId]) -> Result<()>;

    /// What was put down and neither destroyed nor spared.
    async fn doomed_keys(&self) -> Result<Vec<DoomedKey>>;

    /// Destroys what was put down for the erasure of a caller, for good: once it returns, no file of the store has a byte of these keys. A
    /// second call finishes what the first could not.
    ///
    /// # Errors
    /// [`super::StoreError::Busy`] while somebody reads; else as [`Self::put_record_keys`].
    fn destroy_keys(&self, subject: &Reference, at: Timestamp) -> Result<()>;

    /// Forgets what was put down for the erasure of a caller: it did not happen.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn spare_keys(&self, subject: &Reference) -> Result<()>;

    /// Shows every mark of a key that was destroyed, for those who look at everything.
    async fn erased_keys(&self, visit: &mut (dyn FnMut(ErasedKey) + Send)) -> Result<()>;

    /// Whether a record's key was destroyed, by its [mark](ErasedKey::mark_of).
    async fn is_erased(&self, record: RecordId) -> Result<bool>;

    /// Puts down that the data store is an older copy, from which those who were erased since are removed again. Durable before it returns.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn begin_erasing_again(&self, begun: &ErasingAgain) -> Result<()>;

    /// Whether that is under way.
    async fn erasing_again(&self) -> Result<Option<ErasingAgain>>;

    /// That is done.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn end_erasing_again(&self) -> Result<()>;

    /// Makes a new version of a key of the keyring durable before it returns, not active yet, in place of one that never became active.
    /// Called by the log's thread before the log says that it is there.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn put_key(&self, key: &KeyringRow) -> Result<()>;

    /// Makes a version the active one of its role, in place of the one before it. Durable before it returns.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`]; [`super::StoreError::Corrupt`] where there is no such version.
    fn activate_key(&self, role: &str, version: u8) -> Result<()>;

    /// Puts record keys in place of the same under an older key: each pair is what was read, and what comes instead. One that is no longer
    /// as it was read, or gone, is left so: what was erased stays erased. So is one whose new key is not the active one any more: that may
    /// be about to be destroyed. How many were put.
    ///
    /// After a loss of power the last ones may be as they were. Whatever is made durable later makes them so.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn rewrap_record_keys(&self, keys: &[(WrappedKey, WrappedKey)]) -> Result<u64>;

    /// Overwrites a version of a role's key. Its bytes are in no file of the store any more when it returns; that there was such a
    /// version stays.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`]; [`super::StoreError::Corrupt`] for the active version, and where there is no such version.
    fn destroy_key(&self, role: &str, version: u8) -> Result<()>;

    /// Puts another wrapping of the root key in place of the one there is, in one step. Durable before it returns; then no file of the
    /// store has a byte of the one before.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`]; [`super::StoreError::Busy`] while somebody reads: the new one is in place, and the old one still
    /// stands in the write-ahead log.
    fn put_unlock(&self, way: &UnlockRow) -> Result<()>;

    /// Wrong passphrases since the vault was last unlocked.
    async fn unlock_tries(&self) -> Result<Vec<UnlockTryRow>>;

    /// Makes the count of wrong passphrases durable before it returns, in place of the one before.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn put_unlock_try(&self, wrong: &UnlockTryRow) -> Result<()>;

    /// Forgets them: the vault is unlocked, and the log has how many there were.
    ///
    /// # Errors
    /// As [`Self::put_record_keys`].
    fn forget_unlock_tries(&self) -> Result<()>;
}
