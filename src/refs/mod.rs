//! References: a department's pseudonyms, derived under its own subkey and kept with the record's id sealed, so that two
//! departments' references cannot be joined without the vault (REFERENCES §2.1).

use crate::keyring::{KeyError, Keyring};
use crate::model::ids::{RecordId, RecordKind};
use crate::model::reference::{DepartmentCode, Reference};
use crate::store::rows::ReferenceRow;
use crate::store::{DataStore, StoreError};

/// With 55 bits a second try is needed about once in 10^8 callers; more than a few mean a broken store.
const MOST_TRIES: u32 = 16;

/// A reference could not be made or read.
#[derive(Debug)]
pub enum RefError {
    /// The keyring refused.
    Key(KeyError),
    /// The store did not answer.
    Store(StoreError),
}

impl From<KeyError> for RefError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<StoreError> for RefError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// A reference, and its row where it is new and has yet to be written.
pub struct Minted {
    /// What the department sees.
    pub reference: Reference,
    /// To be written with whatever shows the reference first.
    pub new: Option<ReferenceRow>,
}

/// This department's reference to a record: the one it has, or a new one. The same record gives the same reference.
///
/// # Errors
/// When locked, when the store does not answer, or when a row of the table was changed.
pub async fn mint(
    keyring: &Keyring,
    store: &dyn DataStore,
    department: DepartmentCode,
    record: RecordId,
) -> Result<Minted, RefError> {
    let (kind, id) = (record.kind(), record.as_bytes());
    let version = keyring.reference_version()?;
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(department, kind, version, id, counter)?;
        let reference = Reference::new(department, kind, version, body).ok_or(KeyError::Broken)?;
        match store.reference(department, kind, version, body).await? {
            None => {
                let row = keyring.seal_reference(department, kind, version, body, id)?;
                return Ok(Minted {
                    reference,
                    new: Some(row),
                });
            }
            Some(row) if keyring.open_reference(&row)? == *id => return Ok(Minted { reference, new: None }),
            Some(_) => {}
        }
    }
    Err(KeyError::Broken.into())
}

/// The reference a department has to a record, from the keys alone; `others` knows which are another record's.
///
/// # Errors
/// When locked, or when none is left.
pub fn derive(
    keyring: &Keyring,
    department: DepartmentCode,
    record: RecordId,
    others: impl Fn(&Reference) -> bool,
) -> Result<Reference, KeyError> {
    let version = keyring.reference_version()?;
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(department, record.kind(), version, record.as_bytes(), counter)?;
        let reference = Reference::new(department, record.kind(), version, body).ok_or(KeyError::Broken)?;
        if !others(&reference) {
            return Ok(reference);
        }
    }
    Err(KeyError::Broken)
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
    let (department, kind) = (reference.department(), reference.kind());
    let row = store
        .reference(department, kind, reference.version(), reference.body())
        .await?;
    row.map(|row| Ok(RecordId::new(kind, keyring.open_reference(&row)?)))
        .transpose()
}

/// Whether a reference is of a caller.
#[must_use]
pub fn is_caller(reference: &Reference) -> bool {
    reference.kind() == RecordKind::Caller
}
