//! What takes two persons.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::approvals::{ApprovalState, Giver};
use crate::model::ask::Action;
use crate::model::code::Code;
use crate::model::ids::{ApprovalId, PrincipalId};
use crate::model::reference::Reference;

/// What a request for approval is about, word by word: names of accounts and roles, numbers. No personal value.
pub type About = BTreeMap<String, String>;

table! {
    /// A request that takes two persons: who asked for what, and who approved it.
    pub struct ApprovalRow in "approval", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: ApprovalId,
        /// What is asked.
        pub action: Action,
        /// The subject of the log it is about, if any.
        pub subject: Option<Reference>,
        /// What would be done, for whoever decides on it.
        pub about: About,
        /// The request (method, path, `If-Match`, body in canonical form), keyed.
        pub request: Code,
        /// SHA-256 over the rows that it is about, as they stood when it was asked.
        pub bound: [u8; 32],
        /// Why it is asked, sealed, if the asker gave a reason.
        pub asker_reason: Option<Vec<u8>>,
        /// Who asked.
        pub asker: PrincipalId,
        /// Their epoch then: an approval ends with the standing of either person.
        pub asker_epoch: u64,
        /// Who decided on it.
        pub approver: Option<PrincipalId>,
        /// Their epoch then.
        pub approver_epoch: Option<u64>,
        /// Why it was approved or refused, sealed, if the approver gave a reason.
        pub approver_reason: Option<Vec<u8>>,
        /// Where it stands.
        pub state: ApprovalState,
        /// When it was asked.
        pub created_at: Timestamp,
        /// From when on it is worth nothing.
        pub expires_at: Timestamp,
        /// 1 when made, one more at each step.
        pub version: u64,
    }
    reads [
        /// One request by its id.
        BY_ID = "WHERE id = ?1";
        /// Requests, newest first, from before a time and an id.
        BEFORE = "WHERE (created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT ?3";
        /// An asker's requests, newest first, from before a time and an id.
        OF_ASKER = "WHERE asker = ?1 AND (created_at, id) < (?2, ?3) ORDER BY created_at DESC, id DESC LIMIT ?4";
        /// An open request of an asker besides so many others: neither refused nor used, and not expired at that time.
        OPEN_BESIDES = "WHERE asker = ?1 AND state IN ('asked', 'approved') AND expires_at > ?2 LIMIT 1 OFFSET ?3";
    ]
}

impl ApprovalRow {
    /// The sealed reason of one of the two persons.
    #[must_use]
    pub fn reason_of(&self, giver: Giver) -> Option<&[u8]> {
        match giver {
            Giver::Asker => self.asker_reason.as_deref(),
            Giver::Approver => self.approver_reason.as_deref(),
        }
    }
}

impl Protected for ApprovalRow {
    fn place(&self) -> Option<String> {
        Some(format!("@approval/{}", self.id))
    }
}
