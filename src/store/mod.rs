//! What the vault asks of a database, in bytes. Two stores: the *data store* holds records and the log, the *key
//! store* the wrapped keys; they are kept and backed up apart.
//!
//! Reads may run side by side. There is one writer per log: `DataWriter`, owned by the log's thread.

pub mod error;
mod key_store;
pub mod log_index;
pub mod rows;
pub mod snapshot;
pub mod sqlite;

use async_trait::async_trait;

pub use self::error::StoreError;
pub use self::key_store::KeyStore;
pub use self::log_index::LogIndex;
use self::rows::{
    BlindIndexRow, Cell, ClientRow, Coded, Column, Columns, EntryRow, FromColumns, Genuine, HeadRow, NewRow,
    PastLogRow, Place, Protected, Read, ReferenceKey, Statement, Stored, Table, TallyRow, VaultRow,
};
use self::snapshot::Snapshot;
use crate::merkle::{Hash, Tile};
use crate::model::code::Code;
use crate::model::ids::{CallerId, RecordId};
use crate::model::reference::Reference;

/// The result of a store's work.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Takes the columns of one row.
pub type Visit<'v> = &'v mut (dyn FnMut(&mut dyn Columns) -> Result<()> + Send);

/// Whether a code is the one of a row with these columns in this table.
pub type IsCode<'c> = &'c dyn Fn(&'static Table, &[Cell], &Code) -> bool;

/// Takes the position of one row, from 1, and its columns.
pub type Scan<'v> = &'v mut (dyn FnMut(u64, &mut dyn Columns) + Send);

/// Reads of the data store. Rows are read by the statements that their tables declare ([`rows`]); what the log needs besides
/// has calls of its own.
#[async_trait]
pub trait DataStore: Send + Sync {
    /// Shows the rows of a statement, in its order. Use [`dyn DataStore::one`] and [`dyn DataStore::all`].
    ///
    /// # Errors
    /// Whatever the database or `visit` reports.
    async fn select(&self, statement: &'static Statement, with: &[Cell], visit: Visit<'_>) -> Result<()>;

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

    /// Shows rows of a table in the order of its key, behind one key or from the beginning. For work that goes through a table step by
    /// step.
    async fn walk(&self, table: &'static Table, behind: Option<&[Cell]>, limit: u32, visit: Visit<'_>) -> Result<()>;
    /// How many rows a table has. It walks the smallest index: for work on the whole table, not for requests.
    async fn count(&self, table: &'static Table) -> Result<u64>;
    /// How many rows name this version of a key in one place. As `count`.
    async fn count_under(&self, place: &Place, version: u8) -> Result<u64>;

    /// Shows every row of one table, for `fsck`: as the table has them, none left out by a key or an index.
    async fn scan(&self, table: &'static Table, visit: Scan<'_>) -> Result<()>;
    /// How tables, indexes and migration history differ from what this program makes: nothing when sound.
    async fn schema(&self) -> Result<Vec<String>>;
    /// What is wrong with the schema, and what the database says of its own pages: nothing when sound.
    async fn integrity(&self) -> Result<Vec<String>>;

    /// Statements run since the store was opened, by its readers and its writer: what a request costs the database.
    fn statements(&self) -> u64;

    /// A copy, to be begun and made. Its file is there from now on.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// The one writer. A second call, here or in another process, is refused.
    fn writer(&self) -> Result<Box<dyn DataWriter>>;
}

impl dyn DataStore + '_ {
    /// Which vault this is.
    ///
    /// # Errors
    /// Whatever the database reports; [`StoreError::Corrupt`] where it does not say.
    pub async fn vault(&self) -> Result<VaultRow> {
        let found = self.one(&rows::keys::THE_VAULT, &[]).await?;
        found.ok_or(StoreError::Corrupt("vault"))
    }

    /// Every row of a statement.
    ///
    /// # Errors
    /// Whatever the database reports; [`StoreError::Corrupt`] for a row that no version of the vault writes.
    pub async fn all<T: FromColumns + Send>(&self, read: &'static Read<T>, with: &[Cell]) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        let mut visit = |columns: &mut dyn Columns| {
            rows.push(T::from_columns(columns)?);
            Ok(())
        };
        self.select(read.statement(), with, &mut visit).await?;
        Ok(rows)
    }

    /// Rows of a table with codes in the order of its key, behind one key or from the beginning.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub async fn stored(&self, table: &'static Table, behind: Option<&[Cell]>, limit: u32) -> Result<Vec<Stored>> {
        let mut rows = Vec::new();
        let mut visit = |columns: &mut dyn Columns| {
            rows.push(Stored::read(table, columns)?);
            Ok(())
        };
        self.walk(table, behind, limit, &mut visit).await?;
        Ok(rows)
    }

    /// The first row of a statement.
    ///
    /// # Errors
    /// As [`Self::all`].
    pub async fn one<T: FromColumns + Send>(&self, read: &'static Read<T>, with: &[Cell]) -> Result<Option<T>> {
        Ok(self.all(read, with).await?.into_iter().next())
    }
}

/// The parameters of a statement.
#[macro_export]
macro_rules! cells {
    ($($value:expr),* $(,)?) => { [$($crate::store::rows::Column::cell(&$value)),*] };
}

