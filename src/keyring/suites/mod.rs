//! Suites of algorithms: what values are sealed with, codes are made with and keys are derived with.
//!
//! Each version of a key is of one suite: the one in which it is wrapped, which the first byte of the wrapped key says. A suite is
//! declared once: its word in [`Suite`], and its [`Algorithms`] in a file of this directory
//! ([0045](../../../docs/decisions/0045-a-second-suite.md)).

mod aes;
mod gcm;
mod sm;

use aes_gcm::aead::inout::InOutBuf;

use super::KeyError;
use super::memory::KEY_LEN;
pub(super) use crate::model::key_roles::Suite;

/// Length of a nonce, in bytes: the same in every suite.
pub(super) const NONCE_LEN: usize = 12;
/// Length of a tag, in bytes: the same in every suite.
pub(super) const TAG_LEN: usize = 16;
/// Length of a code before it is cut, in bytes: the same in every suite.
pub(super) const CODE_LEN: usize = 32;

/// Encrypts from one buffer into another, and gives the tag over associated data and ciphertext.
type Encrypt = fn(&[u8; KEY_LEN], &[u8; NONCE_LEN], &[u8], InOutBuf<'_, '_, u8>) -> Result<[u8; TAG_LEN], KeyError>;
/// Decrypts in place, if the tag is the one of associated data and ciphertext.
type Decrypt = fn(&[u8; KEY_LEN], &[u8; NONCE_LEN], &[u8], &mut [u8], &[u8; TAG_LEN]) -> Result<(), KeyError>;

/// HKDF-Expand (RFC 5869 §2.3) of a key of at least 32 bytes, for an info, into at most 8,160 bytes.
type Expand = fn(&[u8], &[u8], &mut [u8]) -> Result<(), KeyError>;
/// HMAC (RFC 2104) of a message under a key of any length.
type Mac = fn(&[u8], &[u8]) -> Result<[u8; CODE_LEN], KeyError>;

/// What a suite is made of.
pub(super) struct Algorithms {
    /// What everything that is sealed in this suite begins with.
    pub(super) first_byte: u8,
    /// The AEAD, one way.
    pub(super) encrypt: Encrypt,
    /// The AEAD, the other way.
    pub(super) decrypt: Decrypt,
    /// The KDF.
    pub(super) expand: Expand,
    /// The MAC.
    pub(super) mac: Mac,
}

/// The algorithms of a suite.
pub(super) const fn algorithms(suite: Suite) -> &'static Algorithms {
    match suite {
        Suite::Aes => &aes::ALGORITHMS,
        Suite::Sm => &sm::ALGORITHMS,
    }
}

/// The suite whose sealed values begin with this byte.
pub(super) fn beginning_with(byte: u8) -> Option<Suite> {
    let begins = |suite: &Suite| algorithms(*suite).first_byte == byte;
    Suite::ALL.iter().copied().find(begins)
}

/// A key, for a moment on a key stack, and the suite it is used in. No `Debug`.
#[derive(Clone, Copy)]
pub(super) struct Key<'k> {
    /// What it is used with.
    pub(super) suite: Suite,
    /// The key itself.
    pub(super) bytes: &'k [u8; KEY_LEN],
}

impl<'k> Key<'k> {
    /// A key that is used in this suite.
    pub(super) const fn of(suite: Suite, bytes: &'k [u8; KEY_LEN]) -> Self {
        Self { suite, bytes }
    }

    /// What it is used with.
    pub(super) const fn algorithms(self) -> &'static Algorithms {
        algorithms(self.suite)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_suite_has_a_first_byte_of_its_own() {
        let bytes: BTreeSet<u8> = Suite::ALL.iter().map(|&suite| algorithms(suite).first_byte).collect();
        assert_eq!(bytes, BTreeSet::from([1, 2]));
        for &suite in Suite::ALL {
            assert_eq!(beginning_with(algorithms(suite).first_byte), Some(suite));
        }
        assert_eq!(beginning_with(0), None);
        assert_eq!(beginning_with(3), None);
    }

    /// What is not the same in both is not made with the same algorithms by mistake.
    #[test]
    fn suites_make_nothing_alike() {
        let [aes, sm] = [Suite::Aes, Suite::Sm].map(algorithms);
        let key = [7; KEY_LEN];
        assert_ne!((aes.mac)(&key, b"a"), (sm.mac)(&key, b"a"));
        let expanded = |suite: &Algorithms| {
            let mut out = [0; KEY_LEN];
            (suite.expand)(&key, b"a", &mut out).unwrap();
            out
        };
        assert_ne!(expanded(aes), expanded(sm));
        let sealed = |suite: &Algorithms| {
            let mut body = *b"a value";
            let tag = (suite.encrypt)(&key, &[3; NONCE_LEN], b"place", body.as_mut_slice().into()).unwrap();
            (body, tag)
        };
        assert_ne!(sealed(aes), sealed(sm));
    }
}
