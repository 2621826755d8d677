//! Whether a checkpoint may be cosigned (tlog-witness, "add-checkpoint"), as pure functions. A request becomes
//! [`Signed`] by its log's signature and [`Consistent`] by what is remembered; each is made here alone and consumed by
//! the next step.

use super::request::{AddCheckpoint, BadRequest};
use crate::merkle::{Hash, empty_root, verify_consistency};
use crate::note::{NoteError, Verifier};

/// The largest tree of a log that was cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its leaves.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

impl Remembered {
    /// Nothing was cosigned: the empty tree, which every tree continues.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            size: 0,
            root: empty_root(),
        }
    }
}

/// A checkpoint that its log has signed.
pub struct Signed<'r>(&'r AddCheckpoint);

/// A checkpoint that its log has signed and that continues what was remembered.
pub struct Consistent<'r>(&'r AddCheckpoint);

/// Checks a request's signature. `keys` are those trusted; the ones named like the checkpoint's origin count.
///
/// # Errors
/// [`Objection::UnknownOrigin`] without such a key; [`Objection::Unsigned`] if none of them has signed the note, or one
/// has and its signature fails; [`Objection::Malformed`] if it is no signed note.
pub fn signed<'r>(keys: &[Verifier], request: &'r AddCheckpoint) -> Result<Signed<'r>, Objection> {
    let of_log = keys.iter().filter(|key| key.name() == request.claimed().origin);
    let of_log: Vec<Verifier> = of_log.cloned().collect();
    match Verifier::verify_any(&of_log, request.note()) {
        Ok(_) => Ok(Signed(request)),
        Err(NoteError::UnknownKey) if of_log.is_empty() => Err(Objection::UnknownOrigin),
        Err(NoteError::UnknownKey | NoteError::Signature) => Err(Objection::Unsigned),
        Err(error) => Err(Objection::Malformed(error.into())),
    }
}

impl<'r> Signed<'r> {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &'r AddCheckpoint {
        self.0
    }

    /// Checks that the tree continues the one remembered (RFC 6962 §2.1.2).
    ///
    /// # Errors
    /// [`Objection`] says which of the specification's conditions does not hold.
    pub fn against(self, remembered: &Remembered) -> Result<Consistent<'r>, Objection> {
        let (request, new) = (self.0, self.0.claimed());
        let old = request.old();
        if old > new.size {
            return Err(Objection::OldAboveNew);
        }
        if old != remembered.size {
            return Err(Objection::OtherSize(remembered.size));
        }
        if old == new.size && new.root != remembered.root {
            return Err(Objection::Fork);
        }
        let proved = if old == 0 {
            request.proof().is_empty()
        } else {
            verify_consistency(old, new.size, request.proof(), &remembered.root, &new.root).is_ok()
        };
        if proved {
            Ok(Consistent(request))
        } else {
            Err(Objection::Proof)
        }
    }
}

impl<'r> Consistent<'r> {
    /// The request.
    #[must_use]
    pub const fn request(&self) -> &'r AddCheckpoint {
        self.0
    }

    /// What is to be remembered from now on.
    #[must_use]
    pub const fn remembered(&self) -> Remembered {
        let new = self.0.claimed();
        Remembered {
            size: new.size,
            root: new.root,
        }
    }
}

/// Why a checkpoint is not cosigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Objection {
    /// The request is not one.
    #[error(transparent)]
    Malformed(#[from] BadRequest),
    /// The old size is above the checkpoint's.
    #[error("the old size is above the checkpoint's size")]
    OldAboveNew,
    /// No key of a log of that name is trusted.
    #[error("this witness knows no log of that origin")]
    UnknownOrigin,
    /// Not signed by a trusted key of the log.
    #[error("the checkpoint is not signed by a key that this witness knows for its log")]
    Unsigned,
    /// The old size is not that of the newest checkpoint cosigned, which is this.
    #[error("the newest checkpoint cosigned is of size {0}")]
    OtherSize(u64),
    /// The log has signed another tree of a size that was cosigned.
    #[error("the log has signed two different trees of one size")]
    Fork,
    /// The proof does not lead from what was cosigned to this.
    #[error("the proof does not lead from the newest checkpoint cosigned to this one")]
    Proof,
}

impl Objection {
    /// The HTTP status that the specification has for it.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Malformed(_) | Self::OldAboveNew => 400,
            Self::Unsigned => 403,
            Self::UnknownOrigin => 404,
            Self::OtherSize(_) => 409,
            Self::Fork | Self::Proof => 422,
        }
    }
}
