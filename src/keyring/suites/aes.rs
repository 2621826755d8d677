//! Suite `aes`: AES-256-GCM (NIST SP 800-38D), HMAC-SHA-256 (RFC 2104, FIPS 180-4), HKDF-SHA-256 (RFC 5869).

use aes_gcm::Aes256Gcm;
use ring::{hkdf, hmac};

use super::{Algorithms, CODE_LEN, gcm};
use crate::keyring::KeyError;

pub(super) static ALGORITHMS: Algorithms = Algorithms {
    first_byte: 1,
    encrypt: |key, nonce, aad, body| gcm::encrypt::<Aes256Gcm>(key, nonce, aad, body),
    decrypt: |key, nonce, aad, body, tag| gcm::decrypt::<Aes256Gcm>(key, nonce, aad, body, tag),
    expand,
    mac,
};

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(key: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), KeyError> {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key);
    prk.expand(&[info], Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| KeyError::Broken)
}

fn mac(key: &[u8], message: &[u8]) -> Result<[u8; CODE_LEN], KeyError> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    tag.as_ref().try_into().map_err(|_| KeyError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::suites::NONCE_LEN;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
    }

    fn bytes<const N: usize>(text: &str) -> [u8; N] {
        hex(text).try_into().unwrap()
    }

    /// NIST GCM test vectors (gcm-spec, test cases 13, 14 and 16: AES-256).
    #[test]
    fn nist_vectors() {
        let (encrypt, decrypt) = (ALGORITHMS.encrypt, ALGORITHMS.decrypt);
        let zero = [0; 32];
        assert_eq!(
            encrypt(&zero, &[0; NONCE_LEN], b"", [].as_mut_slice().into()).unwrap(),
            bytes("530f8afbc74536b9a963b4f1c4cb738b")
        );

        let mut block = [0; 16];
        let tag = encrypt(&zero, &[0; NONCE_LEN], b"", block.as_mut_slice().into()).unwrap();
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

    /// RFC 5869, appendix A: the PRK and OKM of cases 1, 2 and 3.
    #[test]
    fn rfc_5869() {
        let case = |prk: &str, info: &[u8], okm: &str| {
            let okm = hex(okm);
            let mut out = vec![0; okm.len()];
            expand(&hex(prk), info, &mut out).unwrap();
            assert_eq!(out, okm);
        };
        case(
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            &hex("f0f1f2f3f4f5f6f7f8f9"),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        );
        let info: Vec<u8> = (0xb0..=0xff).collect();
        case(
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            &info,
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
        );
        case(
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            b"",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        );
    }

    /// RFC 4231 §4.2, §4.3, §4.4 and §4.7 (a key longer than a block).
    #[test]
    fn rfc_4231() {
        let case = |key: &[u8], data: &[u8], tag: &str| assert_eq!(mac(key, data).unwrap().to_vec(), hex(tag));
        case(
            &[0x0b; 20],
            b"Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        );
        case(
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        );
        case(
            &[0xaa; 20],
            &[0xdd; 50],
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
        );
        case(
            &[0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        );
    }
}
