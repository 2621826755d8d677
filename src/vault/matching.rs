//! Has this person called before? Decided on blind indexes, without opening anything.
//!
//! An equal identifying value (ID number) is the same person. An equal phone number with an equal name, and no ID number
//! that contradicts it, is too. An equal phone number otherwise only may be: numbers are recycled, and families share
//! them, so a new record is made and the others are named as candidates, never merged by themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Error, Vault};
use crate::model::fields::{Field, MatchStrength};
use crate::model::ids::CallerId;
use crate::model::submitted::Submitted;

const MOST_HITS: u32 = 1000;

/// How sure the vault is that the caller has called before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Matched {
    /// Nobody on file fits.
    New,
    /// The same person.
    Certain,
    /// Perhaps the same person: a new record was made.
    Tentative,
}

/// What matching found.
pub(super) struct Match {
    pub(super) matched: Matched,
    /// The record this call belongs to, if it exists.
    pub(super) caller: Option<CallerId>,
    /// Others it may be.
    pub(super) candidates: Vec<CallerId>,
}

/// Callers that share the submitted value, per strength.
#[derive(Default)]
struct Hits {
    certain: BTreeSet<CallerId>,
    tentative: BTreeSet<CallerId>,
    corroborating: BTreeSet<CallerId>,
}

impl Vault {
    pub(super) async fn match_caller(&self, values: &[(&Field, Submitted)]) -> Result<Match, Error> {
        let hits = self.hits(values).await?;
        if let Some(&caller) = hits.certain.first() {
            return Ok(Match {
                matched: Matched::Certain,
                caller: Some(caller),
                candidates: Vec::new(),
            });
        }
        let mut same = Vec::new();
        for &caller in hits.tentative.intersection(&hits.corroborating) {
            if !self.contradicted(caller, values).await? {
                same.push(caller);
            }
        }
        if let [caller] = same[..] {
            return Ok(Match {
                matched: Matched::Certain,
                caller: Some(caller),
                candidates: Vec::new(),
            });
        }
        let matched = if hits.tentative.is_empty() {
            Matched::New
        } else {
            Matched::Tentative
        };
        Ok(Match {
            matched,
            caller: None,
            candidates: hits.tentative.into_iter().collect(),
        })
    }

    async fn hits(&self, values: &[(&Field, Submitted)]) -> Result<Hits, Error> {
        let mut found: BTreeMap<MatchStrength, BTreeSet<CallerId>> = BTreeMap::new();
        for (field, value) in values {
            let (Some(index), Some(strength)) = (field.index(), field.matching()) else {
                continue;
            };
            for hit in self
                .store
                .index_hits(index, &self.keyring.blind_index(index, value)?, MOST_HITS)
                .await?
            {
                found
                    .entry(strength)
                    .or_default()
                    .insert(self.keyring.genuine(hit)?.caller);
            }
        }
        let mut take = |strength| found.remove(&strength).unwrap_or_default();
        Ok(Hits {
            certain: take(MatchStrength::Certain),
            tentative: take(MatchStrength::Tentative),
            corroborating: take(MatchStrength::Corroborating),
        })
    }

    /// An identifying value was stated and another one is on file: two people.
    async fn contradicted(&self, caller: CallerId, values: &[(&Field, Submitted)]) -> Result<bool, Error> {
        let on_file = self
            .store
            .field_names(crate::model::ids::RecordId::Caller(caller))
            .await?;
        let identifying = |(field, _): &&(&Field, Submitted)| field.matching() == Some(MatchStrength::Certain);
        // Had the values been equal, the certain match would have been taken already.
        Ok(values
            .iter()
            .filter(identifying)
            .any(|(field, _)| on_file.iter().any(|name| name == field.name().as_str())))
    }
}
