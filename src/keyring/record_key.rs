//! Record keys: one per caller and per ticket, so that destroying one erases the record.

use zeroize::Zeroizing;

use super::memory::KEY_LEN;
use super::revealed::Revealed;
use super::suites::{Key, Suite};
use super::unlocked::Keys;
use super::{KeyError, KeyRole, Keyring, aead, padding, place};
use crate::log::Receipt;
use crate::model::approvals::{Giver, Reason};
use crate::model::fields::{Field, FieldName, FieldSet};
use crate::model::ids::{HoldId, RecordId};
use crate::model::submitted::Submitted;
use crate::policy::Permit;
use crate::store::rows::{BlindIndexRow, FieldRow, Genuine, WrappedKey};

const FIRST_GENERATION: u8 = 1;

/// A record's key, for sealing. It stays wrapped except while a field is sealed. Opening takes a receipt: [`Keyring::open`].
pub struct RecordKey {
    record: RecordId,
    wrapped: WrappedKey,
}

/// A record's key in clear, for a moment on a key stack. No `Debug`; wiped when dropped.
pub(super) struct Unwrapped {
    key: Zeroizing<[u8; KEY_LEN]>,
    suite: Suite,
}

impl Unwrapped {
    /// For sealing: in the suite of the key-encryption key.
    pub(super) fn to_seal(&self) -> Key<'_> {
        Key::of(self.suite, &self.key)
    }

    /// For opening: in the suite that the value says it was sealed in. It is another one if the record's key was moved to another suite
    /// since.
    pub(super) fn to_open(&self, sealed: &[u8]) -> Result<Key<'_>, KeyError> {
        Ok(Key::of(aead::suite(sealed)?, &self.key))
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_LEN] {
        &self.key
    }
}

impl Keyring {
    /// A new key for a new record, and the same wrapped for the key store.
    ///
    /// # Errors
    /// When locked, or without randomness or lockable memory.
    pub fn new_record_key(&self, record: RecordId) -> Result<(RecordKey, WrappedKey), KeyError> {
        let generation = FIRST_GENERATION;
        let kek = self.active(KeyRole::Kek)?;
        let aad = place::record_key(&self.origin, record, generation, kek);
        let wrapped = self.with(|keys| {
            let mut key = Zeroizing::new([0; KEY_LEN]);
            self.randomness.fill(&mut *key)?;
            aead::seal(&*self.randomness, keys.key(KeyRole::Kek, kek)?, kek, &aad, &*key)
        })?;
        let wrapped = WrappedKey {
            record_kind: record.kind(),
            record: *record.as_bytes(),
            kek,
            generation,
            wrapped,
        };
        let key = RecordKey {
            record,
            wrapped: wrapped.clone(),
        };
        Ok((key, wrapped))
    }

    /// The key of a record that exists, for sealing further fields.
    ///
    /// # Errors
    /// When locked, or when the wrapped key was not wrapped here for this record.
    pub fn record_key(&self, record: RecordId, wrapped: &WrappedKey) -> Result<RecordKey, KeyError> {
        self.with(|keys| self.unwrapped(&keys, record, wrapped).map(drop))?;
        Ok(RecordKey {
            record,
            wrapped: wrapped.clone(),
        })
    }

    /// Seals a value into its place in the key's record.
    ///
    /// # Errors
    /// When locked, or without randomness.
    pub fn seal(&self, key: &RecordKey, field: &FieldName, value: &Submitted) -> Result<FieldRow, KeyError> {
        let generation = key.wrapped.generation;
        let aad = place::field(&self.origin, key.record, field.as_str(), generation);
        let padded = padding::pad(value.expose().as_bytes());
        let sealed = self.with(|keys| {
            let record_key = self.unwrapped(&keys, key.record, &key.wrapped)?;
            aead::seal(&*self.randomness, record_key.to_seal(), generation, &aad, &padded)
        })?;
        Ok(FieldRow::new(key.record, field.as_str().to_owned(), sealed))
    }

    /// Seals a reason that is kept as long as the key's record: into the row of a legal hold.
    ///
    /// # Errors
    /// When locked, or without randomness.
    pub fn seal_for(&self, key: &RecordKey, hold: HoldId, giver: Giver, reason: &Reason) -> Result<Vec<u8>, KeyError> {
        let generation = key.wrapped.generation;
        let aad = place::hold_reason(&self.origin, key.record, (hold, giver), generation);
        let padded = padding::pad(reason.expose().as_bytes());
        self.with(|keys| {
            let record_key = self.unwrapped(&keys, key.record, &key.wrapped)?;
            aead::seal(&*self.randomness, record_key.to_seal(), generation, &aad, &padded)
        })
    }

