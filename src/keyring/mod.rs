//! Keys, and everything done with them: seal, open, blind indexes, row codes, references, checkpoints.
//!
//! Key hierarchy (DESIGN §5): what people bring opens the root key
//! ([`ways`]); the root key wraps the keyring; the keyring's `kek`
//! wraps one record key per caller and per ticket; a record key seals fields. Root key and keyring live on locked pages while
//! the vault is unlocked and are wiped by [`Keyring::lock`]; every use of a key runs on a stack that is locked and wiped
//! ([`stack`]), where alone a record key or a subkey is in clear.

mod addresses;
mod aead;
mod codes;
mod derive;
mod error;
mod memory;
mod padding;
mod passphrase;
mod place;
mod reasons;
mod record_key;
mod references;
mod rejected;
mod rekey;
mod replay;
mod revealed;
mod rewrap;
mod rotate;
mod sign;
mod stack;
mod suites;
#[cfg(test)]
mod tests;
pub mod unlock;
mod unlocked;
mod ways;

use std::sync::{Arc, PoisonError, RwLock};

pub use self::error::KeyError;
pub use self::record_key::RecordKey;
pub use self::references::Version;
pub use self::revealed::{Disclosed, Revealed};
use self::stack::Stacks;
use self::unlocked::{Keys, Unlocked};
pub use self::ways::Opened;
pub use crate::model::key_roles::{KeyRole, Suite};
use crate::randomness::Randomness;

/// The keys of an unlocked vault. No `Debug`, no `Clone`.
pub struct Keyring {
    origin: String,
    // For nonces and record keys.
    randomness: Arc<dyn Randomness>,
    stacks: Stacks,
    // How the root key was opened.
    opened: Opened,
    // Written by `lock` and when a key gets a new version.
    unlocked: RwLock<Option<Unlocked>>,
}

impl Keyring {
    fn new(
        origin: String,
        randomness: Arc<dyn Randomness>,
        stacks: Stacks,
        (unlocked, opened): (Unlocked, Opened),
    ) -> Self {
        Self {
            origin,
            randomness,
            stacks,
            opened,
            unlocked: RwLock::new(Some(unlocked)),
        }
    }

    /// The first log's origin, which is part of every sealed value's associated data whichever log is in force.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How the root key was opened.
    #[must_use]
    pub const fn opened_by(&self) -> &Opened {
        &self.opened
    }

    /// Wipes every key. From now on everything answers [`KeyError::Locked`]. Waits for work under way, which is short.
    pub fn lock(&self) {
        self.unlocked.write().unwrap_or_else(PoisonError::into_inner).take();
        self.stacks.release();
    }

    /// Whether the keys are gone.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.unlocked.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The version of a role's key with which new values are made.
    ///
    /// # Errors
    /// When locked.
    pub fn active(&self, role: KeyRole) -> Result<u8, KeyError> {
        self.look(|unlocked| unlocked.active(role))
    }

    /// The suite that a version of a role's key is of.
    ///
    /// # Errors
    /// [`KeyError::NoSuchKey`] for a version that is not there; when locked.
    pub fn suite(&self, role: KeyRole, version: u8) -> Result<Suite, KeyError> {
        self.look(|unlocked| unlocked.lend().key(role, version).map(|key| key.suite))
    }

    /// Whether there is this version of a role's key.
    ///
    /// # Errors
    /// When locked.
    pub fn has(&self, role: KeyRole, version: u8) -> Result<bool, KeyError> {
        Ok(self.versions(role)?.contains(&version))
    }

    /// Every version of a role's key, newest first.
    fn versions(&self, role: KeyRole) -> Result<Vec<u8>, KeyError> {
        self.look(|unlocked| Ok(unlocked.versions(role)))
    }

    /// Works with keys, on a stack that is wiped afterwards. `work` must not call this again, nor return a key.
    fn with<T>(&self, work: impl FnOnce(Keys<'_>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        self.look(|unlocked| self.stacks.run(|| work(unlocked.lend()))?)
    }

    /// As `with`, for hashes and codes alone, which need less of a stack.
    fn with_codes<T>(&self, work: impl FnOnce(Keys<'_>) -> Result<T, KeyError>) -> Result<T, KeyError> {
        self.look(|unlocked| self.stacks.run_shallow(|| work(unlocked.lend()))?)
    }

    fn look<T>(&self, look: impl FnOnce(&Unlocked) -> Result<T, KeyError>) -> Result<T, KeyError> {
        let unlocked = self.unlocked.read().unwrap_or_else(PoisonError::into_inner);
        look(unlocked.as_ref().ok_or(KeyError::Locked)?)
    }
}
