//! From a passphrase to an unlocked keyring (Argon2id, RFC 9106).

use std::collections::BTreeMap;

use argon2::{Algorithm, Argon2, Params, Version};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::memory::{Secret, wipe_stack};
use super::{KeyError, KeyRole, Keyring, aead, place, random_bytes};
use crate::store::rows::{KeyringRow, UnlockRow};

/// The least memory accepted, in KiB.
pub const LEAST_MEMORY_KIB: u32 = 64 * 1024;
/// The least number of passes accepted.
pub const LEAST_PASSES: u32 = 3;
const MOST_MEMORY_KIB: u32 = 4 * 1024 * 1024;
const MOST_PASSES: u32 = 64;
const MOST_LANES: u32 = 16;
const SALT_LEN: usize = 16;
const ROOT_GENERATION: u8 = 1;
const FIRST_VERSION: u8 = 1;

/// A passphrase, wiped when dropped. No `Debug`.
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// Takes a passphrase of 12 to 1,024 bytes.
    ///
    /// # Errors
    /// [`KeyError::BadPassphrase`] for any other length.
    pub fn new(text: Zeroizing<String>) -> Result<Self, KeyError> {
        if (12..=1024).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(KeyError::BadPassphrase)
        }
    }
}

/// A new vault's keys, wrapped, for the key store.
pub struct NewKeys {
    /// The passphrase way of unlocking.
    pub unlock: UnlockRow,
    /// Version 1 of every key.
    pub keyring: Vec<KeyringRow>,
}

/// Makes a root key and a keyring for a log of this origin, wrapped under the passphrase.
///
/// # Errors
/// Without randomness or lockable memory.
pub fn create(origin: &str, passphrase: &Passphrase, now: Timestamp) -> Result<NewKeys, KeyError> {
    let root = Secret::random()?;
    let mut salt = vec![0; SALT_LEN];
    random_bytes(&mut salt)?;
    let mut unlock = UnlockRow {
        salt,
        memory_kib: LEAST_MEMORY_KIB,
        passes: LEAST_PASSES,
        lanes: 1,
        wrapped_root: Vec::new(),
    };
    let unlocking = unlocking_key(passphrase, &unlock)?;
    unlock.wrapped_root = aead::seal(unlocking.bytes(), ROOT_GENERATION, &place::root(origin), root.bytes())?;
    let wrap = |&role: &KeyRole| {
        let aad = place::keyring(origin, role.as_str(), FIRST_VERSION);
        let wrapped = aead::seal(root.bytes(), FIRST_VERSION, &aad, Secret::random()?.bytes())?;
        let role = role.as_str().to_owned();
        Ok(KeyringRow {
            role,
            version: FIRST_VERSION,
            active: true,
            wrapped,
            created_at: now,
        })
    };
    let keyring = KeyRole::ALL.iter().map(wrap).collect::<Result<_, KeyError>>()?;
    Ok(NewKeys { unlock, keyring })
}

/// Unlocks.
///
/// # Errors
/// [`KeyError::WrongPassphrase`] if no way of unlocking takes the passphrase; [`KeyError::WeakParameters`];
/// [`KeyError::Broken`] if the keyring was not wrapped under this root key.
pub fn unlock(
    origin: &str,
    passphrase: &Passphrase,
    ways: &[UnlockRow],
    rows: &[KeyringRow],
) -> Result<Keyring, KeyError> {
    let root = root_key(origin, passphrase, ways)?;
    let mut keys = BTreeMap::new();
    let mut active = BTreeMap::new();
    for row in rows {
        let role = KeyRole::from_word(&row.role).ok_or(KeyError::Broken)?;
        let mut key = Secret::empty()?;
        let aad = place::keyring(origin, &row.role, row.version);
        aead::open_key(root.bytes(), row.version, &aad, &row.wrapped, key.bytes_mut())?;
        keys.insert((role, row.version), key);
        if row.active {
            active.insert(role, row.version);
        }
    }
    if KeyRole::ALL.iter().any(|role| !active.contains_key(role)) {
        return Err(KeyError::NoSuchKey);
    }
    Ok(Keyring::new(origin.to_owned(), root, keys, active))
}

fn root_key(origin: &str, passphrase: &Passphrase, ways: &[UnlockRow]) -> Result<Secret, KeyError> {
    for way in ways {
        let unlocking = unlocking_key(passphrase, way)?;
        let mut root = Secret::empty()?;
        let opened = aead::open_key(
            unlocking.bytes(),
            ROOT_GENERATION,
            &place::root(origin),
            &way.wrapped_root,
            root.bytes_mut(),
        );
        if opened.is_ok() {
            return Ok(root);
        }
    }
    Err(KeyError::WrongPassphrase)
}

fn unlocking_key(passphrase: &Passphrase, way: &UnlockRow) -> Result<Secret, KeyError> {
    let memory = (LEAST_MEMORY_KIB..=MOST_MEMORY_KIB).contains(&way.memory_kib);
    let passes = (LEAST_PASSES..=MOST_PASSES).contains(&way.passes);
    let lanes = (1..=MOST_LANES).contains(&way.lanes);
    // Too little is guessed by others; too much, written by somebody else, keeps the vault from ever starting.
    if !memory || !passes || !lanes || way.salt.len() < SALT_LEN {
        return Err(KeyError::WeakParameters);
    }
    let params = Params::new(way.memory_kib, way.passes, way.lanes, Some(32)).map_err(|_| KeyError::WeakParameters)?;
    let mut key = Secret::empty()?;
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(passphrase.0.as_bytes(), &way.salt, key.bytes_mut())
        .map_err(|_| KeyError::WeakParameters)?;
    wipe_stack();
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each would otherwise keep the start waiting for hours, or take all memory.
    #[test]
    fn absurd_parameters_are_refused_before_they_are_tried() {
        let passphrase = Passphrase::new(Zeroizing::new("correct horse battery staple".to_owned())).unwrap();
        let way = UnlockRow {
            salt: vec![7; SALT_LEN],
            memory_kib: LEAST_MEMORY_KIB,
            passes: LEAST_PASSES,
            lanes: 1,
            wrapped_root: Vec::new(),
        };
        let absurd = [
            UnlockRow {
                passes: u32::MAX,
                ..way.clone()
            },
            UnlockRow {
                passes: MOST_PASSES + 1,
                ..way.clone()
            },
            UnlockRow {
                lanes: MOST_LANES + 1,
                ..way.clone()
            },
            UnlockRow {
                memory_kib: MOST_MEMORY_KIB + 1,
                ..way.clone()
            },
            UnlockRow {
                passes: LEAST_PASSES - 1,
                ..way.clone()
            },
            UnlockRow {
                memory_kib: LEAST_MEMORY_KIB - 1,
                ..way
            },
        ];
        for way in absurd {
            assert_eq!(unlocking_key(&passphrase, &way).err(), Some(KeyError::WeakParameters));
        }
    }
}
