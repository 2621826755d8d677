//! Has this person called before? Decided on blind indexes, without opening anything.
//!
//! An equal identifying value (ID number) is the same person. An equal phone number with an equal name, and no ID number
//! that contradicts it, is too. An equal phone number otherwise only may be: numbers are recycled, and families share
//! them, so a new record is made and the others are named as candidates, never merged by themselves. So may be a number that
//! differs by an extension.

use std::collections::BTreeSet;

use crate::cells;
use crate::keyring::KeyError;
use crate::model::code::Code;
use crate::model::fields::{Field, MatchStrength};
use crate::model::ids::CallerId;
use crate::model::key_roles::KeyRole;
use crate::model::submitted::Submitted;
use crate::model::tickets::Matched;
use crate::store::Guard;
use crate::store::rows::blind_index::{BOTH, HAS, HITS, OF_FIELD};
use crate::store::rows::key_version::NEWER;
use crate::store::rows::{CallerRow, Cell, Genuine};
use crate::vault::{Error, Vault};

/// Callers named for one value; whoever asks hears when there are more.
const MOST: u32 = 50;
/// Entries with one value that are looked at for another value.
const MOST_SHARING: u32 = 1_000;

/// Sorts after the id of every caller, which has 16 bytes.
const BEYOND_EVERY_ID: [u8; 17] = [0xff; 17];

/// What matching found.
pub(in crate::vault) struct Match {
    pub(in crate::vault) matched: Matched,
    /// The record this call belongs to, if it exists.
    pub(in crate::vault) caller: Option<CallerId>,
    /// Others it may be.
    pub(in crate::vault) candidates: Vec<CallerId>,
    /// There are more of them.
    pub(in crate::vault) more: bool,
    /// What must still be so where nobody was found: else two calls of one new person at once make two records, and from then on
    /// neither is certain.
    pub(in crate::vault) guards: Vec<Guard>,
}

/// How far a stated value leads to a caller on file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// The same value, as far as its field says.
    Same(MatchStrength),
    /// A value that it may mean: the number of a switchboard, for an extension behind it.
    Alike,
}

impl Lead {
    const CERTAIN: Self = Self::Same(MatchStrength::Certain);
    const TENTATIVE: Self = Self::Same(MatchStrength::Tentative);
    const CORROBORATING: Self = Self::Same(MatchStrength::Corroborating);
}

/// The code of one submitted value in a blind index, under one version of the index key.
#[derive(PartialEq, Eq)]
struct Sought {
    index: String,
    value: Code,
    lead: Lead,
}

impl Sought {
    /// As the parameters of [`HITS`].
    fn with(&self, limit: u32) -> [Cell; 3] {
        cells![self.index.clone(), self.value, limit]
    }

    /// As the parameters of [`BOTH`].
    fn and(&self, other: &Self) -> [Cell; 7] {
        cells![
            self.index.clone(),
            self.value,
            other.index.clone(),
            other.value,
            MOST_SHARING,
            BEYOND_EVERY_ID.to_vec(),
            MOST + 1
        ]
    }
}

/// No caller has such a number and such a name.
fn nobody_has_both(codes: &[Sought]) -> Vec<Guard> {
    let with = |lead| codes.iter().filter(move |code| code.lead == lead);
    let pairs = with(Lead::TENTATIVE).flat_map(|one| with(Lead::CORROBORATING).map(move |other| one.and(other)));
    pairs.map(|pair| Guard::none(&BOTH, &pair)).collect()
}

/// The index key has no newer version than those that were looked under.
fn no_newer_key(codes: &[Sought]) -> Option<Guard> {
    let newest = codes.iter().map(|code| code.value.version()).max()?;
    Some(Guard::none(&NEWER, &cells![KeyRole::Index, newest]))
}

impl Match {
    /// Nobody was looked for.
    pub(in crate::vault) const fn none() -> Self {
        Self {
            matched: Matched::New,
            caller: None,
            candidates: Vec::new(),
            more: false,
            guards: Vec::new(),
        }
    }

    const fn certain(caller: CallerId) -> Self {
        Self {
            matched: Matched::Certain,
            caller: Some(caller),
            candidates: Vec::new(),
            more: false,
            guards: Vec::new(),
        }
    }

    /// The agent says so, and the call agrees.
    pub(in crate::vault) fn confirmed(caller: CallerId) -> Self {
        Self {
            matched: Matched::Confirmed,
            ..Self::certain(caller)
        }
    }
}

