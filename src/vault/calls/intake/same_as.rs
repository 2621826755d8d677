//! The agent says which caller on file it is (`same_as`), where matching alone cannot tell.
//!
//! A number alone opens nobody's record. Where a name is on file the call must state it, and for that much a single match is
//! certain without the agent's word. Where none is on file the record must hold nothing but numbers and what the call states
//! itself.

use crate::cells;
use crate::model::fields::{Field, FieldName, FieldSet, Indexed, MatchStrength};
use crate::model::ids::RecordKind;
use crate::model::submitted::Submitted;
use crate::policy::Why;
use crate::policy::facts::Facts;
use crate::store::rows::blind_index::OF_FIELD;
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::calls::matching::Match;
use crate::vault::{Error, Vault};

/// The key of a leaf's `link` that says so.
pub(super) const MATCHED: &str = "matched";

impl Vault {
    /// The caller that the agent named, if the call agrees with their record; else why not.
    pub(super) async fn confirmed(
        &self,
        fields: &FieldSet,
        facts: &Facts,
        found: Match,
        values: &[(&Field, Submitted)],
    ) -> Result<Result<Match, Why>, Error> {
        if facts.foreign_reference {
            return Ok(Err(Why::ForeignReference));
        }
        let Some(row) = facts.caller.as_ref().and_then(|caller| caller.row.as_ref()) else {
            return Ok(Err(Why::UnknownReference));
        };
        match found.caller {
            Some(caller) if caller == row.id => Ok(Ok(found)),
            Some(_) => Ok(Err(Why::NotThatCaller)),
            None if self.agrees(fields, row, values).await? => Ok(Ok(Match::confirmed(row.id))),
            None => Ok(Err(Why::NotThatCaller)),
        }
    }

    /// Whether a number that the call states leads to the record, no identifying value contradicts, and the call states the name
    /// on file or, where there is none, something for each field on file but numbers.
    async fn agrees(
        &self,
        fields: &FieldSet,
        row: &Genuine<CallerRow>,
        values: &[(&Field, Submitted)],
    ) -> Result<bool, Error> {
        if !row.indexed || self.contradicted(row.id, values).await? {
            return Ok(false);
        }
        if !self.states(fields, row, values, MatchStrength::Tentative).await? {
            return Ok(false);
        }
        let on_file = || {
            fields
                .of(RecordKind::Caller)
                .filter(|field| row.has(field.name().as_str()))
        };
        if on_file().any(|field| field.matching() == Some(MatchStrength::Corroborating)) {
            return self.states(fields, row, values, MatchStrength::Corroborating).await;
        }
        let stated = |name: &FieldName| values.iter().any(|(field, _)| field.name() == name);
        Ok(on_file().all(|field| field.matching() == Some(MatchStrength::Tentative) || stated(field.name())))
    }

    /// Whether the call states a value of this strength that is on the record, or that one on the record may mean.
    async fn states(
        &self,
        fields: &FieldSet,
        row: &Genuine<CallerRow>,
        values: &[(&Field, Submitted)],
        strength: MatchStrength,
    ) -> Result<bool, Error> {
        for (field, value) in values.iter().filter(|(field, _)| field.matching() == Some(strength)) {
            let sought: Vec<Indexed> = field.indexed(value).into_iter().chain(field.alike(value)).collect();
            let alike = fields
                .of(RecordKind::Caller)
                .filter(|other| other.index() == field.index());
            for other in alike {
                let with = cells![row.id, other.name().as_str().to_owned()];
                for entry in self.store.all(&OF_FIELD, &with).await? {
                    let entry = self.keyring.genuine(entry)?;
                    for indexed in &sought {
                        if self.keyring.indexes(&entry, indexed)? {
                            return Ok(true);
                        }
                    }
                }
            }
        }
        Ok(false)
    }
}
