//! How far a rewrap has come.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::key_roles::KeyRole;

table! {
    /// The newest rewrap of what is under older versions of one role's key. Each step is one transaction with the state after it: of two
    /// processes that take the same step, the second finds another version and leaves it.
    pub struct RewrapRow in "rewrap", key 1, put Versioned, coded, version version {
        /// The role of the key.
        pub role: KeyRole,
        /// The version that everything moves to.
        pub target: u8,
        /// Who started it. Where values are opened, it goes on only for as long as they may.
        pub started_by: PrincipalId,
        /// The token they started it with.
        pub token: TokenId,
        /// When.
        pub started_at: Timestamp,
        /// Most rows a second; nothing for as many as can be.
        pub rate: Option<u32>,
        /// The table that it has come to.
        pub place: String,
        /// The key in that table behind which it goes on, as [`super::Cell`]s are encoded. Empty at the beginning.
        pub position: Vec<u8>,
        /// Rows there were to look at when it began.
        pub total: u64,
        /// Rows it has looked at.
        pub seen: u64,
        /// Rows it has moved to the newest version.
        pub moved: u64,
        /// Rows it could not move, because they do not open where they stand. `fsck` names them.
        pub broken: u64,
        /// When it was done, how much was left under each older version, by version.
        pub remains: BTreeMap<String, String>,
        /// When it was done.
        pub ended_at: Option<Timestamp>,
        /// 1 for the role's first rewrap, one more at each step.
        pub version: u64,
    }
    reads [
        /// That of one role.
        OF_ROLE = "WHERE role = ?1";
    ]
}

/// It says how far work has come that is done again without harm, so that no leaf follows it.
impl Protected for RewrapRow {
    fn place(&self) -> Option<String> {
        None
    }
}
