//! Writes with an `Idempotency-Key`: the same request again gets the same answer and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Audit, Error, Session, Vault};
use crate::audit::LogPosition;
use crate::keyring::ReplayCodes;
use crate::store::Write;
use crate::store::rows::ReplayRow;

/// An `Idempotency-Key` and the exact request it came with (method, path and body).
pub struct Replay {
    /// What the client sent as key.
    pub key: String,
    /// The request.
    pub request: Vec<u8>,
}

impl Vault {
    /// The answer given before, if this very request came before.
    pub(super) async fn replayed<T: DeserializeOwned>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
    ) -> Result<Option<(T, Audit)>, Error> {
        let Some(codes) = self.replay_codes(replay)? else {
            return Ok(None);
        };
        let Some(found) = self.store.replay(session.actor.id(), &codes.key).await? else {
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

    /// The write that remembers an answer. The answer holds no personal value.
    pub(super) fn remember<T: Serialize>(
        &self,
        session: &Session,
        replay: Option<&Replay>,
        answer: &T,
    ) -> Result<Option<Write>, Error> {
        let Some(codes) = self.replay_codes(replay)? else {
            return Ok(None);
        };
        let row = ReplayRow {
            principal: session.actor.id(),
            key: codes.key,
            request: codes.request,
            answer: serde_json::to_vec(answer).map_err(|_| crate::keyring::KeyError::Broken)?,
            created_at: self.clock.now()?,
            mac: [0; 16],
        };
        Ok(Some(Write::Replay(self.keyring.protect(row)?)))
    }

    fn replay_codes(&self, replay: Option<&Replay>) -> Result<Option<ReplayCodes>, Error> {
        Ok(replay
            .map(|replay| self.keyring.replay_codes(&replay.key, &replay.request))
            .transpose()?)
    }
}
