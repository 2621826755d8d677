//! Problem details (RFC 9457): the one place where an error becomes an answer. Their words are in [`crate::model::problems`].
//! Inside is logged, outside is told what helps; no value that came in is ever in it.

mod answer;
mod faults;
mod language;
mod refusals;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

pub(super) use self::answer::{AskedBody, Body, InvalidField, told};
pub(super) use self::language::Language;
use super::App;
use crate::log::Refusal;
use crate::model::fields::Invalid;
use crate::model::problems::{self, ProblemKind, Rule, Thing};
use crate::vault::{Asked, Audit, Error};

/// A problem on its way out. It is written when the request's name and language are known ([`told`]).
#[derive(Clone)]
pub(super) struct Problem {
    kind: &'static ProblemKind,
    /// The status, where a library chose it.
    status: StatusCode,
    /// What stands in the places of the words, in English and Chinese.
    places: Vec<(&'static str, Rule)>,
    /// For a refusal: where it stands in the log.
    audit: Option<Audit>,
    /// For invalid values: their fields and the rules they break.
    invalid: Arc<[Invalid]>,
    /// For what was archived: the first index whose body is here.
    archived_below: Option<u64>,
    /// The fault inside, for the program log only.
    inside: Option<String>,
    /// Seconds after which to try again, where they are known.
    wait: Option<u64>,
    /// Where it is none, but waits for a second person: what is answered instead.
    asked: Option<Arc<Asked>>,
}

impl From<&'static ProblemKind> for Problem {
    fn from(kind: &'static ProblemKind) -> Self {
        Self {
            kind,
            status: StatusCode::from_u16(kind.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            places: Vec::new(),
            audit: None,
            invalid: Arc::default(),
            archived_below: None,
            inside: None,
            wait: None,
            asked: None,
        }
    }
}

impl Problem {
    /// What stands in a place of the words, the same in both languages.
    pub(super) fn with(mut self, place: &'static str, text: impl ToString) -> Self {
        let text = text.to_string();
        self.places.push((
            place,
            Rule {
                en: text.clone(),
                zh: text,
            },
        ));
        self
    }

    /// What it is about: the place `{what}`.
    pub(super) fn about(mut self, what: Thing) -> Self {
        self.places.push(("what", what.words().into()));
        self
    }

    /// The rule that was broken: the place `{rule}`.
    pub(super) fn ruled(mut self, rule: Rule) -> Self {
        self.places.push(("rule", rule));
        self
    }

    fn after(mut self, wait: Duration) -> Self {
        // As `Retry-After` has them: no moment too early.
        self.wait = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        self
    }

    fn refused(mut self, refusal: &Refusal) -> Self {
        self.audit = Some(refusal.position().into());
        self
    }

    pub(super) fn inside(mut self, fault: &(dyn std::error::Error + 'static)) -> Self {
        self.inside = Some(crate::causes::with_causes(fault));
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Asked(asked) => Self {
                asked: Some(Arc::new(asked)),
                status: StatusCode::ACCEPTED,
                ..Self::from(problems::NOT_APPROVED)
            },
            Error::Refused(refusal) => Self::from(refusals::told(refusal.why())).refused(&refusal),
            Error::RefusedNaming(refusal, kind, (place, text)) => Self::from(kind).with(place, text).refused(&refusal),
            Error::RefusedUntil(refusal, wait) => {
                Self::from(refusals::told(refusal.why())).refused(&refusal).after(wait)
            }
            Error::RefusedBecause(refusal, told) => Self::from(told).refused(&refusal),
            Error::Invalid(fields) => Self {
                invalid: fields.into(),
                ..Self::from(problems::INVALID_FIELD)
            },
            Error::Log(fault) => faults::of_log(fault),
            Error::Key(fault) => faults::of_key(&fault),
            Error::Store(fault) => faults::of_store(&fault),
            Error::Entry(fault) => Self::from(problems::INTEGRITY).inside(&fault),
            Error::NotFound(what) => Self::from(problems::NOT_FOUND).about(what),
            Error::Archived(below) => Self {
                archived_below: Some(below),
                ..Self::from(problems::ARCHIVED).with("below", below)
            },
            Error::Retained(index) => Self::from(problems::RETAINED).with("index", index),
            Error::WrongState(state) => Self::from(problems::WRONG_STATE).with("state", state),
            Error::YearMissing(year) => Self::from(problems::YEAR_MISSING).with("year", year),
            Error::TooManyDays(most) => Self::from(problems::TOO_MANY_DAYS).with("most", most),
            Error::Stale => problems::STALE.into(),
            Error::Taken(what) => Self::from(problems::TAKEN).about(what),
            Error::Unauthenticated => problems::UNAUTHENTICATED.into(),
            Error::TooMany(wait) => Self::from(problems::TOO_MANY_REQUESTS).after(wait),
            Error::Bad(kind) => kind.into(),
            Error::KeyReused => problems::KEY_REUSED.into(),
            Error::LogIndexBehind(at, of) => Self::from(problems::INDEX_BEHIND).with("at", at).with("of", of),
            Error::Clock(_) => problems::NO_CLOCK.into(),
        }
    }
}

pub(super) async fn no_route() -> Problem {
    problems::NO_ROUTE.into()
}

pub(super) async fn no_method() -> Problem {
    problems::NO_METHOD.into()
}

/// Ends a request that takes too long, one whose body does not come included.
pub(super) async fn in_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    tokio::time::timeout(app.limits.request, next.run(request))
        .await
        .unwrap_or_else(|_| Problem::from(problems::TOO_SLOW).into_response())
}

/// A panic's message may quote anything, so none of it is told or logged.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::from(problems::INTERNAL).into_response()
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use crate::keyring::KeyError;
    use crate::store::StoreError;
    use crate::vault::Error;

    #[test]
    fn each_fault_says_which_it_is_and_what_to_do() {
        let database = StoreError::Database("disk I/O error".to_owned());
        let faults = [
            (Error::Key(KeyError::Locked), 503, "locked", "passphrase"),
            (
                Error::Key(KeyError::MemoryNotLocked),
                503,
                "memory-not-locked",
                "ulimit -l",
            ),
            (
                Error::Key(crate::randomness::NoRandomness.into()),
                503,
                "no-randomness",
                "/dev/urandom",
            ),
            (
                Error::Key(KeyError::NoSuchKey),
                500,
                "no-such-key",
                "Restore the key store",
            ),
            (Error::Key(KeyError::NoRecordKey), 500, "no-record-key", "erased"),
            (Error::Key(KeyError::Broken), 500, "integrity", "callervault fsck"),
            (
                Error::Store(StoreError::Corrupt("ticket")),
                500,
                "integrity",
                "callervault fsck",
            ),
            (Error::Store(database), 503, "store-unavailable", "administrator"),
            (
                Error::Store(StoreError::Full),
                507,
                "storage-full",
                "Free some disk space",
            ),
        ];
        for (fault, status, name, remedy) in faults {
            let problem = Problem::from(fault);
            assert_eq!((problem.status.as_u16(), problem.kind.name), (status, name));
            assert!(problem.kind.remedy.en.contains(remedy), "{name}");
        }
    }
}
