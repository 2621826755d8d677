//! Writes with an `Idempotency-Key`: the same request again gets the same answer and changes nothing.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Audit, Error, Session, Vault};
use crate::audit::LogPosition;
use crate::audit::leaf::Leaf;
use crate::audit::startup;
use crate::keyring::{KeyError, ReplayCodes};
use crate::store::Write;
use crate::store::rows::{EntryRow, ReplayRow};

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
        if !is_leaf_of(&row, &found.leaf) {
            return Err(KeyError::Broken.into());
        }
        let answer = serde_json::from_slice(&self.keyring.open_answer(&row)?).map_err(|_| KeyError::Broken)?;
        Ok(Some((
            answer,
            LogPosition {
                index: found.leaf.index,
                leaf_hash: found.leaf.leaf_hash,
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
        let principal = session.actor.id();
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

    fn replay_codes(&self, replay: Option<&Replay>) -> Result<Option<ReplayCodes>, Error> {
        Ok(replay
            .map(|replay| self.keyring.replay_codes(&replay.key, &replay.request))
            .transpose()?)
    }
}

/// Whether this entry is the leaf of the write whose answer the row remembers. Where it stands is known to the log's
/// writer alone and so is not under the row's code; the request, which the leaf names too, is.
pub(super) fn is_leaf_of(row: &ReplayRow, entry: &EntryRow) -> bool {
    let fits = |leaf: Leaf| leaf.out == "granted" && leaf.actor == row.principal.to_string() && leaf.req == row.req;
    startup::prove_leaf(entry).is_ok() && Leaf::parse(&entry.body).is_some_and(fits)
}
