//! The keys themselves, and the one way to their bytes.

use std::collections::BTreeMap;

use super::memory::{KEY_LEN, Secret};
use super::suites::{Key, Suite};
use super::{KeyError, KeyRole};

/// A version of a role's key, on a locked page.
pub(super) struct Held {
    /// The suite that it is used in.
    pub(super) suite: Suite,
    /// The key itself.
    pub(super) key: Secret,
}

/// The keys while the vault is unlocked, each on a locked page.
pub(super) struct Unlocked {
    // Wraps the keyring: today's keys and those that come. Wiped with the rest.
    root: Secret,
    keys: BTreeMap<(KeyRole, u8), Held>,
    active: BTreeMap<KeyRole, u8>,
}

impl Unlocked {
    /// # Errors
    /// [`KeyError::NoSuchKey`] when a role has no active version.
    pub(super) fn new(
        root: Secret,
        keys: BTreeMap<(KeyRole, u8), Held>,
        active: BTreeMap<KeyRole, u8>,
    ) -> Result<Self, KeyError> {
        if KeyRole::ALL.iter().any(|role| !active.contains_key(role)) {
            return Err(KeyError::NoSuchKey);
        }
        Ok(Self { root, keys, active })
    }

    /// The root key, under which keys of the keyring are wrapped.
    pub(super) fn root(&self) -> &[u8; KEY_LEN] {
        self.root.bytes()
    }

    /// Adds a version of a role's key. New values are made with it from now on.
    pub(super) fn activate(&mut self, role: KeyRole, version: u8, key: Held) {
        self.keys.insert((role, version), key);
        self.active.insert(role, version);
    }

    /// Wipes a version that is not the active one.
    pub(super) fn forget(&mut self, role: KeyRole, version: u8) {
        if self.active.get(&role) != Some(&version) {
            self.keys.remove(&(role, version));
        }
    }

    /// Every version of a role's key, newest first.
    pub(super) fn versions(&self, role: KeyRole) -> Vec<u8> {
        let of_role = self.keys.range((role, u8::MIN)..=(role, u8::MAX));
        of_role.map(|((_, version), _)| *version).rev().collect()
    }

    pub(super) fn active(&self, role: KeyRole) -> Result<u8, KeyError> {
        self.active.get(&role).copied().ok_or(KeyError::NoSuchKey)
    }

    /// The keys, for work on a key stack ([`super::stack`]).
    pub(super) const fn lend(&self) -> Keys<'_> {
        Keys(self)
    }
}

/// The keys, lent to work on a key stack. Nothing else gives their bytes.
pub(super) struct Keys<'k>(&'k Unlocked);

impl<'k> Keys<'k> {
    pub(super) fn key(&self, role: KeyRole, version: u8) -> Result<Key<'k>, KeyError> {
        let held = self.0.keys.get(&(role, version)).ok_or(KeyError::NoSuchKey)?;
        Ok(Key::of(held.suite, held.key.bytes()))
    }
}
