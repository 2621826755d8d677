//! What [`super::secrets`] needs of the second suite: keys as they are derived from the documented formats, and what its cipher makes of
//! them.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};
use hmac::{Hmac, Mac};
use sm3::Sm3;
use sm4::Sm4;

type Key = Vec<u8>;

/// The 128-bit key of the cipher that is derived from a key.
pub(crate) fn cipher_key(key: &[u8]) -> Key {
    expanded(key, b"callervault/sm4-gcm/1")[..16].to_vec()
}

/// `suite ‖ generation ‖ nonce ‖ ciphertext ‖ tag` under SM4-GCM (RFC 8998).
pub(crate) fn unwrapped(key: &[u8], aad: &[u8], sealed: &[u8]) -> Key {
    let cipher = AesGcm::<Sm4, U12>::new_from_slice(&cipher_key(key)).unwrap();
    let nonce = sealed[2..14].try_into().unwrap();
    let msg = &sealed[14..];
    cipher.decrypt(&nonce, Payload { msg, aad }).unwrap()
}

/// HKDF-Expand (RFC 5869 §2.3) with SM3, to 32 bytes: its first block.
pub(crate) fn expanded(key: &[u8], info: &[u8]) -> Key {
    let mut mac = <Hmac<Sm3> as KeyInit>::new_from_slice(key).unwrap();
    mac.update(info);
    mac.update(&[1]);
    mac.finalize().into_bytes().to_vec()
}

/// What the cipher makes of a key where it is not wiped.
pub(crate) fn traces(key: &[u8]) -> Vec<(&'static str, Key)> {
    let derived = cipher_key(key);
    let rounds = round_keys(&derived);
    // In memory as the processor has words.
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Key>();
    vec![
        ("first round keys", words(&rounds[..4])),
        ("last round keys", words(&rounds[28..])),
        ("key of SM4", derived),
    ]
}

/// The round keys of SM4 (GB/T 32907 §7.3).
fn round_keys(key: &[u8]) -> Vec<u32> {
    let system = [0xa3b1_bac6, 0x56aa_3350, 0x677d_9197, 0xb270_22dc];
    let words = key.chunks(4).map(|word| u32::from_be_bytes(word.try_into().unwrap()));
    let mut keys: Vec<u32> = words.zip(system).map(|(word, system)| word ^ system).collect();
    for at in 0..32_usize {
        let fixed: [u8; 4] = std::array::from_fn(|byte| u8::try_from((4 * at + byte) * 7 % 256).unwrap());
        let mixed = keys[at + 1] ^ keys[at + 2] ^ keys[at + 3] ^ u32::from_be_bytes(fixed);
        let mixed = u32::from_be_bytes(mixed.to_be_bytes().map(substituted));
        keys.push(keys[at] ^ mixed ^ mixed.rotate_left(13) ^ mixed.rotate_left(23));
    }
    keys.split_off(4)
}

/// The S-box (GB/T 32907 §6.2): an affine map, the inverse in GF(2⁸), which is the 254th power, and the map again.
fn substituted(byte: u8) -> u8 {
    let map = |byte: u8| {
        (0..8).fold(0xd3, |sum, bit| {
            sum ^ ((0xa7_u8.rotate_left(bit) & byte).count_ones() as u8 & 1) << bit
        })
    };
    map((0..254).fold(1, |power, _| times(power, map(byte))))
}

/// Multiplication in GF(2⁸) modulo x⁸ + x⁷ + x⁶ + x⁵ + x⁴ + x² + 1.
fn times(left: u8, right: u8) -> u8 {
    let (mut product, mut left) = (0, left);
    for bit in 0..8 {
        if right >> bit & 1 == 1 {
            product ^= left;
        }
        left = left << 1 ^ if left >> 7 == 1 { 0xf5 } else { 0 };
    }
    product
}

/// GB/T 32907-2016, appendix A.1.
#[test]
fn the_round_keys_are_those_of_the_standard() {
    let key = data_encoding::HEXLOWER
        .decode(b"0123456789abcdeffedcba9876543210")
        .unwrap();
    let rounds = round_keys(&key);
    assert_eq!(rounds.len(), 32);
    assert_eq!((rounds[0], rounds[31]), (0xf121_86f9, 0x9124_a012));
}
