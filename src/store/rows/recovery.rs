//! The recovery of an administrator's account.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::PrincipalId;

table! {
    /// The newest recovery of a security administrator's account.
    pub struct RecoveryRow in "recovery", key 1, put Versioned, coded, version version {
        /// The account. Only one of all is recovered at a time.
        pub principal: PrincipalId,
        /// Who began it, with a token of theirs. Nobody where the passphrase alone did.
        pub asker: Option<PrincipalId>,
        /// The second person.
        pub approver: Option<PrincipalId>,
        /// When it was begun.
        pub started_at: Timestamp,
        /// From when on it may be finished.
        pub ready_at: Timestamp,
        /// Whether it is neither finished nor stopped.
        pub open: bool,
        /// 1 for the account's first, one more at each change and each new one.
        pub version: u64,
    }
    reads [
        /// The newest of an account.
        OF_ACCOUNT = "WHERE principal = ?1";
        /// Those that are open, newest first, eight at most: what an entry of the log has room for. The vault itself opens one at a time.
        OPEN = "WHERE open = 1 ORDER BY started_at DESC LIMIT 8";
    ]
}

impl Protected for RecoveryRow {
    fn place(&self) -> Option<String> {
        Some(format!("@recovery/{}", self.principal))
    }
}
