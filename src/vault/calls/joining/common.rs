//! What a merge, its undoing and a split have in common.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::cells;
use crate::keyring::KeyError;
use crate::log::{Change, CommitError};
use crate::model::ask::{Action, Ask};
use crate::model::fields::{Field, FieldSet, MatchStrength};
use crate::model::ids::{CallerId, RecordId, RecordKind};
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::model::reference::Reference;
use crate::model::submitted::Submitted;
use crate::model::ticket_no::TicketNo;
use crate::policy::Permit;
use crate::store::Write;
use crate::store::rows::blind_index::OF_FIELD;
use crate::store::rows::field::ONE;
use crate::store::rows::{BlindIndexRow, CallerRow, FieldRow, Genuine};
use crate::vault::{Audit, Error, Session, Vault};

/// A caller, and a ticket about them that your department took.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ByTicket {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// A ticket about the caller, open or closed.
    #[schema(value_type = String)]
    pub ticket: TicketNo,
}

/// The caller after a merge.
#[derive(Serialize, utoipa::ToSchema)]
pub struct JoinedCaller {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Your department's earlier references to the caller: of the version before, until it ends, and to records that were merged into this one. They still work.
    #[schema(value_type = Vec<String>)]
    pub superseded: Vec<Reference>,
    /// Names of the fields on file.
    pub on_file: Vec<String>,
    /// The caller's new version; the `ETag`.
    pub version: u64,
}

/// The answer to a merge.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Joined {
    /// The caller.
    pub caller: JoinedCaller,
    /// The log entry of this act.
    pub audit: Audit,
}

impl Vault {
    /// The ask to join or part records, for the sake of a ticket.
    pub(super) fn ask_by(&self, session: &Session, action: Action, by: &ByTicket) -> Result<Ask, Error> {
        let ask = self.ask(session, action, Purpose::Correct)?;
        Ok(ask.caller(by.r#ref).ticket(by.ticket))
    }

    /// Whether a legal hold is on a record, or on one that was merged into it: then nothing of it comes apart, since a part could be erased.
    pub(super) async fn is_held(&self, whole: &Genuine<CallerRow>) -> Result<bool, Error> {
        Ok(self.family(whole).await?.iter().any(|record| record.holds > 0))
    }

    /// Values of some of a record's fields, to be sealed into another.
    pub(super) async fn taken_out<'f>(
        &self,
        permit: &Permit,
        record: &CallerRow,
        fields: &[&'f Field],
    ) -> Result<Vec<(&'f Field, Submitted)>, Error> {
        let id = RecordId::Caller(record.id);
        let key = self.wrapped_key(id).await?;
        let mut values = Vec::with_capacity(fields.len());
        for field in fields {
            let row = self.sealed(record.id, field.name().as_str()).await?;
            let row = row.ok_or(KeyError::Broken)?;
            values.push((*field, self.keyring.taken_out(&row, &key, permit)?));
        }
        Ok(values)
    }

    /// One of a caller's sealed fields.
    pub(super) async fn sealed(&self, caller: CallerId, field: &str) -> Result<Option<FieldRow>, Error> {
        let with = cells![RecordKind::Caller, *caller.as_bytes(), field.to_owned()];
        Ok(self.store.one(&ONE, &with).await?)
    }

    /// The entries of a field's value in its own index.
    pub(super) async fn entries_of(
        &self,
        record: &CallerRow,
        field: &Field,
    ) -> Result<Vec<Genuine<BlindIndexRow>>, Error> {
        let with = cells![record.id, field.name().as_str().to_owned()];
        let mut entries = self.genuine(self.store.all(&OF_FIELD, &with).await?)?;
        entries.retain(|entry| field.index() == Some(entry.idx.as_str()));
        Ok(entries)
    }

    /// Whether one of these entries stands for the value that a record has of a field. Codes of two versions of the index key say
    /// nothing of each other: between a rotation and the end of its rewrap the value itself is looked at, and stays in the keyring.
    pub(super) async fn is_among(
        &self,
        record: &CallerRow,
        field: &Field,
        entries: &[Genuine<BlindIndexRow>],
    ) -> Result<bool, Error> {
        let own = self.entries_of(record, field).await?;
        let is_own =
            |entry: &Genuine<BlindIndexRow>| own.iter().any(|own| (&own.idx, own.value) == (&entry.idx, entry.value));
        let is_among = entries.iter().any(is_own);
        let versions: BTreeSet<u8> = own.iter().chain(entries).map(|entry| entry.value.version()).collect();
        if is_among || versions.len() <= 1 {
            return Ok(is_among);
        }
        let key = self.keys.record_key(RecordId::Caller(record.id)).await?;
        let row = self.sealed(record.id, field.name().as_str()).await?;
        let (Some(row), Some(key)) = (row, key) else {
            return Ok(false);
        };
        Ok(self.keyring.is_among(&row, &key, field, entries)?)
    }

    /// A value that is replaced or taken away leads to the caller no longer, also where a record that was merged into this one has
    /// it too.
    pub(in crate::vault::calls) async fn withdraw_values<'n>(
        &self,
        change: &mut Change,
        row: &Genuine<CallerRow>,
        fields: impl Iterator<Item = &'n str>,
    ) -> Result<(), Error> {
        if row.merged == 0 {
            return Ok(());
        }
        let family = self.family(row).await?;
        let declared = self.rules();
        for field in fields.filter_map(|name| declared.fields.get(name)) {
            for record in family.iter().skip(1) {
                let entries = self.entries_of(record, field).await?;
                if self.is_among(row, field, &entries).await? {
                    let name = field.name().as_str().to_owned();
                    change.writes.push(Write::Unindex(record.id, name));
                }
            }
        }
        Ok(())
    }
}

/// The callers' fields of these names, in the order of declaration.
pub(super) fn declared(fields: &FieldSet, has: impl Fn(&str) -> bool) -> Vec<&Field> {
    fields
        .of(RecordKind::Caller)
        .filter(|field| has(field.name().as_str()))
        .collect()
}

/// Whether the field identifies one person for certain.
pub(super) fn is_certain(field: &Field) -> bool {
    field.matching() == Some(MatchStrength::Certain)
}

/// What the asker hears where the log or the store does not take so much, or such a value.
pub(super) fn told(error: Error) -> Error {
    match error {
        Error::Log(CommitError::LeafTooLarge) => Error::Bad(problems::TOO_MUCH_AT_ONCE),
        Error::Log(CommitError::Duplicate) => Error::Bad(problems::IDENTITY_TAKEN),
        other => other,
    }
}
