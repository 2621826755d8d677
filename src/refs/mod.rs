//! References: a department's pseudonyms, derived under its own subkey and kept with the record's id sealed, so that two
//! departments' references cannot be joined without the vault (REFERENCES §2.1).

use crate::cells;
use crate::keyring::{KeyError, Keyring};
use crate::model::ids::{RecordId, RecordKind};
use crate::model::reference::{DepartmentCode, Reference};
use crate::store::rows::reference::ONE;
use crate::store::rows::{ReferenceKey, ReferenceRow};
use crate::store::{DataStore, StoreError};

/// With 55 bits a second try is needed about once in 10^8 callers; more than a few mean a broken store.
const MOST_TRIES: u32 = 16;

/// A reference could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum RefError {
    /// The keyring refused.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A reference, and its row where it is new and has yet to be written.
pub struct Minted {
    /// What the department sees.
    pub reference: Reference,
    /// To be written with whatever shows the reference first.
    pub new: Option<ReferenceRow>,
}

/// This department's reference to a record: the one it has, under whatever version of the reference key, or a new one under the newest.
/// So a department that has written a reference down meets the same one, also after the key was rotated.
///
/// # Errors
/// When locked, when the store does not answer, or when a row of the table was changed.
pub async fn mint(
    keyring: &Keyring,
    store: &dyn DataStore,
    department: DepartmentCode,
    record: RecordId,
) -> Result<Minted, RefError> {
    let mut newest = None;
    for version in keyring.reference_versions()? {
        match look(keyring, store, (department, version), record).await? {
            (reference, Some(_)) => return Ok(Minted { reference, new: None }),
            (reference, None) => newest = newest.or(Some(reference)),
        }
    }
    let reference = newest.ok_or(KeyError::Broken)?;
    let (kind, version) = (reference.kind(), reference.version());
    let code = keyring.reference_code(department, kind, version, reference.body())?;
    let row = keyring.seal_reference(department, kind, version, code, record.as_bytes())?;
    Ok(Minted {
        reference,
        new: Some(row),
    })
}

/// Where a department's references to a record stand under every version of the reference key: those that were given out, and where one
/// would stand that is given out next.
///
/// # Errors
/// As [`mint`].
pub async fn places(
    keyring: &Keyring,
    store: &dyn DataStore,
    department: DepartmentCode,
    record: RecordId,
) -> Result<Vec<ReferenceKey>, RefError> {
    let mut places = Vec::new();
    for version in keyring.reference_versions()? {
        let (reference, _) = look(keyring, store, (department, version), record).await?;
        let kind = reference.kind();
        places.push(ReferenceKey {
            department,
            kind,
            version,
            body: keyring.reference_code(department, kind, version, reference.body())?,
        });
    }
    Ok(places)
}

/// A department's reference to a record under one version of the key, with its row if it was given out. If not, the first one that stands
/// for no other record.
async fn look(
    keyring: &Keyring,
    store: &dyn DataStore,
    (department, version): (DepartmentCode, u8),
    record: RecordId,
) -> Result<(Reference, Option<ReferenceRow>), RefError> {
    let (kind, id) = (record.kind(), record.as_bytes());
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(department, kind, version, id, counter)?;
        let reference = Reference::new(department, kind, version, body).ok_or(KeyError::Broken)?;
        match row_of(keyring, store, &reference).await? {
            None => return Ok((reference, None)),
            Some(row) if keyring.open_reference(&row)? == *id => return Ok((reference, Some(row))),
            Some(_) => {}
        }
    }
    Err(KeyError::Broken.into())
}

/// The record a reference stands for, if the vault has given it out.
///
/// # Errors
/// When locked, when the store does not answer, or when the row was changed.
pub async fn resolve(
    keyring: &Keyring,
    store: &dyn DataStore,
    reference: &Reference,
) -> Result<Option<RecordId>, RefError> {
    let row = row_of(keyring, store, reference).await?;
    row.map(|row| Ok(RecordId::new(row.kind, keyring.open_reference(&row)?)))
        .transpose()
}

/// What a reference stands for, as the store has it.
async fn row_of(
    keyring: &Keyring,
    store: &dyn DataStore,
    reference: &Reference,
) -> Result<Option<ReferenceRow>, RefError> {
    let (department, kind, version) = (reference.department(), reference.kind(), reference.version());
    // A reference that names a key which the vault never had is nobody's.
    if !keyring.reference_versions()?.contains(&version) {
        return Ok(None);
    }
    let code = keyring.reference_code(department, kind, version, reference.body())?;
    Ok(store.one(&ONE, &cells![department, kind, version, code]).await?)
}

/// The reference that a stored row is of, from the record it stands for.
///
/// # Errors
/// When locked; [`KeyError::Broken`] when the row does not open, or is of no reference to that record.
pub fn of_row(keyring: &Keyring, row: &ReferenceRow) -> Result<(Reference, RecordId), KeyError> {
    let id = keyring.open_reference(row)?;
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(row.department, row.kind, row.version, &id, counter)?;
        if keyring.reference_code(row.department, row.kind, row.version, body)? == row.body {
            let reference = Reference::new(row.department, row.kind, row.version, body).ok_or(KeyError::Broken)?;
            return Ok((reference, RecordId::new(row.kind, id)));
        }
    }
    Err(KeyError::Broken)
}

/// Whether a reference is of a caller.
#[must_use]
pub fn is_caller(reference: &Reference) -> bool {
    reference.kind() == RecordKind::Caller
}
