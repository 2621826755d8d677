//! Signed notes (C2SP signed-note v1.0.0), the checkpoints they carry (C2SP tlog-checkpoint v1.0.0) and the proofs that
//! carry those (C2SP tlog-proof).
//!
//! Ed25519 only (signature type 0x01, RFC 8032). A note's text is worth nothing before [`Verifier::verify`] has
//! returned it.

mod checkpoint;
mod tlog_proof;

use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

pub use self::checkpoint::Checkpoint;
pub use self::tlog_proof::{MAX_PROOF_BYTES, MAX_PROOF_HASHES, TlogProof};
use crate::merkle::Hash;

/// Signature type identifier of Ed25519 (signed-note, "Signature types").
const ED25519_TYPE: u8 = 0x01;

/// More signatures than this on one note are refused. The standard asks verifiers for a limit of 16 or more; 100 is
/// what Go's `note` package allows.
pub const MAX_SIGNATURES: usize = 100;

/// A key that signs notes. No `Debug`: it holds the private key.
pub struct Signer {
    keypair: Ed25519KeyPair,
    verifier: Verifier,
}

impl Signer {
    /// The signer of that name with the Ed25519 private key `seed` (RFC 8032 §5.1.5). For a log the name is its origin.
    ///
    /// # Errors
    /// [`NoteError::Name`] for a name that is empty or holds a space, a `+` or a control character;
    /// [`NoteError::Key`] if the seed gives no key.
    pub fn from_seed(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let keypair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| NoteError::Key)?;
        let key = keypair.public_key().as_ref().try_into().map_err(|_| NoteError::Key)?;
        Ok(Self {
            keypair,
            verifier: Verifier::new(name.to_owned(), key),
        })
    }

    /// The name on the signature line.
    #[must_use]
    pub fn name(&self) -> &str {
        self.verifier.name()
    }

    /// The key that checks this signer's notes.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// The signed note: `text`, a blank line and one signature line (signed-note, "Format").
    ///
    /// `text` ends in a newline and holds no control character besides newlines, as a [`Checkpoint`] does; a note made
    /// of anything else is one that no verifier accepts.
    #[must_use]
    pub fn sign(&self, text: &str) -> String {
        let mut signature = self.verifier.id.to_vec();
        signature.extend_from_slice(self.keypair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.name(), BASE64.encode(&signature))
    }
}

/// A key that checks notes, written `name+id+key` (a "vkey"): the name, the key id as 8 hexadecimal digits, and base64
/// of the signature type and the public key.
#[derive(Clone, PartialEq, Eq)]
pub struct Verifier {
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl Verifier {
    /// Key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key)\[:4\] (signed-note, "Signatures").
    fn new(name: String, key: [u8; 32]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(name.as_bytes());
        context.update(&[b'\n', ED25519_TYPE]);
        context.update(&key);
        let mut id = [0; 4];
        id.copy_from_slice(context.finish().as_ref().split_at(4).0);
        Self { name, id, key }
    }

    /// The name this key signs under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text of a note that this key has signed, with its final newline. Signatures by other keys are ignored, as
    /// the standard requires.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] if it is no signed note, [`NoteError::TooManySignatures`] above [`MAX_SIGNATURES`],
    /// [`NoteError::UnknownKey`] if no signature is by this key, [`NoteError::Signature`] if one is and fails, even
    /// beside another that does not.
    pub fn verify<'note>(&self, note: &'note str) -> Result<&'note str, NoteError> {
        let (text, signatures) = split(note)?;
        let mut signed = false;
        for (count, line) in signatures.split('\n').enumerate() {
            if count >= MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
            let signature = SignatureLine::parse(line)?;
            if signature.name == self.name && signature.id == self.id {
                self.check(text, &signature.bytes)?;
                signed = true;
            }
        }
        if signed { Ok(text) } else { Err(NoteError::UnknownKey) }
    }

    fn check(&self, text: &str, signature: &[u8]) -> Result<(), NoteError> {
        let key = UnparsedPublicKey::new(&ED25519, &self.key);
        key.verify(text.as_bytes(), signature).map_err(|_| NoteError::Signature)
    }
}

