//! Record keys: one per caller and per ticket, so that destroying one erases the record.

use super::memory::{Secret, wipe_stack};
use super::{KeyError, KeyRole, Keyring, aead, padding, place};
use crate::log::Receipt;
use crate::model::code::Code;
use crate::model::fields::{FieldName, FieldSet};
use crate::model::ids::RecordId;
use crate::model::submitted::Submitted;
use crate::store::rows::{FieldRow, WrappedKey};

use super::revealed::Revealed;

const FIRST_GENERATION: u8 = 1;

/// A record's key, for sealing. Opening takes a receipt: [`Keyring::open`].
pub struct RecordKey {
    record: RecordId,
    generation: u8,
    secret: Secret,
}

impl Keyring {
    /// A new key for a new record, and the same wrapped for the key store.
    ///
    /// # Errors
    /// When locked, or without randomness or lockable memory.
    pub fn new_record_key(&self, record: RecordId) -> Result<(RecordKey, WrappedKey), KeyError> {
        let secret = Secret::random()?;
        let generation = FIRST_GENERATION;
        let (kek, wrapped) = self.with(|keys| {
            let kek = keys.active(KeyRole::Kek)?;
            let aad = place::record_key(&self.origin, record, generation, kek);
            Ok((
                kek,
                aead::seal(keys.key(KeyRole::Kek, kek)?, kek, &aad, secret.bytes())?,
            ))
        })?;
        Ok((
            RecordKey {
                record,
                generation,
                secret,
            },
            WrappedKey {
                record_kind: record.kind(),
                record: *record.as_bytes(),
                kek,
                generation,
                wrapped,
            },
        ))
    }

    /// The key of a record that exists, for sealing further fields.
    ///
    /// # Errors
    /// When locked, or when the wrapped key was not wrapped here for this record.
    pub fn record_key(&self, record: RecordId, wrapped: &WrappedKey) -> Result<RecordKey, KeyError> {
        let mut secret = Secret::empty()?;
        self.unwrap_key(record, wrapped, &mut secret)?;
        Ok(RecordKey {
            record,
            generation: wrapped.generation,
            secret,
        })
    }

    /// Seals a value into its place in the key's record.
    ///
    /// # Errors
    /// Without randomness.
    pub fn seal(&self, key: &RecordKey, field: &FieldName, value: &Submitted) -> Result<FieldRow, KeyError> {
        let aad = place::field(&self.origin, key.record, field.as_str(), key.generation);
        let sealed = aead::seal(
            key.secret.bytes(),
            key.generation,
            &aad,
            &padding::pad(value.expose().as_bytes()),
        )?;
        Ok(FieldRow::new(key.record, field.as_str().to_owned(), sealed))
    }

    /// Opens what the receipt names, in the form it names, and nothing else. The receipt supplies the associated data:
    /// a ciphertext from another record or field, or sealed under another log, does not open (P1, P4).
    ///
    /// `rows` may lack fields that are not on file; the answer lacks them too.
    ///
    /// # Errors
    /// When locked, or when any row or the wrapped key does not belong where it stands.
    pub fn open(
        &self,
        rows: &[FieldRow],
        wrapped: &WrappedKey,
        fields: &FieldSet,
        receipt: Receipt,
    ) -> Result<Revealed, KeyError> {
        let record = receipt.record().ok_or(KeyError::Broken)?;
        let opened = self.pool.borrow(|secret| {
            self.unwrap_key(record, wrapped, secret)?;
            let mut opened = Vec::with_capacity(rows.len());
            for name in receipt.fields() {
                let Some(row) = rows.iter().find(|row| row.field == name.as_str()) else {
                    continue;
                };
                let aad = place::field(&self.origin, record, name.as_str(), wrapped.generation);
                let plain = aead::open(secret.bytes(), wrapped.generation, &aad, &row.sealed)?;
                opened.push((name.clone(), padding::unpad(plain)?));
            }
            Ok(opened)
        });
        wipe_stack();
        Revealed::new(opened?, fields, receipt)
    }

    /// Whether a sealed field opens where it stands, and whether a blind index entry (the index, and the entry's code) stands
    /// for its value. Nothing of the value leaves: this is `fsck`'s check and needs no receipt because it answers nothing about
    /// the value.
    ///
    /// # Errors
    /// When locked, or when it does not open.
    pub fn check_field(
        &self,
        row: &FieldRow,
        wrapped: &WrappedKey,
        entry: Option<(&str, &Code)>,
    ) -> Result<bool, KeyError> {
        let plain = self.pool.borrow(|secret| {
            self.unwrap_key(row.record(), wrapped, secret)?;
            let aad = place::field(&self.origin, row.record(), &row.field, wrapped.generation);
            padding::unpad(aead::open(secret.bytes(), wrapped.generation, &aad, &row.sealed)?)
        })?;
        entry.map_or(Ok(true), |(index, code)| self.indexes(index, code, &plain))
    }

    /// Whether a wrapped key unwraps.
    ///
    /// # Errors
    /// When locked, or when it does not.
    pub fn check_record_key(&self, wrapped: &WrappedKey) -> Result<(), KeyError> {
        self.pool
            .borrow(|secret| self.unwrap_key(wrapped.record(), wrapped, secret))
    }

    fn unwrap_key(&self, record: RecordId, wrapped: &WrappedKey, into: &mut Secret) -> Result<(), KeyError> {
        self.with(|keys| {
            let aad = place::record_key(&self.origin, record, wrapped.generation, wrapped.kek);
            let kek = keys.key(KeyRole::Kek, wrapped.kek)?;
            aead::open_key(kek, wrapped.kek, &aad, &wrapped.wrapped, into.bytes_mut())
        })
    }
}
