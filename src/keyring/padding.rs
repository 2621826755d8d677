//! ISO/IEC 7816-4 padding to a multiple of 16 bytes, so that a ciphertext's length says little.

use zeroize::Zeroizing;

use super::KeyError;

const BLOCK: usize = 16;

/// The value, one byte 0x80, then zeros up to a multiple of 16 bytes.
pub(super) fn pad(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = (value.len() / BLOCK + 1) * BLOCK;
    let mut padded = Zeroizing::new(Vec::with_capacity(len));
    padded.extend_from_slice(value);
    padded.push(0x80);
    padded.resize(len, 0);
    padded
}

/// The value that was padded.
pub(super) fn unpad(mut padded: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let end = padded.iter().rposition(|&byte| byte != 0).ok_or(KeyError::Broken)?;
    if padded.get(end) != Some(&0x80) {
        return Err(KeyError::Broken);
    }
    padded.truncate(end);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_at_every_length() {
        for len in 0..70 {
            let value = vec![0x80; len];
            let padded = pad(&value);
            assert_eq!(padded.len() % BLOCK, 0);
            assert!(padded.len() > len && padded.len() <= len + BLOCK);
            assert_eq!(*unpad(padded).unwrap(), value);
        }
        assert!(unpad(Zeroizing::new(vec![0; 16])).is_err());
        assert!(unpad(Zeroizing::new(vec![1; 16])).is_err());
    }
}
