//! What older versions of keys made, made again with the newest: record keys, entries of blind indexes, and fields whose suite is another
//! one than the newest key-encryption key's.

use zeroize::Zeroizing;

use super::suites::algorithms;
use super::{KeyError, KeyRole, Keyring, aead, place};
use crate::model::fields::Field;
use crate::model::purposes::Purpose;
use crate::model::submitted::Submitted;
use crate::policy::Permit;
use crate::store::rows::{BlindIndexRow, FieldRow, Genuine, WrappedKey};

impl Keyring {
    /// These record keys under the active key-encryption key. Nothing for one that does not unwrap. No field is opened: each key is in
    /// clear for a moment, on a key stack.
    ///
    /// # Errors
    /// When locked, or without randomness or lockable memory.
    pub fn rewrapped(&self, keys: &[WrappedKey]) -> Result<Vec<Option<WrappedKey>>, KeyError> {
        let kek = self.active(KeyRole::Kek)?;
        let again = keys.iter().map(|key| {
            let aad = place::record_key(&self.origin, key.record(), key.generation, kek);
            (key, aad)
        });
        let again: Vec<_> = again.collect();
        self.with(|lent| {
            let newest = lent.key(KeyRole::Kek, kek)?;
            let mut rewrapped = Vec::with_capacity(again.len());
            for (old, aad) in &again {
                rewrapped.push(match self.unwrapped(&lent, old.record(), old) {
                    Ok(key) => Some(WrappedKey {
                        kek,
                        wrapped: aead::seal(&*self.randomness, newest, kek, aad, key.bytes())?,
                        ..(*old).clone()
                    }),
                    Err(KeyError::Broken | KeyError::NoSuchKey) => None,
                    Err(error) => return Err(error),
                });
            }
            Ok(rewrapped)
        })
    }

    /// The first byte of every field that was sealed in the suite of this version of the key-encryption key; nothing if that is the suite
    /// of the active one, or of a version between the two.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`] for a version that is not there; when locked.
    pub fn other_suite(&self, kek: u8) -> Result<Option<u8>, KeyError> {
        let suite = self.suite(KeyRole::Kek, kek)?;
        let versions = self.versions(KeyRole::Kek)?;
        let mut newer = versions.into_iter().take_while(|version| *version != kek);
        // Also the active one is newer.
        let is_between = newer.any(|version| self.suite(KeyRole::Kek, version) == Ok(suite));
        let is_active = self.active(KeyRole::Kek)? == kek;
        Ok((!is_between && !is_active).then_some(algorithms(suite).first_byte))
    }

    /// Whether a field is sealed in another suite than that of the active key-encryption key.
    ///
    /// # Errors
    /// When locked.
    pub fn is_of_another_suite(&self, row: &FieldRow) -> Result<bool, KeyError> {
        let suite = self.suite(KeyRole::Kek, self.active(KeyRole::Kek)?)?;
        Ok(aead::suite(&row.sealed) != Ok(suite))
    }

    /// The field sealed again, in the suite of the key-encryption key that its record's key is under. It is opened for that, and nothing of
    /// its value leaves.
    ///
    /// # Errors
    /// [`KeyError::Broken`] for a permit to do anything else, or a row that does not belong where it stands; when locked, or without
    /// randomness.
    pub fn resealed(&self, row: &FieldRow, wrapped: &WrappedKey, permit: &Permit) -> Result<FieldRow, KeyError> {
        if !permit.ask().action().reseals() || permit.ask().purpose() != Purpose::Reseal {
            return Err(KeyError::Broken);
        }
        let (record, generation) = (row.record(), wrapped.generation);
        let aad = place::field(&self.origin, record, &row.field, generation);
        let sealed = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            let padded = aead::open(key.to_open(&row.sealed)?, generation, &aad, &row.sealed)?;
            aead::seal(&*self.randomness, key.to_seal(), generation, &aad, &padded)
        })?;
        Ok(FieldRow::new(record, row.field.clone(), sealed))
    }

    /// These entries of blind indexes under the active index key: the field in the row is opened for it, and nothing of its value
    /// leaves but the entries. Nothing for an entry that is not one of this value.
    ///
    /// # Errors
    /// [`KeyError::Broken`] for a permit to do anything else, or a row that does not belong where it stands; when locked.
    pub fn reindexed(
        &self,
        (field, row): (&Field, &FieldRow),
        wrapped: &WrappedKey,
        entries: &[Genuine<BlindIndexRow>],
        permit: &Permit,
    ) -> Result<Vec<Option<Genuine<BlindIndexRow>>>, KeyError> {
        if !permit.ask().action().reindexes() || permit.ask().purpose() != Purpose::Reindex {
            return Err(KeyError::Broken);
        }
        let record = row.record();
        let mut plain: Zeroizing<Vec<u8>> = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            self.opened(&key, record, wrapped.generation, row)
        })?;
        let value = String::from_utf8(std::mem::take(&mut *plain)).map_err(|_| KeyError::Broken)?;
        let due = field.entries(&Submitted::new(value));
        let mut again = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut new = None;
            for indexed in &due {
                if self.indexes(entry, indexed)? {
                    let value = self.blind_index(indexed)?;
                    new = Some(self.protect(BlindIndexRow {
                        value,
                        ..(**entry).clone()
                    })?);
                }
            }
            again.push(new);
        }
        Ok(again)
    }
}
