//! RFC 9457 problem details: the one place where an error becomes an answer. Inside is logged, outside is told what
//! helps; no value that came in is ever in it.

mod faults;
mod refusals;

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use crate::model::ask::RequestId;
use crate::model::fields::Invalid;
use crate::vault::{Asked, Audit, Error};

const PROBLEM_JSON: &str = "application/problem+json";
const NO_TOKEN: &str = "send `Authorization: Bearer <token>` with a token that is neither expired nor revoked";
const HELD_BACK: &str = "you have sent, or been refused, too many requests lately: wait as long as `Retry-After` says; an account \
                         that needs more asks the operator for a higher --requests-per-minute";
const ARCHIVED: &str = "the entry was archived and dropped here after the retention period: its bytes are in the archive that was \
                        exported, its hash and its proofs are still here";
const STALE: &str = "read it again, decide again, and send its current `ETag` as `If-Match`";
const REUSED: &str = "The Idempotency-Key came before with another request";

/// `application/problem+json`.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Problem {
    /// `urn:callervault:problem:<name>`.
    r#type: String,
    /// The name in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What to do.
    detail: String,
    /// Names this answer in the program log.
    request_id: String,
    /// For a refusal: where it stands in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
    /// For invalid values: field and rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid: Vec<InvalidField>,
    /// Where it is none, but waits for a second person: what is answered instead.
    #[serde(skip)]
    asked: Option<Box<Asked>>,
    /// The fault inside, for the program log only.
    #[serde(skip)]
    inside: Option<String>,
    /// Seconds after which to try again, where they are known.
    #[serde(skip)]
    wait: Option<u64>,
}

/// A field whose value breaks its rule.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct InvalidField {
    field: String,
    rule: &'static str,
}

impl Problem {
    pub(super) fn new(status: StatusCode, name: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            r#type: format!("urn:callervault:problem:{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            request_id: RequestId::unlogged().as_str().to_owned(),
            audit: None,
            invalid: Vec::new(),
            asked: None,
            inside: None,
            wait: None,
        }
    }

    pub(super) fn request(mut self, request: &RequestId) -> Self {
        self.request_id = request.as_str().to_owned();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Some(fault) = &self.inside {
            tracing::error!(request_id = self.request_id, fault, "a request failed inside");
        }
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Some(asked) = self.asked {
            return (status, axum::Json(asked)).into_response();
        }
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            let usual = if status == StatusCode::TOO_MANY_REQUESTS { 60 } else { 1 };
            headers.insert(header::RETRY_AFTER, self.wait.unwrap_or(usual).into());
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Asked(asked) => Self {
                asked: Some(Box::new(asked)),
                ..Self::new(
                    StatusCode::ACCEPTED,
                    "approval-needed",
                    "It takes a second person",
                    "somebody else must approve it",
                )
            },
            Error::Refused(refusal) => refusals::problem(&refusal),
            Error::RefusedUntil(refusal, wait) => Self {
                wait: Some(whole_seconds(wait)),
                ..refusals::problem(&refusal)
            },
            Error::RefusedBecause(refusal, words) => refusals::with_words(&refusal, words),
            Error::Invalid(fields) => invalid(&fields),
            Error::Log(fault) => faults::of_log(fault),
            Error::Key(fault) => faults::of_key(fault),
            Error::Store(fault) => faults::of_store(&fault),
            Error::Entry(fault) => faults::of_entry(fault),
            Error::NotFound(_)
            | Error::Archived
            | Error::Retained(_)
            | Error::WrongState(_)
            | Error::Stale
            | Error::Taken(_) => of_target(&error),
            Error::Unauthenticated
            | Error::TooMany(_)
            | Error::Bad(..)
            | Error::KeyReused
            | Error::IndexBehind(..)
            | Error::Clock(_) => of_request(&error),
        }
    }
}

/// Values that break their fields' rules, all at once.
fn invalid(fields: &[Invalid]) -> Problem {
    let invalid = fields.iter().map(|bad| InvalidField {
        field: bad.field().to_string(),
        rule: bad.rule(),
    });
    Problem {
        invalid: invalid.collect(),
        ..Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid-field",
            "A value breaks its field's rule",
            "correct the fields named in `invalid` and send all of it again; nothing was stored",
        )
    }
}

/// What the request is about is not there, or not as the request has it.
fn of_target(error: &Error) -> Problem {
    use StatusCode as S;
    match *error {
        Error::NotFound(what) => {
            let detail = format!("there is no such {what}");
            Problem::new(S::NOT_FOUND, "not-found", "Not found", detail)
        }
        Error::Archived => Problem::new(S::NOT_FOUND, "not-found", "Archived", ARCHIVED),
        Error::Retained(index) => {
            let detail = format!("entry {index} is younger than the retention period: name no index above it");
            Problem::new(S::UNPROCESSABLE_ENTITY, "retained", "Not old enough", detail)
        }
        Error::WrongState(state) => {
            let detail = format!("the ticket is {state}; docs/transitions.md says which steps lead from there");
            let title = "The ticket's state does not allow this step";
            Problem::new(S::CONFLICT, "wrong-state", title, detail)
        }
        Error::Taken(what) => {
            let detail = format!("there is such a {what} already");
            Problem::new(S::CONFLICT, "taken", "Already exists", detail)
        }
        _ => Problem::new(S::PRECONDITION_FAILED, "stale", "It has changed meanwhile", STALE),
    }
}

