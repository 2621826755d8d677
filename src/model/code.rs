//! Keyed codes: what the vault computes with a key of its keyring and keeps in clear.

use std::fmt;

/// Length of a code in bytes: the key's version, then 16 bytes of an HMAC.
pub const LEN: usize = 17;

/// A keyed code: the version of the key it was made with, then the first 16 bytes of an HMAC with the hash of the key's suite. It names its own key,
/// so that it can still be checked after the keyring has a newer one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code([u8; LEN]);

impl Code {
    /// The code of these 16 bytes under a key of this version.
    #[must_use]
    pub fn new(version: u8, mac: [u8; 16]) -> Self {
        let mut bytes = [version; LEN];
        bytes[1..].copy_from_slice(&mac);
        Self(bytes)
    }

    /// The code stored as these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes as stored.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; LEN] {
        &self.0
    }

    /// The version of the key it was made with.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.0[0]
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code(version {})", self.version())
    }
}
