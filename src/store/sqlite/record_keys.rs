//! What is done with many record keys at once: one for each record.

use std::sync::{Mutex, PoisonError};

use rusqlite::{Transaction, TransactionBehavior, params};

use super::counted::Counted;
use super::data::{all, number};
use crate::store::Result;
use crate::store::rows::{Cell, Column, Columns, FromColumns, WrappedKey};

/// Record keys that are counted while nobody else of this process reads the key store.
const PAGE: u64 = 10_000;

/// The key of a row: kind and id of the record.
struct Key([Cell; 2]);

impl FromColumns for Key {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        Ok(Self([columns.take()?, columns.take()?]))
    }
}

/// How many are under one version of the key-encryption key. Others use the connection between pages.
///
/// # Errors
/// Whatever the database reports.
pub(super) async fn count(reader: &Mutex<Counted>, kek: u8) -> Result<u64> {
    let mut counted = 0;
    let mut behind = [Cell::Text(String::new()), Cell::Bytes(Vec::new())];
    loop {
        let last = last_of_page(&reader.lock().unwrap_or_else(PoisonError::into_inner), kek, &behind)?;
        let Some(Key(last)) = last else { break };
        (counted, behind) = (counted + PAGE, last);
        tokio::task::yield_now().await;
    }
    let sql = "SELECT COUNT(*) FROM record_key WHERE kek = ?1 AND (record_kind, record) > (?2, ?3)";
    let [kind, record] = behind;
    let rest = number(
        &reader.lock().unwrap_or_else(PoisonError::into_inner),
        sql,
        &[kek.cell(), kind, record],
    )?;
    Ok(counted + rest)
}

/// The last key of a page that is full.
fn last_of_page(connection: &Counted, kek: u8, [kind, record]: &[Cell; 2]) -> Result<Option<Key>> {
    let sql = "SELECT record_kind, record FROM record_key WHERE kek = ?1 AND (record_kind, record) > (?2, ?3) \
               ORDER BY record_kind, record LIMIT 1 OFFSET ?4";
    let with = [kek.cell(), kind.clone(), record.clone(), (PAGE - 1).cell()];
    Ok(all(connection, sql, &with)?.into_iter().next())
}

/// Replaces wrapped keys that are as they were read, where the version that they move to is the active one. How many.
///
/// # Errors
/// Whatever the database reports; then nothing is replaced.
pub(super) fn rewrap(connection: &Counted, keys: &[(WrappedKey, WrappedKey)]) -> Result<u64> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let sql = "UPDATE record_key SET kek = ?1, wrapped = ?2 \
               WHERE record_kind = ?3 AND record = ?4 AND kek = ?5 AND wrapped = ?6 \
               AND EXISTS (SELECT 1 FROM keyring WHERE role = 'kek' AND version = ?1 AND active = 1)";
    let mut put = 0;
    for (old, new) in keys {
        let with = params![
            new.kek,
            new.wrapped,
            old.record_kind.as_str(),
            old.record,
            old.kek,
            old.wrapped
        ];
        put += connection.prepare_cached(sql)?.execute(with)?;
    }
    transaction.commit()?;
    Ok(u64::try_from(put).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::store::sqlite::counted::Statements;

    #[tokio::test]
    async fn every_page_is_counted() {
        let connection = Connection::open_in_memory().unwrap();
        let rows = "CREATE TABLE record_key (record_kind TEXT, record BLOB, kek INTEGER);
             CREATE INDEX record_key_kek ON record_key (kek, record_kind, record);
             WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 30003)
             INSERT INTO record_key SELECT CASE n % 2 WHEN 0 THEN 'caller' ELSE 'ticket' END,
                 CAST(printf('%016d', n) AS BLOB), CASE WHEN n <= 20000 THEN 1 WHEN n <= 30000 THEN 2 ELSE 3 END
             FROM number;";
        connection.execute_batch(rows).unwrap();
        let reader = Mutex::new(Counted::new(connection, Statements::default()));
        for (kek, there) in [(1, 20_000), (2, 10_000), (3, 3), (4, 0)] {
            assert_eq!(count(&reader, kek).await.unwrap(), there, "version {kek}");
        }
    }
}
