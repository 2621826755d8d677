//! Answers once given to writes with an `Idempotency-Key`.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::code::Code;
use crate::model::ids::PrincipalId;

table! {
    /// The answer once given to a write with an `Idempotency-Key`.
    pub struct ReplayRow in "replay", key 2, put Once, coded_at_leaf {
        /// Who wrote.
        pub principal: PrincipalId,
        /// The key, keyed (a client may have put anything into it).
        pub key: Code,
        /// The request, keyed.
        pub request: Code,
        /// The answer without its `audit` member, sealed: it names a ticket and a caller's references.
        pub answer: Vec<u8>,
        /// The request as the write's leaf names it, so that no other leaf can be put in its place.
        pub req: String,
        /// When.
        pub created_at: Timestamp,
    }
    reads [
        /// The answer once given to this key.
        BY_KEY = "WHERE principal = ?1 AND key = ?2";
    ]
}

/// The leaf that it points at names its request.
impl Protected for ReplayRow {
    fn place(&self) -> Option<String> {
        None
    }
}
