//! One entry of the log: canonical JSON (RFC 8785) with allow-listed keys, at most 2 KB, never a personal value.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::asked::{linked, named_ticket};
use super::error::CommitError;
use super::places::digests;
use super::{Change, Node, Unasked};
use crate::model::ask::Ask;
use crate::model::client::SealedAddress;
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::policy::facts::{Facts, PolicyHash};
use crate::policy::{Denial, Permit, Why};

/// The longest entry, in bytes.
pub const MAX_LEN: usize = 2048;
const VERSION: u8 = 1;
/// The word of `link` for how the vault was unlocked, or locked by nobody who asked.
pub const WAY: &str = "way";
/// Nobody: the actor of what the vault does by itself.
const NOBODY: &str = "00000000000000000000000000000000";
/// The vault was made.
pub const INIT: &str = "vault.init";
/// The vault was opened with its passphrase; the entry names node and `way`.
pub const UNLOCK: &str = "vault.unlock";
/// The rules in force were replaced while the vault was open; the entry's `policy` is the new ones'.
pub const RULES: &str = "vault.rules";
/// A token was fetched by a one-time code, or another code was tried. It was granted to the account whose token it is; who tried another
/// is not known.
pub const CLAIM: &str = "token.claim";
/// The recovery of an administrator's account was begun, finished or cancelled (`deed`), with the passphrase.
pub const RECOVER: &str = "admin.recover";
/// A caller who was erased before stood in an older copy of the data store, with which the next log was opened, and was removed again.
pub const ERASE_AGAIN: &str = "caller.erase-again";
/// A caller of whom every ticket was past its period of retention was erased.
pub const ERASE_DUE: &str = "caller.erase-due";
/// A run of retention began: how many callers are `due`, how many it may erase, and how many a fault keeps (`faulty`). `kept` is `all` where
/// the row of a department was changed or damaged: then it is over.
pub const RETENTION_BEGUN: &str = "retention.begin";
/// It ended: how many were `erased`, how many a fault has kept, and how many are left to the next run (`put_off`); `kept` as above.
pub const RETENTION_ENDED: &str = "retention.end";
/// What was under older versions of a key has moved to the newest, as far as it can; the entry counts what was `moved`, and what is
/// `left`.
pub const REWRAPPED: &str = "key.rewrapped";
/// The root key opens for other holders or in another way from now on. Those who open it now did it; no token says who they are.
pub const REKEY: &str = "key.rekey";
/// What nobody asks for with a token.
pub const OF_VAULT: [&str; 11] = [
    INIT,
    UNLOCK,
    RULES,
    CLAIM,
    RECOVER,
    ERASE_AGAIN,
    ERASE_DUE,
    RETENTION_BEGUN,
    RETENTION_ENDED,
    REWRAPPED,
    REKEY,
];

