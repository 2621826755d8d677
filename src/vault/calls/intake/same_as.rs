//! The agent says which caller on file it is (`same_as`), where matching alone cannot tell.
//!
//! A number alone opens nobody's record. The call must state a number of theirs and, if a person's name is on file, that name: for
//! that much a single match is certain without the agent's word. Where no name says who it is, nothing may be on file that the number
//! would open: only numbers, what is shown whole even where it is masked, and what the call states itself and an index finds equal.

use crate::cells;
use crate::model::fields::{Field, FieldSet, Indexed, MatchStrength};
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
        let Some(row) = facts.caller.as_ref().map(|caller| &caller.row) else {
            return Ok(Err(Why::UnknownReference));
        };
        match found.caller {
            Some(caller) if caller == row.id => Ok(Ok(found)),
            Some(_) => Ok(Err(Why::NotThatCaller)),
            None if self.agrees(fields, row, values).await? => Ok(Ok(Match::confirmed(row.id))),
            None => Ok(Err(Why::NotThatCaller)),
        }
    }

    /// Whether the call agrees with the record, as the module says, and no identifying value contradicts.
    async fn agrees(
        &self,
        fields: &FieldSet,
        row: &Genuine<CallerRow>,
        values: &[(&Field, Submitted)],
    ) -> Result<bool, Error> {
        if !row.indexed || self.contradicted(row.id, values).await? {
            return Ok(false);
        }
        let is_number = |field: &Field| field.is_phone() && field.matching() == Some(MatchStrength::Tentative);
        let numbers: Vec<&(&Field, Submitted)> = values.iter().filter(|(field, _)| is_number(field)).collect();
        if !self.finds(fields, row, &numbers).await? {
            return Ok(false);
        }
        let names = |(field, value): &&(&Field, Submitted)| {
            field.matching() == Some(MatchStrength::Corroborating) && field.identifies(value)
        };
        let names: Vec<&(&Field, Submitted)> = values.iter().filter(names).collect();
        if self.finds(fields, row, &names).await? {
            return Ok(true);
        }
        for field in fields
            .of(RecordKind::Caller)
            .filter(|field| row.has(field.name().as_str()))
        {
            if is_number(field) || field.is_shown_whole() {
                continue;
            }
            let stated: Vec<&(&Field, Submitted)> = values
                .iter()
                .filter(|(other, _)| other.name() == field.name())
                .collect();
            if !self.finds(fields, row, &stated).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether one of these values is on the record or on one that was merged into it, or is one that such a value may mean.
    async fn finds(
        &self,
        fields: &FieldSet,
        row: &Genuine<CallerRow>,
        values: &[&(&Field, Submitted)],
    ) -> Result<bool, Error> {
        let family = self.family(row).await?;
        for (field, value) in values {
            let sought: Vec<Indexed> = field.indexed(value).into_iter().chain(field.alike(value)).collect();
            let alike = fields
                .of(RecordKind::Caller)
                .filter(|other| field.index().is_some() && other.index() == field.index());
            for other in alike {
                for record in &family {
                    if self.leads_to(record, other, &sought).await? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Whether an entry of one of a record's fields is one of these.
    async fn leads_to(&self, record: &CallerRow, field: &Field, sought: &[Indexed]) -> Result<bool, Error> {
        let with = cells![record.id, field.name().as_str().to_owned()];
        for entry in self.store.all(&OF_FIELD, &with).await? {
            let entry = self.keyring.genuine(entry)?;
            for indexed in sought {
                if self.keyring.indexes(&entry, indexed)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
