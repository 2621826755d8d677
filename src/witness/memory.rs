//! What a witness remembers, in a SQLite file of its own: WAL, `synchronous=FULL`, mode 0600.
//!
//! The file is the truth: every request reads it inside the transaction that changes it, so that two requests, or two
//! processes, cannot both continue one size with different trees.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::decide::{Consistent, Objection, Remembered, Signed};
use super::request::AddCheckpoint;
use crate::clock::{Clock, NoClock};
use crate::merkle::Hash;
use crate::note::{CosignatureVerifier, Verifier};
use crate::store::StoreError;
use crate::store::sqlite::{self, NewStore, files, schema};

mod embedded {
    refinery::embed_migrations!("migrations/sqlite/witness");
}

/// A witness's memory.
pub struct Memory {
    connection: Mutex<Connection>,
}

/// A checkpoint that is remembered as the largest of its log, and the time when it was. Made only by [`Memory::keep`].
pub struct Kept<'r> {
    request: &'r AddCheckpoint,
    time: u64,
}

impl Kept<'_> {
    /// The checkpoint's text, as its log signed it.
    #[must_use]
    pub fn text(&self) -> String {
        self.request.claimed().to_string()
    }

    /// In seconds since the Unix epoch.
    #[must_use]
    pub const fn time(&self) -> u64 {
        self.time
    }
}

impl Memory {
    /// Makes the empty memory of the witness with this key, and the directory it lies in.
    ///
    /// # Errors
    /// [`MemoryError`], if there is one already for instance.
    pub fn create(path: &Path, witness: &CosignatureVerifier) -> Result<(), MemoryError> {
        let made = NewStore::claim(path)?;
        let mut connection = sqlite::open(path, true)?;
        schema::migrate(&mut connection, path, &embedded::migrations::runner())?;
        connection.execute("INSERT INTO witness VALUES (1, ?1)", [witness.to_string()])?;
        made.keep();
        Ok(())
    }

    /// Opens a memory and brings its schema up to date.
    ///
    /// # Errors
    /// [`MemoryError`], if there is none for instance: a witness never begins anew by itself.
    pub fn open(path: &Path) -> Result<Self, MemoryError> {
        files::check(path)?;
        let mut connection = sqlite::open(path, true)?;
        schema::migrate(&mut connection, path, &embedded::migrations::runner())?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of the witness whose memory this is.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn witness(&self) -> Result<CosignatureVerifier, MemoryError> {
        let sql = "SELECT vkey FROM witness";
        let vkey: String = self.connection().query_row(sql, [], |row| row.get(0))?;
        vkey.parse().map_err(|_| StoreError::Corrupt("witness").into())
    }

    /// Trusts a log's key from now on, for the log that is called like the key. Trusting it again changes nothing.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn trust(&self, log: &Verifier) -> Result<(), MemoryError> {
        let sql = "INSERT INTO log_key VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        self.connection().execute(sql, params![log.name(), log.to_string()])?;
        Ok(())
    }

    /// The keys trusted for a log; none if it is not known.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn keys(&self, origin: &str) -> Result<Vec<Verifier>, MemoryError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT vkey FROM log_key WHERE origin = ?1")?;
        let vkeys = statement.query_map([origin], |row| row.get::<_, String>(0))?;
        let parse = |vkey: String| vkey.parse().map_err(|_| StoreError::Corrupt("log_key"));
        vkeys.map(|vkey| Ok(parse(vkey?)?)).collect()
    }

    /// The note of the newest checkpoint of a log that was cosigned.
    ///
    /// # Errors
    /// [`MemoryError`].
    pub fn newest(&self, origin: &str) -> Result<Option<String>, MemoryError> {
        let sql = "SELECT note FROM cosigned WHERE origin = ?1";
        let connection = self.connection();
        Ok(connection.query_row(sql, [origin], |row| row.get(0)).optional()?)
    }

    /// Remembers a checkpoint, if it continues what is remembered: both in one transaction, durable when this returns
    /// (tlog-witness, "add-checkpoint"). The time is taken inside it, so that no earlier cosignature is on a larger tree.
    ///
    /// # Errors
    /// [`NotCosigned`]; nothing has changed then, unless the disk failed.
    pub fn keep<'r>(&self, signed: Signed<'r>, clock: &dyn Clock) -> Result<Kept<'r>, NotCosigned> {
        let request = signed.request();
        let mut connection = self.connection();
        let transaction = begin(&mut connection)?;
        let before = remembered(&transaction, &request.claimed().origin)?;
        let consistent = signed.against(&before)?;
        let time = u64::try_from(clock.now()?.as_second()).map_err(|_| NoClock)?;
        remember(transaction, &consistent)?;
        Ok(Kept { request, time })
    }
}

