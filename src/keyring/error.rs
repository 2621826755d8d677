//! What can go wrong with keys. Never a key, never a value.
//!
//! The ciphers' own errors are dropped: they say nothing (`ring::error::Unspecified`, `aead::Error`), and words about what did not
//! open could tell something of it. So are those of the system where memory cannot be locked: the remedy is the same.

use crate::model::key_roles::KeyRole;
use crate::randomness;

/// A key operation did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The vault is locked.
    #[error("the vault is locked\n  unlock it: `callervault unlock`")]
    Locked,
    /// A sealed value or wrapped key does not open here: it was changed, moved, or sealed elsewhere.
    #[error("a sealed value does not open where it stands\n  run `callervault fsck`: it names the row")]
    Broken,
    /// The passphrase is not the one.
    #[error("the passphrase does not open this key store\n  check the passphrase and the directory")]
    WrongPassphrase,
    /// The passphrase is too short, too long or no text.
    #[error("a passphrase is one line of UTF-8 text of 12 to 1,024 bytes\n  choose another")]
    BadPassphrase,
    /// The stored derivation parameters are weaker than the vault accepts, or absurd.
    #[error(
        "the key store asks for Argon2id parameters outside 64 MiB to 4 GiB, 3 to 64 passes, 1 to 16 lanes\n  it may have been \
         edited; restore it from its backup"
    )]
    WeakParameters,
    /// The keyring holds no such key.
    #[error("the keyring does not hold the key version this needs\n  restore the key store from its backup")]
    NoSuchKey,
    /// A version of a key of the keyring is of a suite that this program does not know.
    #[error(
        "version {1} of the key {0} is of suite {2}, which this program does not know\n  it was made by a newer program, or the key \
         store was edited: use the program that made it, or restore the key store from its backup"
    )]
    UnknownSuite(KeyRole, u8, u8),
    /// The role's key has had every version that there can be.
    #[error("this key has had 255 versions, and there can be no more")]
    NoVersionLeft,
    /// The operating system gives no random bytes.
    #[error(transparent)]
    NoRandomness(#[from] randomness::NoRandomness),
    /// The operating system does not lock memory.
    #[error(
        "the operating system refuses to lock memory for keys\n  raise the limit, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M"
    )]
    MemoryNotLocked,
    /// The record has no key: it was erased, or its key was never stored.
    #[error("the record has no key\n  it was erased, or the key store is older than the data store")]
    NoRecordKey,
}
