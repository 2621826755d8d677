//! From a passphrase to an unlocked keyring (Argon2id, RFC 9106).

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read};
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use jiff::Timestamp;
use zeroize::Zeroizing;

use super::memory::{KEY_LEN, LockedPage, Secret};
use super::stack::Stacks;
use super::suites::{Key, Suite, beginning_with};
use super::unlocked::{Held, Unlocked};
use super::{KeyError, KeyRole, Keyring, aead, place};
use crate::randomness::Randomness;
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
/// Of the root key under the key that a passphrase gives. It is the same in every vault: Argon2id, which gives that key, is of no suite.
const ROOT_SUITE: Suite = Suite::Aes;
const FIRST_VERSION: u8 = 1;

/// A passphrase, on a locked page, wiped when dropped. No `Debug`.
pub struct Passphrase {
    page: LockedPage,
    len: usize,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum NoPassphrase {
    /// It could not be read.
    #[error(transparent)]
    NotRead(#[from] std::io::Error),
    /// It is no passphrase, or the system does not lock memory for it.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Passphrase {
    /// Takes a passphrase of 12 to 1,024 bytes. Where it can be read instead, [`Self::first_line`] makes no copy.
    ///
    /// # Errors
    /// [`KeyError::BadPassphrase`] for any other length; [`KeyError::MemoryNotLocked`].
    pub fn new(text: Zeroizing<String>) -> Result<Self, KeyError> {
        Self::of(&text)
    }

    /// As `new`, of a text that is wiped elsewhere.
    ///
    /// # Errors
    /// As `new`.
    pub fn of(text: &str) -> Result<Self, KeyError> {
        let mut page = LockedPage::new()?;
        let room = page.bytes_mut().get_mut(..text.len()).ok_or(KeyError::BadPassphrase)?;
        room.copy_from_slice(text.as_bytes());
        Self::on(page, text.len())
    }

    /// Reads the first line, UTF-8 text of 12 to 1,024 bytes, straight onto the locked page. What the source gives behind that
    /// line in the same read is wiped with the page.
    ///
    /// # Errors
    /// [`NoPassphrase`].
    pub fn first_line(mut from: impl Read) -> Result<Self, NoPassphrase> {
        let mut page = LockedPage::new()?;
        let mut len = 0;
        let end = loop {
            let room = page.bytes_mut().get_mut(len..).unwrap_or_default();
            let read = match from.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                read => read?,
            };
            len += read;
            let line = page.bytes().get(..len).unwrap_or_default();
            if let Some(end) = line.iter().position(|&byte| byte == b'\n') {
                break end;
            }
            if read == 0 {
                break len;
            }
        };
        let line = page.bytes().get(..end).unwrap_or_default();
        let end = line.strip_suffix(b"\r").unwrap_or(line).len();
        Ok(Self::on(page, end)?)
    }

    /// Whether the two are the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }

    /// The text, for whoever sends it to a server.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }

    fn on(page: LockedPage, len: usize) -> Result<Self, KeyError> {
        let passphrase = Self { page, len };
        if (12..=1024).contains(&len) && std::str::from_utf8(passphrase.bytes()).is_ok() {
            Ok(passphrase)
        } else {
            Err(KeyError::BadPassphrase)
        }
    }

    fn bytes(&self) -> &[u8] {
        self.page.bytes().get(..self.len).unwrap_or_default()
    }
}

/// A secret that comes in piece by piece, onto a locked page. Wiped when dropped. No `Debug`.
pub struct Incoming {
    page: LockedPage,
    len: usize,
}

impl Incoming {
    /// Nothing of it yet.
    ///
    /// # Errors
    /// [`KeyError::MemoryNotLocked`].
    pub fn new() -> Result<Self, KeyError> {
        let page = LockedPage::new()?;
        Ok(Self { page, len: 0 })
    }

    /// Adds a piece. Whether it fits: a page holds 4,096 bytes.
    #[must_use]
    pub fn add(&mut self, piece: &[u8]) -> bool {
        let end = self.len + piece.len();
        let Some(room) = self.page.bytes_mut().get_mut(self.len..end) else {
            return false;
        };
        room.copy_from_slice(piece);
        self.len = end;
        true
    }

    /// What has come in.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.page.bytes().get(..self.len).unwrap_or_default()
    }
}

/// A new vault's keys, wrapped, for the key store.
pub struct NewKeys {
    /// The passphrase way of unlocking.
    pub unlock: UnlockRow,
    /// Version 1 of every key.
    pub keyring: Vec<KeyringRow>,
}