/// Takes the lock for writing at once: nobody else reads what this one is about to change.
fn begin(connection: &mut Connection) -> Result<Transaction<'_>, MemoryError> {
    Ok(connection.transaction_with_behavior(TransactionBehavior::Immediate)?)
}

fn remembered(transaction: &Transaction<'_>, origin: &str) -> Result<Remembered, MemoryError> {
    let mut statement = transaction.prepare_cached("SELECT size, root FROM cosigned WHERE origin = ?1")?;
    let row = statement.query_row([origin], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let Some((size, root)) = row.optional()? else {
        return Ok(Remembered::nothing());
    };
    Ok(Remembered {
        size: u64::try_from(size).map_err(|_| StoreError::Corrupt("cosigned"))?,
        root: Hash::from_bytes(root),
    })
}

fn remember(transaction: Transaction<'_>, consistent: &Consistent<'_>) -> Result<(), MemoryError> {
    let (request, now) = (consistent.request(), consistent.remembered());
    let size = i64::try_from(now.size).map_err(|_| StoreError::Corrupt("a size beyond 63 bits"))?;
    transaction
        .prepare_cached("INSERT OR REPLACE INTO cosigned VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![
            request.claimed().origin,
            size,
            now.root.as_bytes(),
            request.note()
        ])?;
    Ok(transaction.commit()?)
}

/// A checkpoint was not cosigned.
#[derive(Debug, thiserror::Error)]
pub enum NotCosigned {
    /// It may not be.
    #[error(transparent)]
    Objected(#[from] Objection),
    /// Nobody knows what time it is.
    #[error(transparent)]
    NoClock(#[from] NoClock),
    /// The memory does not answer.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

/// The memory's file is not there, not private, or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// There is none.
    #[error(
        "there is no witness's memory at {0}\n  name the right directory; if the memory is lost, make a new witness with \
         `callervault witness init`: one that has forgotten must not cosign again"
    )]
    Missing(PathBuf),
    /// Something in it was edited.
    #[error(
        "{0} in the witness's memory cannot be read\n  keep the file as evidence and make a new witness; one that has \
         forgotten must not cosign again"
    )]
    Corrupt(&'static str),
    /// The database's own words for a fault.
    #[error("the witness's memory reports: {0}\n  check the disk; if the memory is lost, make a new witness")]
    Database(String),
    /// What can be said of any store.
    #[error(transparent)]
    Store(StoreError),
}

impl MemoryError {
    /// Whether it will go on by itself once there is room on the device.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        matches!(self, Self::Store(StoreError::Full))
    }

    /// Whether there was a memory where a new one was to be made.
    #[must_use]
    pub const fn is_there_already(&self) -> bool {
        matches!(self, Self::Store(StoreError::Exists(_)))
    }
}

impl From<StoreError> for MemoryError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Missing(path) => Self::Missing(path),
            StoreError::Corrupt(what) => Self::Corrupt(what),
            StoreError::Database(words) => Self::Database(words),
            other => Self::Store(other),
        }
    }
}

impl From<rusqlite::Error> for MemoryError {
    fn from(error: rusqlite::Error) -> Self {
        StoreError::from(error).into()
    }
}
