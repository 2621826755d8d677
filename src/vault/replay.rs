//! Writes with an `Idempotency-Key`: the same request again gets the same answer and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Audit, Error, Session, Vault};
use crate::audit::{CommitError, LogPosition};
use crate::keyring::ReplayCodes;
use crate::model::ids::PrincipalId;
use crate::store::Write;
use crate::store::rows::ReplayRow;

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
    /// Under whom it is kept. No account has the id that stands for the vault: accounts' are random.
    fn principal(&self, session: &Session) -> PrincipalId {
        match self.scope {
            Scope::Principal => session.actor.id(),
            Scope::Vault => PrincipalId::from_bytes([0; 16]),
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
        let answer = serde_json::from_slice(&row.answer).map_err(|_| crate::keyring::KeyError::Broken)?;
        Ok(Some((
            answer,
            LogPosition {
                index: found.index,
                leaf_hash: found.leaf_hash,
            }
            .into(),
        )))
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
        let row = ReplayRow {
            principal: replay.principal(session),
            key: codes.key,
            request: codes.request,
            answer: serde_json::to_vec(answer).map_err(|_| crate::keyring::KeyError::Broken)?,
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
