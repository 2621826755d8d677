//! The fields that have been declared since the vault was made.

use super::{Protected, table};
use crate::model::ids::RecordKind;

table! {
    /// A field as `fields.toml` declared it when the vault was first unlocked with it. Values may be on file that were sealed and
    /// indexed so.
    pub struct DeclaredRow in "declared_field", key 1, put Once, coded {
        /// The field's name.
        pub name: String,
        /// Whose it is.
        pub record: RecordKind,
        /// Its type, in the word of `fields.toml`.
        pub kind: String,
        /// Its blind index, if it has one.
        pub idx: Option<String>,
    }
    reads [
        /// All of them: as many as were ever declared.
        ALL = "ORDER BY name";
    ]
}

impl Protected for DeclaredRow {
    fn place(&self) -> Option<String> {
        Some(format!("@field/{}", self.name))
    }
}
