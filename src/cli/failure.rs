//! Why a verb did not do its work: words for people, and an exit code for scripts.

use crate::causes::with_causes;
use crate::http::ServeError;
use crate::secret_file::BadSecret;
use crate::store::StoreError;
use crate::vault::Error;
use crate::vault::life::open::OpenError;
use crate::witness::memory::MemoryError;

/// What `--help` says of the codes. The operator's guides have the same table.
pub(super) const EXIT_CODES: &str = "Exit codes:\n  \
    0  done\n  \
    1  a check failed, or some of the lines of a file were rejected\n  \
    2  the command is wrong: an option, a value, or a name that the vault does not have\n  \
    3  unavailable: the server, a file or a key; try again later\n  \
    4  refused: this account may not do it, or the state of the vault does not allow it\n  \
    5  nothing has happened yet: another person must approve it (`callervault approvals`)";

/// The check that was asked for found something.
const CHECK_FAILED: u8 = 1;
/// The command must be corrected.
const USAGE: u8 = 2;
/// The same command may do later.
const UNAVAILABLE: u8 = 3;
/// Somebody else must do it, or something else must happen before.
const REFUSED: u8 = 4;
/// A second person has been asked.
const WAITS: u8 = 5;

/// Why a verb did not do its work: words for people, and an exit code for scripts.
#[derive(Debug, thiserror::Error)]
#[error("{words}")]
pub(super) struct Failure {
    pub(super) code: u8,
    pub(super) words: String,
}

impl Failure {
    /// The check that was asked for found something.
    pub(super) fn check_failed(why: impl Into<AnyError>) -> Self {
        Self::new(CHECK_FAILED, why)
    }

    pub(super) fn usage(why: impl Into<AnyError>) -> Self {
        Self::new(USAGE, why)
    }

    pub(super) fn unavailable(why: impl Into<AnyError>) -> Self {
        Self::new(UNAVAILABLE, why)
    }

    pub(super) fn refused(why: impl Into<AnyError>) -> Self {
        Self::new(REFUSED, why)
    }

    /// Nothing has happened: a second person has been asked.
    pub(super) fn waits(why: impl Into<AnyError>) -> Self {
        Self::new(WAITS, why)
    }

    /// Whether a second person has been asked.
    pub(super) const fn is_waiting(&self) -> bool {
        self.code == WAITS
    }

    /// What an HTTP status other than that of success means.
    pub(super) fn of_status(status: u16, why: impl Into<AnyError>) -> Self {
        let code = match status {
            401 | 403 | 409 | 412 => REFUSED,
            // Too early is not wrong: the same request may do later.
            408 | 425 | 429 | 500.. => UNAVAILABLE,
            _ => USAGE,
        };
        Self::new(code, why)
    }

    pub(super) fn new(code: u8, why: impl Into<AnyError>) -> Self {
        let words = with_causes(&*why.into());
        Self { code, words }
    }

    /// What happened, without what to do about it.
    pub(super) fn told(&self) -> &str {
        self.words.lines().next().unwrap_or_default()
    }
}

/// An error, or words.
pub(super) type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// As the same error is answered over HTTP.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Bad(problem) => Self::of_status(problem.status, error),
            Error::Unauthenticated
            | Error::Refused(_)
            | Error::RefusedBecause(..)
            | Error::RefusedNaming(..)
            | Error::WrongState(_)
            | Error::Stale
            | Error::Taken(_) => Self::refused(error),
            Error::Invalid(_) | Error::NotFound(_) | Error::Archived(_) | Error::Retained(_) | Error::KeyReused => {
                Self::usage(error)
            }
            Error::Asked(_) => Self::waits(error),
            // Also what is refused for some time only.
            _ => Self::unavailable(error),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Log(_) | OpenError::Manifest(_) => Self::check_failed(error),
            OpenError::Fields(_)
            | OpenError::Lists(_)
            | OpenError::Policy(_)
            | OpenError::Store(StoreError::Exists(_)) => Self::usage(error),
            OpenError::NotByThese(_) => Self::refused(error),
            OpenError::Vault(error) => error.into(),
            other => Self::unavailable(other),
        }
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        match error {
            ServeError::Exposed => Self::usage(error),
            ServeError::Key(bad) => bad.into(),
            other => Self::unavailable(other),
        }
    }
}

impl From<BadSecret> for Failure {
    fn from(error: BadSecret) -> Self {
        match error {
            BadSecret::Unreadable(..) => Self::unavailable(error),
            refused => Self::usage(refused),
        }
    }
}

impl From<MemoryError> for Failure {
    fn from(error: MemoryError) -> Self {
        if error.is_there_already() {
            Self::usage(error)
        } else {
            Self::unavailable(error)
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::unavailable(error)
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn each_status_has_its_exit_code() {
        let codes = |statuses: &[u16]| -> Vec<u8> {
            let code = |status: &u16| Failure::of_status(*status, "why").code;
            statuses.iter().map(code).collect()
        };
        assert_eq!(codes(&[400, 404, 405, 410, 413, 415, 422, 428]), [2; 8]);
        assert_eq!(codes(&[408, 429, 500, 502, 503, 507]), [3; 6]);
        assert_eq!(codes(&[401, 403, 409, 412]), [4; 4]);
    }
}
