//! Suite `sm`: SM4-GCM (GB/T 32907; RFC 8998 §3.1), HMAC-SM3 (GB/T 32905; RFC 2104), HKDF-SM3 (RFC 5869 with SM3).
//!
//! SM4 takes keys of 128 bits. The vault's keys have 256 bits in every suite: the cipher's key is derived from them, so that no
//! bit of a key is used with two ciphers when a record has fields of two suites.

use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::inout::InOutBuf;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sm3::Sm3;
use sm4::Sm4;
use zeroize::Zeroizing;

use super::{Algorithms, CODE_LEN, NONCE_LEN, TAG_LEN, gcm};
use crate::keyring::KeyError;
use crate::keyring::memory::KEY_LEN;

pub(super) static ALGORITHMS: Algorithms = Algorithms {
    first_byte: 2,
    encrypt,
    decrypt,
    expand,
    mac,
};

/// GCM is the same over every cipher of 128-bit blocks.
type Sm4Gcm = AesGcm<Sm4, U12>;

/// For what the cipher's key is derived.
const CIPHER_KEY: &[u8] = b"callervault/sm4-gcm/1";
const CIPHER_KEY_LEN: usize = 16;

fn cipher_key(key: &[u8; KEY_LEN]) -> Result<Zeroizing<[u8; CIPHER_KEY_LEN]>, KeyError> {
    let mut derived = Zeroizing::new([0; CIPHER_KEY_LEN]);
    expand(key, CIPHER_KEY, &mut *derived)?;
    Ok(derived)
}

fn encrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: InOutBuf<'_, '_, u8>,
) -> Result<[u8; TAG_LEN], KeyError> {
    gcm::encrypt::<Sm4Gcm>(&*cipher_key(key)?, nonce, aad, body)
}

fn decrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), KeyError> {
    gcm::decrypt::<Sm4Gcm>(&*cipher_key(key)?, nonce, aad, body, tag)
}

fn expand(key: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), KeyError> {
    let prk = Hkdf::<Sm3>::from_prk(key).map_err(|_| KeyError::Broken)?;
    prk.expand(info, out).map_err(|_| KeyError::Broken)
}

fn mac(key: &[u8], message: &[u8]) -> Result<[u8; CODE_LEN], KeyError> {
    let mut mac = <Hmac<Sm3> as KeyInit>::new_from_slice(key).map_err(|_| KeyError::Broken)?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use sm3::Digest;
    use sm4::cipher::{BlockCipherDecrypt, BlockCipherEncrypt};
    use zeroize::ZeroizeOnDrop;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex(text).try_into().unwrap()
    }

    /// GB/T 32905-2016, appendix A.
    #[test]
    fn gb_t_32905() {
        let hash = |message: &[u8]| Sm3::digest(message).to_vec();
        assert_eq!(
            hash(b"abc"),
            hex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
        );
        assert_eq!(
            hash(&b"abcd".repeat(16)),
            hex("debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732")
        );
    }

    /// GB/T 32907-2016, appendix A: one block, and a block encrypted a million times.
    #[test]
    fn gb_t_32907() {
        let key: [u8; 16] = bytes("0123456789abcdeffedcba9876543210");
        let cipher = Sm4::new(&key.into());
        let mut block = key.into();
        cipher.encrypt_block(&mut block);
        assert_eq!(block.to_vec(), hex("681edf34d206965e86b3e94f536e4246"));
        cipher.decrypt_block(&mut block);
        assert_eq!(block.to_vec(), key);
        for _ in 0..1_000_000 {
            cipher.encrypt_block(&mut block);
        }
        assert_eq!(block.to_vec(), hex("595298c7c6fd271f0402f804c33d3f66"));
    }

    /// RFC 8998, appendix A.1.
    #[test]
    fn rfc_8998() {
        let key = hex("0123456789abcdeffedcba9876543210");
        let nonce = bytes("00001234567800000000abcd");
        let aad = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plain: [u8; 64] = bytes(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa",
        );
        let mut body = plain;
        let tag = gcm::encrypt::<Sm4Gcm>(&key, &nonce, &aad, body.as_mut_slice().into()).unwrap();
        assert_eq!(
            body,
            bytes::<64>(
                "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
            )
        );
        assert_eq!(tag, bytes("83de3541e4c2b58177e065a9bf7b62ec"));
        gcm::decrypt::<Sm4Gcm>(&key, &nonce, &aad, &mut body, &tag).unwrap();
        assert_eq!(body, plain);
    }

    /// GM/T 0042-2015, appendix D.3.
    #[test]
    fn gm_t_0042() {
        let case = |key: &[u8], data: &[u8], tag: &str| assert_eq!(mac(key, data).unwrap().to_vec(), hex(tag));
        let key: Vec<u8> = (1..=37).collect();
        case(
            &key[..32],
            &b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".repeat(2),
            "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
        );
        case(
            &key,
            &[0xcd; 50],
            "220bf579ded555393f0159f66c99877822a3ecf610d1552154b41d44b94db3ae",
        );
        case(
            &[0x0b; 32],
            b"Hi There",
            "c0ba18c68b90c88bc07de794bfc7d2c8d19ec31ed8773bc2b390c9604e0be11e",
        );
        case(
            b"Jefe",
            b"what do ya want for nothing?",
            "2e87f1d16862e6d964b50a5200bf2b10b764faa9680a296a2405f24bec39f882",
        );
    }

    /// No standard prints vectors of HKDF-SM3. These were computed by the definition (RFC 5869 §2.3) with OpenSSL's HMAC-SM3, for the PRK
    /// and info of RFC 5869, appendix A, case 1; the last one is a key of SM4.
    #[test]
    fn expansion_is_that_of_rfc_5869_over_sm3() {
        let prk: [u8; 32] = bytes("077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
        let mut out = [0; 42];
        expand(&prk, &hex("f0f1f2f3f4f5f6f7f8f9"), &mut out).unwrap();
        assert_eq!(
            out.to_vec(),
            hex("d278de218f1d74a25ddc0d839acd843a7d9f7d5d8b16583172f2a9d78fe19e19fea9b6996aa5912c4a50")
        );
        assert_eq!(*cipher_key(&prk).unwrap(), bytes("79997c3db194c2c7338b027cb2874d28"));
    }

    /// Round keys, hash keys and states of hashes are wiped when they are dropped.
    #[test]
    fn what_the_ciphers_hold_is_wiped() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<Sm4>();
        is_wiped::<Sm4Gcm>();
        is_wiped::<aes_gcm::Aes256Gcm>();
        is_wiped::<Sm3>();
    }
}
