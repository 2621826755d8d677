//! What can go wrong with keys. Never a key, never a value.

use std::fmt;

use crate::randomness::NoRandomness;

/// A key operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The vault is locked.
    Locked,
    /// A sealed value or wrapped key does not open here: it was changed, moved, or sealed elsewhere.
    Broken,
    /// The passphrase is not the one.
    WrongPassphrase,
    /// The passphrase is too short, too long or no text.
    BadPassphrase,
    /// The stored derivation parameters are weaker than the vault accepts, or absurd.
    WeakParameters,
    /// The keyring holds no such key.
    NoSuchKey,
    /// The operating system gives no random bytes.
    NoRandomness,
    /// The operating system does not lock memory.
    MemoryNotLocked,
    /// The record has no key: it was erased, or its key was never stored.
    NoRecordKey,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the vault is locked\n  start it again with the passphrase",
            Self::Broken => "a sealed value does not open where it stands\n  run `callervault fsck`: it names the row",
            Self::WrongPassphrase => "the passphrase does not open this key store\n  check the passphrase and the directory",
            Self::BadPassphrase => "a passphrase is one line of UTF-8 text of 12 to 1,024 bytes\n  choose another",
            Self::WeakParameters => "the key store asks for Argon2id parameters outside 64 MiB to 4 GiB, 3 to 64 passes, 1 to 16 lanes\n  somebody may have edited it; restore it from its backup",
            Self::NoSuchKey => "the keyring does not hold the key version this needs\n  restore the key store from its backup",
            Self::NoRandomness => "the operating system gives no random bytes\n  check /dev/urandom",
            Self::MemoryNotLocked => "the operating system refuses to lock memory for keys\n  raise the limit, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M",
            Self::NoRecordKey => "the record has no key\n  it was erased, or the key store is older than the data store",
        })
    }
}

impl std::error::Error for KeyError {}

impl From<NoRandomness> for KeyError {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}
