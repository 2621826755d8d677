//! A log that cannot go on is followed by another (DESIGN §7): after a data store was restored from an older copy, say, which
//! the fence refuses. The first entry of the next log says how the old one stood; every old entry is kept.
//!
//! It is done with the vault stopped, by two persons who are there: a system administrator and somebody who may approve it.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;

use super::open::{OpenError, Places, Running, Unlocked};
use super::{Error, Session, Vault};
use crate::clock::Clock;
use crate::keyring::unlock::Passphrase;
use crate::log::Change;
use crate::log::ProvedEntry;
use crate::log::leaf::Leaf;
use crate::log::startup::{self, Proved, Unproved};
use crate::model::approvals::ApprovalState;
use crate::model::ask::{Action, RequestId};
use crate::model::ids::ApprovalId;
use crate::model::principals::PrincipalKind;
use crate::model::purposes::Purpose;
use crate::policy::facts::{ApprovalFacts, Facts};
use crate::policy::{Permit, Why};
use crate::store::rows::{About, ApprovalRow, Fence, HeadRow, One, PastLogRow, PrincipalRow};
use crate::store::{Guard, Write};

const LONGEST_REASON: usize = 200;
/// As many digits as a reason may have, however they are written: fewer than a telephone number.
const MOST_DIGITS: usize = 6;

/// The two persons, by their tokens.
pub struct Two<'t> {
    /// A system administrator's.
    pub asker: &'t str,
    /// That of somebody who may approve it.
    pub approver: &'t str,
}

/// The log that is in force now.
#[derive(Debug)]
pub struct Restarted {
    /// Its origin.
    pub origin: String,
    /// Its key, as verifiers take it.
    pub key: String,
    /// How the old one stood, word by word, as the first entry says.
    pub link: BTreeMap<String, String>,
}

impl Vault {
    /// Opens the next log, whose first entry links the old one.
    ///
    /// # Errors
    /// [`OpenError::Log`] when the log that is there does not prove in itself: only what is behind the fence may be missing.
    /// [`OpenError::NotByThese`] when one of the two may not, or they are not two. Nothing is changed then.
    pub async fn restart(
        places: &Places,
        passphrase: &Passphrase,
        clock: Arc<dyn Clock>,
        two: &Two<'_>,
        reason: &str,
    ) -> Result<Restarted, OpenError> {
        let reason = fit(reason)?;
        let opened = Unlocked::open(places, passphrase).await?;
        opened.check_schema(places).await?;
        let head = opened.store.head().await?;
        let fence = opened.keys.fence().await?;
        let old = startup::named_origin(&head).ok_or(Unproved::Checkpoint)?.to_owned();
        startup::prove_head(&*opened.store, &head, &old, &opened.keyring.verifiers(&old)?).await?;
        let origin = next_origin(opened.keyring.origin(), &old, fence.as_ref())?;
        let mut link = link(&head, &old, fence.as_ref(), reason);
        // Whoever approves it and whoever reads it later sees that a witness had seen more, or another log.
        let against = opened.keys.contradictions(&opened.log).await?;
        if let Some(size) = against.iter().map(|said| said.size).max() {
            link.insert("witness_size".to_owned(), size.to_string());
        }
        let alone = Running {
            batch: 1,
            ..Running::default()
        };
        let vault = opened
            .serve(places, Proved::empty(origin.clone()), clock, "restart", alone)
            .await?;
        let (permit, change) = vault.both(two, &link).await?;
        vault.record(permit, change).await?;
        let key = vault.keyring.verifier(&origin)?.to_string();
        Ok(Restarted { origin, key, link })
    }

    /// Whether these two may do it together. A refusal is not in the log: there is none that could take it.
    async fn both(&self, two: &Two<'_>, link: &About) -> Result<(Permit, Change), OpenError> {
        let request = RequestId::random();
        let asker = self.authenticate(two.asker, request.clone()).await?;
        let approver = self.authenticate(two.approver, request).await?;
        self.are_two(&asker, &approver).await?;
        let ask = self.ask(&asker, Action::RestartLog, Purpose::Administer)?;
        let at = ask.at();
        let facts = Facts {
            approval: Some(ApprovalFacts {
                row: None,
                by: approver.actor.id(),
            }),
            ..Facts::default()
        };
        let permit = self
            .policy
            .decide(ask, facts)
            .map_err(|denial| OpenError::NotByThese(denial.why()))?;
        let row = ApprovalRow {
            id: ApprovalId::random(),
            action: Action::RestartLog,
            subject: None,
            about: link.clone(),
            request: self.keyring.request_code(b"audit restart")?,
            bound: self.bound(link).await?.state,
            asker_reason: None,
            asker: asker.actor.id(),
            approver: Some(approver.actor.id()),
            approver_reason: None,
            state: ApprovalState::Used,
            created_at: at,
            expires_at: at,
            version: 1,
        };
        let approver = Guard::code_of::<PrincipalRow>(&approver.actor.id(), approver.actor.code());
        let change = Change {
            guards: vec![approver],
            writes: vec![Write::NextLog, Write::put(self.keyring.protect(row)?)],
            link: link.clone(),
            ..Change::default()
        };
        Ok((permit, change))
    }

