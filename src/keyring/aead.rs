//! Suite 1: AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce. The only place that knows the cipher.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce, Tag};
use zeroize::Zeroizing;

use super::KeyError;
use super::memory::KEY_LEN;
use crate::randomness::Randomness;

const SUITE: u8 = 1;
const NONCE_LEN: usize = 12;
const TAG_LEN: usize = 16;
const HEADER_LEN: usize = 2;

/// `suite(1) ‖ generation(1) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`.
pub(super) fn seal(
    randomness: &dyn Randomness,
    key: &[u8; KEY_LEN],
    generation: u8,
    aad: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_LEN];
    randomness.fill(&mut nonce)?;
    let mut sealed = Vec::with_capacity(HEADER_LEN + NONCE_LEN + plain.len() + TAG_LEN);
    sealed.extend_from_slice(&[SUITE, generation]);
    sealed.extend_from_slice(&nonce);
    sealed.resize(HEADER_LEN + NONCE_LEN + plain.len(), 0);
    let body = sealed.get_mut(HEADER_LEN + NONCE_LEN..).ok_or(KeyError::Broken)?;
    // What is sealed may be a key: it is never copied to where the ciphertext goes.
    let body = InOutBuf::new(plain, body).map_err(|_| KeyError::Broken)?;
    let tag = encrypt(key, &nonce, aad, body)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

/// The generation that a sealed value says it was sealed under.
pub(super) fn generation(sealed: &[u8]) -> Result<u8, KeyError> {
    Parts::of(sealed).map(|parts| parts.generation).ok_or(KeyError::Broken)
}

/// The plaintext, if key, generation, place (`aad`) and every byte are what they were when it was sealed.
pub(super) fn open(
    key: &[u8; KEY_LEN],
    generation: u8,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let parts = Parts::of(sealed)
        .filter(|parts| parts.generation == generation)
        .ok_or(KeyError::Broken)?;
    let mut plain = Zeroizing::new(parts.body.to_vec());
    decrypt(key, parts.nonce, aad, &mut plain, parts.tag)?;
    Ok(plain)
}

/// As `open`, into a key page or onto a key stack, so that a key never lies in memory that is not locked.
pub(super) fn open_key(
    key: &[u8; KEY_LEN],
    generation: u8,
    aad: &[u8],
    sealed: &[u8],
    into: &mut [u8],
) -> Result<(), KeyError> {
    let parts = Parts::of(sealed)
        .filter(|parts| parts.generation == generation)
        .ok_or(KeyError::Broken)?;
    if parts.body.len() != into.len() {
        return Err(KeyError::Broken);
    }
    into.copy_from_slice(parts.body);
    decrypt(key, parts.nonce, aad, into, parts.tag)
}

struct Parts<'a> {
    generation: u8,
    nonce: &'a [u8; NONCE_LEN],
    body: &'a [u8],
    tag: &'a [u8; TAG_LEN],
}

impl<'a> Parts<'a> {
    fn of(sealed: &'a [u8]) -> Option<Self> {
        let (&[SUITE, generation], rest) = sealed.split_first_chunk::<HEADER_LEN>()? else {
            return None;
        };
        let (nonce, rest) = rest.split_first_chunk()?;
        let (body, tag) = rest.split_last_chunk()?;
        Some(Self {
            generation,
            nonce,
            body,
            tag,
        })
    }
}

fn encrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: InOutBuf<'_, '_, u8>,
) -> Result<[u8; TAG_LEN], KeyError> {
    let cipher = Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key));
    let tag = cipher
        .encrypt_inout_detached(<&Nonce<_>>::from(nonce), aad, body)
        .map_err(|_| KeyError::Broken)?;
    Ok(tag.into())
}

fn decrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), KeyError> {
    let cipher = Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key));
    let tag = <&Tag>::from(tag);
    cipher
        .decrypt_inout_detached(<&Nonce<_>>::from(nonce), aad, body.into(), tag)
        .map_err(|_| KeyError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::System;

    fn bytes<const N: usize>(hex: &str) -> [u8; N] {
        data_encoding::HEXLOWER
            .decode(hex.as_bytes())
            .unwrap()
            .try_into()
            .unwrap()
    }

    /// NIST GCM test vectors (gcm-spec, test cases 13, 14 and 16: AES-256).
    #[test]
    fn nist_vectors() {
        let zero = [0; 32];
        assert_eq!(
            encrypt(&zero, &[0; 12], b"", [].as_mut_slice().into()).unwrap(),
            bytes("530f8afbc74536b9a963b4f1c4cb738b")
        );

        let mut block = [0; 16];
        let tag = encrypt(&zero, &[0; 12], b"", block.as_mut_slice().into()).unwrap();
        assert_eq!(block, bytes("cea7403d4d606b6e074ec5d3baf39d18"));
        assert_eq!(tag, bytes("d0d1c8a799996bf0265b98b5d48ab919"));

        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = bytes("cafebabefacedbaddecaf888");
        let aad: [u8; 20] = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain: [u8; 60] = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let mut body = plain;
        let tag = encrypt(&key, &nonce, &aad, body.as_mut_slice().into()).unwrap();
        assert_eq!(
            body,
            bytes::<60>(
                "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            )
        );
        assert_eq!(tag, bytes("76fc6ece0f4e1768cddf8853bb2d551b"));
        decrypt(&key, &nonce, &aad, &mut body, &tag).unwrap();
        assert_eq!(body, plain);
    }

    #[test]
    fn every_byte_matters() {
        let key = [7; 32];
        let sealed = seal(&System, &key, 1, b"place", b"value").unwrap();
        assert_eq!(open(&key, 1, b"place", &sealed).unwrap().as_slice(), b"value");
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut bad = sealed.clone();
                bad[at] ^= 1 << bit;
                assert!(open(&key, 1, b"place", &bad).is_err(), "byte {at} bit {bit}");
            }
        }
        assert!(open(&key, 2, b"place", &sealed).is_err());
        assert!(open(&key, 1, b"plane", &sealed).is_err());
        assert!(open(&[8; 32], 1, b"place", &sealed).is_err());
        for len in 0..sealed.len() {
            assert!(open(&key, 1, b"place", &sealed[..len]).is_err());
        }
    }
}
