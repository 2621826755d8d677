//! Erasing after a period: which periods two persons have put in force, and how far the run of the day has come.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{PrincipalId, TokenId};

table! {
    /// The periods in force, and the newest run.
    pub struct RetentionRow in "retention", key 1, put Versioned, coded, version version {
        /// What is kept so long: [`Self::CALLERS`].
        pub what: String,
        /// SHA-256 in base64 of `retention.toml` as it was put in force.
        pub periods: String,
        /// Who put it in force.
        pub put_by: PrincipalId,
        /// The token they did it with.
        pub token: TokenId,
        /// The second person.
        pub approved_by: PrincipalId,
        /// When.
        pub put_at: Timestamp,
        /// The number of the log that tells it, from 1. Under the next log two persons put the periods in force again: holds and
        /// restrictions that were set since the copy on which it was opened are not there.
        pub log: u64,
        /// How many callers the next run may erase, where the two have said so.
        pub most: Option<u32>,
        /// When the newest run began.
        pub run_at: Option<Timestamp>,
        /// When it ended.
        pub ended_at: Option<Timestamp>,
        /// How many callers it may erase.
        pub allowed: u64,
        /// How many it has erased.
        pub erased: u64,
        /// How many callers or tickets it has kept because a row was changed or damaged.
        pub faulty: u64,
        /// How many callers it has left to the next run, because somebody changed something each time or the log was busy.
        pub put_off: u64,
        /// It has erased nobody, or nobody any more, because the row of a department was changed or damaged.
        pub all_kept: bool,
        /// More callers were due than a run may erase: nobody is erased until two persons put the periods in force again.
        pub too_many: bool,
        /// 1 when first put in force, one more at each change.
        pub version: u64,
    }
    reads [
        /// That of one thing.
        OF = "WHERE what = ?1";
    ]
}

impl RetentionRow {
    /// Callers and their tickets.
    pub const CALLERS: &str = "callers";
}

/// Each change of it is an entry of its own. Nothing in it is a secret to whoever reads the log.
impl Protected for RetentionRow {
    fn place(&self) -> Option<String> {
        Some(format!("@retention/{}", self.what))
    }
}