/// Makes a root key and a keyring of one suite for a log of this origin, wrapped under the passphrase.
///
/// # Errors
/// Without randomness or lockable memory.
pub fn create(
    origin: &str,
    passphrase: &Passphrase,
    suite: Suite,
    now: Timestamp,
    randomness: &dyn Randomness,
) -> Result<NewKeys, KeyError> {
    let stacks = Stacks::default();
    let mut salt = vec![0; SALT_LEN];
    randomness.fill(&mut salt)?;
    let mut unlock = UnlockRow {
        salt,
        memory_kib: LEAST_MEMORY_KIB,
        passes: LEAST_PASSES,
        lanes: 1,
        wrapped_root: Vec::new(),
    };
    let unlocking = unlocking_key(&stacks, passphrase, &unlock)?;
    stacks.run(|| {
        let root = Secret::random(randomness)?;
        let (key, aad) = (Key::of(ROOT_SUITE, unlocking.bytes()), place::root(origin));
        unlock.wrapped_root = aead::seal(randomness, key, ROOT_GENERATION, &aad, root.bytes())?;
        let wrapping = Key::of(suite, root.bytes());
        let first = |&role: &KeyRole| new_key(origin, wrapping, (role, FIRST_VERSION), now, randomness);
        let wrap = |role| {
            Ok(KeyringRow {
                active: true,
                ..first(role)?
            })
        };
        let keyring = KeyRole::ALL.iter().map(wrap).collect::<Result<_, KeyError>>()?;
        Ok(NewKeys { unlock, keyring })
    })?
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
/// [`KeyError::WrongPassphrase`] if no way of unlocking takes the passphrase; [`KeyError::WeakParameters`];
/// [`KeyError::Broken`] if the keyring was not wrapped under this root key.
pub fn unlock(
    origin: &str,
    passphrase: &Passphrase,
    ways: &[UnlockRow],
    rows: &[KeyringRow],
    randomness: Arc<dyn Randomness>,
) -> Result<Keyring, KeyError> {
    let stacks = Stacks::default();
    let root = root_key(&stacks, origin, passphrase, ways)?;
    let unlocked = stacks.run(|| keyring(origin, root, rows))??;
    Ok(Keyring::new(origin.to_owned(), randomness, stacks, unlocked))
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

fn root_key(stacks: &Stacks, origin: &str, passphrase: &Passphrase, ways: &[UnlockRow]) -> Result<Secret, KeyError> {
    for way in ways {
        let unlocking = unlocking_key(stacks, passphrase, way)?;
        let mut root = Secret::empty()?;
        let (key, aad) = (Key::of(ROOT_SUITE, unlocking.bytes()), place::root(origin));
        let opened = stacks.run(|| aead::open_key(key, ROOT_GENERATION, &aad, &way.wrapped_root, root.bytes_mut()))?;
        if opened.is_ok() {
            return Ok(root);
        }
    }
    Err(KeyError::WrongPassphrase)
}

fn unlocking_key(stacks: &Stacks, passphrase: &Passphrase, way: &UnlockRow) -> Result<Secret, KeyError> {
    let memory = (LEAST_MEMORY_KIB..=MOST_MEMORY_KIB).contains(&way.memory_kib);
    let passes = (LEAST_PASSES..=MOST_PASSES).contains(&way.passes);
    let lanes = (1..=MOST_LANES).contains(&way.lanes);
    // Too little is guessed by others; too much, written by somebody else, keeps the vault from ever starting.
    if !memory || !passes || !lanes || way.salt.len() < SALT_LEN {
        return Err(KeyError::WeakParameters);
    }
    let params =
        Params::new(way.memory_kib, way.passes, way.lanes, Some(KEY_LEN)).map_err(|_| KeyError::WeakParameters)?;
    // The last blocks give the key away. They are too many to be locked, and are wiped.
    let mut blocks = Zeroizing::new(vec![Block::new(); params.block_count()]);
    let mut key = Secret::empty()?;
    stacks
        .run(|| {
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            argon2.hash_password_into_with_memory(passphrase.bytes(), &way.salt, key.bytes_mut(), blocks.as_mut_slice())
        })?
        .map_err(|_| KeyError::WeakParameters)?;
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
            let refused = unlocking_key(&Stacks::default(), &passphrase, &way).err();
            assert_eq!(refused, Some(KeyError::WeakParameters));
        }
    }
}
