//! What follows what: how the first entry of the next log tells of the old one, the numbers of logs, and a restart that a crash has
//! interrupted.

use data_encoding::BASE64;

use crate::log::leaf::Leaf;
use crate::log::startup::{self, Unproved};
use crate::log::{Owing, ProvedEntry};
use crate::model::ask::Action;
use crate::model::key_roles::KeyRole;
use crate::store::rows::{About, Fence, HeadRow, One, PastLogRow};
use crate::vault::life::open::{OpenError, Places, Unlocked};

/// The word of the first entry for the origin of the old log.
pub(super) const ORIGIN: &str = "origin";

/// The log that is to follow.
pub(super) struct NextLog {
    /// Its origin.
    pub(super) origin: String,
    /// What its first entry says of the old one.
    pub(super) link: About,
    /// Versions of keys that the key store says were destroyed, and this data store does not.
    pub(super) destroyed: Vec<(KeyRole, u8)>,
    /// What could not be done with keys yet.
    pub(super) owing: Owing,
}

impl Unlocked {
    /// Proves the old log in itself, and says which is to follow.
    pub(super) async fn next_log(&self, places: &Places, reason: &str) -> Result<NextLog, OpenError> {
        self.check_schema(places).await?;
        let destructions = self.finish_rotations().await?;
        let doomed = self.finish_erasures().await?;
        let head = self.store.head().await?;
        let fence = self.keys.fence().await?;
        let old = startup::named_origin(&head).ok_or(Unproved::Checkpoint)?.to_owned();
        startup::prove_head(&*self.store, &head, &old, &self.keyring.verifiers(&old)?).await?;
        let mut link = link(&head, &old, fence.as_ref(), reason);
        // Whoever approves it and whoever reads it later sees that a witness had seen more, or another log.
        let against = self.keys.contradictions(&self.log).await?;
        if let Some(size) = against.iter().map(|said| said.size).max() {
            link.insert("witness_size".to_owned(), size.to_string());
        }
        if !destructions.unknown.is_empty() {
            let named = destructions.unknown.iter();
            let named: Vec<String> = named.map(|(role, version)| format!("{role}/{version}")).collect();
            link.insert("destroyed".to_owned(), named.join(","));
        }
        Ok(NextLog {
            origin: next_origin(self.keyring.origin(), &old, fence.as_ref())?,
            link,
            destroyed: destructions.unknown,
            owing: Owing {
                doomed,
                destroyed: destructions.owed,
            },
        })
    }
}

/// What the first entry says of the old log: as it is in this data store, and as far as it had come.
fn link(head: &HeadRow, old: &str, fence: Option<&Fence>, reason: &str) -> About {
    let mut link = About::from([
        (ORIGIN.to_owned(), old.to_owned()),
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
pub(in crate::vault) fn links(leaf: &Leaf, fence: &Fence) -> bool {
    let said = |word: &str| leaf.link.as_ref().and_then(|link| link.get(word));
    leaf.act == Action::RestartLog.as_str()
        && leaf.out == "granted"
        && said("fence_origin") == Some(&fence.origin)
        && said("fence_size") == Some(&fence.size.to_string())
        && said("fence_root") == Some(&BASE64.encode(fence.root.as_bytes()))
}

/// Whether a leaf is the first of a log that follows this one.
pub(in crate::vault) fn follows(leaf: &Leaf, origin: &str, past: &PastLogRow) -> bool {
    let said = |word: &str| leaf.link.as_ref().and_then(|link| link.get(word)).map(String::as_str);
    leaf.act == Action::RestartLog.as_str()
        && said(ORIGIN) == Some(origin)
        && said("size") == Some(past.size.to_string().as_str())
        && said("root") == Some(BASE64.encode(past.root.as_bytes()).as_str())
}

/// `…/log/2` after `…/log/1`: beyond every log that the stores know of.
fn next_origin(founding: &str, old: &str, fence: Option<&Fence>) -> Result<String, Unproved> {
    let there = number(founding, old).ok_or(Unproved::Checkpoint)?;
    // Without a fence nobody knows which numbers have been used.
    let fenced = fence.and_then(|fence| number(founding, &fence.origin));
    let next = there.max(fenced.ok_or(Unproved::NoFence)?).saturating_add(1);
    Ok(format!("{}/{next}", numbered(founding).0))
}

/// The number of a log of the vault that was founded with this origin; 0, under which no token is good, for one of another vault.
pub(in crate::vault) fn number_of(founding: &str, origin: &str) -> u64 {
    number(founding, origin).unwrap_or(0)
}

fn number(founding: &str, origin: &str) -> Option<u64> {
    let (stem, first) = numbered(founding);
    match numbered(origin) {
        _ if origin == founding => Some(first.unwrap_or(1)),
        (of, number) if of == stem => number,
        _ => None,
    }
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
    pub(in crate::vault) async fn finish_restart(&mut self) -> Result<(), OpenError> {
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