impl Vault {
    pub(in crate::vault) async fn match_caller(&self, values: &[(&Field, Submitted)]) -> Result<Match, Error> {
        let codes = self.codes(values)?;
        for code in codes.iter().filter(|code| code.lead == Lead::CERTAIN) {
            // At most one: the store lets no second caller have it.
            if let Some(hit) = self.store.one(&HITS, &code.with(1)).await? {
                let hit = self.keyring.genuine(hit)?;
                return Ok(Match::certain(self.in_force(hit.caller).await?));
            }
        }
        // Somebody else with the same number is counted and not named: whoever knows a colleague's number would learn by it
        // whom the vault knows, and under which reference.
        let mut others = BTreeSet::new();
        let mut agreeing = self.agreeing(&codes, Lead::TENTATIVE, &mut others).await?;
        let mut fitting = Vec::new();
        for &caller in &agreeing {
            if !self.contradicted(caller, values).await? {
                fitting.push(caller);
            }
        }
        if let [caller] = fitting[..] {
            return Ok(Match::certain(caller));
        }
        let guards = if agreeing.is_empty() {
            let mut guards = nobody_has_both(&codes);
            guards.extend(no_newer_key(&codes));
            guards
        } else {
            Vec::new()
        };
        agreeing.extend(self.agreeing(&codes, Lead::Alike, &mut others).await?);
        let more = agreeing.len() > MOST as usize || others.iter().any(|caller| !agreeing.contains(caller));
        let candidates: Vec<CallerId> = agreeing.into_iter().take(MOST as usize).collect();
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
            guards,
        })
    }

    /// Callers to whom such a value leads, and a corroborating one too; of records that were merged, the one in force. All to whom such a
    /// value leads are added to `others`.
    async fn agreeing(
        &self,
        codes: &[Sought],
        lead: Lead,
        others: &mut BTreeSet<CallerId>,
    ) -> Result<BTreeSet<CallerId>, Error> {
        let mut callers = BTreeSet::new();
        for code in codes.iter().filter(|code| code.lead == lead) {
            let mut having = BTreeSet::new();
            self.having_code(code, &mut having).await?;
            // What nobody has, nobody has together with another value: that is most new callers' numbers.
            if having.is_empty() {
                continue;
            }
            others.append(&mut having);
            for other in codes.iter().filter(|code| code.lead == Lead::CORROBORATING) {
                for caller in self.having_both(code, other).await? {
                    callers.insert(self.in_force(caller).await?);
                }
            }
            self.joined_agreeing(codes, code, &mut callers).await?;
        }
        Ok(callers)
    }

    /// Adds callers of whom several records are one: one of these may have the number, and another the name.
    async fn joined_agreeing(
        &self,
        codes: &[Sought],
        number: &Sought,
        callers: &mut BTreeSet<CallerId>,
    ) -> Result<(), Error> {
        for hit in self.store.all(&HITS, &number.with(MOST)).await? {
            let row = self.traced(self.keyring.genuine(hit)?.caller).await?.row;
            if row.merged == 0 || callers.contains(&row.id) {
                continue;
            }
            for record in self.family(&row).await? {
                for name in codes.iter().filter(|code| code.lead == Lead::CORROBORATING) {
                    let with = cells![name.index.clone(), name.value, record.id];
                    if let Some(entry) = self.store.one(&HAS, &with).await? {
                        callers.insert(self.in_force(self.keyring.genuine(entry)?.caller).await?);
                    }
                }
            }
        }
        Ok(())
    }

    fn codes(&self, values: &[(&Field, Submitted)]) -> Result<Vec<Sought>, Error> {
        let mut codes: Vec<Sought> = Vec::with_capacity(2 * values.len());
        for (field, value) in values {
            let Some(strength) = field.matching().filter(|_| field.identifies(value)) else {
                continue;
            };
            let itself = field.indexed(value).map(|indexed| (indexed, Lead::Same(strength)));
            let alike = field.alike(value).into_iter().map(|indexed| (indexed, Lead::Alike));
            for (indexed, lead) in itself.into_iter().chain(alike) {
                for value in self.keyring.blind_indexes(&indexed)? {
                    let index = indexed.index.clone();
                    let code = Sought { index, value, lead };
                    // The number that calls is often the one that is stated.
                    if !codes.contains(&code) {
                        codes.push(code);
                    }
                }
            }
        }
        Ok(codes)
    }

    /// Callers with this value, at most 50, and whether there are more.
    pub(in crate::vault) async fn having(
        &self,
        field: &Field,
        value: &Submitted,
    ) -> Result<(BTreeSet<CallerId>, bool), Error> {
        let (mut callers, mut more) = (BTreeSet::new(), false);
        let Some(indexed) = field.indexed(value) else {
            return Ok((callers, more));
        };
        for value in self.keyring.blind_indexes(&indexed)? {
            let code = Sought {
                index: indexed.index.clone(),
                value,
                lead: Lead::TENTATIVE,
            };
            more |= self.having_code(&code, &mut callers).await?;
        }
        more |= callers.len() > MOST as usize;
        Ok((callers.into_iter().take(MOST as usize).collect(), more))
    }

    /// Adds the callers with this value, at most 50, and says whether there are more. Of records that were merged, the one in force.
    async fn having_code(&self, code: &Sought, callers: &mut BTreeSet<CallerId>) -> Result<bool, Error> {
        let hits = self.store.all(&HITS, &code.with(MOST + 1)).await?;
        let more = hits.len() > MOST as usize;
        for hit in hits.into_iter().take(MOST as usize) {
            callers.insert(self.in_force(self.keyring.genuine(hit)?.caller).await?);
        }
        Ok(more)
    }

    /// The callers who have both values, at most 51: more than one is no match, and no more than 50 are named.
    async fn having_both(&self, one: &Sought, other: &Sought) -> Result<Vec<CallerId>, Error> {
        let mut callers = Vec::new();
        for (first, second) in self.store.all(&BOTH, &one.and(other)).await? {
            self.keyring.genuine(second)?;
            callers.push(self.keyring.genuine(first)?.caller);
        }
        Ok(callers)
    }

    /// An identifying value was stated and another one is on file: two people.
    pub(in crate::vault) async fn contradicted(
        &self,
        caller: CallerId,
        values: &[(&Field, Submitted)],
    ) -> Result<bool, Error> {
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
        let Some(indexed) = field.indexed(value).filter(|_| caller.indexed && caller.has(name)) else {
            return Ok(false);
        };
        let entries = self.store.all(&OF_FIELD, &cells![caller.id, name.to_owned()]).await?;
        if entries.is_empty() {
            return Err(KeyError::Broken.into());
        }
        let mut holds = false;
        for entry in entries {
            let entry = self.keyring.genuine(entry)?;
            holds |= self.keyring.indexes(&entry, &indexed)?;
        }
        Ok(holds)
    }
}
