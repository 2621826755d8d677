//! GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag, over whichever block cipher of 128-bit blocks.

use aes_gcm::aead::array::Array;
use aes_gcm::aead::consts::{U12, U16};
use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadCore, AeadInOut, KeyInit};

use super::{NONCE_LEN, TAG_LEN};
use crate::keyring::KeyError;

/// Encrypts under a key of the cipher's own length.
pub(super) fn encrypt<C>(
    key: &[u8],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: InOutBuf<'_, '_, u8>,
) -> Result<[u8; TAG_LEN], KeyError>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12, TagSize = U16>,
{
    let cipher = C::new_from_slice(key).map_err(|_| KeyError::Broken)?;
    let tag = cipher
        .encrypt_inout_detached(<&Array<u8, U12>>::from(nonce), aad, body)
        .map_err(|_| KeyError::Broken)?;
    Ok(tag.into())
}

/// Decrypts in place, if the tag is right. Otherwise what is in place stays the ciphertext.
pub(super) fn decrypt<C>(
    key: &[u8],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    body: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), KeyError>
where
    C: KeyInit + AeadInOut + AeadCore<NonceSize = U12, TagSize = U16>,
{
    let cipher = C::new_from_slice(key).map_err(|_| KeyError::Broken)?;
    let tag = <&Array<u8, U16>>::from(tag);
    cipher
        .decrypt_inout_detached(<&Array<u8, U12>>::from(nonce), aad, body.into(), tag)
        .map_err(|_| KeyError::Broken)
}
