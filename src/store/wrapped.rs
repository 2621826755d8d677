//! The rows of the key store: keys, each wrapped by another.

use jiff::Timestamp;

use crate::merkle::Hash;
use crate::model::ids::RecordId;

/// A record key under the key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Whose key.
    pub record: RecordId,
    /// Version of the key-encryption key.
    pub kek: u8,
    /// Generation of the record key, which every field it seals names.
    pub generation: u8,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
}

/// A way to unlock: how the unlocking key is derived and the root key under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnlockRow {
    /// Argon2id salt.
    pub salt: Vec<u8>,
    /// Argon2id memory in KiB.
    pub memory_kib: u32,
    /// Argon2id passes.
    pub passes: u32,
    /// Argon2id lanes.
    pub lanes: u32,
    /// The root key, wrapped.
    pub wrapped_root: Vec<u8>,
}

/// One version of one of the keyring's keys, under the root key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringRow {
    /// `kek`, `index`, `reference` or `log`.
    pub role: String,
    /// From 1.
    pub version: u8,
    /// The version new work uses.
    pub active: bool,
    /// The key, wrapped.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The fence: how far a log had come, kept apart from the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// Which log.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root over them (RFC 6962 §2.1).
    pub root: Hash,
}
