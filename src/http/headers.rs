//! `Idempotency-Key`, `Approval`, `If-Match`, `ETag`, and identifiers in paths.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use zeroize::Zeroizing;

use super::json::in_canonical_form;
use super::problem::Problem;
use crate::model::approvals::Reason;
use crate::model::ids::ApprovalId;
use crate::vault::people::approvals::Exact;
use crate::vault::{Replay, Scope};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 128;

/// The `Idempotency-Key`, if there is one, with the request it came with.
pub(super) fn replay(headers: &HeaderMap, method: &Method, path: &str, body: &[u8]) -> Result<Option<Replay>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| {
        let detail = "an Idempotency-Key has 1 to 128 visible ASCII characters";
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-idempotency-key",
            "Not an Idempotency-Key",
            detail,
        )
    })?;
    let mut request = format!("{method} {path}\n").into_bytes();
    request.extend_from_slice(&in_canonical_form(body)?);
    Ok(Some(Replay {
        scope: Scope::Principal,
        key: key.to_owned(),
        request,
    }))
}

/// A write whose answer is not kept for a repeated request, because it shows a secret once or because a repetition is
/// seen to have happened: an `Idempotency-Key` would promise what is not done, so it is refused.
pub(super) struct NotRepeatable;

impl<S: Sync> FromRequestParts<S> for NotRepeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(IDEMPOTENCY_KEY) {
            return Ok(Self);
        }
        Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "idempotency-not-supported",
            "This call takes no Idempotency-Key",
            "send it without one; if an answer was lost, list what is there before you repeat it, and revoke any token \
             that did not reach you",
        ))
    }
}

/// The head of a request that may take two persons. What is approved is this head with its body in canonical form. It takes no
/// `Idempotency-Key`: an approval is good for one time.
pub(super) struct Head {
    line: String,
    headers: HeaderMap,
    approval: Option<ApprovalId>,
}

impl<S: Sync> FromRequestParts<S> for Head {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        NotRepeatable::from_request_parts(parts, state).await?;
        Ok(Self {
            line: format!("{} {}", parts.method, parts.uri.path()),
            approval: approval(&parts.headers)?,
            headers: parts.headers.clone(),
        })
    }
}

impl Head {
    /// The version in `If-Match`, which must be there.
    pub(super) fn version(&self) -> Result<u64, Problem> {
        required_if_match(&self.headers)
    }

    /// The request in the form that is compared, the `Approval` it names and the reason it gives, if it does.
    pub(super) fn with(&self, body: &[u8]) -> Result<Exact, Problem> {
        let version = self.headers.get(header::IF_MATCH);
        let version = version.map_or(b"".as_slice(), HeaderValue::as_bytes);
        let body = in_canonical_form(body)?;
        Ok(Exact {
            request: [self.line.as_bytes(), b"\n", version, b"\n", &body].concat(),
            approval: self.approval,
            reason: reason(&self.headers)?,
        })
    }
}

/// The `Approval-Reason`, if there is one: UTF-8, in which every octet may be percent-encoded (RFC 3986 §2.1).
fn reason(headers: &HeaderMap) -> Result<Option<Reason>, Problem> {
    let mut given = headers.get_all("approval-reason").iter();
    let Some(first) = given.next() else { return Ok(None) };
    let octets = Zeroizing::new(percent_encoding::percent_decode(first.as_bytes()).collect::<Vec<u8>>());
    let text = std::str::from_utf8(&octets).ok().filter(|_| given.next().is_none());
    let reason = text.and_then(|text| Reason::new(Zeroizing::new(text.to_owned())));
    reason.map(Some).ok_or_else(bad_reason)
}

/// What was given is no reason.
pub(super) fn bad_reason() -> Problem {
    let detail = format!(
        "{}; in the header `Approval-Reason` it is UTF-8, percent-encoded, and given once",
        Reason::RULE
    );
    Problem::new(StatusCode::BAD_REQUEST, "bad-reason", "Not a reason", detail)
}

fn approval(headers: &HeaderMap) -> Result<Option<ApprovalId>, Problem> {
    let mut named = headers.get_all("approval").iter();
    let Some(first) = named.next() else { return Ok(None) };
    let id = first.to_str().ok().and_then(|text| text.parse().ok());
    id.filter(|_| named.next().is_none()).map(Some).ok_or_else(|| {
        let detail = "send one `Approval` header: the id that was answered when approval was asked for";
        Problem::new(StatusCode::BAD_REQUEST, "bad-approval", "Not an approval", detail)
    })
}

/// The version in `If-Match`, if there is one.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let version = value
        .to_str()
        .ok()
        .and_then(|tag| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    let bad = || {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-if-match",
            "Not an ETag of this vault",
            "send the `ETag` of the last read",
        )
    };
    version.map(Some).ok_or_else(bad)
}

/// As [`if_match`], where it may not be left out.
pub(super) fn required_if_match(headers: &HeaderMap) -> Result<u64, Problem> {
    if_match(headers)?.ok_or_else(|| {
        Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if-match-required",
            "Say which version you change",
            "read it first and send its `ETag` as `If-Match`",
        )
    })
}

/// An answer with its `ETag`.
pub(super) fn tagged(version: u64, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// An identifier in the path; what it was is not repeated.
pub(super) fn identifier<T: FromStr>(text: &str, what: &'static str) -> Result<T, Problem> {
    text.parse().map_err(|_| {
        let detail = format!("the {what} in the address is mistyped: its length or check characters are wrong");
        Problem::new(StatusCode::BAD_REQUEST, "mistyped-identifier", "Mistyped", detail)
    })
}
