//! Records of callers that are, or were, one.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::JoinId;
use crate::model::reference::Reference;

table! {
    /// For a span of time what the log says of one record is about another too: from a merge to its undoing, or from the first
    /// call of a wrong match to the split. It stays when the records are apart again: what was shown of a caller is found by it.
    pub struct JoinedRow in "joined", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: JoinId,
        /// What the log calls the record that is, or was, part of the other.
        pub part: Reference,
        /// What the log calls the other.
        pub whole: Reference,
        /// Fields that the other took from it in a merge: name, and SHA-256 of the ciphertext as the leaf has it.
        pub took: BTreeMap<String, String>,
        /// From when on they were one.
        pub since: Timestamp,
        /// Until when; nothing while they are.
        pub until: Option<Timestamp>,
        /// 1 when made, 2 once undone.
        pub version: u64,
    }
    reads [
        /// What a record is or was part of, oldest first.
        OF_PART = "WHERE part = ?1 ORDER BY since, id LIMIT ?2";
        /// What is or was part of a record, oldest first.
        OF_WHOLE = "WHERE whole = ?1 ORDER BY since, id LIMIT ?2";
        /// The merge of a record that was not undone.
        IN_FORCE = "WHERE part = ?1 AND until IS NULL";
    ]
}

impl Protected for JoinedRow {
    fn place(&self) -> Option<String> {
        Some(format!("@joined/{}", self.id))
    }
}
