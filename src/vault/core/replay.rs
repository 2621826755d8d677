//! Writes with an `Idempotency-Key`: the same request again gets the same answer and changes nothing.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::ProvedEntry;
use crate::log::leaf::Leaf;
use crate::log::{CommitError, LogPosition};
use crate::model::ids::PrincipalId;
use crate::store::Write;
use crate::store::rows::replay::BY_KEY;
use crate::store::rows::{Genuine, ReplayRow};
use crate::vault::{Audit, Error, Session, Vault};

/// Under whom keys of the whole vault are kept. No account has this id: accounts' are random.
const VAULT: PrincipalId = PrincipalId::from_bytes([0; 16]);

/// Within which bounds a key is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Among those of one principal, and of the service account that acts on behalf of them, if one does: what a client chooses says nothing to others.
    Principal,
    /// In the whole vault, whoever sends it: the id of a record that is taken in once.
    Vault,
}

/// An `Idempotency-Key` and the exact request it came with (method, path and body).
pub struct Replay {
    /// Among which keys this one is unique.
    pub scope: Scope,
    /// What the client sent as key.
    pub key: String,
    /// The request, which may state values.
    pub request: Zeroizing<Vec<u8>>,
}

impl Replay {
    /// Under whom it is kept.
    fn principal(&self, session: &Session) -> PrincipalId {
        match self.scope {
            Scope::Principal => session.actor.id(),
            Scope::Vault => VAULT,
        }
    }

    /// The key, with the service account before it that acts on behalf of the principal: what one has been answered is not given to
    /// the other. No key that a client sends has a line break.
    fn key(&self, session: &Session) -> Cow<'_, str> {
        match (self.scope, session.actor.via()) {
            (Scope::Principal, Some((service, _))) => format!("{service}\n{}", self.key).into(),
            _ => self.key.as_str().into(),
        }
    }
}

impl Vault {
    /// The answer given before, if this very request came before.
    pub(in crate::vault) async fn replayed<T: DeserializeOwned>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
    ) -> Result<Option<(T, Audit)>, Error> {
        let Some(replay) = replay else { return Ok(None) };
        let Some(row) = self.remembered(replay, session).await? else {
            return Ok(None);
        };
        if !self.keyring.is_request(&row.request, &replay.request)? {
            return Err(Error::KeyReused);
        }
        let position = self.leaf_of(&row).await?;
        self.log.is_fenced()?;
        let answer = serde_json::from_slice(&self.keyring.open_answer(&row)?).map_err(|_| KeyError::Broken)?;
        Ok(Some((answer, position.into())))
    }

    /// The answer that this key has, whichever version of the row key it was kept under.
    async fn remembered(&self, replay: &Replay, session: &Session) -> Result<Option<Genuine<ReplayRow>>, Error> {
        let by = replay.principal(session);
        for key in self.keyring.replay_keys(&replay.key(session))? {
            if let Some(row) = self.store.one(&BY_KEY, &cells![by, key]).await? {
                return Ok(Some(self.keyring.genuine(row)?));
            }
        }
        Ok(None)
    }

    /// Where the leaf of the write stands whose answer the row remembers. Of an entry whose body was archived and dropped nothing but
    /// the hash is left: that it is this write's leaf is then taken from the row.
    async fn leaf_of(&self, row: &Genuine<ReplayRow>) -> Result<LogPosition, Error> {
        let index = row.leaf().ok_or(KeyError::Broken)?;
        let entries = self.store.entries_ever(index).await?;
        let dropped = entries.iter().find(|entry| entry.body.is_empty());
        let dropped = dropped.map(|entry| entry.leaf_hash);
        let mut proved = entries.into_iter().filter_map(|entry| ProvedEntry::new(entry).ok());
        let leaf_hash = match (proved.find(|entry| is_leaf_of(row, entry)), dropped) {
            (Some(entry), _) => *entry.hash(),
            (None, Some(hash)) if self.was_archived(index).await? => hash,
            _ => return Err(KeyError::Broken.into()),
        };
        Ok(LogPosition { index, leaf_hash })
    }

    /// The outcome, or the answer of the same request where that came first by another way while this one was decided.
    pub(in crate::vault) async fn or_replayed<T: DeserializeOwned>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
        outcome: Result<(T, Audit), Error>,
    ) -> Result<(T, Audit), Error> {
        let late = match outcome {
            Err(late @ (Error::Stale | Error::Taken(_))) => late,
            // Of all that must be unique only this request's own key, or a row that it shares with a like one, can
            // stand in the way here: what was decided on has changed.
            Err(Error::Log(CommitError::Duplicate)) => Error::Stale,
            other => return other,
        };
        self.replayed(session, replay).await?.ok_or(late)
    }

    /// The write that remembers an answer. The answer holds no personal value.
    pub(in crate::vault) fn remember<T: Serialize>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
        answer: &T,
    ) -> Result<Option<Write>, Error> {
        let Some(replay) = replay else { return Ok(None) };
        let principal = replay.principal(session);
        let answer = serde_json::to_vec(answer).map_err(|_| KeyError::Broken)?;
        let newest = self.keyring.replay_keys(&replay.key(session))?.into_iter().next();
        let key = newest.ok_or(KeyError::NoSuchKey)?;
        let request = self.keyring.request_code(&replay.request)?;
        let row = ReplayRow {
            principal,
            key,
            request,
            answer: self.keyring.seal_answer(principal, &key, &request, &answer)?,
            req: session.request.as_str().to_owned(),
            created_at: self.clock.now()?,
        };
        Ok(Some(Write::put(self.keyring.protect(row)?)))
    }
}

/// Whether this entry is the leaf of the write whose answer the row remembers. Where it stands is known to the log's
/// writer alone and so is not under the row's code; the request, which the leaf names too, is.
pub(in crate::vault) fn is_leaf_of(row: &ReplayRow, entry: &ProvedEntry) -> bool {
    let by = |actor: &str| row.principal == VAULT || actor == row.principal.to_string();
    let fits = |leaf: Leaf| leaf.out == "granted" && by(&leaf.actor) && leaf.req == row.req;
    entry.leaf().is_some_and(fits)
}
