//! Why a use case did not happen. Nothing in here holds a value that came in or is on file.

use crate::clock::NoClock;
use crate::keyring::KeyError;
use crate::log::NotProved;
use crate::log::{CommitError, Refusal};
use crate::model::deadlines::MissingYear;
use crate::model::fields::Invalid;
use crate::model::problems::{ProblemKind, Thing};
use crate::model::tickets::TicketState;
use crate::randomness::NoRandomness;
use crate::refs::RefError;
use crate::store::StoreError;
use crate::vault::Asked;

/// Why a use case did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No valid token.
    #[error("no valid token\n  ask a security administrator for one")]
    Unauthenticated,
    /// The policy said no, and the log has it.
    #[error("refused: {}", .0.why())]
    Refused(Refusal),
    /// The principal has sent, or been refused, too many requests lately, and is held back for so long. Nothing was decided.
    #[error("too many requests in a short time\n  wait, then send it again")]
    TooMany(std::time::Duration),
    /// As `Refused`; it would be permitted after so long.
    #[error("refused: {}", .0.why())]
    RefusedUntil(Refusal, std::time::Duration),
    /// As `Refused`; the asker is told this problem.
    #[error("refused: {why}\n  {told}", why = .0.why(), told = .1.remedy.en)]
    RefusedBecause(Refusal, &'static ProblemKind),
    /// As `RefusedBecause`, with what stands in a place of the problem's words.
    #[error("refused: {why}\n  {told}", why = .0.why(), told = .1.remedy.en)]
    RefusedNaming(Refusal, &'static ProblemKind, (&'static str, String)),
    /// It waits for a second person, who has been asked. Nothing else has happened.
    #[error("this needs a second person's approval\n  {}", .0.detail.en)]
    Asked(Asked),
    /// Values that break a field's rule.
    #[error("{}", listed(.0))]
    Invalid(Vec<Invalid>),
    /// The request makes no sense.
    #[error("{}\n  {}", .0.title.en, .0.remedy.en)]
    Bad(&'static ProblemKind),
    /// There is no such thing.
    #[error("there is no such {0}")]
    NotFound(Thing),
    /// The ticket's state, which the step does not lead from.
    #[error("the ticket is {0}, and that state does not allow this step")]
    WrongState(TicketState),
    /// A deadline lies in this year, of which the working days are not known.
    #[error("the deadline lies in {0}, and holidays.toml has no table for that year\n  add it, then reload the rules")]
    YearMissing(i16),
    /// An extension is longer than this many working days, or has none.
    #[error("one extension of this ticket may add 1 to {0} working days")]
    TooManyDays(u32),
    /// It is at another version than the asker saw, or changed while this was decided.
    #[error("it was changed in the meantime\n  read it again, then decide again")]
    Stale,
    /// The entry's body was archived and dropped. Bodies are here from this index on.
    #[error(
        "the entry was archived and its body dropped here; bodies are here from entry {0} on\n  the archive has its bytes"
    )]
    Archived(u64),
    /// Entries from this index on are younger than the retention period.
    #[error("entry {0} is younger than the retention period")]
    Retained(u64),
    /// It must be unique and is there already.
    #[error("this {0} already exists")]
    Taken(Thing),
    /// The `Idempotency-Key` came before with another request.
    #[error("the Idempotency-Key was used for another request\n  use a new key")]
    KeyReused,
    /// The log did not take it.
    #[error(transparent)]
    Log(CommitError),
    /// A key did not do its work.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A store did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An entry of the log is not what it was.
    #[error(transparent)]
    Entry(#[from] NotProved),
    /// The index of the log is still being filled: so many entries of so many.
    #[error("the index of the log is being built: {0} of {1} entries\n  try again later")]
    LogIndexBehind(u64, u64),
    /// The time is not known.
    #[error(transparent)]
    Clock(#[from] NoClock),
}

fn listed(fields: &[Invalid]) -> String {
    let rules: Vec<String> = fields.iter().map(ToString::to_string).collect();
    rules.join("; ")
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Stale => Self::Stale,
            CommitError::Locked => Self::Key(KeyError::Locked),
            CommitError::NoRandomness(none) => none.into(),
            other => Self::Log(other),
        }
    }
}

impl From<NoRandomness> for Error {
    fn from(error: NoRandomness) -> Self {
        Self::Key(error.into())
    }
}

impl From<MissingYear> for Error {
    fn from(MissingYear(year): MissingYear) -> Self {
        Self::YearMissing(year)
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
