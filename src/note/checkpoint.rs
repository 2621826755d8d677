//! Checkpoints (C2SP tlog-checkpoint v1.0.0): the text that a log signs.

use std::fmt;

use super::{NoteError, decimal, hash};
use crate::merkle::Hash;

/// A log's head: which log, how many leaves, which root. Shown as the text to sign, three lines without extensions
/// (tlog-checkpoint, "Note text").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, a URL without scheme; not empty, no control characters. Its key has the same name.
    pub origin: String,
    /// Leaves in the tree.
    pub size: u64,
    /// The root over those leaves (RFC 6962 §2.1).
    pub root: Hash,
}

impl Checkpoint {
    /// Reads the text of a note that has been verified.
    ///
    /// Accepts only what [`Display`](fmt::Display) writes: three lines, the size in decimal without sign or leading
    /// zero, the root in padded base64. A checkpoint with extension lines is refused, since they are outside what
    /// monitors can check.
    ///
    /// # Errors
    /// [`NoteError::Checkpoint`] for anything else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let mut lines = text.strip_suffix('\n').ok_or(NoteError::Checkpoint)?.split('\n');
        let (Some(origin), Some(size), Some(root), None) = (lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(NoteError::Checkpoint);
        };
        if origin.is_empty() || origin.bytes().any(|byte| byte < b' ') {
            return Err(NoteError::Checkpoint);
        }
        Ok(Self {
            origin: origin.to_owned(),
            size: decimal(size).ok_or(NoteError::Checkpoint)?,
            root: hash(root).ok_or(NoteError::Checkpoint)?,
        })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)
    }
}
