//! Cosignatures (C2SP tlog-cosignature v1.0.1): a witness says that, at a time, this was the largest consistent tree it
//! had seen. Ed25519 only (type 0x04).

use std::fmt;
use std::str::FromStr;

use super::NoteError;
use super::key::{PrivateKey, PublicKey};

/// Signature type identifier of Ed25519 cosignatures (signed-note, "Signature types").
const COSIGNATURE_TYPE: u8 = 0x04;

/// The message signed is the text below the time (tlog-cosignature, "Ed25519 signed message").
fn message(time: u64, text: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}

/// A witness's private key. No `Debug`.
pub struct Cosigner(PrivateKey);

impl Cosigner {
    /// The cosigner of that name, a URL without scheme, with the Ed25519 private key `seed` (RFC 8032 §5.1.5). The
    /// name is not in what is signed: no two cosigners may share a key (tlog-cosignature, "Ed25519 signed message").
    ///
    /// # Errors
    /// As [`Signer::from_seed`](super::Signer::from_seed).
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        Ok(Self(PrivateKey::from_seed(COSIGNATURE_TYPE, name, seed)?))
    }

    /// The key that checks this cosigner's cosignatures.
    #[must_use]
    pub fn verifier(&self) -> CosignatureVerifier {
        CosignatureVerifier(self.0.public().clone())
    }

    /// The cosignature as a signature line, with its newline. `text` is the whole text of a checkpoint's note, `time`
    /// in seconds since the Unix epoch, 2^63 − 1 at most (tlog-cosignature, "Format").
    #[must_use]
    pub fn cosign(&self, text: &str, time: u64) -> String {
        self.0.line(&time.to_be_bytes(), &message(time, text))
    }
}

/// A witness's public key, written as a vkey of type 0x04.
#[derive(Clone, PartialEq, Eq)]
pub struct CosignatureVerifier(PublicKey);

/// A cosignature that has been verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cosignature<'note> {
    /// The text that is cosigned, with its final newline.
    pub text: &'note str,
    /// When, in seconds since the Unix epoch.
    pub time: u64,
    /// The signature line, with its newline: to be kept and put below the checkpoint.
    pub line: &'note str,
}

impl CosignatureVerifier {
    /// The name this key cosigns under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Whether both are one key, under whatever names: the name is not in what is signed, so one would count as two.
    #[must_use]
    pub fn shares_key(&self, other: &Self) -> bool {
        self.0.shares_key(&other.0)
    }

    /// The newest of this key's cosignatures on a note. Signatures by other keys, the log's among them, are ignored.
    ///
    /// # Errors
    /// As [`Verifier::verify`](super::Verifier::verify); [`NoteError::Signature`] too for a time above 2^63 − 1.
    pub fn verify<'note>(&self, note: &'note str) -> Result<Cosignature<'note>, NoteError> {
        let (text, claims) = self.0.claims(note)?;
        let mut newest: Option<Cosignature<'note>> = None;
        for claim in claims {
            let (time, signature) = claim.bytes.split_first_chunk().ok_or(NoteError::Signature)?;
            let time = u64::from_be_bytes(*time);
            if i64::try_from(time).is_err() {
                return Err(NoteError::Signature);
            }
            self.0.check(&message(time, text), signature)?;
            if newest.is_none_or(|newest| newest.time < time) {
                let line = claim.whole;
                newest = Some(Cosignature { text, time, line });
            }
        }
        newest.ok_or(NoteError::UnknownKey)
    }
}

impl fmt::Display for CosignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CosignatureVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CosignatureVerifier {
    type Err = NoteError;

    /// Reads a vkey of type 0x04.
    ///
    /// # Errors
    /// As for a [`Verifier`](super::Verifier).
    fn from_str(vkey: &str) -> Result<Self, NoteError> {
        PublicKey::parse(COSIGNATURE_TYPE, vkey).map(Self)
    }
}
