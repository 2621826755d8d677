//! What a check of the vault has looked at and found.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::model::ids::RecordKind;

/// One thing that is not as it should be. Names places, never values.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct Finding {
    /// Where.
    pub place: String,
    /// What.
    pub what: String,
}

/// A key whose record never came to be (a crash between the two stores) or is gone. It harms nobody: no finding.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct OrphanKey {
    /// `caller` or `ticket`.
    pub record: RecordKind,
    /// Which row of the key store's `record_key` it is, from 1 in the order of its primary key.
    pub position: u64,
}

/// An entry that says it is older than one before it, by more than requests overtake each other. Somebody set the clock, or it was
/// wrong: no finding, since the order of entries does not rest on it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct TimeBack {
    /// The entry's index.
    pub entry: u64,
    /// Its time.
    pub time: String,
    /// The latest time before it.
    pub after: String,
}

/// What was looked at and what was found.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[schema(as = CheckReport)]
pub struct Report {
    /// Entries of the log.
    pub entries: u64,
    /// Sealed fields.
    pub fields: u64,
    /// Other rows.
    pub rows: u64,
    /// Rows and fields whose last write is in an entry that was archived and dropped: their own codes were checked.
    pub archived: u64,
    /// Records that were erased after this copy of the data store was made. They stay unreadable: no finding.
    pub erased: u64,
    /// Keys without a record.
    pub orphan_keys: Vec<OrphanKey>,
    /// Entries where times go back.
    pub times_back: Vec<TimeBack>,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}
