//! One entry of the log: canonical JSON (RFC 8785) with allow-listed keys, at most 2 KB, never a personal value.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Change;
use super::log::CommitError;
use crate::merkle::{self, Hash};
use crate::model::ask::Ask;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::policy::facts::{Facts, PolicyHash};
use crate::policy::{Denial, Permit, Why};
use crate::store::Write;

/// The longest entry, in bytes.
pub const MAX_LEN: usize = 2048;
const VERSION: u8 = 1;
/// Nobody: the actor of what the vault does by itself.
const NOBODY: &str = "00000000000000000000000000000000";
/// The vault was made.
pub const INIT: &str = "vault.init";
/// The vault was opened with its passphrase; the entry names node and `way`.
pub const UNLOCK: &str = "vault.unlock";
/// What the vault does by itself, without anybody asking.
pub const OF_VAULT: [&str; 2] = [INIT, UNLOCK];

/// The keys a leaf may have. Parsing refuses any other, so `fsck` notices a leaf that some other program wrote.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// Format version: 1.
    pub v: u8,
    /// UUID version 7.
    pub id: String,
    /// When, RFC 3339 in UTC to the millisecond.
    pub t: String,
    /// What: the words of `model::ask::Action`.
    pub act: String,
    /// `granted` or `denied`.
    pub out: String,
    /// Why denied: the words of `policy::Why`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The principal's id.
    pub actor: String,
    /// The handle of the API token it authenticated with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The principal's department.
    pub dept: String,
    /// The role it was permitted under.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The ticket's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
    /// The caller's reference in the auditors' own domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Names of the fields read, compared or searched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fields: Option<Vec<String>>,
    /// `clear` or `masked`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    /// The stated purpose.
    pub purpose: String,
    /// First 16 bytes of SHA-256 over the policy that decided, in base64.
    pub policy: String,
    /// The request.
    pub req: String,
    /// The node that wrote it.
    pub node: String,
    /// The second person who approved it, where it takes two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver: Option<String>,
    /// What the entry is about, where nothing above says it. In the first entry of a log that follows another: how the old
    /// one stood. When bodies of old entries are dropped: `below` which index. About an approval: the `action` asked for,
    /// the `asker`, the `decision`; with what was asked: the `principal`, its `roles`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<BTreeMap<String, String>>,
    /// For writes: SHA-256 in base64 of what each place now holds. A place is a field's name (its ciphertext), or
    /// `@caller`, `@ticket`, `@department/<code>`, `@principal/<id>`, `@token/<principal>/<id>`, `@approval/<id>` (the
    /// row's columns).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<BTreeMap<String, String>>,
}

/// The bytes that are hashed, stored and served.
pub(super) struct LeafBytes {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Hash,
}

impl Leaf {
    /// Parses an entry's bytes.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn new(ask: &Ask, facts: &Facts, policy: PolicyHash, node: &str) -> Self {
        let ticket = ask.ticket_no().map(|no| no.as_str().to_owned());
        let subject = facts.caller.as_ref().map(|caller| caller.subject);
        let subject = subject.or_else(|| facts.ticket.as_ref().map(|ticket| ticket.row.subject));
        let subject = subject.or_else(|| ask.subject_reference().copied());
        let fields: Vec<String> = ask.field_names().iter().map(|name| name.as_str().to_owned()).collect();
        let (hash, _) = policy.as_bytes().split_at(16);
        Self {
            v: VERSION,
            id: uuid::Uuid::now_v7().to_string(),
            t: milliseconds(ask.at()),
            act: ask.action().to_string(),
            out: "granted".to_owned(),
            why: None,
            actor: ask.who().id().to_string(),
            token: Some(ask.who().token().to_string()),
            dept: ask.department().to_string(),
            role: None,
            ticket,
            subject: subject.map(|subject| subject.to_string()),
            fields: (!fields.is_empty()).then_some(fields),
            form: ask.shown_as().map(|form| form.to_string()),
            purpose: ask.purpose().to_string(),
            policy: BASE64.encode(hash),
            req: ask.request().as_str().to_owned(),
            node: node.to_owned(),
            approver: facts.approval.as_ref().map(|approval| approval.by.to_string()),
            link: None,
            digest: None,
        }
    }

    /// An act of the vault itself, which nobody asked for.
    pub(super) fn of_vault(
        act: &str,
        department: DepartmentCode,
        at: Timestamp,
        policy: PolicyHash,
        node: &str,
    ) -> Self {
        let (hash, _) = policy.as_bytes().split_at(16);
        Self {
            v: VERSION,
            id: uuid::Uuid::now_v7().to_string(),
            t: milliseconds(at),
            act: act.to_owned(),
            out: "granted".to_owned(),
            why: None,
            actor: NOBODY.to_owned(),
            token: None,
            dept: department.to_string(),
            role: None,
            ticket: None,
            subject: None,
            fields: None,
            form: None,
            purpose: Purpose::Administer.to_string(),
            policy: BASE64.encode(hash),
            req: NOBODY.to_owned(),
            node: node.to_owned(),
            approver: None,
            link: None,
            digest: None,
        }
    }

    pub(super) fn granted(permit: &Permit, node: &str) -> Self {
        let leaf = Self::new(permit.ask(), permit.facts(), permit.policy(), node);
        Self {
            role: Some(permit.role().to_string()),
            ..leaf
        }
    }

    pub(super) fn changed(permit: &Permit, change: &Change, node: &str) -> Self {
        let mut leaf = Self::granted(permit, node);
        if let Some(no) = &change.ticket {
            leaf.ticket = Some(no.as_str().to_owned());
        }
        if let Some(subject) = &change.subject {
            leaf.subject = Some(subject.to_string());
        }
        leaf.link = (!change.link.is_empty()).then(|| change.link.clone());
        let digest: BTreeMap<String, String> = change.writes.iter().filter_map(digest).collect();
        leaf.digest = (!digest.is_empty()).then_some(digest);
        leaf
    }

    pub(super) fn denied(denial: &Denial, node: &str) -> Self {
        let leaf = Self::new(denial.ask(), denial.facts(), denial.policy(), node);
        Self {
            out: "denied".to_owned(),
            why: Some(Why::as_str(denial.why()).to_owned()),
            ..leaf
        }
    }

    pub(super) fn to_bytes(&self) -> Result<LeafBytes, CommitError> {
        let bytes = serde_json_canonicalizer::to_vec(self).map_err(|_| CommitError::LeafTooLarge)?;
        if bytes.len() > MAX_LEN {
            return Err(CommitError::LeafTooLarge);
        }
        let hash = merkle::leaf_hash(&bytes);
        Ok(LeafBytes { bytes, hash })
    }
}

/// RFC 3339 in UTC with exactly three decimals.
#[must_use]
pub fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// The place a write fills and the digest of what stands there now, in base64. Rows that can be computed again from others
/// (blind indexes, references) and replays have none.
#[must_use]
pub fn digest(write: &Write) -> Option<(String, String)> {
    let Write::Put(row) = write else { return None };
    let (place, hash) = row.digest.as_ref()?;
    Some((place.clone(), base64(hash)))
}

/// A hash as leaves have it.
#[must_use]
pub fn base64(hash: &[u8; 32]) -> String {
    BASE64.encode(hash)
}
