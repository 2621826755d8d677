//! Named Ed25519 keys (RFC 8032): what every signature type shares.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::{MAX_SIGNATURES, NoteError, SignatureLine, base64, is_name, split};

/// A private key and its public half. No `Debug`.
pub(super) struct PrivateKey {
    pair: Ed25519KeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// The key with the private key `seed` (RFC 8032 §5.1.5), for one type of signature.
    pub(super) fn from_seed(kind: u8, name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let key = pair.public_key().as_ref().try_into().map_err(|_| NoteError::Key)?;
        Ok(Self {
            pair,
            public: PublicKey::new(kind, name.to_owned(), key),
        })
    }

    pub(super) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A signature line: `before`, which the type may ask for, and the signature over `message`.
    pub(super) fn line(&self, before: &[u8], message: &str) -> String {
        let mut bytes = self.public.id.to_vec();
        bytes.extend_from_slice(before);
        bytes.extend_from_slice(self.pair.sign(message.as_bytes()).as_ref());
        format!("\u{2014} {} {}\n", self.public.name, BASE64.encode(&bytes))
    }
}

/// A public key, written as a vkey: `name+id+base64(type ‖ key)` (signed-note, "Verifier keys").
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    kind: u8,
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl PublicKey {
    /// Key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)\[:4\] (signed-note, "Signatures").
    fn new(kind: u8, name: String, key: [u8; 32]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(name.as_bytes());
        context.update(&[b'\n', kind]);
        context.update(&key);
        let mut id = [0; 4];
        id.copy_from_slice(context.finish().as_ref().split_at(4).0);
        Self { kind, name, id, key }
    }

    /// Reads a vkey of that signature type.
    pub(super) fn parse(kind: u8, vkey: &str) -> Result<Self, NoteError> {
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        let (id, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let decoded = base64(key).ok_or(NoteError::Key)?;
        let key = decoded
            .strip_prefix(&[kind])
            .and_then(|key| key.try_into().ok())
            .ok_or(NoteError::Key)?;
        let parsed = Self::new(kind, name.to_owned(), key);
        if HEXLOWER.encode(&parsed.id) == id {
            Ok(parsed)
        } else {
            Err(NoteError::Key)
        }
    }

    /// Whether the other's signatures are by the same private key, under whatever name.
    pub(super) fn shares_key(&self, other: &Self) -> bool {
        self.key == other.key
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// A note's text and the signature lines that name this key, not yet checked. Lines of other keys are ignored, as
    /// the standard requires.
    pub(super) fn claims<'note>(&self, note: &'note str) -> Result<(&'note str, Vec<SignatureLine<'note>>), NoteError> {
        let (text, signatures) = split(note)?;
        let mut own = Vec::new();
        for (count, line) in signatures.split_inclusive('\n').enumerate() {
            if count >= MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let signature = SignatureLine::parse(line)?;
            if signature.name == self.name && signature.id == self.id {
                own.push(signature);
            }
        }
        if own.is_empty() {
            return Err(NoteError::UnknownKey);
        }
        Ok((text, own))
    }

    pub(super) fn check(&self, message: &str, signature: &[u8]) -> Result<(), NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(message.as_bytes(), signature)
            .map_err(|_| NoteError::Signature)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.kind];
        key.extend_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&key))
    }
}