impl fmt::Display for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![ED25519_TYPE];
        key.extend_from_slice(&self.key);
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&key))
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
        let (name, rest) = vkey.split_once('+').ok_or(NoteError::Key)?;
        let (id, key) = rest.split_once('+').ok_or(NoteError::Key)?;
        if !is_name(name) {
            return Err(NoteError::Name);
        }
        let decoded = base64(key).ok_or(NoteError::Key)?;
        let key = decoded
            .strip_prefix(&[ED25519_TYPE])
            .and_then(|key| key.try_into().ok())
            .ok_or(NoteError::Key)?;
        let verifier = Self::new(name.to_owned(), key);
        if HEXLOWER.encode(&verifier.id) == id {
            Ok(verifier)
        } else {
            Err(NoteError::Key)
        }
    }
}

/// Text and signature lines, cut at the last empty line. The text keeps its final newline, the last signature line
/// loses it.
fn split(note: &str) -> Result<(&str, &str), NoteError> {
    if note.bytes().any(|byte| byte < b' ' && byte != b'\n') {
        return Err(NoteError::Malformed);
    }
    let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, rest) = note.split_at(blank + 1);
    let signatures = rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
    Ok((text, signatures.ok_or(NoteError::Malformed)?))
}

/// `— name base64(id ‖ signature)`.
struct SignatureLine<'note> {
    name: &'note str,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl<'note> SignatureLine<'note> {
    fn parse(line: &'note str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(NoteError::Malformed)?;
        let (name, encoded) = rest.split_once(' ').ok_or(NoteError::Malformed)?;
        let decoded = base64(encoded).ok_or(NoteError::Malformed)?;
        match decoded.split_first_chunk::<4>() {
            Some((id, bytes)) if is_name(name) && !bytes.is_empty() => Ok(Self {
                name,
                id: *id,
                bytes: bytes.to_vec(),
            }),
            _ => Err(NoteError::Malformed),
        }
    }
}

/// Whether a key may have this name (signed-note, "Format").
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|c| c.is_whitespace() || c == '+' || c < ' ')
}

/// A number in decimal, without sign or leading zero.
fn decimal(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}

/// Bytes in base64 with padding (RFC 4648 §4), in the one spelling they have: the decoder alone would also take padding
/// before the end, as it stands where two texts were put together.
fn base64(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}

/// A hash in base64.
fn hash(text: &str) -> Option<Hash> {
    Hash::try_from(base64(text)?.as_slice()).ok()
}

/// Why a key, a note, a checkpoint or a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteError {
    /// A key's name is empty or holds a space, a `+` or a control character.
    Name,
    /// Not an Ed25519 key, or a vkey that is incomplete or carries another key's id.
    Key,
    /// Not a text, a blank line and signature lines.
    Malformed,
    /// More than [`MAX_SIGNATURES`] signatures.
    TooManySignatures,
    /// No signature is by the known key.
    UnknownKey,
    /// A signature by the known key does not fit the text.
    Signature,
    /// A note's text is not a checkpoint of exactly three lines.
    Checkpoint,
    /// A file is not a header, an index, hashes, a blank line and a checkpoint.
    Proof,
    /// A proof is longer than [`MAX_PROOF_BYTES`] or has more than [`MAX_PROOF_HASHES`] hashes.
    ProofSize,
}

impl fmt::Display for NoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "a key name must not be empty or hold spaces, plus signs or control characters",
            Self::Key => "not an Ed25519 key written name+id+key",
            Self::Malformed => "not a signed note: text, a blank line and signature lines are expected",
            Self::TooManySignatures => "the note carries more than 100 signatures",
            Self::UnknownKey => "the note is not signed by the known key",
            Self::Signature => "the known key's signature does not fit the note's text",
            Self::Checkpoint => "not a checkpoint: exactly three lines, origin, size and root, are expected",
            Self::Proof => "not a tlog-proof: header, index, hashes, a blank line and a checkpoint are expected",
            Self::ProofSize => "the proof is longer than 64 KiB or has more than 64 hashes",
        })
    }
}

impl std::error::Error for NoteError {}