    /// A reason in the row of a legal hold.
    ///
    /// # Errors
    /// When locked, or when it was changed or moved.
    pub fn open_for(
        &self,
        wrapped: &WrappedKey,
        hold: HoldId,
        giver: Giver,
        sealed: &[u8],
    ) -> Result<Reason, KeyError> {
        let (record, generation) = (wrapped.record(), wrapped.generation);
        let aad = place::hold_reason(&self.origin, record, (hold, giver), generation);
        let plain = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            padding::unpad(aead::open(key.to_open(sealed)?, generation, &aad, sealed)?)
        })?;
        let text = std::str::from_utf8(&plain).map_err(|_| KeyError::Broken)?;
        Reason::new(Zeroizing::new(text.to_owned())).ok_or(KeyError::Broken)
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
        let opened = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            let mut opened = Vec::with_capacity(rows.len());
            for name in receipt.fields() {
                let Some(row) = rows.iter().find(|row| row.field == name.as_str()) else {
                    continue;
                };
                opened.push((name.clone(), self.opened(&key, record, wrapped.generation, row)?));
            }
            Ok(opened)
        });
        Revealed::new(opened?, fields, receipt)
    }

    /// A field's value, to be sealed and indexed anew inside the vault: it is a value like one that came in, and cannot be shown.
    /// Only for what two persons do who move values from one record to another.
    ///
    /// # Errors
    /// [`KeyError::Broken`] for a permit to do anything else; when locked, or when the row does not belong where it stands.
    pub fn taken_out(&self, row: &FieldRow, wrapped: &WrappedKey, permit: &Permit) -> Result<Submitted, KeyError> {
        if !permit.ask().action().moves_values() || permit.facts().approval.is_none() {
            return Err(KeyError::Broken);
        }
        let record = row.record();
        let mut plain = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            self.opened(&key, record, wrapped.generation, row)
        })?;
        match String::from_utf8(std::mem::take(&mut *plain)) {
            Ok(value) => Ok(Submitted::new(value)),
            Err(_) => Err(KeyError::Broken),
        }
    }

    /// Whether a sealed field opens where it stands, and whether the entries of blind indexes are those of its value, where the
    /// field that was declared is given: `all` of them, or some of them and no other. Nothing of the value leaves: this is `fsck`'s
    /// check and needs no receipt because it answers nothing about the value.
    ///
    /// # Errors
    /// When locked, or when it does not open.
    pub fn check_field(
        &self,
        row: &FieldRow,
        wrapped: &WrappedKey,
        entries: Option<(&Field, &[BlindIndexRow])>,
        all: bool,
    ) -> Result<bool, KeyError> {
        let record = row.record();
        let plain = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            self.opened(&key, record, wrapped.generation, row)
        })?;
        let Some((field, entries)) = entries else {
            return Ok(true);
        };
        let value = std::str::from_utf8(&plain).map_err(|_| KeyError::Broken)?;
        let due = field.entries(&Submitted::new(value.to_owned()));
        let mut missing = due.len();
        let mut there = true;
        for due in &due {
            let mut found = false;
            for entry in entries {
                found |= self.indexes(entry, due)?;
            }
            missing -= usize::from(found);
        }
        for entry in entries {
            let mut found = false;
            for due in &due {
                found |= self.indexes(entry, due)?;
            }
            there &= found;
        }
        Ok(there && (!all || (missing == 0 && entries.len() == due.len())))
    }

    /// Whether one of these entries of blind indexes, each under its own version of the key, stands for the value in a field's row.
    /// Nothing of the value leaves: two records are compared, or a value is withdrawn.
    ///
    /// # Errors
    /// When locked, or when the row does not open.
    pub fn is_among(
        &self,
        row: &FieldRow,
        wrapped: &WrappedKey,
        field: &Field,
        entries: &[Genuine<BlindIndexRow>],
    ) -> Result<bool, KeyError> {
        let record = row.record();
        let plain = self.with(|keys| {
            let key = self.unwrapped(&keys, record, wrapped)?;
            self.opened(&key, record, wrapped.generation, row)
        })?;
        let value = std::str::from_utf8(&plain).map_err(|_| KeyError::Broken)?;
        for due in field.entries(&Submitted::new(value.to_owned())) {
            for entry in entries.iter().filter(|entry| field.index() == Some(entry.idx.as_str())) {
                if self.indexes(entry, &due)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether a wrapped key unwraps.
    ///
    /// # Errors
    /// When locked, or when it does not.
    pub fn check_record_key(&self, wrapped: &WrappedKey) -> Result<(), KeyError> {
        self.with(|keys| self.unwrapped(&keys, wrapped.record(), wrapped).map(drop))
    }

    /// A record's key, for a moment on a key stack.
    pub(super) fn unwrapped(
        &self,
        keys: &Keys<'_>,
        record: RecordId,
        wrapped: &WrappedKey,
    ) -> Result<Unwrapped, KeyError> {
        let aad = place::record_key(&self.origin, record, wrapped.generation, wrapped.kek);
        let kek = keys.key(KeyRole::Kek, wrapped.kek)?;
        let mut key = Zeroizing::new([0; KEY_LEN]);
        aead::open_key(kek, wrapped.kek, &aad, &wrapped.wrapped, &mut *key)?;
        Ok(Unwrapped { key, suite: kek.suite })
    }

    /// The value in a field's row, which is opened as this record's.
    pub(super) fn opened(
        &self,
        key: &Unwrapped,
        record: RecordId,
        generation: u8,
        row: &FieldRow,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let aad = place::field(&self.origin, record, &row.field, generation);
        padding::unpad(aead::open(key.to_open(&row.sealed)?, generation, &aad, &row.sealed)?)
    }
}
