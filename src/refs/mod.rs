//! References: a department's pseudonyms, derived under its own subkey and kept with the record's id sealed, so that two
//! departments' references cannot be joined without the vault (REFERENCES §2.1).

use jiff::Timestamp;

use crate::cells;
use crate::keyring::{KeyError, KeyRole, Keyring, Version};
use crate::model::ids::RecordId;
use crate::model::reference::Reference;
use crate::model::reference_versions::ReferenceVersions;
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

/// This department's reference to a record: the one it has under the version that is given out, or a new one under it. A department that has
/// written a ticket's reference down meets the same one, also after its references got a new version; so does the log with each of its own.
///
/// # Errors
/// When locked, when the store does not answer, or when a row of the table was changed.
pub async fn mint(
    keyring: &Keyring,
    store: &dyn DataStore,
    references: &ReferenceVersions,
    record: RecordId,
) -> Result<Minted, RefError> {
    let lasting = !references.ends(record.kind());
    let mut newest = None;
    for version in references.all() {
        match look(keyring, store, (references, version), record).await? {
            Some((reference, Some(_))) => return Ok(Minted { reference, new: None }),
            Some((reference, None)) => newest = newest.or(Some(reference)),
            None => {}
        }
        if !lasting {
            break;
        }
    }
    let reference = newest.ok_or(KeyError::Broken)?;
    let (key, of) = of(references, &reference).ok_or(KeyError::Broken)?;
    let code = keyring.reference_code(key, of, reference.body())?;
    let row = keyring.seal_reference(key, of, code, record.as_bytes())?;
    Ok(Minted {
        reference,
        new: Some(row),
    })
}

/// The reference that a department was given under the version before the one that is given out now, if it was given one and it is still good.
///
/// # Errors
/// As [`mint`].
pub async fn former(
    keyring: &Keyring,
    store: &dyn DataStore,
    references: &ReferenceVersions,
    record: RecordId,
    now: Timestamp,
) -> Result<Option<Reference>, RefError> {
    let Some(version) = references.former().filter(|_| references.has_grace(now)) else {
        return Ok(None);
    };
    let found = look(keyring, store, (references, version), record).await?;
    Ok(found.and_then(|(reference, row)| row.map(|_| reference)))
}

/// Where a department's references to a record stand under every version: those that were given out, and where one would stand that is given
/// out next, also if the references get a new version first.
///
/// # Errors
/// As [`mint`].
pub async fn places(
    keyring: &Keyring,
    store: &dyn DataStore,
    references: &ReferenceVersions,
    record: RecordId,
) -> Result<Vec<ReferenceKey>, RefError> {
    let next = references.next(keyring.reference_version()?);
    let references = next.as_ref().unwrap_or(references);
    let mut places = Vec::new();
    for version in references.all() {
        let Some((reference, _)) = look(keyring, store, (references, version), record).await? else {
            continue;
        };
        let (key, of) = of(references, &reference).ok_or(KeyError::Broken)?;
        places.push(ReferenceKey {
            department: of.department,
            kind: of.kind,
            version,
            body: keyring.reference_code(key, of, reference.body())?,
        });
    }
    Ok(places)
}

/// A department's reference to a record under one version, with its row if it was given out. If not, the first one that stands for no other
/// record. Nothing under a key that was destroyed: it was so because nothing was under it.
async fn look(
    keyring: &Keyring,
    store: &dyn DataStore,
    (references, version): (&ReferenceVersions, u8),
    record: RecordId,
) -> Result<Option<(Reference, Option<ReferenceRow>)>, RefError> {
    let (department, kind, id) = (references.department(), record.kind(), record.as_bytes());
    let key = references.key(version).ok_or(KeyError::Broken)?;
    if !keyring.has(KeyRole::Reference, key)? {
        return Ok(None);
    }
    let of = Version {
        department,
        kind,
        version,
    };
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(key, of, id, counter)?;
        let reference = Reference::new(department, kind, version, body).ok_or(KeyError::Broken)?;
        match row_of(keyring, store, references, &reference).await? {
            None => return Ok(Some((reference, None))),
            Some(row) if keyring.open_reference(&row)? == *id => return Ok(Some((reference, Some(row)))),
            Some(_) => {}
        }
    }
    Err(KeyError::Broken.into())
}

/// The record a department's reference stands for, if the vault has given it out. Whether it is still good, its version says.
///
/// # Errors
/// When locked, when the store does not answer, or when the row was changed.
pub async fn resolve(
    keyring: &Keyring,
    store: &dyn DataStore,
    references: &ReferenceVersions,
    reference: &Reference,
) -> Result<Option<RecordId>, RefError> {
    let row = row_of(keyring, store, references, reference).await?;
    row.map(|row| Ok(RecordId::new(row.kind, keyring.open_reference(&row)?)))
        .transpose()
}

/// What a reference stands for, as the store has it.
async fn row_of(
    keyring: &Keyring,
    store: &dyn DataStore,
    references: &ReferenceVersions,
    reference: &Reference,
) -> Result<Option<ReferenceRow>, RefError> {
    // A reference that names a version which there never was is nobody's.
    let Some((key, of)) = of(references, reference) else {
        return Ok(None);
    };
    if !keyring.has(KeyRole::Reference, key)? {
        return Ok(None);
    }
    let code = keyring.reference_code(key, of, reference.body())?;
    Ok(store
        .one(&ONE, &cells![of.department, of.kind, of.version, code])
        .await?)
}

/// The key that a reference is made with, and what it is a version of; nothing for another department's.
fn of(references: &ReferenceVersions, reference: &Reference) -> Option<(u8, Version)> {
    let (department, version) = (reference.department(), reference.version());
    let key = references
        .key(version)
        .filter(|_| department == references.department())?;
    let kind = reference.kind();
    Some((
        key,
        Version {
            department,
            kind,
            version,
        },
    ))
}

/// The reference that a stored row is of, from the record it stands for.
///
/// # Errors
/// When locked; [`KeyError::Broken`] when the row does not open, or is of no reference to that record.
pub fn of_row(keyring: &Keyring, row: &ReferenceRow) -> Result<(Reference, RecordId), KeyError> {
    let id = keyring.open_reference(row)?;
    let key = keyring.key_of_reference(row)?;
    let of = Version {
        department: row.department,
        kind: row.kind,
        version: row.version,
    };
    for counter in 0..MOST_TRIES {
        let body = keyring.reference_body(key, of, &id, counter)?;
        if keyring.reference_code(key, of, body)? == row.body {
            let reference = Reference::new(row.department, row.kind, row.version, body).ok_or(KeyError::Broken)?;
            return Ok((reference, RecordId::new(row.kind, id)));
        }
    }
    Err(KeyError::Broken)
}
