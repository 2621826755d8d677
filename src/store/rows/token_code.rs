//! One-time codes by which owners of accounts fetch their tokens.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::code::Code;
use crate::model::ids::{PrincipalId, TokenId};

table! {
    /// The newest one-time code of an account, and the token that is made for it.
    pub struct TokenCodeRow in "token_code", key 1, put Versioned, coded, version version {
        /// Whose token.
        pub principal: PrincipalId,
        /// A keyed code of it: the one-time code itself is stored nowhere.
        pub code: Code,
        /// The handle of the token: drawn with the code, so that the code fetches no second one.
        pub token: TokenId,
        /// What the token is for.
        pub label: Option<String>,
        /// From when on the token is refused, if ever.
        pub token_expires_at: Option<Timestamp>,
        /// The account's epoch when it was issued: for what the account was then.
        pub epoch: u64,
        /// The account's version when it was issued: roles change without a new epoch.
        pub owner_version: u64,
        /// The number of the log that it is good under.
        pub log: u64,
        /// Who issued it.
        pub issued_by: PrincipalId,
        /// Their epoch then: a code ends with the standing of who issued it.
        pub issuer_epoch: u64,
        /// Whether two persons issued it; then two have issued the token.
        pub by_two: bool,
        /// When it was issued.
        pub created_at: Timestamp,
        /// From when on it is worth nothing.
        pub expires_at: Timestamp,
        /// How often another code was tried for this account since.
        pub failures: u32,
        /// Whether the token can still be fetched: it was not, and not too many others were tried.
        pub open: bool,
        /// 1 for the account's first code, one more at each change and each new code.
        pub version: u64,
    }
    reads [
        /// An account's newest code.
        OF_ACCOUNT = "WHERE principal = ?1";
    ]
}

impl Protected for TokenCodeRow {
    fn place(&self) -> Option<String> {
        Some(format!("@code/{}", self.principal))
    }
}
