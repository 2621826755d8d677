//! What the vault asks of a database, in bytes. Two stores: the *data store* holds records and the log, the *key
//! store* the wrapped keys; they are kept and backed up apart.
//!
//! Reads may run side by side. There is one writer per log: `DataWriter`, owned by the log's thread.

pub mod error;
pub mod log_index;
pub mod rows;
pub mod sqlite;
mod wrapped;

use async_trait::async_trait;

pub use self::error::StoreError;
pub use self::log_index::LogIndex;
use self::rows::{
    ApprovalRow, CallerRow, CustodyRow, DepartmentRow, EntryRow, Fence, FieldRow, HeadRow, IndexRow, KeyringRow,
    PastLogRow, PrincipalRow, ReferenceRow, ReplayRow, Replayed, TicketRow, TokenRow, UnlockRow, VaultRow, WrappedKey,
};
use crate::merkle::{Hash, Tile};
use crate::model::ids::{ApprovalId, CallerId, PrincipalId, RecordId, RecordKind, TicketId, TokenId};
use crate::model::reference::DepartmentCode;
use crate::model::ticket_no::TicketNo;

/// The result of a store's work.
pub type Result<T> = std::result::Result<T, StoreError>;

/// A token with its principal and department, read together.
pub struct Credentials {
    /// The token presented.
    pub token: TokenRow,
    /// Whose it is.
    pub principal: PrincipalRow,
    /// Where they work.
    pub department: DepartmentRow,
}

/// Reads of the data store.
#[async_trait]
pub trait DataStore: Send + Sync {
    /// Which vault this is.
    async fn vault(&self) -> Result<VaultRow>;

    /// The token with this SHA-256, revoked or not, with whose it is.
    async fn credentials(&self, token_hash: &[u8; 32]) -> Result<Option<Credentials>>;
    /// One department.
    async fn department(&self, code: DepartmentCode) -> Result<Option<DepartmentRow>>;
    /// Departments after that code, by code.
    async fn departments(&self, after: Option<DepartmentCode>, limit: u32) -> Result<Vec<DepartmentRow>>;
    /// One principal.
    async fn principal(&self, id: PrincipalId) -> Result<Option<PrincipalRow>>;
    /// Principals after that id, by id.
    async fn principals(&self, after: Option<PrincipalId>, limit: u32) -> Result<Vec<PrincipalRow>>;
    /// One token by its handle.
    async fn token(&self, id: TokenId) -> Result<Option<TokenRow>>;
    /// A principal's tokens, newest first.
    async fn tokens(&self, principal: PrincipalId) -> Result<Vec<TokenRow>>;

    /// One caller.
    async fn caller(&self, id: CallerId) -> Result<Option<CallerRow>>;
    /// Those of a record's fields that are on file.
    async fn sealed(&self, record: RecordId, fields: &[&str]) -> Result<Vec<FieldRow>>;
    /// The names of a record's fields on file.
    async fn field_names(&self, record: RecordId) -> Result<Vec<String>>;
    /// The first entries with this value in this blind index, by caller.
    async fn index_hits(&self, index: &str, value: &[u8; 16], limit: u32) -> Result<Vec<IndexRow>>;
    /// The entries of one of a caller's fields, whatever their value.
    async fn index_of(&self, caller: CallerId, field: &str) -> Result<Vec<IndexRow>>;
    /// All pairs of entries of one caller that have the one value in the one index and the other in the other.
    async fn index_both(&self, one: (&str, &[u8; 16]), other: (&str, &[u8; 16])) -> Result<Vec<(IndexRow, IndexRow)>>;

    /// One ticket.
    async fn ticket(&self, no: &TicketNo) -> Result<Option<TicketRow>>;
    /// Tickets a department holds or took, newest first, from the one after that number.
    async fn tickets(&self, department: DepartmentCode, after: Option<&TicketNo>, limit: u32)
    -> Result<Vec<TicketRow>>;
    /// A caller's tickets that a department holds or took, by number.
    async fn tickets_about(&self, caller: CallerId, department: DepartmentCode, limit: u32) -> Result<Vec<TicketRow>>;
    /// A ticket's custody, oldest first.
    async fn custody(&self, ticket: TicketId) -> Result<Vec<CustodyRow>>;

