//! Cosignatures of witnesses (C2SP tlog-cosignature): whoever trusts a witness sees that the log showed it the same history.

use super::{Tampered, Unverified};
use crate::note::{CosignatureVerifier, NoteError};

/// Which witnesses the verifier knows, and how many of them must have cosigned.
#[derive(Clone, Debug, Default)]
pub struct Witnesses {
    keys: Vec<CosignatureVerifier>,
    quorum: usize,
}

/// The entries that a quorum has cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// So many, from the first.
    pub size: u64,
    /// Whose cosignatures were verified, and when each was made, in seconds since the Unix epoch.
    pub by: Vec<(String, u64)>,
}

impl Witnesses {
    /// These witnesses, of whom a quorum must have cosigned one checkpoint; a quorum of 0 asks for nothing. None if two of
    /// them have one key, which would count twice, or if the quorum is larger than their number.
    #[must_use]
    pub fn new(keys: Vec<CosignatureVerifier>, quorum: usize) -> Option<Self> {
        let twice = |(at, key): (usize, &CosignatureVerifier)| keys.iter().take(at).any(|other| other.shares_key(key));
        let fits = quorum <= keys.len() && !keys.iter().enumerate().any(twice);
        fits.then_some(Self { keys, quorum })
    }

    /// Whether any are known.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many must have cosigned.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// The known witnesses that have cosigned a checkpoint's note. Lines of unknown ones are ignored, and one that is missing
    /// is no fault; a known one's that does not hold is.
    pub(super) fn cosigned(&self, size: u64, note: &str) -> Result<Witnessed, Tampered> {
        let mut by = Vec::new();
        for key in &self.keys {
            match key.verify(note) {
                Ok(said) => by.push((key.name().to_owned(), said.time)),
                Err(NoteError::UnknownKey) => {}
                Err(error) => return Err(Tampered::Cosignature(key.name().to_owned(), error)),
            }
        }
        Ok(Witnessed { size, by })
    }

    /// The best of what was found on checkpoints that the log continues: the most entries that a quorum has cosigned.
    pub(super) fn best(&self, found: Vec<Witnessed>) -> Result<Option<Witnessed>, Unverified> {
        let most = found.iter().map(|one| one.by.len()).max().unwrap_or_default();
        let enough = found.into_iter().filter(|one| one.by.len() >= self.quorum.max(1));
        match enough.max_by_key(|one| one.size) {
            None if self.quorum > 0 => Err(Unverified::Unwitnessed {
                quorum: self.quorum,
                most,
            }),
            best => Ok(best),
        }
    }
}