/// Declares the keys of a leaf, sorted as RFC 8785 sorts them. `always` ones stand in every leaf.
macro_rules! leaf {
    ($( $(#[$doc:meta])* $key:ident: $kind:ident $type:ty, )+) => {
        /// What an entry of the log says. Parsing refuses any key that is not declared, so that `fsck` notices an entry that
        /// another program wrote.
        #[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
        #[serde(deny_unknown_fields)]
        pub struct Leaf {
            $( $(#[$doc])* #[serde(skip_serializing_if = "Present::is_absent")] pub $key: leaf!(@type $kind $type), )+
        }

        /// The keys of a leaf, and whose count stands there: what a verifier looks at.
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "of most keys it is only looked at whether they are there")]
        pub(super) struct Keys {
            $( pub(super) $key: leaf!(@type $kind leaf!(@looked $key)), )+
        }

        /// Every key a leaf may have, sorted, and whether each leaf has it.
        pub const KEYS: &[(&str, bool)] = &[ $( (stringify!($key), leaf!(@always $kind)), )+ ];
    };
    (@type always $type:ty) => { $type };
    (@type maybe $type:ty) => { Option<$type> };
    (@always always) => { true };
    (@always maybe) => { false };
    (@looked subject) => { String };
    (@looked nth) => { u64 };
    (@looked $key:ident) => { IgnoredAny };
}

leaf! {
    /// What: the words of `model::ask::Action`.
    act: always String,
    /// The principal's id. Where a service account acts on behalf of a clerk (`via`), the clerk's.
    actor: always String,
    /// The second person who approved it, where it takes two.
    approver: maybe String,
    /// SHA-256 in base64 of the sealed address that the request came from: the row beside the entry. The bytes begin with random ones,
    /// so that it tells nothing of the address.
    client: maybe String,
    /// The principal's department.
    dept: always String,
    /// For writes: SHA-256 in base64 of what each place now holds. A place is a field's name (its ciphertext), or
    /// `@other/<field>` (that of the record in `link`'s `subject`), `@caller/<subject>`, `@ticket/<number>`, `@joined/<id>`,
    /// `@department/<code>`, `@principal/<id>`, `@token/<principal>/<id>`, `@code/<principal>`, `@approval/<id>`, `@archive/<log>`,
    /// `@recovery/<principal>`, `@key/<role>/<version>`, `@destroyed-key/<role>/<version>`, `@hold/<id>`, `@restriction/<id>`, `@transfer/<id>`, `@contact/<id>`, `@erased/<subject>` (a
    /// caller's records and tickets are gone),
    /// `@field/<name>` (the row's columns). Empty: what was there was removed.
    digest: maybe BTreeMap<String, String>,
    /// Names of the fields read, compared or searched.
    fields: maybe Vec<String>,
    /// `clear` or `masked`.
    form: maybe String,
    /// UUID version 7 (RFC 9562 §5.7): the entry's time, then 74 random bits.
    id: always String,
    /// What the entry is about, where no other key says it. In the first entry of a vault: the roles of its first accounts, by
    /// id. In the first entry of a log that follows another: how the old one stood. When bodies of old entries are dropped: `below`
    /// which index. About an approval: the `action` asked for, the `asker`, the `decision`; with what was asked: the `principal`, its
    /// `roles`; SHA-256 of the sealed reasons. About an account: the `principal`, its `roles` and what they were before, its
    /// `department`, whether it is `active`, and whether it may act on behalf of others (`acts_for`) and might before. About a department:
    /// the `department`, the `deed`, `into` which other it was merged. About a call: that its caller was `matched` by the agent's word.
    /// About a merge or a split of records: the `tickets` it was asked by, and the other record's `subject`. About a key: the `key`'s
    /// role and its `version`. About an unlock: its `way`, and the wrong passphrases before (`wrong_machine`, `wrong_network`,
    /// `wrong_since`). About an erasure: the caller (`erased`), how many `records` and `tickets`; about a legal hold: the `hold`.
    /// About periods of retention, and an erasure by them: the `periods`, and `most` callers of a run.
    /// About a caller's request that was refused: the `request` and the `ground`.
    /// About a rewrap: the `rate`, what was `moved` and what is `left`; the `first` and the `last` caller of a step, counted from its
    /// beginning, and the `count` of values that were opened. About a call that was brought in: when it was `received`, `sent`,
    /// `sent_to` whom, and `closed`; how many rejected `lines` were opened. About a call by a relay: the `contact`, and `for` whom the code was; its `outcome`. About a `transfer` of a reference: `from` which department `to` which. `named_by` `number`: a department named
    /// the ticket by its number, and not by its own reference.
    link: maybe BTreeMap<String, String>,
    /// The node that wrote it.
    node: always String,
    /// Where it has a `subject`: which entry of this log about that subject it is, from 1 (decision 0041).
    nth: maybe u64,
    /// `granted` or `denied`.
    out: always String,
    /// First 16 bytes of SHA-256 over the policy that decided, in base64.
    policy: always String,
    /// The stated purpose.
    purpose: always String,
    /// The request.
    req: always String,
    /// The role it was permitted under.
    role: maybe String,
    /// The caller's reference in the auditors' own domain.
    subject: maybe String,
    /// When, RFC 3339 in UTC to the millisecond.
    t: always String,
    /// The ticket's number.
    ticket: maybe String,
    /// The handle of the API token it authenticated with.
    token: maybe String,
    /// Format version: 1.
    v: always u8,
    /// The service account that acted on behalf of the actor, whose `token` it is.
    via: maybe String,
    /// Why denied: the words of `policy::Why`.
    why: maybe String,
}

/// Whether a key is left out of the bytes: one that a leaf may have and this one has not.
trait Present {
    fn is_absent(&self) -> bool;
}

impl Present for String {
    fn is_absent(&self) -> bool {
        false
    }
}

impl Present for u8 {
    fn is_absent(&self) -> bool {
        false
    }
}

impl<T> Present for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl Leaf {
    /// Parses an entry's bytes, whose hash was compared: [`super::ProvedEntry::leaf`].
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    fn new(ask: &Ask, facts: &Facts, policy: PolicyHash, node: &Node) -> Result<Self, CommitError> {
        let id = node.entry_id(ask.at())?;
        let ticket = named_ticket(ask, facts).map(|no| no.to_string());
        let subject = facts.caller.as_ref().map(|caller| caller.row.subject);
        let subject = subject.or_else(|| facts.ticket.as_ref().map(|ticket| ticket.row.subject));
        let subject = subject.or_else(|| ask.subject_reference().copied());
        let fields: Vec<String> = ask.field_names().iter().map(|name| name.as_str().to_owned()).collect();
        let (hash, _) = policy.as_bytes().split_at(16);
        Ok(Self {
            v: VERSION,
            id,
            t: milliseconds(ask.at()),
            act: ask.action().to_string(),
            out: "granted".to_owned(),
            why: None,
            client: ask.client().map(committed),
            via: ask.who().via().map(|(service, _)| service.to_string()),
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
            node: node.name.clone(),
            nth: None,
            approver: facts.approval.as_ref().map(|approval| approval.by.to_string()),
            link: linked(ask, facts),
            digest: None,
        })
    }

    /// An act of the vault itself, which nobody asked for.
    pub(super) fn of_vault(
        act: &str,
        department: DepartmentCode,
        at: Timestamp,
        policy: PolicyHash,
        node: &Node,
    ) -> Result<Self, CommitError> {
        let id = node.entry_id(at)?;
        let (hash, _) = policy.as_bytes().split_at(16);
        Ok(Self {
            v: VERSION,
            id,
            t: milliseconds(at),
            act: act.to_owned(),
            out: "granted".to_owned(),
            why: None,
            client: None,
            via: None,
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
            node: node.name.clone(),
            nth: None,
            approver: None,
            link: None,
            digest: None,
        })
    }

    /// An act that no token was presented for, with what it changes.
    pub(super) fn unasked(act: &Unasked<'_>, change: &Change, node: &Node) -> Result<Self, CommitError> {
        let mut leaf = Self::of_vault(act.act, act.department, act.at, act.policy, node)?;
        if let Some((owner, token)) = act.who {
            leaf.actor = owner.to_string();
            leaf.token = Some(token.to_string());
        }
        if let Some(request) = act.request {
            request.as_str().clone_into(&mut leaf.req);
        }
        leaf.client = act.client.map(committed);
        if let Some(why) = act.denied {
            leaf.out = "denied".to_owned();
            leaf.why = Some(Why::as_str(why).to_owned());
        }
        leaf.approver = act.approver.map(|approver| approver.to_string());
        leaf.ticket = change.ticket.as_ref().map(|no| no.as_str().to_owned());
        leaf.subject = change.subject.map(|subject| subject.to_string());
        leaf.link = (!change.link.is_empty()).then(|| change.link.clone());
        leaf.digest = digests(change);
        Ok(leaf)
    }

    pub(super) fn granted(permit: &Permit, node: &Node) -> Result<Self, CommitError> {
        let leaf = Self::new(permit.ask(), permit.facts(), permit.policy(), node)?;
        Ok(Self {
            role: Some(permit.role().to_string()),
            ..leaf
        })
    }

    pub(super) fn changed(permit: &Permit, change: &Change, node: &Node) -> Result<Self, CommitError> {
        let mut leaf = Self::granted(permit, node)?;
        if let Some(no) = &change.ticket {
            leaf.ticket = Some(no.as_str().to_owned());
        }
        if let Some(subject) = &change.subject {
            leaf.subject = Some(subject.to_string());
        }
        let link = leaf.link.take().into_iter().flatten().chain(change.link.clone());
        let link: BTreeMap<String, String> = link.collect();
        leaf.link = (!link.is_empty()).then_some(link);
        leaf.digest = digests(change);
        Ok(leaf)
    }

    pub(super) fn denied(denial: &Denial, node: &Node) -> Result<Self, CommitError> {
        let leaf = Self::new(denial.ask(), denial.facts(), denial.policy(), node)?;
        Ok(Self {
            out: "denied".to_owned(),
            why: Some(Why::as_str(denial.why()).to_owned()),
            ..leaf
        })
    }
}

fn committed(client: &SealedAddress) -> String {
    base64_sha256(client.as_bytes())
}

/// RFC 3339 in UTC with exactly three decimals.
#[must_use]
pub fn milliseconds(at: Timestamp) -> String {
    format!("{at:.3}")
}

/// SHA-256 of some bytes, as leaves have it.
#[must_use]
pub fn base64_sha256(bytes: &[u8]) -> String {
    BASE64.encode(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

/// A hash as leaves have it.
#[must_use]
pub fn base64(hash: &[u8; 32]) -> String {
    BASE64.encode(hash)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::log::numbered::numbered;

    #[test]
    fn keys_are_declared_as_they_are_sorted() {
        assert!(KEYS.is_sorted_by(|one, other| one.0 < other.0));
    }

    #[test]
    fn a_leaf_has_every_key_it_must_and_no_other() {
        let value = |key| match key {
            "v" | "nth" => json!(1),
            "fields" => json!(["text"]),
            "digest" | "link" => json!({"a": "b"}),
            _ => json!("word"),
        };
        let whole: Map<String, Value> = KEYS.iter().map(|(key, _)| ((*key).to_owned(), value(key))).collect();
        let reads = |leaf: &Map<String, Value>| {
            let bytes = serde_json::to_vec(leaf).unwrap();
            assert_eq!(Leaf::parse(&bytes).is_some(), numbered(&bytes).is_some());
            numbered(&bytes).is_some()
        };
        assert!(reads(&whole));
        for (key, always) in KEYS {
            let mut without = whole.clone();
            without.remove(*key);
            assert_eq!(reads(&without), !always, "{key}");
        }
        let mut more = whole;
        more.insert("value".to_owned(), json!("word"));
        assert!(!reads(&more));
    }
}
