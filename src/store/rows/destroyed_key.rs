//! The versions of keys of the keyring that were destroyed.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::PrincipalId;
use crate::model::key_roles::KeyRole;

table! {
    /// A version of a key of the keyring that was destroyed: nothing was left under it, and the key store has it no longer. That it
    /// stands here and the key store still has the key means that a crash came between the two, or that the key store is an older copy.
    pub struct DestroyedKeyRow in "destroyed_key", key 2, put Once, coded {
        /// The role of the key.
        pub role: KeyRole,
        /// From 1.
        pub version: u8,
        /// Who destroyed it.
        pub destroyed_by: PrincipalId,
        /// When.
        pub destroyed_at: Timestamp,
    }
    reads [
        /// All of them: at most 254 for each role.
        ALL = "ORDER BY role, version";
    ]
}

impl Protected for DestroyedKeyRow {
    fn place(&self) -> Option<String> {
        Some(format!("@destroyed-key/{}/{}", self.role, self.version))
    }
}