    async fn are_two(&self, asker: &Session, approver: &Session) -> Result<(), OpenError> {
        let first = self.principal_row(asker.actor.id()).await?;
        let second = self.principal_row(approver.actor.id()).await?;
        if first.kind != PrincipalKind::Person || second.kind != PrincipalKind::Person {
            return Err(OpenError::NotByThese(Why::NotAPerson));
        }
        if super::approvals::are_one(&first, &second) {
            return Err(OpenError::NotByThese(Why::OwnRequest));
        }
        let may = self
            .policy
            .may_approve(second.roles, approver.actor.department_kind(), Action::RestartLog);
        if may {
            Ok(())
        } else {
            Err(OpenError::NotByThese(Why::NotApproved))
        }
    }
}

/// The reason, if it is one and no number of a person can be read in it.
fn fit(reason: &str) -> Result<&str, Error> {
    let digits = reason.chars().filter(|c| c.is_numeric()).count();
    let fits = !reason.trim().is_empty()
        && reason.chars().count() <= LONGEST_REASON
        && !reason.chars().any(char::is_control)
        && digits <= MOST_DIGITS;
    let words = "a reason of 1 to 200 characters, without personal data and with no more than six digits: it stays in the \
                 log for good";
    if fits {
        Ok(reason)
    } else {
        Err(Error::Bad("bad-reason", words))
    }
}

/// What the first entry says of the old log: as it is in this data store, and as far as it had come.
fn link(head: &HeadRow, old: &str, fence: Option<&Fence>, reason: &str) -> About {
    let mut link = About::from([
        ("origin".to_owned(), old.to_owned()),
        ("size".to_owned(), head.size.to_string()),
        ("root".to_owned(), BASE64.encode(head.root.as_bytes())),
        ("reason".to_owned(), reason.to_owned()),
    ]);
    if let Some(fence) = fence {
        link.insert("fence_origin".to_owned(), fence.origin.clone());
        link.insert("fence_size".to_owned(), fence.size.to_string());
        link.insert("fence_root".to_owned(), BASE64.encode(fence.root.as_bytes()));
    }
    link
}

/// Whether a leaf is the first of a log that follows the one which the fence is of, as far as it had come.
pub(super) fn links(leaf: &Leaf, fence: &Fence) -> bool {
    let said = |word: &str| leaf.link.as_ref().and_then(|link| link.get(word));
    leaf.act == Action::RestartLog.as_str()
        && leaf.out == "granted"
        && said("fence_origin") == Some(&fence.origin)
        && said("fence_size") == Some(&fence.size.to_string())
        && said("fence_root") == Some(&BASE64.encode(fence.root.as_bytes()))
}

/// Whether a leaf is the first of a log that follows this one.
pub(super) fn follows(leaf: &Leaf, origin: &str, past: &PastLogRow) -> bool {
    let said = |word: &str| leaf.link.as_ref().and_then(|link| link.get(word)).map(String::as_str);
    leaf.act == Action::RestartLog.as_str()
        && said("origin") == Some(origin)
        && said("size") == Some(past.size.to_string().as_str())
        && said("root") == Some(BASE64.encode(past.root.as_bytes()).as_str())
}

/// `…/log/2` after `…/log/1`: beyond every log that the stores know of.
fn next_origin(founding: &str, old: &str, fence: Option<&Fence>) -> Result<String, Unproved> {
    let (stem, first) = numbered(founding);
    let number = |origin: &str| match numbered(origin) {
        _ if origin == founding => Some(first.unwrap_or(1)),
        (of, number) if of == stem => number,
        _ => None,
    };
    let there = number(old).ok_or(Unproved::Checkpoint)?;
    // Without a fence nobody knows which numbers have been used.
    let fenced = fence.and_then(|fence| number(&fence.origin)).ok_or(Unproved::NoFence)?;
    Ok(format!("{stem}/{}", there.max(fenced).saturating_add(1)))
}

/// An origin without the number that it ends in, and the number.
fn numbered(origin: &str) -> (&str, Option<u64>) {
    let parts = origin.rsplit_once('/');
    let parts = parts.and_then(|(stem, number)| Some((stem, number.parse().ok()?)));
    parts.map_or((origin, None), |(stem, number)| (stem, Some(number)))
}

impl Unlocked {
    /// A restart whose process died between the new log and its fence: the fence goes on, if the new log links what it was
    /// of.
    pub(super) async fn finish_restart(&mut self) -> Result<(), OpenError> {
        let head = self.store.head().await?;
        let Some(found) = startup::named_origin(&head).filter(|found| *found != self.log && head.size == 1) else {
            return Ok(());
        };
        startup::prove_head(&*self.store, &head, found, &self.keyring.verifiers(found)?).await?;
        let first = self.store.entries(0, 1).await?.into_iter().next();
        let leaf = first.and_then(|entry| ProvedEntry::new(entry).ok()?.leaf());
        if let (Some(leaf), Some(fence)) = (leaf, self.keys.fence().await?)
            && links(&leaf, &fence)
        {
            self.keys.put_fence(&Fence {
                one: One,
                origin: found.to_owned(),
                size: head.size,
                root: head.root,
            })?;
            found.clone_into(&mut self.log);
        }
        Ok(())
    }
}
