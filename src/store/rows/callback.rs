//! Callbacks: what came of asking callers whether their matters are solved.

use super::{Protected, table};
use crate::model::callbacks::{CallbackResults, Satisfaction, YesNo};
use crate::model::ids::TicketId;

table! {
    /// One attempt to ask a caller. Who made it, and when, the step of custody with the same version says.
    pub struct CallbackRow in "callback", key 2, put Once, coded {
        /// About which ticket.
        pub ticket: TicketId,
        /// The ticket's version after the step that recorded it.
        pub version: u64,
        /// Whether the caller was reached and answered.
        pub valid: YesNo,
        /// Whether the department had got in touch.
        pub contacted: Option<YesNo>,
        /// Whether the matter is solved.
        pub solved: Option<YesNo>,
        /// How satisfied the caller is.
        pub satisfied: Option<Satisfaction>,
    }
    reads [
        /// A ticket's first attempts, oldest first.
        OF_TICKET = "WHERE ticket = ?1 ORDER BY version LIMIT ?2";
    ]
}

impl CallbackRow {
    /// What came of it.
    #[must_use]
    pub const fn results(&self) -> CallbackResults {
        CallbackResults {
            valid: self.valid,
            contacted: self.contacted,
            solved: self.solved,
            satisfied: self.satisfied,
        }
    }
}

/// The ticket's row, which the log follows, has the newest answer and counts the steps.
impl Protected for CallbackRow {
    fn place(&self) -> Option<String> {
        None
    }
}