    /// What a department's reference stands for.
    async fn reference(
        &self,
        department: DepartmentCode,
        kind: RecordKind,
        version: u8,
        body: u64,
    ) -> Result<Option<ReferenceRow>>;
    /// The answer once given to this key.
    async fn replay(&self, principal: PrincipalId, key: &[u8; 16]) -> Result<Option<Replayed>>;

    /// One request for approval.
    async fn approval(&self, id: ApprovalId) -> Result<Option<ApprovalRow>>;
    /// Requests for approval, newest first, from the one after that id.
    async fn approvals(&self, after: Option<ApprovalId>, limit: u32) -> Result<Vec<ApprovalRow>>;

    /// The log's head.
    async fn head(&self) -> Result<HeadRow>;
    /// The entries at a position of the log in force and of those that it followed.
    async fn entries_ever(&self, index: u64) -> Result<Vec<EntryRow>>;
    /// The logs that the one in force has followed, oldest first.
    async fn past_logs(&self) -> Result<Vec<PastLogRow>>;
    /// Entries from `first` on, in order.
    async fn entries(&self, first: u64, limit: u32) -> Result<Vec<EntryRow>>;
    /// The entries at these positions, in this order; what is not there is left out.
    async fn entries_at(&self, indexes: &[u64]) -> Result<Vec<EntryRow>>;
    /// The hashes of the partial tile at the right edge of each level of a log of that size, level 0 first.
    async fn edges(&self, size: u64) -> Result<Vec<Vec<Hash>>>;

    /// `count` hashes at a tile level from the `first` on (C2SP tlog-tiles): of leaves at level 0, of full tiles below at
    /// any other. Fewer where the log ends.
    async fn hashes(&self, level: u8, first: u64, count: u32) -> Result<Vec<Hash>>;

    /// Shows every row of one table, for `fsck`: as the table has them, none left out by a key or an index.
    async fn scan(&self, table: Table, visit: &mut (dyn FnMut(Scanned) + Send)) -> Result<()>;
    /// How tables, indexes and migration history differ from what this program makes: nothing when sound.
    async fn schema(&self) -> Result<Vec<String>>;
    /// What is wrong with the schema, and what the database says of its own pages: nothing when sound.
    async fn integrity(&self) -> Result<Vec<String>>;

    /// The one writer. A second call, here or in another process, is refused.
    fn writer(&self) -> Result<Box<dyn DataWriter>>;
}

/// A table that `fsck` walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// `department`
    Departments,
    /// `principal`
    Principals,
    /// `api_token`
    Tokens,
    /// `caller`
    Callers,
    /// `sealed_field`
    Fields,
    /// `blind_index`
    Index,
    /// `ticket`
    Tickets,
    /// `custody`
    Custody,
    /// `reference`
    References,
    /// `replay`
    Replays,
    /// `approval`
    Approvals,
    /// `log_entry`
    Entries,
    /// `log_tile`
    Tiles,
    /// `past_entry`
    PastEntries,
}

/// One row of a scan.
pub struct Scanned {
    /// The how-manieth row it is, from 1.
    pub position: u64,
    /// The row.
    pub row: AnyRow,
}

