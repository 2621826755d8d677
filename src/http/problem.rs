//! RFC 9457 problem details: the one place where an error becomes an answer. Inside is logged, outside is told what
//! helps; no value that came in is ever in it.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use crate::keyring::KeyError;
use crate::log::{CommitError, Refusal};
use crate::model::ask::RequestId;
use crate::policy::Why;
use crate::store::StoreError;
use crate::vault::Asked;
use crate::vault::{Audit, Error};

const PROBLEM_JSON: &str = "application/problem+json";

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
            request_id: RequestId::random().as_str().to_owned(),
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
        use StatusCode as S;
        match error {
            Error::Unauthenticated => Self::new(
                S::UNAUTHORIZED,
                "unauthenticated",
                "No valid token",
                "send `Authorization: Bearer <token>` with a token that is neither expired nor revoked",
            ),
            Error::Asked(asked) => Self {
                asked: Some(Box::new(asked)),
                ..Self::new(
                    S::ACCEPTED,
                    "approval-needed",
                    "It takes a second person",
                    "somebody else must approve it",
                )
            },
            Error::TooMany(wait) => Self {
                wait: Some(whole_seconds(wait)),
                ..Self::new(
                    S::TOO_MANY_REQUESTS,
                    "too-many-requests",
                    "Too many requests",
                    "you have sent, or been refused, too many requests lately: wait as long as `Retry-After` says; an account \
                     that needs more asks the operator for a higher --requests-per-minute",
                )
            },
            Error::Refused(refusal) => refused(&refusal, told(refusal.why())),
            Error::RefusedUntil(refusal, wait) => Self {
                wait: Some(whole_seconds(wait)),
                ..refused(&refusal, told(refusal.why()))
            },
            Error::RefusedBecause(refusal, words) => refused(&refusal, words),
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
            Error::Archived => Self::new(
                S::NOT_FOUND,
                "not-found",
                "Archived",
                "the entry was archived and dropped here after the retention period: its bytes are in the archive that was \
                 exported, its hash and its proofs are still here",
            ),
            Error::Retained(index) => Self::new(
                S::UNPROCESSABLE_ENTITY,
                "retained",
                "Not old enough",
                format!("entry {index} is younger than the retention period: name no index above it"),
            ),
            Error::WrongState(state) => Self::new(
                S::CONFLICT,
                "wrong-state",
                "The ticket's state does not allow this step",
                format!("the ticket is {state}; docs/transitions.md says which steps lead from there"),
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
                S::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The Idempotency-Key came before with another request",
                "use a new key for a new request",
            ),
            Error::Log(fault) => log_fault(fault),
            Error::Key(fault) => key_fault(fault),
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
            Error::Store(fault) => store_fault(&fault),
        }
    }
}

/// As `Retry-After` has them: no moment too early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn log_fault(fault: CommitError) -> Problem {
    let (status, name, title, detail) = match fault {
        CommitError::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "storage-full",
            "No space left",
            "free some space; nothing was written",
        ),
        CommitError::Unfenced => (
            StatusCode::INSUFFICIENT_STORAGE,
            "storage-full",
            "No space left",
            "free some space, also where the key store lies; nothing was shown; the entry is in the log, so send a write again \
             with the same Idempotency-Key",
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

/// A fault of a key: which, and what the administrator does about it. One that lies in the surroundings may pass (503).
fn key_fault(fault: KeyError) -> Problem {
    use StatusCode as S;
    let told = match fault {
        KeyError::Locked => {
            let detail = "an administrator must start it again with the passphrase";
            return Problem::new(S::SERVICE_UNAVAILABLE, "locked", "The vault is locked", detail);
        }
        KeyError::MemoryNotLocked => (
            S::SERVICE_UNAVAILABLE,
            "memory-not-locked",
            "No memory can be locked for a key",
            "nothing was opened; raise the limit of locked memory, e.g. `ulimit -l 8192` or LimitMEMLOCK=8M",
        ),
        KeyError::NoRandomness => (
            S::SERVICE_UNAVAILABLE,
            "no-randomness",
            "The operating system gives no random bytes",
            "nothing was sealed; check /dev/urandom on the server",
        ),
        KeyError::NoSuchKey => (
            S::INTERNAL_SERVER_ERROR,
            "no-such-key",
            "The keyring does not hold the key version this needs",
            "nothing was opened; restore the key store from its newest backup",
        ),
        KeyError::NoRecordKey => (
            S::INTERNAL_SERVER_ERROR,
            "no-record-key",
            "The record has no key",
            "it was erased, or the key store is older than the data store: then restore its newest backup",
        ),
        KeyError::Broken | KeyError::WrongPassphrase | KeyError::BadPassphrase | KeyError::WeakParameters => INTEGRITY,
    };
    inside(told, &fault)
}

fn store_fault(fault: &StoreError) -> Problem {
    let told = match fault {
        StoreError::Database(_) | StoreError::Displaced(_) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "store-unavailable",
            "The database reports a fault",
            "nothing was shown; tell an administrator the `request_id`: the program log has the database's own words",
        ),
        _ => INTEGRITY,
    };
    inside(told, fault)
}

