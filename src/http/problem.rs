//! RFC 9457 problem details: the one place where an error becomes an answer. Inside is logged, outside is told what
//! helps; no value that came in is ever in it.

use std::any::Any;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::audit::{CommitError, Refusal};
use crate::keyring::KeyError;
use crate::model::ask::RequestId;
use crate::policy::Why;
use crate::store::StoreError;
use crate::vault::{Audit, Error};

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
            request_id: RequestId::random().as_str().to_owned(),
            audit: None,
            invalid: Vec::new(),
        }
    }

    pub(super) fn request(mut self, request: &RequestId) -> Self {
        self.request_id = request.as_str().to_owned();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS {
            let seconds = if status == StatusCode::TOO_MANY_REQUESTS {
                "60"
            } else {
                "1"
            };
            headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static(seconds));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        use StatusCode as S;
        match error {
            Error::Unauthenticated => Self::new(
                S::UNAUTHORIZED,
                "unauthenticated",
                "No valid token",
                "send `Authorization: Bearer <token>` with a token that is neither expired nor revoked",
            ),
            Error::Refused(refusal) => refused(&refusal),
            Error::Invalid(fields) => {
                let problem = Self::new(
                    S::UNPROCESSABLE_ENTITY,
                    "invalid-field",
                    "A value breaks its field's rule",
                    "correct the fields named in `invalid` and send all of it again; nothing was stored",
                );
                let invalid = fields.iter().map(|bad| InvalidField {
                    field: bad.field().to_string(),
                    rule: bad.rule(),
                });
                Self {
                    invalid: invalid.collect(),
                    ..problem
                }
            }
            Error::Bad(name, detail) => Self::new(S::UNPROCESSABLE_ENTITY, name, "The request makes no sense", detail),
            Error::NotFound(what) => Self::new(
                S::NOT_FOUND,
                "not-found",
                "Not found",
                format!("there is no such {what}"),
            ),
            Error::Stale => Self::new(
                S::PRECONDITION_FAILED,
                "stale",
                "It has changed meanwhile",
                "read it again, decide again, and send its current `ETag` as `If-Match`",
            ),
            Error::Taken(what) => Self::new(
                S::CONFLICT,
                "taken",
                "There already",
                format!("there is such a {what} already"),
            ),
            Error::KeyReused => Self::new(
                S::CONFLICT,
                "idempotency-key-reused",
                "The Idempotency-Key came before with another request",
                "use a new key for a new request",
            ),
            Error::Log(fault) => log_fault(fault),
            Error::Key(KeyError::Locked) => Self::new(
                S::SERVICE_UNAVAILABLE,
                "locked",
                "The vault is locked",
                "an administrator must start it again with the passphrase",
            ),
            Error::Store(StoreError::Full) => log_fault(CommitError::Full),
            Error::IndexBehind(..) => Self::new(
                S::SERVICE_UNAVAILABLE,
                "index-behind",
                "The index of the log is being filled",
                error.to_string().replace('\n', ";"),
            ),
            Error::Clock(_) => Self::new(
                S::SERVICE_UNAVAILABLE,
                "no-clock",
                "The clock is not set",
                "set the server's clock",
            ),
            Error::Key(_) | Error::Store(_) => internal(&error),
        }
    }
}

fn log_fault(fault: CommitError) -> Problem {
    let (status, name, title, detail) = match fault {
        CommitError::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "storage-full",
            "No space left",
            "free some space; nothing was written",
        ),
        CommitError::LeafTooLarge => (
            StatusCode::UNPROCESSABLE_ENTITY,
            "too-many-fields",
            "Too many fields at once",
            "one log entry cannot name them all; ask for fewer",
        ),
        _ => (
            StatusCode::SERVICE_UNAVAILABLE,
            "audit-unavailable",
            "The log is not available",
            "nothing was shown or changed as far as you were told; try again, with the same Idempotency-Key for a write",
        ),
    };
    Problem::new(status, name, title, detail)
}

fn internal(error: &Error) -> Problem {
    let problem = Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "integrity",
        "Something on file is not as the vault left it",
        "nothing was opened; tell an administrator the `request_id` and let them run `callervault fsck`",
    );
    tracing::error!(request_id = problem.request_id, %error, "a request failed inside");
    problem
}

fn refused(refusal: &Refusal) -> Problem {
    use StatusCode as S;
    let (status, name, title) = match refusal.why() {
        Why::TooManyGuesses => (S::TOO_MANY_REQUESTS, "too-many-guesses", "Too many guesses"),
        Why::OwnRoles => (S::FORBIDDEN, "own-roles", "Not for oneself"),
        Why::RolesExclude => (S::UNPROCESSABLE_ENTITY, "roles-exclude", "The roles exclude each other"),
        Why::NotApproved => (S::FORBIDDEN, "not-approved", "This takes two persons"),
        Why::BudgetSpent => (S::TOO_MANY_REQUESTS, "budget-spent", "Enough for today"),
        Why::IdentityTaken => (S::CONFLICT, "taken", "There already"),
        _ => (S::FORBIDDEN, "refused", "No need to know"),
    };
    let index = refusal.position().index;
    let detail = format!("{}; the refusal is entry {index} of the log", told(refusal.why()));
    Problem {
        audit: Some(refusal.position().into()),
        ..Problem::new(status, name, title, detail)
    }
}

/// What a refused asker is told. It does not tell a ticket of others from one that does not exist.
const fn told(why: Why) -> &'static str {
    match why {
        Why::TicketClosed => "the ticket is closed",
        Why::NotAboutCaller => "the ticket is not about this caller",
        Why::ForeignReference => "the reference is not one of your department's",
        Why::UnknownReference => "the reference is unknown",
        Why::NoSuchTicket | Why::NotHolder => "your department does not hold such a ticket",
        Why::Confidential => "the ticket is confidential",
        Why::Purpose => "the purpose does not cover this",
        Why::TooManyGuesses => "wait; a principal has so many guesses a minute and an hour",
        Why::BudgetSpent => {
            "you have been shown as many fields in clear today as anybody may: ask for the masked form, or wait for \
             tomorrow; who needs more asks the operator for a higher --reveal-limit"
        }
        Why::OwnRoles => "nobody sets their own roles or issues their own token: ask another security administrator",
        Why::RolesExclude => {
            "at least one role; auditor, security_admin and system_admin exclude each other and every other role"
        }
        Why::NotApproved => "nobody makes, changes or equips an administrator alone",
        Why::IdentityTaken => "an identifying value belongs to another caller on file: check it with the caller",
        _ => "your role does not cover this",
    }
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
