//! Keys, and everything done with them: seal, open, blind indexes, row codes, references, checkpoints.
//!
//! Key hierarchy (DESIGN §5): an unlocking key opens the root key; the root key wraps the keyring; the keyring's `kek`
//! wraps one record key per caller and per ticket; a record key seals fields. All of it lives on locked pages while the
//! vault is unlocked and is wiped by [`Keyring::lock`].

mod aead;
mod codes;
mod derive;
mod error;
mod memory;
mod padding;
mod place;
mod record_key;
mod references;
mod replay;
mod revealed;
mod sign;
pub mod unlock;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

pub use self::error::KeyError;
use self::memory::{KEY_LEN, Pool, Secret};
pub use self::record_key::RecordKey;
pub use self::revealed::{Disclosed, Revealed};
use crate::model::word_enum::word_enum;

/// Fills `out` from the operating system's generator.
fn random_bytes(out: &mut [u8]) -> Result<(), KeyError> {
    use ring::rand::SecureRandom;
    ring::rand::SystemRandom::new()
        .fill(out)
        .map_err(|_| KeyError::NoRandomness)
}

word_enum! {
    /// What a key of the keyring is for.
    pub enum KeyRole {
        /// Wraps record keys.
        Kek = "kek",
        /// Blind indexes; a subkey for each.
        Index = "index",
        /// Codes over rows that decide, of requests that may come again, and seals on remembered answers; a subkey for each.
        Row = "row",
        /// Department references; a subkey per department, kind and version.
        Reference = "reference",
        /// Ed25519 seed that signs checkpoints.
        Log = "log",
    }
}

/// The keys of an unlocked vault. No `Debug`, no `Clone`.
pub struct Keyring {
    origin: String,
    pool: Pool,
    unlocked: RwLock<Option<Unlocked>>,
}

struct Unlocked {
    // Wraps the keyring; held for rotation and wiped with the rest.
    _root: Secret,
    keys: BTreeMap<(KeyRole, u8), Secret>,
    active: BTreeMap<KeyRole, u8>,
}

impl Unlocked {
    fn key(&self, role: KeyRole, version: u8) -> Result<&[u8; KEY_LEN], KeyError> {
        self.keys
            .get(&(role, version))
            .map(Secret::bytes)
            .ok_or(KeyError::NoSuchKey)
    }

    /// Every version of a role's key, newest first.
    fn versions(&self, role: KeyRole) -> Vec<u8> {
        let of_role = self.keys.range((role, u8::MIN)..=(role, u8::MAX));
        of_role.map(|((_, version), _)| *version).rev().collect()
    }

    fn active(&self, role: KeyRole) -> Result<u8, KeyError> {
        self.active.get(&role).copied().ok_or(KeyError::NoSuchKey)
    }
}

impl Keyring {
    fn new(origin: String, root: Secret, keys: BTreeMap<(KeyRole, u8), Secret>, active: BTreeMap<KeyRole, u8>) -> Self {
        Self {
            origin,
            pool: Pool::default(),
            unlocked: RwLock::new(Some(Unlocked {
                _root: root,
                keys,
                active,
            })),
        }
    }

    /// The first log's origin, which is part of every sealed value's associated data whichever log is in force.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Wipes every key. From now on everything answers [`KeyError::Locked`]. Waits for work under way, which is short.
    pub fn lock(&self) {
        self.unlocked.write().unwrap_or_else(PoisonError::into_inner).take();
        self.pool.wipe();
        memory::wipe_stack();
    }

    /// Whether the keys are gone.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.unlocked.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    fn with<T>(&self, work: impl FnOnce(&Unlocked) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let unlocked = self.unlocked.read().unwrap_or_else(PoisonError::into_inner);
        work(unlocked.as_ref().ok_or(KeyError::Locked)?)
    }
}
