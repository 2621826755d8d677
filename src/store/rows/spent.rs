//! What each principal has spent of what it may ask for.

use super::{Protected, table};
use crate::model::ids::PrincipalId;
use crate::model::limits::{Counted, Counts};

table! {
    /// What one principal has spent of one thing that is counted. Nodes take from it ahead: what a node has taken stands here,
    /// whether it was used or not.
    pub struct SpentRow in "spent", key 2, put Versioned, coded, version version {
        /// Whose.
        pub principal: PrincipalId,
        /// What is counted.
        pub counted: Counted,
        /// How much, in slots of ten seconds or of a day.
        pub counts: Counts,
        /// 1 when made, one more at each change.
        pub version: u64,
    }
    reads [
        /// What a principal has spent of one thing.
        BY_PRINCIPAL = "WHERE principal = ?1 AND counted = ?2";
    ]
}

/// No leaf is about a count alone, so that none carries its digest: a count put back is not found.
impl Protected for SpentRow {
    fn place(&self) -> Option<String> {
        None
    }
}
