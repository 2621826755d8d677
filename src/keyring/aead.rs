//! Sealed values: the form that they have in every suite. Nonces are random.

use aes_gcm::aead::inout::InOutBuf;
use zeroize::Zeroizing;

use super::KeyError;
use super::suites::{Key, NONCE_LEN, Suite, TAG_LEN, beginning_with};
use crate::randomness::Randomness;

const HEADER_LEN: usize = 2;

/// `suite(1) ‖ generation(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`, in the key's suite.
pub(super) fn seal(
    randomness: &dyn Randomness,
    key: Key<'_>,
    generation: u8,
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_LEN];
    randomness.fill(&mut nonce)?;
    let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + TAG_LEN);
    sealed.extend_from_slice(&[key.algorithms().first_byte, generation]);
    sealed.extend_from_slice(&nonce);
    sealed.resize(HEADER_LEN + NONCE_LEN + plain.len(), 0);
    let body = sealed.get_mut(HEADER_LEN + NONCE_LEN..).ok_or(KeyError::Broken)?;
    // What is sealed may be a key: it is never copied to where the ciphertext goes.
    let body = InOutBuf::new(plain, body).map_err(|_| KeyError::Broken)?;
    let tag = (key.algorithms().encrypt)(key.bytes, &nonce, aad, body)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// The generation that a sealed value says it was sealed under.
pub(super) fn generation(sealed: &[u8]) -> Result<u8, KeyError> {
    Parts::of(sealed).map(|parts| parts.generation).ok_or(KeyError::Broken)
}

/// The suite that a sealed value says it was sealed in.
pub(super) fn suite(sealed: &[u8]) -> Result<Suite, KeyError> {
    Parts::of(sealed).map(|parts| parts.suite).ok_or(KeyError::Broken)
}

/// The plaintext, if suite, key, generation, place (`aad`) and every byte are what they were when it was sealed.
pub(super) fn open(key: Key<'_>, generation: u8, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let parts = Parts::under(sealed, key, generation)?;
    let mut plain = Zeroizing::new(parts.body.to_vec());
    (key.algorithms().decrypt)(key.bytes, parts.nonce, aad, &mut plain, parts.tag)?;
    Ok(plain)
}

/// As `open`, into a key page or onto a key stack, so that a key never lies in memory that is not locked.
pub(super) fn open_key(
    key: Key<'_>,
    generation: u8,
    aad: &[u8],
    sealed: &[u8],
    into: &mut [u8],
) -> Result<(), KeyError> {
    let parts = Parts::under(sealed, key, generation)?;
    if parts.body.len() != into.len() {
        return Err(KeyError::Broken);
    }
    into.copy_from_slice(parts.body);
    (key.algorithms().decrypt)(key.bytes, parts.nonce, aad, into, parts.tag)
}

struct Parts<'a> {
    suite: Suite,
    generation: u8,
    nonce: &'a [u8; NONCE_LEN],
    body: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Option<Self> {
        let (&[first_byte, generation], rest) = sealed.split_first_chunk::<HEADER_LEN>()?;
        let (nonce, rest) = rest.split_first_chunk()?;
        let (body, tag) = rest.split_last_chunk()?;
        Some(Self {
            suite: beginning_with(first_byte)?,
            generation,
            nonce,
            body,
            tag,
        })
    }

    /// The parts of what was sealed in the key's suite and in this generation, if that is what it says of itself.
    fn under(sealed: &'a [u8], key: Key<'_>, generation: u8) -> Result<Self, KeyError> {
        let parts = Self::of(sealed).filter(|parts| (parts.suite, parts.generation) == (key.suite, generation));
        parts.ok_or(KeyError::Broken)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keyring::memory::KEY_LEN;
    use crate::randomness::System;

    const KEY: [u8; KEY_LEN] = [7; KEY_LEN];

    #[test]
    fn every_byte_matters() {
        for &suite in Suite::ALL {
            let key = Key::of(suite, &KEY);
            let sealed = seal(&System, key, 1, b"place", b"value").unwrap();
            assert_eq!(open(key, 1, b"place", &sealed).unwrap().as_slice(), b"value");
            for at in 0..sealed.len() {
                for bit in 0..8 {
                    let mut bad = sealed.clone();
                    bad[at] ^= 1 << bit;
                    assert!(open(key, 1, b"place", &bad).is_err(), "{suite}: byte {at} bit {bit}");
                }
            }
            assert!(open(key, 2, b"place", &sealed).is_err());
            assert!(open(key, 1, b"plane", &sealed).is_err());
            assert!(open(Key::of(suite, &[8; KEY_LEN]), 1, b"place", &sealed).is_err());
            for len in 0..sealed.len() {
                assert!(open(key, 1, b"place", &sealed[..len]).is_err());
            }
        }
    }

    fn suites() -> impl Strategy<Value = Suite> {
        proptest::sample::select(Suite::ALL)
    }

    proptest! {
        #[test]
        fn what_was_sealed_in_a_suite_opens_in_it_and_in_no_other(
            suite in suites(),
            key in any::<[u8; KEY_LEN]>(),
            generation in any::<u8>(),
            aad in proptest::collection::vec(any::<u8>(), 0..64),
            plain in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let own = Key::of(suite, &key);
            let sealed = seal(&System, own, generation, &aad, &plain).unwrap();
            prop_assert_eq!(super::suite(&sealed).unwrap(), suite);
            prop_assert_eq!(super::generation(&sealed).unwrap(), generation);
            let opened = open(own, generation, &aad, &sealed).unwrap();
            prop_assert_eq!(opened.as_slice(), &plain[..]);
            for other in Suite::ALL.iter().filter(|&&other| other != suite) {
                let other = Key::of(*other, &key);
                prop_assert!(open(other, generation, &aad, &sealed).is_err(), "it says that it is of the one");
                let mut edited = sealed.clone();
                edited[0] = other.algorithms().first_byte;
                for key in [own, other] {
                    prop_assert!(open(key, generation, &aad, &edited).is_err(), "now it says that it is of the other");
                    let mut into = vec![0; plain.len()];
                    prop_assert!(open_key(key, generation, &aad, &edited, &mut into).is_err());
                }
            }
        }

        #[test]
        fn one_changed_byte_is_found(
            suite in suites(),
            plain in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<proptest::sample::Index>(),
            change in 1..=u8::MAX,
        ) {
            let key = Key::of(suite, &KEY);
            let mut sealed = seal(&System, key, 1, b"place", &plain).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= change;
            prop_assert!(open(key, 1, b"place", &sealed).is_err());
        }
    }
}
