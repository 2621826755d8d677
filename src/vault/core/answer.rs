//! Where an act stands in the log, as answers have it.

use serde::Serialize;

use crate::log::LogPosition;
use crate::log::mark::Mark;

/// A log entry.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
pub struct Audit {
    /// Position from 0.
    pub index: u64,
    /// RFC 6962 leaf hash, base64.
    #[schema(value_type = String)]
    pub leaf_hash: LeafHash,
}

impl Audit {
    /// The trace mark, printed beside the values.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::of(&self.leaf_hash.0)
    }
}

/// A leaf hash that shows as base64.
#[derive(Clone, Copy, Debug)]
pub struct LeafHash(pub(in crate::vault) crate::merkle::Hash);

impl Serialize for LeafHash {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl From<LogPosition> for Audit {
    fn from(position: LogPosition) -> Self {
        Self {
            index: position.index,
            leaf_hash: LeafHash(position.leaf_hash),
        }
    }
}