/// Status, name, title and detail.
type Told = (StatusCode, &'static str, &'static str, &'static str);

const INTEGRITY: Told = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "integrity",
    "Something on file is not as the vault left it",
    "nothing was opened; tell an administrator the `request_id` and let them run `callervault fsck`",
);

fn inside((status, name, title, detail): Told, fault: &dyn std::error::Error) -> Problem {
    Problem {
        inside: Some(fault.to_string()),
        ..Problem::new(status, name, title, detail)
    }
}

fn refused(refusal: &Refusal, words: &str) -> Problem {
    use StatusCode as S;
    let (status, name, title) = match refusal.why() {
        Why::TooManyGuesses => (S::TOO_MANY_REQUESTS, "too-many-guesses", "Too many guesses"),
        Why::TooManyIntakes => (S::TOO_MANY_REQUESTS, "too-many-intakes", "Too many calls taken"),
        Why::OwnRoles => (S::FORBIDDEN, "own-roles", "Not for oneself"),
        Why::RolesExclude => (S::UNPROCESSABLE_ENTITY, "roles-exclude", "The roles exclude each other"),
        Why::Unwitnessed => (
            S::SERVICE_UNAVAILABLE,
            "unwitnessed",
            "No witness has cosigned the log lately",
        ),
        Why::Contradicted => (
            S::SERVICE_UNAVAILABLE,
            "contradicted",
            "A witness says that the log was cut or rewritten",
        ),
        Why::NotApproved => (S::FORBIDDEN, "not-approved", "This takes two persons"),
        Why::OwnRequest => (S::FORBIDDEN, "own-request", "Not for oneself"),
        Why::NotAPerson => (S::FORBIDDEN, "not-a-person", "This takes persons"),
        Why::ApprovalClosed => (S::CONFLICT, "approval-closed", "Decided already"),
        Why::TooManyOpen => (S::CONFLICT, "too-many-open", "Too many open requests"),
        Why::TargetChanged => (S::CONFLICT, "approval-stale", "What the approval is about has changed"),
        Why::BudgetSpent => (S::TOO_MANY_REQUESTS, "budget-spent", "Daily limit reached"),
        Why::IdentityTaken => (S::CONFLICT, "taken", "There already"),
        _ => (S::FORBIDDEN, "refused", "No need to know"),
    };
    let index = refusal.position().index;
    let detail = format!("{words}; the refusal is entry {index} of the log");
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
        Why::TooManyGuesses => {
            "you have asked too often in a short time whether a value is right: wait as long as `Retry-After` says; limits.toml \
             has the limits"
        }
        Why::TooManyIntakes => {
            "you have taken too many calls in a short time: wait as long as `Retry-After` says; a service account that takes \
             calls for many people can have limits of its own in limits.toml"
        }
        Why::Unwitnessed => "an administrator must find out why the witnesses are silent; see the program log",
        Why::Contradicted => {
            "an administrator must find out who is right, the log or the witness; see /readyz and the program log"
        }
        Why::BudgetSpent => {
            "you have been shown as many fields in clear today as anybody may: ask for the masked form, or wait for \
             tomorrow; who needs more asks the operator for a higher --reveal-limit"
        }
        Why::OwnRoles => "nobody sets their own roles or issues their own token: ask another security administrator",
        Why::RolesExclude => {
            "at least one role; auditor, security_admin, system_admin and dpo exclude each other and every other role"
        }
        Why::NotApproved => "nobody does this alone: send it without `Approval` to ask for a second person's approval",
        Why::OwnRequest => {
            "nobody approves their own request, one of an account they made or that made theirs, or one about themselves"
        }
        Why::NotAPerson => "a service account neither asks for what takes two persons nor approves it",
        Why::ApprovalClosed => "the request has been decided on or has expired",
        Why::TooManyOpen => {
            "20 of your requests for approval are open: use those that were approved, or have the others decided on; each \
             ends by itself after a day"
        }
        Why::TargetChanged => "what the approval is about has changed since it was asked for: ask anew",
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
    use crate::model::ask::RequestId;
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
            (Error::Key(KeyError::NoRandomness), 503, "no-randomness", "/dev/urandom"),
            (
                Error::Key(KeyError::NoSuchKey),
                500,
                "no-such-key",
                "restore the key store",
            ),
            (Error::Key(KeyError::NoRecordKey), 500, "no-record-key", "erased"),
            (Error::Key(KeyError::Broken), 500, "integrity", "callervault fsck"),
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
            let request = RequestId::random();
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
