//! Has this person called before? Decided on blind indexes, without opening anything.
//!
//! An equal identifying value (ID number) is the same person. An equal phone number with an equal name, and no ID number
//! that contradicts it, is too. An equal phone number otherwise only may be: numbers are recycled, and families share
//! them, so a new record is made and the others are named as candidates, never merged by themselves.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cells;
use crate::keyring::KeyError;
use crate::model::code::Code;
use crate::model::fields::{Field, MatchStrength};
use crate::model::ids::CallerId;
use crate::model::submitted::Submitted;
use crate::store::rows::index::{BOTH, HITS, OF_FIELD};
use crate::store::rows::{CallerRow, Cell, Genuine};
use crate::vault::{Error, Vault};

/// Callers named for one value; whoever asks hears when there are more.
const MOST: u32 = 50;
/// Entries with one value that are looked at for another value.
const MOST_SHARING: u32 = 1_000;

/// Sorts after the id of every caller, which has 16 bytes.
const BEYOND_EVERY_ID: [u8; 17] = [0xff; 17];

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
pub(in crate::vault) struct Match {
    pub(in crate::vault) matched: Matched,
    /// The record this call belongs to, if it exists.
    pub(in crate::vault) caller: Option<CallerId>,
    /// Others it may be.
    pub(in crate::vault) candidates: Vec<CallerId>,
    /// There are more of them.
    pub(in crate::vault) more: bool,
}

/// The code of one submitted value in its blind index, under one version of the index key.
struct Sought<'f> {
    index: &'f str,
    value: Code,
    strength: MatchStrength,
}

impl Sought<'_> {
    /// As the parameters of [`HITS`].
    fn with(&self, limit: u32) -> [Cell; 3] {
        cells![self.index.to_owned(), self.value, limit]
    }
}

impl Match {
    /// Nobody was looked for.
    pub(in crate::vault) const fn none() -> Self {
        Self {
            matched: Matched::New,
            caller: None,
            candidates: Vec::new(),
            more: false,
        }
    }

    const fn certain(caller: CallerId) -> Self {
        Self {
            matched: Matched::Certain,
            caller: Some(caller),
            candidates: Vec::new(),
            more: false,
        }
    }
}

impl Vault {
    pub(in crate::vault) async fn match_caller(&self, values: &[(&Field, Submitted)]) -> Result<Match, Error> {
        let codes = self.codes(values)?;
        let of = |strength| codes.iter().filter(move |code| code.strength == strength);
        for code in of(MatchStrength::Certain) {
            // At most one: the store lets no second caller have it.
            if let Some(hit) = self.store.one(&HITS, &code.with(1)).await? {
                return Ok(Match::certain(self.keyring.genuine(hit)?.caller));
            }
        }
        let mut same = BTreeSet::new();
        for tentative in of(MatchStrength::Tentative) {
            for other in of(MatchStrength::Corroborating) {
                same.extend(self.having_both(tentative, other).await?);
            }
        }
        let mut fitting = Vec::new();
        for &caller in &same {
            if !self.contradicted(caller, values).await? {
                fitting.push(caller);
            }
        }
        if let [caller] = fitting[..] {
            return Ok(Match::certain(caller));
        }
        // Somebody else with the same number is counted and not named: whoever knows a colleague's number would learn by it
        // whom the vault knows, and under which reference.
        let mut others = BTreeSet::new();
        for code in of(MatchStrength::Tentative) {
            self.having_code(code, &mut others).await?;
        }
        let more = same.len() > MOST as usize || others.iter().any(|caller| !same.contains(caller));
        let candidates: Vec<CallerId> = same.into_iter().take(MOST as usize).collect();
        let matched = if candidates.is_empty() && !more {
            Matched::New
        } else {
            Matched::Tentative
        };
        Ok(Match {
            matched,
            caller: None,
            candidates,
            more,
        })
    }

    fn codes<'f>(&self, values: &[(&'f Field, Submitted)]) -> Result<Vec<Sought<'f>>, Error> {
        let mut codes = Vec::with_capacity(values.len());
        for (field, value) in values {
            if let (Some(index), Some(strength)) = (field.index(), field.matching()) {
                let values = self.keyring.blind_indexes(index, value)?;
                codes.extend(values.into_iter().map(|value| Sought { index, value, strength }));
            }
        }
        Ok(codes)
    }

    /// Callers with this value, at most 50, and whether there are more.
    pub(in crate::vault) async fn having(
        &self,
        index: &str,
        value: &Submitted,
    ) -> Result<(BTreeSet<CallerId>, bool), Error> {
        let (mut callers, mut more) = (BTreeSet::new(), false);
        for value in self.keyring.blind_indexes(index, value)? {
            let code = Sought {
                index,
                value,
                strength: MatchStrength::Tentative,
            };
            more |= self.having_code(&code, &mut callers).await?;
        }
        more |= callers.len() > MOST as usize;
        Ok((callers.into_iter().take(MOST as usize).collect(), more))
    }

    /// Adds the callers with this value, at most 50, and says whether there are more.
    async fn having_code(&self, code: &Sought<'_>, callers: &mut BTreeSet<CallerId>) -> Result<bool, Error> {
        let hits = self.store.all(&HITS, &code.with(MOST + 1)).await?;
        let more = hits.len() > MOST as usize;
        for hit in hits.into_iter().take(MOST as usize) {
            callers.insert(self.keyring.genuine(hit)?.caller);
        }
        Ok(more)
    }

    /// The callers who have both values, at most 51: more than one is no match, and no more than 50 are named.
    async fn having_both(&self, one: &Sought<'_>, other: &Sought<'_>) -> Result<Vec<CallerId>, Error> {
        let with = cells![
            one.index.to_owned(),
            one.value,
            other.index.to_owned(),
            other.value,
            MOST_SHARING,
            BEYOND_EVERY_ID.to_vec(),
            MOST + 1
        ];
        let mut callers = Vec::new();
        for (first, second) in self.store.all(&BOTH, &with).await? {
            self.keyring.genuine(second)?;
            callers.push(self.keyring.genuine(first)?.caller);
        }
        Ok(callers)
    }

    /// An identifying value was stated and another one is on file: two people.
    async fn contradicted(&self, caller: CallerId, values: &[(&Field, Submitted)]) -> Result<bool, Error> {
        let row = self.caller_row(caller).await?;
        let identifying = |(field, _): &&(&Field, Submitted)| field.matching() == Some(MatchStrength::Certain);
        // Had the values been equal, the certain match would have been taken already.
        Ok(values
            .iter()
            .filter(identifying)
            .any(|(field, _)| row.has(field.name().as_str())))
    }

    /// Whether this very value is on file for the caller; only an index can tell without opening.
    ///
    /// # Errors
    /// [`KeyError::Broken`] when the caller's row says that the field is on file and no genuine index entry stands for
    /// it: an edited or deleted entry is not a value that differs.
    pub(in crate::vault) async fn holds(
        &self,
        caller: &Genuine<CallerRow>,
        field: &Field,
        value: &Submitted,
    ) -> Result<bool, Error> {
        let name = field.name().as_str();
        let Some(index) = field.index().filter(|_| caller.indexed && caller.has(name)) else {
            return Ok(false);
        };
        let entries = self.store.all(&OF_FIELD, &cells![caller.id, name.to_owned()]).await?;
        if entries.is_empty() {
            return Err(KeyError::Broken.into());
        }
        let mut holds = false;
        for entry in entries {
            let entry = self.keyring.genuine(entry)?;
            holds |= entry.idx == index && self.keyring.indexes(index, &entry.value, value.expose().as_bytes())?;
        }
        Ok(holds)
    }
}