/// What the request itself, or the time it came at, stands in the way of.
fn of_request(error: &Error) -> Problem {
    use StatusCode as S;
    match *error {
        Error::Unauthenticated => Problem::new(S::UNAUTHORIZED, "unauthenticated", "No valid token", NO_TOKEN),
        Error::TooMany(wait) => Problem {
            wait: Some(whole_seconds(wait)),
            ..Problem::new(
                S::TOO_MANY_REQUESTS,
                "too-many-requests",
                "Too many requests",
                HELD_BACK,
            )
        },
        Error::Bad(name, detail) => Problem::new(S::UNPROCESSABLE_ENTITY, name, "Invalid request", detail),
        Error::KeyReused => {
            let detail = "use a new key for a new request";
            Problem::new(S::UNPROCESSABLE_ENTITY, "idempotency-key-reused", REUSED, detail)
        }
        Error::IndexBehind(..) => {
            let detail = error.to_string().replace('\n', ";");
            let title = "The index of the log is being filled";
            Problem::new(S::SERVICE_UNAVAILABLE, "index-behind", title, detail)
        }
        _ => Problem::new(
            S::SERVICE_UNAVAILABLE,
            "no-clock",
            "The clock is not set",
            "set the server's clock",
        ),
    }
}

/// As `Retry-After` has them: no moment too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

pub(super) async fn no_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-route",
        "No such address",
        "the addresses are in /openapi.json",
    )
}

pub(super) async fn no_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no-method",
        "Not with this method",
        "the methods are in /openapi.json",
    )
}

/// Ends a request that takes too long, one whose body does not come included.
pub(super) async fn in_time(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(app.limits.request, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-slow",
            "It took too long",
            "send the whole request at once, or try again later, with the same Idempotency-Key for a write",
        )
        .into_response(),
    }
}

/// Whatever is an error and was not made here becomes a problem: what libraries say in their own words may quote what
/// came in.
pub(super) async fn always(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == PROBLEM_JSON);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let detail = "the addresses, methods and shapes are in /openapi.json";
    Problem::new(status, "not-understood", "The request was not understood", detail).into_response()
}

/// A panic's message may quote anything, so none of it is told or logged.
pub(super) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "A fault in the program",
        "report it with the time",
    )
    .into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Problem;
    use crate::keyring::KeyError;
    use crate::log::NotProved;
    use crate::model::ask::RequestId;
    use crate::randomness::NoRandomness;
    use crate::store::StoreError;
    use crate::vault::Error;

    #[test]
    fn each_fault_says_which_it_is_and_what_to_do() {
        let faults = [
            (Error::Key(KeyError::Locked), 503, "locked", "passphrase"),
            (
                Error::Key(KeyError::MemoryNotLocked),
                503,
                "memory-not-locked",
                "ulimit -l",
            ),
            (
                Error::Key(KeyError::NoRandomness(NoRandomness)),
                503,
                "no-randomness",
                "/dev/urandom",
            ),
            (
                Error::Key(KeyError::NoSuchKey),
                500,
                "no-such-key",
                "restore the key store",
            ),
            (Error::Key(KeyError::NoRecordKey), 500, "no-record-key", "erased"),
            (Error::Key(KeyError::Broken), 500, "integrity", "callervault fsck"),
            (Error::Entry(NotProved(7)), 500, "integrity", "callervault fsck"),
            (
                Error::Store(StoreError::Corrupt("ticket")),
                500,
                "integrity",
                "callervault fsck",
            ),
            (
                Error::Store(StoreError::Database("disk I/O error".to_owned())),
                503,
                "store-unavailable",
                "administrator",
            ),
            (Error::Store(StoreError::Full), 507, "storage-full", "free some space"),
        ];
        let mut titles = BTreeSet::new();
        for (fault, status, name, remedy) in faults {
            let request = RequestId::counted();
            let problem = Problem::from(fault).request(&request);
            assert_eq!(
                (problem.status, problem.r#type),
                (status, format!("urn:callervault:problem:{name}"))
            );
            assert!(problem.detail.contains(remedy), "{name}: {}", problem.detail);
            assert_eq!(problem.request_id, request.as_str());
            titles.insert((name, problem.title));
        }
        assert_eq!(titles.len(), 8, "another name, another title");
    }
}