/// A row of any scanned table, or the reason why it cannot even be read.
pub enum AnyRow {
    /// `department`
    Department(DepartmentRow),
    /// `principal`
    Principal(PrincipalRow),
    /// `api_token`
    Token(TokenRow),
    /// `caller`
    Caller(CallerRow),
    /// `sealed_field`
    Field(FieldRow),
    /// `blind_index`
    Index(IndexRow),
    /// `ticket`
    Ticket(TicketRow),
    /// `custody`
    Custody(CustodyRow),
    /// `reference`
    Reference(ReferenceRow),
    /// `approval`
    Approval(ApprovalRow),
    /// `replay`, and the position of the leaf it points at.
    Replay(ReplayRow, u64),
    /// `log_entry`: position and leaf, and the hash stored with it if that can be read.
    Entry(u64, Vec<u8>, Option<Hash>),
    /// `log_tile`
    Tile(Tile),
    /// `past_entry`: which log, and as `Entry`.
    PastEntry(u64, u64, Vec<u8>, Option<Hash>),
    /// A column holds something that no version of the vault writes there.
    Unreadable(&'static str),
}

/// One change to the data store.
pub enum Write {
    /// Makes a department or replaces version − 1 of it.
    Department(DepartmentRow),
    /// Makes a principal or replaces version − 1 of it.
    Principal(PrincipalRow),
    /// Issues a token.
    Token(TokenRow),
    /// Marks a token revoked.
    RevokeToken(TokenRow),
    /// Makes a caller or replaces version − 1 of it.
    Caller(CallerRow),
    /// Puts a sealed field in its place, over an older one.
    Field(FieldRow),
    /// Adds a blind index entry.
    Index(IndexRow),
    /// Removes the entries of one of a caller's fields.
    Unindex(CallerId, String),
    /// Makes a ticket or replaces version − 1 of it.
    Ticket(TicketRow),
    /// Adds a step of custody.
    Custody(CustodyRow),
    /// Adds a reference.
    Reference(ReferenceRow),
    /// Remembers an answer; the writer adds the leaf's index.
    Replay(ReplayRow),
    /// Makes a request for approval or replaces version − 1 of it.
    Approval(ApprovalRow),
    /// Empties the bodies of entries below that index; their hashes stay.
    DropBodies(u64),
    /// Puts the log away as one that another follows: the entry of this job is the first of the next.
    NextLog,
}

/// What must still be so when the log's writer comes to it, or nothing of the job happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The ticket is at this version.
    Ticket(TicketId, u64),
    /// The principal has no token that is not revoked.
    NoToken(PrincipalId),
    /// The principal is at this version.
    Principal(PrincipalId, u64),
    /// The caller is at this version.
    Caller(CallerId, u64),
    /// The token is not revoked.
    Token(TokenId),
    /// The request for approval is at this version.
    Approval(ApprovalId, u64),
}

/// Why a job did not happen although the database is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// A guard or a version no longer holds.
    Stale,
    /// Something that must be unique is there already.
    Duplicate,
}

/// The one writer of a data store, used by one thread: `begin`, any number of `attempt`s, `append`, `commit`.
pub trait DataWriter: Send {
    /// Opens a transaction.
    ///
    /// # Errors
    /// Whatever the database reports.
    fn begin(&mut self) -> Result<()>;

    /// Tries one job: all of its guards and writes, or none of them (a savepoint). `index` is where its leaf will stand.
    ///
    /// # Errors
    /// A fault of the database, after which the transaction must be rolled back.
    fn attempt(&mut self, guards: &[Guard], writes: &[Write], index: u64) -> Result<std::result::Result<(), Conflict>>;

    /// Adds entries and full tiles and replaces the head.
    ///
    /// # Errors
    /// Whatever the database reports; the transaction must be rolled back.
    fn append(&mut self, entries: &[EntryRow], tiles: &[Tile], head: &HeadRow) -> Result<()>;

    /// Makes it durable before it returns.
    ///
    /// # Errors
    /// After any error but `Full` nobody knows what is on the disk: the process must end and prove the log afresh.
    fn commit(&mut self) -> Result<()>;

    /// Undoes everything since `begin`.
    fn rollback(&mut self);
}

/// The key store.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Which vault this is.
    async fn vault(&self) -> Result<VaultRow>;
    /// The ways to unlock.
    async fn unlocks(&self) -> Result<Vec<UnlockRow>>;
    /// The wrapped keyring.
    async fn keyring(&self) -> Result<Vec<KeyringRow>>;
    /// One record's wrapped key.
    async fn record_key(&self, record: RecordId) -> Result<Option<WrappedKey>>;
    /// Shows every wrapped key and its position from 1, for `fsck`; nothing for one that cannot even be read.
    async fn record_keys(&self, visit: &mut (dyn FnMut(u64, Option<WrappedKey>) + Send)) -> Result<()>;
    /// How tables, indexes and migration history differ from what this program makes: nothing when sound.
    async fn schema(&self) -> Result<Vec<String>>;
    /// What is wrong with the schema, and what the database says of its own pages: nothing when sound.
    async fn integrity(&self) -> Result<Vec<String>>;

    /// How far the log had come.
    async fn fence(&self) -> Result<Option<Fence>>;

    /// Puts down how far the log has come. Survives the end of the process; after a loss of power it may be some commits
    /// behind, never ahead. Called by the log's thread after each commit.
    ///
    /// # Errors
    /// Whatever the database reports.
    fn put_fence(&self, fence: &Fence) -> Result<()>;

    /// Makes new record keys durable before it returns. Called by the log's thread before the records are committed.
    ///
    /// # Errors
    /// Whatever the database reports; none of the keys is stored.
    fn put_record_keys(&self, keys: &[WrappedKey]) -> Result<()>;
}
