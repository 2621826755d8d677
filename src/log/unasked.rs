//! Acts that are in the log although nobody asked for them with a token.

use jiff::Timestamp;

use crate::model::ask::RequestId;
use crate::model::client::SealedAddress;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::reference::DepartmentCode;
use crate::policy::Why;
use crate::policy::facts::PolicyHash;

/// An act that no token was presented for.
#[derive(Clone, Copy)]
pub struct Unasked<'a> {
    /// One of [`super::leaf::OF_VAULT`].
    pub act: &'static str,
    /// The department that it concerns.
    pub department: DepartmentCode,
    /// When.
    pub at: Timestamp,
    /// The policy in force.
    pub policy: PolicyHash,
    /// The request, where there is one.
    pub request: Option<&'a RequestId>,
    /// Where that request came from.
    pub client: Option<&'a SealedAddress>,
    /// The account whose act it is, and its token, where they are known.
    pub who: Option<(PrincipalId, TokenId)>,
    /// The second person, where there is one.
    pub approver: Option<PrincipalId>,
    /// Why not, where it was refused.
    pub denied: Option<Why>,
}

impl Unasked<'_> {
    /// One that is done, by nobody whom the vault knows.
    #[must_use]
    pub const fn new(act: &'static str, department: DepartmentCode, at: Timestamp, policy: PolicyHash) -> Self {
        Self {
            act,
            department,
            at,
            policy,
            request: None,
            client: None,
            who: None,
            approver: None,
            denied: None,
        }
    }
}
