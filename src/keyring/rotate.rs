//! New versions of keys, while everybody works.
//!
//! A new version is made and wrapped for the key store ([`Keyring::new_version`]). It is used once the log says that it is there
//! ([`Keyring::activate`]). Older versions stay and open what they sealed, until they are forgotten ([`Keyring::forget`]).

use std::sync::PoisonError;

use jiff::Timestamp;

use super::suites::{Key, Suite};
use super::unlock::{new_key, opened_key};
use super::{KeyError, KeyRole, Keyring};
use crate::store::rows::KeyringRow;

impl Keyring {
    /// The version that comes after every one there is of a role's key.
    ///
    /// # Errors
    /// [`KeyError::NoVersionLeft`] after version 255; when locked.
    pub fn next_version(&self, role: KeyRole) -> Result<u8, KeyError> {
        let newest = self.versions(role)?.into_iter().next().unwrap_or_default();
        newest.checked_add(1).ok_or(KeyError::NoVersionLeft)
    }

    /// Versions of a role's key older than the active one, newest first. Those that were destroyed are not among them.
    ///
    /// # Errors
    /// When locked.
    pub fn older(&self, role: KeyRole) -> Result<Vec<u8>, KeyError> {
        Ok(self.versions(role)?.into_iter().skip(1).collect())
    }

    /// Makes this version of a role's key, of this suite, wrapped for the key store. Nothing uses it yet.
    ///
    /// # Errors
    /// When locked, or without randomness or lockable memory.
    pub fn new_version(
        &self,
        role: KeyRole,
        version: u8,
        suite: Suite,
        now: Timestamp,
    ) -> Result<KeyringRow, KeyError> {
        self.look(|unlocked| {
            let root = Key::of(suite, unlocked.root());
            let make = || new_key(&self.origin, root, (role, version), now, &*self.randomness);
            self.stacks.run(make)?
        })
    }

    /// Wipes an older version of a role's key. It is in use nowhere.
    pub fn forget(&self, role: KeyRole, version: u8) {
        let mut unlocked = self.unlocked.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(unlocked) = unlocked.as_mut() {
            unlocked.forget(role, version);
        }
    }

    /// From now on new values are made with this version, as the key store has it.
    ///
    /// # Errors
    /// When locked or without lockable memory: then it is used from the next unlock on. [`KeyError::Broken`] for a key that was not
    /// wrapped here.
    pub fn activate(&self, row: &KeyringRow) -> Result<(), KeyError> {
        let mut unlocked = self.unlocked.write().unwrap_or_else(PoisonError::into_inner);
        let unlocked = unlocked.as_mut().ok_or(KeyError::Locked)?;
        let (role, key) = self.stacks.run(|| opened_key(&self.origin, unlocked.root(), row))??;
        unlocked.activate(role, row.version, key);
        Ok(())
    }
}
