//! Subkeys and codes, with the algorithms of the key's suite, for the keyring's uniformly random keys. All of it is called on a key
//! stack ([`super::stack`]).

use zeroize::Zeroizing;

use super::KeyError;
use super::memory::KEY_LEN;
use super::suites::{CODE_LEN, Key};

/// Lengths before contents, so that no two lists of parts give the same bytes: `u32` big-endian, then the part.
pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(parts.iter().map(|part| 4 + part.len()).sum());
    for part in parts {
        joined.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

/// The code of `message` under the subkey of `key` for `label`.
pub(super) fn keyed(key: Key<'_>, label: &[&[u8]], message: &[u8]) -> Result<[u8; CODE_LEN], KeyError> {
    let subkey = subkey(key, label)?;
    (key.algorithms().mac)(&*subkey, message)
}

/// The subkey of `key` for `label`.
pub(super) fn subkey(key: Key<'_>, label: &[&[u8]]) -> Result<Zeroizing<[u8; KEY_LEN]>, KeyError> {
    let mut subkey = Zeroizing::new([0; KEY_LEN]);
    (key.algorithms().expand)(key.bytes, &join(label), &mut *subkey)?;
    Ok(subkey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_together() {
        assert_ne!(join(&[b"ab", b"c"]), join(&[b"a", b"bc"]));
        assert_ne!(join(&[b"ab"]), join(&[b"ab", b""]));
    }
}
