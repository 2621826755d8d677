//! Signed notes (C2SP signed-note v1.0.0), the checkpoints they carry (C2SP tlog-checkpoint v1.0.0), the cosignatures of
//! witnesses on them (C2SP tlog-cosignature v1.0.1) and the proofs that carry those (C2SP tlog-proof).
//!
//! Ed25519 only (RFC 8032). A note's text is worth nothing before [`Verifier::verify`] has returned it.

mod backup;
mod checkpoint;
mod cosignature;
mod erasure;
mod key;
mod tlog_proof;

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;

pub use self::backup::BackupManifest;
pub use self::checkpoint::Checkpoint;
pub use self::cosignature::{Cosignature, CosignatureVerifier, Cosigner};
pub use self::erasure::ErasureReceipt;
use self::key::{PrivateKey, PublicKey};
pub use self::tlog_proof::{MAX_PROOF_BYTES, MAX_PROOF_HASHES, TlogProof};
use crate::merkle::Hash;

/// Signature type identifier of Ed25519 (signed-note, "Signature types").
const ED25519_TYPE: u8 = 0x01;

/// More signatures than this on one note are refused. The standard asks verifiers for a limit of 16 or more; 100 is
/// what Go's `note` package allows.
pub const MAX_SIGNATURES: usize = 100;

/// A key that signs notes. No `Debug`: it holds the private key.
pub struct Signer(PrivateKey);

impl Signer {
    /// The signer of that name with the Ed25519 private key `seed` (RFC 8032 §5.1.5). For a log the name is its origin.
    ///
    /// # Errors
    /// [`NoteError::Name`] for a name that is empty or holds a space, a `+` or a control character;
    /// [`NoteError::Key`] if the seed gives no key.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        Ok(Self(PrivateKey::from_seed(ED25519_TYPE, name, seed)?))
    }

    /// The name on the signature line.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.public().name()
    }

    /// The key that checks this signer's notes.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        Verifier(self.0.public().clone())
    }

    /// The signed note: `text`, a blank line and one signature line (signed-note, "Format").
    ///
    /// `text` ends in a newline and holds no control character besides newlines, as a [`Checkpoint`] does; a note made
    /// of anything else is one that no verifier accepts.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        format!("{text}\n{}", self.0.line(&[], text))
    }
}

/// A key that checks notes, written `name+id+key` (a "vkey"): the name, the key id as 8 hexadecimal digits, and base64
/// of the signature type and the public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier(PublicKey);

impl Verifier {
    /// The name this key signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The text of a note that this key has signed, with its final newline. Signatures by other keys are ignored, as
    /// the standard requires.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if it is no signed note, [`NoteError::TooManySignatures`] above [`MAX_SIGNATURES`],
    /// [`NoteError::UnknownKey`] if no signature is by this key, [`NoteError::Signature`] if one is and fails, even
    /// beside another that does not.
    pub fn verify<'note>(&self, note: &'note str) -> Result<&'note str, NoteError> {
        let (text, claims) = self.0.claims(note)?;
        claims.iter().try_for_each(|claim| self.0.check(text, &claim.bytes))?;
        Ok(text)
    }

    /// The text of a note that at least one of these keys has signed: those of one log, whose key was rotated.
    ///
    /// # Errors
    /// As [`Self::verify`]. A signature that fails by one of the keys is one, whatever the others say.
    pub fn verify_any<'note>(keys: &[Self], note: &'note str) -> Result<&'note str, NoteError> {
        let mut found = Err(NoteError::UnknownKey);
        for key in keys {
            match key.verify(note) {
                Ok(text) => found = Ok(text),
                Err(NoteError::UnknownKey) => {}
                Err(error) => return Err(error),
            }
        }
        found
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Verifier {
    type Err = NoteError;

    /// Reads a vkey.
    ///
    /// # Errors
    /// [`NoteError::Name`] for a bad name; [`NoteError::Key`] if a part is missing or misspelt, the key is not Ed25519
    /// or the id is not its own.
    fn from_str(vkey: &str) -> Result<Self, NoteError> {
        PublicKey::parse(ED25519_TYPE, vkey).map(Self)
    }
}

/// The text of a note that nobody has verified: good for finding out which key should have signed it, and for nothing
/// else.
///
/// # Errors
/// [`NoteError::Malformed`] if it is no signed note.
pub fn unverified_text(note: &str) -> Result<&str, NoteError> {
    split(note).map(|(text, _)| text)
}

/// Text and signature lines, cut at the last empty line. Both keep their final newline.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Malformed);
    }
    let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, rest) = note.split_at(blank + 1);
    let signatures = rest.strip_prefix('\n').filter(|lines| lines.ends_with('\n'));
    Ok((text, signatures.ok_or(NoteError::Malformed)?))
}

/// `— name base64(id ‖ signature)` and a newline.
struct SignatureLine<'note> {
    whole: &'note str,
    name: &'note str,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl<'note> SignatureLine<'note> {
    fn parse(whole: &'note str) -> Result<Self, NoteError> {
        let line = whole.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
        let decoded = base64(encoded).ok_or(NoteError::Malformed)?;
        match decoded.split_first_chunk::<4>() {
            Some((id, bytes)) if is_name(name) && !bytes.is_empty() => Ok(Self {
                whole,
                name,
                id: *id,
                bytes: bytes.to_vec(),
            }),
            _ => Err(NoteError::Malformed),
        }
    }
}

/// Whether a key may have this name (signed-note, "Format").
pub(crate) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

/// A number in decimal, without sign or leading zero.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Bytes in base64 with padding (RFC 4648 §4), in the one spelling they have: the decoder alone would also take padding
/// before the end, as it stands where two texts were put together.
fn base64(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}

/// A hash in base64.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    Hash::try_from(base64(text)?.as_slice()).ok()
}

/// Why a key, a note, a checkpoint or a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// A key's name is empty or holds a space, a `+` or a control character.
    #[error("a key name must not be empty or hold spaces, plus signs or control characters")]
    Name,
    /// Not an Ed25519 key, or a vkey that is incomplete or carries another key's id.
    #[error("not an Ed25519 key written name+id+key")]
    Key,
    /// Not a text, a blank line and signature lines.
    #[error("not a signed note: text, a blank line and signature lines are expected")]
    Malformed,
    /// More than [`MAX_SIGNATURES`] signatures.
    #[error("the note carries more than 100 signatures")]
    TooManySignatures,
    /// No signature is by the known key.
    #[error("the note is not signed by the known key")]
    UnknownKey,
    /// A signature by the known key does not fit the text.
    #[error("the known key's signature does not fit the note's text")]
    Signature,
    /// A note's text is not a checkpoint of exactly three lines.
    #[error("not a checkpoint: exactly three lines, origin, size and root, are expected")]
    Checkpoint,
    /// A note's text is not the receipt of an erasure of that log.
    #[error("not the receipt of an erasure of this log")]
    Erasure,
    /// A note's text is not the manifest of a backup by that log.
    #[error("not the manifest of a backup of this vault")]
    Backup,
    /// A file is not a header, an index, hashes, a blank line and a checkpoint.
    #[error("not a tlog-proof: header, index, hashes, a blank line and a checkpoint are expected")]
    Proof,
    /// A proof is longer than [`MAX_PROOF_BYTES`] or has more than [`MAX_PROOF_HASHES`] hashes.
    #[error("the proof is longer than 64 KiB or has more than 64 hashes")]
    ProofSize,
}