/// One change to the data store.
pub enum Write {
    /// Puts a row into its table, in the way its table declares.
    Put(NewRow),
    /// Removes the blind index entries of one of a caller's fields.
    Unindex(CallerId, String),
    /// Removes one of a record's sealed fields.
    Unseal(RecordId, String),
    /// Removes a record's sealed fields; of a ticket, also when it was closed; of a caller, also the blind index entries, the count of
    /// tickets and the row itself. A row that leads to the caller's must have gone before.
    Forget(RecordId),
    /// Removes what a reference stands for, if it was given out.
    Unrefer(ReferenceKey),
    /// Gives a row of this table the same code under a newer key. One that carries another code by now, or is gone, is left as it is.
    Recode {
        /// Which table.
        table: &'static Table,
        /// The row's key, its code and the new one, as the statement takes them.
        cells: Vec<Cell>,
    },
    /// Puts an entry of a blind index in place of the same under an older key, if that is still as it was.
    Reindex(Genuine<BlindIndexRow>, Genuine<BlindIndexRow>),
    /// Empties the bodies of the entries in this range; their hashes stay. The addresses beside them, and beside all entries before,
    /// go.
    DropBodies(std::ops::Range<u64>),
    /// Puts the log away as one that another follows: the entry of this job is the first of the next.
    NextLog,
}

impl Write {
    /// Puts a row into its table.
    pub fn put(row: impl Into<NewRow>) -> Self {
        Self::Put(row.into())
    }
}

/// What must still be so when the log's writer comes to it, or nothing of the job happens.
#[derive(Clone)]
pub struct Guard {
    pub(in crate::store) holds: Holds,
    /// The parameters of its statement.
    pub(in crate::store) cells: Vec<Cell>,
}

/// What a guard asks of the database.
#[derive(Clone, Copy)]
pub(in crate::store) enum Holds {
    /// A row of this table carries the code that was checked when the job was decided on: key and code are the parameters. A
    /// row that was changed since carries another, and so does one that somebody put back.
    Unchanged(&'static Table),
    /// This statement shows no row.
    None(&'static Statement),
    /// This statement shows a row.
    Some(&'static Statement),
}

impl Guard {
    /// The row is still as it was read.
    #[must_use]
    pub fn unchanged<R: Protected>(row: &Genuine<R>) -> Self {
        let mut cells = row.key();
        cells.push(row.code().cell());
        Self {
            holds: Holds::Unchanged(R::table()),
            cells,
        }
    }

    /// The row of this table with this key, of one column, still carries this code.
    #[must_use]
    pub fn code_of<R: Protected>(key: &impl Column, code: &Code) -> Self {
        Self {
            holds: Holds::Unchanged(R::table()),
            cells: vec![key.cell(), code.cell()],
        }
    }

    /// A statement shows a row: what the job leads to has not gone meanwhile.
    #[must_use]
    pub fn some<T>(read: &'static Read<T>, with: &[Cell]) -> Self {
        Self {
            holds: Holds::Some(read.statement()),
            cells: with.to_vec(),
        }
    }

    /// A statement shows no row: two jobs that were decided on at once do not both pass a limit.
    #[must_use]
    pub fn none<T>(read: &'static Read<T>, with: &[Cell]) -> Self {
        Self {
            holds: Holds::None(read.statement()),
            cells: with.to_vec(),
        }
    }
}

/// What a group of jobs adds to the log.
#[derive(Default)]
pub struct Appended {
    /// The entries.
    pub entries: Vec<EntryRow>,
    /// The sealed addresses that they came from, as far as they came from any.
    pub clients: Vec<ClientRow>,
    /// The tiles that they fill.
    pub tiles: Vec<Tile>,
    /// How many entries are about some callers.
    pub tallies: Vec<NewRow>,
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

    /// Tries one job: all of its guards and writes, or none of them (a savepoint). `index` is where its leaf will stand. `codes` tells
    /// a row that only carries a newer code from one that was changed.
    ///
    /// # Errors
    /// A fault of the database, after which the transaction must be rolled back.
    fn attempt(
        &mut self,
        guards: &[Guard],
        writes: &[Write],
        index: u64,
        codes: IsCode<'_>,
    ) -> Result<std::result::Result<(), Conflict>>;

    /// How many entries are about a caller, as the open transaction has it.
    ///
    /// # Errors
    /// Whatever the database reports, after which the transaction must be rolled back.
    fn tally(&mut self, subject: &Reference) -> Result<Option<Coded<TallyRow>>>;

    /// Adds to the log and replaces its head.
    ///
    /// # Errors
    /// Whatever the database reports; the transaction must be rolled back.
    fn append(&mut self, added: &Appended, head: &HeadRow) -> Result<()>;

    /// Makes it durable before it returns, in files that still stand under their names.
    ///
    /// # Errors
    /// [`StoreError::Displaced`] when they do not. After any error but `Full` nobody knows what is on the disk: the process
    /// must end and prove the log afresh.
    fn commit(&mut self) -> Result<()>;

    /// Undoes everything since `begin`.
    fn rollback(&mut self);

    /// Leaves nothing of rows that were removed in the files beside the database. Called between transactions.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while somebody reads what was there before; whatever the database reports.
    fn scrub(&mut self) -> Result<()>;
}
