//! From what people bring to an unlocked keyring.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::memory::{KEY_LEN, Secret};
pub use super::passphrase::{Incoming, NoPassphrase, Passphrase, Pin};
use super::stack::Stacks;
use super::suites::{Key, Suite, beginning_with};
use super::unlocked::{Held, Unlocked};
pub use super::ways::{
    Choice, Hsm, HsmKey, LEAST_MEMORY_KIB, LEAST_PASSES, Means, Opened, Opener, OpensBy, Progress, Scheme, Share,
    Shares, Wrapped,
};
use super::ways::{open_root, wrap_first};
use super::{KeyError, KeyRole, Keyring, aead, place};
use crate::randomness::Randomness;
use crate::store::rows::{KeyringRow, UnlockRow, VaultRow};

const FIRST_VERSION: u8 = 1;

/// A new vault's keys, wrapped, for the key store.
pub struct NewKeys {
    /// The root key, wrapped, and the shares that open it, if that is the way.
    pub root: Wrapped,
    /// Version 1 of every key.
    pub keyring: Vec<KeyringRow>,
}

/// Makes a root key and a keyring of one suite for a new vault. The root key opens in the way that was chosen.
///
/// # Errors
/// Without randomness or lockable memory.
pub fn create<'c>(
    vault: &VaultRow,
    choice: impl Into<Choice<'c>>,
    suite: Suite,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<NewKeys, KeyError> {
    let stacks = Stacks::default();
    let key = Secret::random(randomness)?;
    let root = wrap_first(&stacks, vault, &key, choice.into(), randomness)?;
    let keyring = stacks.run(|| {
        let wrapping = Key::of(suite, key.bytes());
        let first = |&role: &KeyRole| new_key(&vault.origin, wrapping, (role, FIRST_VERSION), now, randomness);
        let wrap = |role| {
            Ok(KeyringRow {
                active: true,
                ..first(role)?
            })
        };
        KeyRole::ALL.iter().map(wrap).collect::<Result<_, KeyError>>()
    })??;
    Ok(NewKeys { root, keyring })
}

/// A new key of the keyring, wrapped, not active yet. It is of the suite that the root key wraps it in. Called on a key stack.
pub(super) fn new_key(
    origin: &str,
    root: Key<'_>,
    (role, version): (KeyRole, u8),
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<KeyringRow, KeyError> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    randomness.fill(&mut *key)?;
    let aad = place::keyring(origin, role.as_str(), version);
    Ok(KeyringRow {
        role: role.as_str().to_owned(),
        version,
        active: false,
        wrapped: aead::seal(randomness, root, version, &aad, &*key)?,
        created_at: now,
    })
}

/// Opens a key of the keyring onto a locked page. Called on a key stack.
pub(super) fn opened_key(origin: &str, root: &[u8; KEY_LEN], row: &KeyringRow) -> Result<(KeyRole, Held), KeyError> {
    let role = KeyRole::from_word(&row.role).ok_or(KeyError::Broken)?;
    let first_byte = row.wrapped.first().copied().ok_or(KeyError::Broken)?;
    let suite = beginning_with(first_byte).ok_or(KeyError::UnknownSuite(role, row.version, first_byte))?;
    let mut key = Secret::empty()?;
    let aad = place::keyring(origin, &row.role, row.version);
    let root = Key::of(suite, root);
    aead::open_key(root, row.version, &aad, &row.wrapped, key.bytes_mut())?;
    Ok((role, Held { suite, key }))
}

/// Unlocks. What the keyring seals from then on takes its keys and nonces from `randomness`.
///
/// # Errors
/// [`KeyError::WrongPassphrase`] and [`KeyError::WrongShares`] if they do not open the root key; [`KeyError::OtherWay`] if it opens in
/// another way; [`KeyError::WeakParameters`]; [`KeyError::Broken`] if the keyring was not wrapped under this root key.
pub fn unlock<'o>(
    origin: &str,
    opener: impl Into<Opener<'o>>,
    ways: &[UnlockRow],
    rows: &[KeyringRow],
    randomness: Arc<dyn Randomness>,
) -> Result<Keyring, KeyError> {
    let stacks = Stacks::default();
    let (root, opened) = open_root(&stacks, origin, opener.into(), ways)?;
    let unlocked = stacks.run(|| keyring(origin, root, rows))??;
    Ok(Keyring::new(origin.to_owned(), randomness, stacks, (unlocked, opened)))
}

fn keyring(origin: &str, root: Secret, rows: &[KeyringRow]) -> Result<Unlocked, KeyError> {
    let mut keys = BTreeMap::new();
    let mut active = BTreeMap::new();
    for row in rows.iter().filter(|row| is_used(row, rows)) {
        let (role, key) = opened_key(origin, root.bytes(), row)?;
        keys.insert((role, row.version), key);
        if row.active {
            active.insert(role, row.version);
        }
    }
    Unlocked::new(root, keys, active)
}

/// Whether a key is the active one of its role, or an older one that was not destroyed. A newer one was made by a rotation that is
/// not in the log yet.
fn is_used(key: &KeyringRow, rows: &[KeyringRow]) -> bool {
    let active = rows.iter().find(|row| row.active && row.role == key.role);
    active.is_some_and(|active| key.version <= active.version) && !key.is_destroyed()
}
