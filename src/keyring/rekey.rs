//! The root key, wrapped anew for other holders or in another way. It stays the same, and so does everything under it.

use super::ways::{Choice, Wrapped, wrap_root};
use super::{KeyError, Keyring};
use crate::store::rows::VaultRow;

impl Keyring {
    /// Wraps the root key so that it opens in this way, under the next generation. Nothing changes before the key store has it.
    ///
    /// # Errors
    /// When locked, or without randomness or lockable memory; [`KeyError::NoGenerationLeft`].
    pub fn rewrapped_root<'c>(&self, vault: &VaultRow, choice: impl Into<Choice<'c>>) -> Result<Wrapped, KeyError> {
        let choice = (choice.into(), self.opened.generation.saturating_add(1));
        self.look(|unlocked| wrap_root(&self.stacks, vault, unlocked.root(), choice, &*self.randomness))
    }
}
