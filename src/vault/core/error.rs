//! Why a use case did not happen. Nothing in here holds a value that came in or is on file.

use std::fmt;

use crate::clock::NoClock;
use crate::keyring::KeyError;
use crate::log::NotProved;
use crate::log::{CommitError, Refusal};
use crate::model::fields::Invalid;
use crate::model::tickets::TicketState;
use crate::randomness::NoRandomness;
use crate::refs::RefError;
use crate::store::StoreError;
use crate::vault::Asked;

/// Why a use case did not happen.
#[derive(Debug)]
pub enum Error {
    /// No valid token.
    Unauthenticated,
    /// The policy said no, and the log has it.
    Refused(Refusal),
    /// The principal has sent, or been refused, too many requests lately, and is held back for so long. Nothing was decided.
    TooMany(std::time::Duration),
    /// As `Refused`; it would be permitted after so long.
    RefusedUntil(Refusal, std::time::Duration),
    /// As `Refused`; the words say what to do.
    RefusedBecause(Refusal, &'static str),
    /// It waits for a second person, who has been asked. Nothing else has happened.
    Asked(Asked),
    /// Values that break a field's rule.
    Invalid(Vec<Invalid>),
    /// The request makes no sense; the words are the vault's own: a name for the problem and what to do.
    Bad(&'static str, &'static str),
    /// There is no such thing; named by its kind.
    NotFound(&'static str),
    /// The ticket's state, which the step does not lead from.
    WrongState(TicketState),
    /// It is at another version than the asker saw, or changed while this was decided.
    Stale,
    /// The entry's body was archived and dropped.
    Archived,
    /// Entries from this index on are younger than the retention period.
    Retained(u64),
    /// It must be unique and is there already; named by its kind.
    Taken(&'static str),
    /// The `Idempotency-Key` came before with another request.
    KeyReused,
    /// The log did not take it.
    Log(CommitError),
    /// A key did not do its work.
    Key(KeyError),
    /// A store did not answer.
    Store(StoreError),
    /// The index of the log is still being filled: so many entries of so many.
    IndexBehind(u64, u64),
    /// The time is not known.
    Clock(NoClock),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unauthenticated => f.write_str("no valid token\n  ask a security administrator for one"),
            Self::TooMany(_) => f.write_str("too many requests in a short time\n  wait, then send it again"),
            Self::Refused(refusal) | Self::RefusedUntil(refusal, _) => write!(f, "refused: {}", refusal.why()),
            Self::RefusedBecause(refusal, words) => write!(f, "refused: {}; {words}", refusal.why()),
            Self::Asked(asked) => write!(f, "it takes a second person\n  {}", asked.detail),
            Self::Invalid(fields) => {
                let rules: Vec<String> = fields.iter().map(ToString::to_string).collect();
                f.write_str(&rules.join("; "))
            }
            Self::Bad(_, detail) => f.write_str(detail),
            Self::NotFound(what) => write!(f, "there is no such {what}"),
            Self::WrongState(state) => write!(f, "the ticket is {state}: this step does not lead from there"),
            Self::Stale => f.write_str("it has changed meanwhile\n  read it again, then decide again"),
            Self::Archived => f.write_str("the entry was archived and dropped here\n  its bytes are in the archive"),
            Self::Retained(index) => write!(f, "entry {index} is younger than the retention period"),
            Self::Taken(what) => write!(f, "there is such a {what} already"),
            Self::KeyReused => f.write_str("the Idempotency-Key came before with another request\n  use a new key"),
            Self::Log(fault) => fault.fmt(f),
            Self::Key(fault) => fault.fmt(f),
            Self::Store(fault) => fault.fmt(f),
            Self::IndexBehind(at, of) => write!(
                f,
                "the index of the log is being filled: {at} of {of} entries\n  try again in a while"
            ),
            Self::Clock(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::Stale,
            CommitError::Locked => Self::Key(KeyError::Locked),
            CommitError::NoRandomness => Self::Key(KeyError::NoRandomness),
            other => Self::Log(other),
        }
    }
}

impl From<NotProved> for Error {
    fn from(_: NotProved) -> Self {
        Self::Key(KeyError::Broken)
    }
}

impl From<KeyError> for Error {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<NoRandomness> for Error {
    fn from(error: NoRandomness) -> Self {
        Self::Key(error.into())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NoClock> for Error {
    fn from(error: NoClock) -> Self {
        Self::Clock(error)
    }
}

impl From<RefError> for Error {
    fn from(error: RefError) -> Self {
        match error {
            RefError::Key(error) => Self::Key(error),
            RefError::Store(error) => Self::Store(error),
        }
    }
}
