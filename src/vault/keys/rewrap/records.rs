//! Record keys under the newest key-encryption key. No field is opened. After a change of suite, the fields follow ([`super::fields`]).

use super::fields::FIELDS;
use super::{Stepped, position};
use crate::cells;
use crate::log::Change;
use crate::store::rows::{Cell, RewrapRow};
use crate::vault::{Error, Vault};

/// Record keys in one step.
const STEP: u32 = 1_000;

impl Vault {
    /// Of those under older versions, the next. They are found by an index, so that one that was moved is not looked at again.
    pub(super) async fn step_of_records(&self, row: &mut RewrapRow) -> Result<Stepped, Error> {
        let behind = position(row)?;
        let old = self.keys.older_record_keys(row.target, behind.as_deref(), STEP).await?;
        let Some(last) = old.last() else {
            if !self.changes_suite()? {
                return Ok(Stepped::Over);
            }
            FIELDS.clone_into(&mut row.place);
            row.position = Vec::new();
            return Ok(Stepped::Quietly(Change::default()));
        };
        row.position = Cell::list_to_bytes(&cells![last.kek, last.record_kind, last.record]);
        let new = self.keyring.rewrapped(&old)?;
        let looked_at = old.len();
        let pairs: Vec<_> = old
            .into_iter()
            .zip(new)
            .filter_map(|(old, new)| Some((old, new?)))
            .collect();
        row.seen += count(looked_at);
        row.broken += count(looked_at - pairs.len());
        // Not in the transaction of the state, which is in the other store. Done twice it is done once: what was moved is no longer as it
        // was read.
        row.moved += self.keys.rewrap_record_keys(&pairs)?;
        Ok(Stepped::Quietly(Change::default()))
    }
}

pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
