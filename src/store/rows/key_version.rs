//! The versions that keys of the keyring were given after the vault was made.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::PrincipalId;
use crate::model::key_roles::KeyRole;

table! {
    /// A version of a key of the keyring: that it stands in the log, with which it was written. The key itself is in the key store.
    pub struct KeyVersionRow in "key_version", key 2, put Once, coded {
        /// The role of the key.
        pub role: KeyRole,
        /// From 2: the first version came with the vault.
        pub version: u8,
        /// Who rotated the key.
        pub made_by: PrincipalId,
        /// When.
        pub made_at: Timestamp,
    }
    reads [
        /// The newest of a role.
        NEWEST = "WHERE role = ?1 ORDER BY version DESC LIMIT 1";
        /// One of a role that is newer than a version.
        NEWER = "WHERE role = ?1 AND version > ?2 LIMIT 1";
        /// All of them: at most 254 for each role.
        ALL = "ORDER BY role, version";
    ]
}

impl Protected for KeyVersionRow {
    fn place(&self) -> Option<String> {
        Some(format!("@key/{}/{}", self.role, self.version))
    }
}
