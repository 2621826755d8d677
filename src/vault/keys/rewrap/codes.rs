//! Codes of rows under the newest row key. A row keeps its columns, and with them its digest in the log.

use super::records::count;
use super::{Stepped, position};
use crate::keyring::KeyError;
use crate::log::Change;
use crate::store::rows::{Cell, DATA, RewrapRow, Stored, Table};
use crate::vault::{Error, Vault};

/// Rows in one step: each is changed in the transaction of a group, before which everybody in that group waits.
const STEP: u32 = 256;

/// The tables whose rows carry codes, in the order in which they are gone through.
pub(super) fn tables() -> impl Iterator<Item = &'static Table> {
    DATA.iter().map(|table| table()).filter(|table| table.coded)
}

impl Vault {
    /// The next rows in the order of their keys. One that was changed since it was read has a newer code already, and keeps it.
    pub(super) async fn step_of_codes(&self, row: &mut RewrapRow) -> Result<Stepped, Error> {
        let (mut behind, here) = (position(row)?, std::mem::take(&mut row.place));
        for table in tables().skip_while(|table| table.name != here) {
            let stored = self.store.stored(table, behind.take().as_deref(), STEP).await?;
            let Some(last) = stored.last() else { continue };
            table.name.clone_into(&mut row.place);
            row.position = Cell::list_to_bytes(last.key());
            row.seen += count(stored.len());
            return Ok(Stepped::Quietly(self.recoded(table, stored, row)?));
        }
        Ok(Stepped::Over)
    }

    fn recoded(&self, table: &'static Table, stored: Vec<Stored>, row: &mut RewrapRow) -> Result<Change, KeyError> {
        let old = stored
            .into_iter()
            .filter(|stored| stored.code().version() != row.target);
        let old: Vec<Stored> = old.collect();
        let codes = self.keyring.recoded(table, &old)?;
        let pairs = old.iter().zip(&codes);
        let writes: Vec<_> = pairs
            .filter_map(|(old, code)| Some(old.recode(code.as_ref()?)))
            .collect();
        row.broken += count(old.len() - writes.len());
        row.moved += count(writes.len());
        Ok(Change {
            writes,
            ..Change::default()
        })
    }
}
