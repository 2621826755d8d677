//! Restrictions of callers' data to storage.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{HoldId, PrincipalId};
use crate::model::reference::Reference;

table! {
    /// A caller's data may only be stored, as long as this is in force. The caller's row says so too.
    pub struct RestrictionRow in "restriction", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: HoldId,
        /// What the log calls the caller's record that was in force when it was set.
        pub subject: Reference,
        /// Why, sealed under the caller's record key.
        pub reason: Vec<u8>,
        /// Who set it.
        pub set_by: PrincipalId,
        /// When.
        pub set_at: Timestamp,
        /// When it was lifted.
        pub lifted_at: Option<Timestamp>,
        /// 1 when set, 2 once lifted.
        pub version: u64,
    }
    reads [
        /// The one in force on a record.
        IN_FORCE = "WHERE subject = ?1 AND lifted_at IS NULL";
    ]
}

impl Protected for RestrictionRow {
    fn place(&self) -> Option<String> {
        Some(format!("@restriction/{}", self.id))
    }
}
