//! API tokens.

use jiff::Timestamp;

use super::{Coded, DepartmentRow, PrincipalRow, Protected, Row, table};
use crate::model::ids::{PrincipalId, TokenId};

table! {
    /// An API token: 256 random bits of which only SHA-256 is kept.
    pub struct TokenRow in "api_token", key 1, put Versioned, coded, version version {
        /// The handle by which it is revoked.
        pub id: TokenId,
        /// SHA-256 of the secret.
        pub hash: [u8; 32],
        /// Whose it is.
        pub principal: PrincipalId,
        /// What it is for, where the administrator said so.
        pub label: Option<String>,
        /// The principal's epoch when it was issued.
        pub epoch: u64,
        /// The number of the log that it is good under: the one in force when it was issued. Tokens of an earlier log are void, so
        /// that one that was revoked does not live again with a data store that was restored from before.
        pub log: u64,
        /// Whether two persons issued it. One that a single person issued is no good for an account whose roles take two to give.
        pub by_two: bool,
        /// When it was issued.
        pub created_at: Timestamp,
        /// From when on it is refused, if ever.
        pub expires_at: Option<Timestamp>,
        /// When it was revoked, if it was.
        pub revoked_at: Option<Timestamp>,
        /// 1 when issued, one more when it is revoked or taken over into the next log.
        pub version: u64,
    }
    reads [
        /// One token by its handle.
        BY_ID = "WHERE id = ?1";
        /// A principal's tokens, newest first, from before a time and a handle.
        OF_PRINCIPAL = "WHERE principal = ?1 AND (created_at, id) < (?2, ?3) ORDER BY created_at DESC, id DESC LIMIT ?4";
    ]
    joins [
        /// The token with this SHA-256, whose it is and where they work.
        CREDENTIALS: (Coded<TokenRow>, Coded<PrincipalRow>, Coded<DepartmentRow>) =
            &[(TokenRow::table, "t"), (PrincipalRow::table, "p"), (DepartmentRow::table, "d")],
            "api_token t JOIN principal p ON p.id = t.principal JOIN department d ON d.code = p.department WHERE t.hash = ?1";
    ]
}

impl Protected for TokenRow {
    fn place(&self) -> Option<String> {
        Some(format!("@token/{}/{}", self.principal, self.id))
    }
}
