//! HKDF-Expand (RFC 5869 §2.3) and HMAC (RFC 2104), both with SHA-256, for the keyring's uniformly random keys. All of it is
//! called on a key stack ([`super::stack`]).

use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::KeyError;
use super::memory::KEY_LEN;

/// Lengths before contents, so that no two lists of parts give the same bytes: `u32` big-endian, then the part.
pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

struct Len(usize);

impl hkdf::KeyType for Len {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-Expand(`key`, `info`) into `out` (at most 8,160 bytes).
fn expand(key: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), KeyError> {
    let prk = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, key);
    prk.expand(&[info], Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| KeyError::Broken)
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    let mut out = [0; 32];
    out.copy_from_slice(tag.as_ref());
    out
}

/// HMAC-SHA-256 of `message` under the subkey of `key` for `label`.
pub(super) fn keyed(key: &[u8; KEY_LEN], label: &[&[u8]], message: &[u8]) -> Result<[u8; 32], KeyError> {
    let subkey = subkey(key, label)?;
    Ok(hmac_sha256(&*subkey, message))
}

/// The subkey of `key` for `label`.
pub(super) fn subkey(key: &[u8; KEY_LEN], label: &[&[u8]]) -> Result<Zeroizing<[u8; KEY_LEN]>, KeyError> {
    let mut subkey = Zeroizing::new([0; KEY_LEN]);
    expand(key, &join(label), &mut *subkey)?;
    Ok(subkey)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
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
        let case = |key: &[u8], data: &[u8], tag: &str| assert_eq!(hmac_sha256(key, data).to_vec(), hex(tag));
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

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
        assert_ne!(join(&[b"ab"]), join(&[b"ab", b""]));
    }
}
