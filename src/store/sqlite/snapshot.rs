//! Copies of a store, page by page, out of one read transaction. A reader of a write-ahead log sees the store as it stood when the
//! transaction began, and keeps nobody from writing.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::counted::{Counted, Statements};
use super::data::{all, number};
use super::files::CopyFile;
use crate::merkle::Hash;
use crate::store::rows::keys::{THE_FENCE, THE_VAULT};
use crate::store::rows::log::THE_HEAD;
use crate::store::rows::{DATA, Fence, HeadRow, KEYS, Table, VaultRow};
use crate::store::snapshot::{Progress, Snapshot, StoreCopy};
use crate::store::{Result, StoreError};

/// Pages of one step: 1 MiB.
const STEP: i32 = 256;

/// Which of the two stores.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Data,
    Keys,
}

pub(super) struct SqliteSnapshot {
    which: Which,
    source: Connection,
    target: Connection,
    /// Dropped last: nothing of it is open any more when it is deleted.
    file: CopyFile,
}

impl SqliteSnapshot {
    /// Of the store at this path.
    ///
    /// # Errors
    /// Whatever the database reports.
    pub(super) fn new(path: &Path, which: Which) -> Result<Self> {
        let file = CopyFile::beside(path, matches!(which, Which::Keys))?;
        let source = super::open(path, false)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let target = Connection::open_with_flags(file.path(), flags)?;
        // A copy that is not whole is thrown away: nothing of it needs to be undone or to outlast a loss of power.
        target.pragma_update(None, "journal_mode", "OFF")?;
        target.pragma_update(None, "synchronous", "OFF")?;
        Ok(Self {
            which,
            source,
            target,
            file,
        })
    }
}

impl Snapshot for SqliteSnapshot {
    fn begin(&mut self) -> Result<()> {
        self.source.execute_batch("BEGIN")?;
        // Only a read begins the transaction.
        self.source.prepare("SELECT 1 FROM sqlite_schema")?.exists([])?;
        Ok(())
    }

    fn copy(self: Box<Self>, progress: Progress<'_>) -> Result<Option<StoreCopy>> {
        let Self {
            which,
            source,
            mut target,
            file,
        } = *self;
        let page: u64 = source
            .pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0))?
            .into();
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(STEP)?;
            let (left, all) = (backup.progress().remaining, backup.progress().pagecount);
            let bytes = |pages: i32| u64::try_from(pages).unwrap_or_default() * page;
            if progress(bytes(all.saturating_sub(left)), bytes(all)).is_break() {
                return Ok(None);
            }
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                // Nobody else knows of the copy, and the other is only read.
                _ => return Err(StoreError::Busy),
            }
        }
        drop(backup);
        drop((source, target));
        described(which, file).map(Some)
    }
}

/// What a copy holds, as it says itself.
fn described(which: Which, file: CopyFile) -> Result<StoreCopy> {
    let connection = Counted::new(super::open(file.path(), false)?, Statements::default());
    let vault = all::<VaultRow>(&connection, THE_VAULT.statement().sql(), &[])?.pop();
    let tables = match which {
        Which::Data => DATA,
        Which::Keys => KEYS,
    };
    let count = |table: &&'static Table| -> Result<(&'static str, u64)> {
        let sql = format!("SELECT COUNT(*) FROM {}", table.name);
        Ok((table.name, number(&connection, &sql, &[])?))
    };
    let tables: Vec<&'static Table> = tables.iter().map(|table| table()).collect();
    Ok(StoreCopy {
        vault: vault.ok_or(StoreError::Corrupt("vault"))?,
        log: match which {
            Which::Data => head(&connection)?,
            Which::Keys => fence(&connection)?,
        },
        schema: number(&connection, "SELECT MAX(version) FROM refinery_schema_history", &[])?,
        rows: tables.iter().map(count).collect::<Result<_>>()?,
        file,
    })
}

fn head(connection: &Counted) -> Result<(String, u64, Hash)> {
    let head = all::<HeadRow>(connection, THE_HEAD.statement().sql(), &[])?.pop();
    let head = head.ok_or(StoreError::Corrupt("log_head"))?;
    let origin = head.checkpoint.lines().next().unwrap_or_default().to_owned();
    Ok((origin, head.size, head.root))
}

fn fence(connection: &Counted) -> Result<(String, u64, Hash)> {
    let fence = all::<Fence>(connection, THE_FENCE.statement().sql(), &[])?.pop();
    let fence = fence.ok_or(StoreError::Corrupt("fence"))?;
    Ok((fence.origin, fence.size, fence.root))
}
