//! Legal holds.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{HoldId, PrincipalId};
use crate::model::reference::Reference;

table! {
    /// A legal hold: as long as it is in force, the caller is not erased.
    pub struct HoldRow in "hold", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: HoldId,
        /// What the log calls the caller's record that was in force when it was set.
        pub subject: Reference,
        /// Who answers for it.
        pub owner: PrincipalId,
        /// The day on which its owner looks whether it is still needed, `2027-05-31`.
        pub review: String,
        /// Why it was set, sealed under the caller's record key.
        pub reason: Vec<u8>,
        /// Who set it.
        pub set_by: PrincipalId,
        /// When.
        pub set_at: Timestamp,
        /// Who lifted it: somebody else than who set it.
        pub lifted_by: Option<PrincipalId>,
        /// Why, sealed like the other reason.
        pub lift_reason: Option<Vec<u8>>,
        /// When.
        pub lifted_at: Option<Timestamp>,
        /// 1 when set, 2 once lifted.
        pub version: u64,
    }
    reads [
        /// One by its id.
        BY_ID = "WHERE id = ?1";
        /// Those in force on a record, by their days of review.
        IN_FORCE = "WHERE subject = ?1 AND lifted_at IS NULL ORDER BY review, id LIMIT ?2";
        /// Those in force whose day of review was before a day, by these days.
        OVERDUE = "WHERE lifted_at IS NULL AND review < ?1 ORDER BY review, id LIMIT ?2";
        /// Those in force after a day of review and an id.
        AFTER = "WHERE lifted_at IS NULL AND (review, id) > (?1, ?2) ORDER BY review, id LIMIT ?3";
    ]
}

impl Protected for HoldRow {
    fn place(&self) -> Option<String> {
        Some(format!("@hold/{}", self.id))
    }
}
