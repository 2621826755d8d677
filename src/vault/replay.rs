//! Writes with an `Idempotency-Key`: the same request again gets the same answer and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Audit, Error, Session, Vault};
use crate::audit::leaf::Leaf;
use crate::audit::startup;
use crate::audit::{CommitError, LogPosition};
use crate::keyring::{KeyError, ReplayCodes};
use crate::model::ids::PrincipalId;
use crate::store::Write;
use crate::store::rows::{EntryRow, ReplayRow};

/// Under whom keys of the whole vault are kept. No account has this id: accounts' are random.
const VAULT: PrincipalId = PrincipalId::from_bytes([0; 16]);

/// Within which bounds a key is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Among those of one principal: what a client chooses says nothing to others.
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
    /// The request.
    pub request: Vec<u8>,
}

impl Replay {
    /// Under whom it is kept.
    fn principal(&self, session: &Session) -> PrincipalId {
        match self.scope {
            Scope::Principal => session.actor.id(),
            Scope::Vault => VAULT,
        }
    }
}

impl Vault {
    /// The answer given before, if this very request came before.
    pub(super) async fn replayed<T: DeserializeOwned>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
    ) -> Result<Option<(T, Audit)>, Error> {
        let Some((replay, codes)) = self.replay_codes(replay)? else {
            return Ok(None);
        };
        let Some(found) = self.store.replay(replay.principal(session), &codes.key).await? else {
            return Ok(None);
        };
        let row = self.keyring.genuine(found.row)?;
        if row.request != codes.request {
            return Err(Error::KeyReused);
        }
        let leaf = self.leaf_of(&row, found.index).await?;
        let answer = serde_json::from_slice(&self.keyring.open_answer(&row)?).map_err(|_| KeyError::Broken)?;
        Ok(Some((
            answer,
            LogPosition {
                index: leaf.index,
                leaf_hash: leaf.leaf_hash,
            }
            .into(),
        )))
    }

    /// The leaf of the write whose answer the row remembers.
    async fn leaf_of(&self, row: &ReplayRow, index: u64) -> Result<EntryRow, Error> {
        let mut entries = self.store.entries_ever(index).await?.into_iter();
        Ok(entries.find(|entry| is_leaf_of(row, entry)).ok_or(KeyError::Broken)?)
    }

    /// The outcome, or the answer of the same request where that came first by another way while this one was decided.
    pub(super) async fn or_replayed<T: DeserializeOwned>(
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
    pub(super) fn remember<T: Serialize>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
        answer: &T,
    ) -> Result<Option<Write>, Error> {
        let Some((replay, codes)) = self.replay_codes(replay)? else {
            return Ok(None);
        };
        let principal = replay.principal(session);
        let answer = serde_json::to_vec(answer).map_err(|_| KeyError::Broken)?;
        let row = ReplayRow {
            principal,
            key: codes.key,
            request: codes.request,
            answer: self.keyring.seal_answer(principal, &codes, &answer)?,
            req: session.request.as_str().to_owned(),
            created_at: self.clock.now()?,
            mac: [0; 16],
        };
        Ok(Some(Write::Replay(self.keyring.protect(row)?)))
    }

    fn replay_codes<'r>(&self, replay: Option<&'r Replay>) -> Result<Option<(&'r Replay, ReplayCodes)>, Error> {
        let Some(replay) = replay else { return Ok(None) };
        Ok(Some((replay, self.keyring.replay_codes(&replay.key, &replay.request)?)))
    }
}

/// Whether this entry is the leaf of the write whose answer the row remembers. Where it stands is known to the log's
/// writer alone and so is not under the row's code; the request, which the leaf names too, is.
pub(super) fn is_leaf_of(row: &ReplayRow, entry: &EntryRow) -> bool {
    let by = |actor: &str| row.principal == VAULT || actor == row.principal.to_string();
    let fits = |leaf: Leaf| leaf.out == "granted" && by(&leaf.actor) && leaf.req == row.req;
    startup::prove_leaf(entry).is_ok() && Leaf::parse(&entry.body).is_some_and(fits)
}
