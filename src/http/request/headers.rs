//! `On-Behalf-Of`, `Idempotency-Key`, `Approval`, `Approval-Reason`, `If-Match`, `If-None-Match` and `ETag`.

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use zeroize::Zeroizing;

use super::json::in_canonical_form;
use crate::http::problem::Problem;
use crate::model::approvals::Reason;
use crate::model::ids::ApprovalId;
use crate::model::principals::is_account_name;
use crate::model::problems;
use crate::vault::people::approvals::Exact;
use crate::vault::{Replay, Scope};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 128;

pub(super) fn replay(headers: &HeaderMap, line: &str, body: &[u8]) -> Result<Option<Replay>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let key = value.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let key = key.ok_or(problems::BAD_IDEMPOTENCY_KEY)?;
    let body = in_canonical_form(body)?;
    // As long as it gets, so that no copy is left behind.
    let mut request = Zeroizing::new(Vec::with_capacity(line.len() + 1 + body.len()));
    for part in [line.as_bytes(), b"\n", &body] {
        request.extend_from_slice(part);
    }
    Ok(Some(Replay {
        scope: Scope::Principal,
        key: key.to_owned(),
        request,
    }))
}

/// Whether `Accept` prefers a page to JSON (RFC 9110 §12.5.1): it names text/html, with a higher weight than application/json.
pub(super) fn prefers_html(headers: &HeaderMap) -> bool {
    let weight = |wanted: &str| {
        let ranges = headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok());
        let ranges = ranges.flat_map(|value| value.split(','));
        let weights = ranges.filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let named = parts.next()?.eq_ignore_ascii_case(wanted);
            let weight = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
            named.then(|| weight.parse::<f32>().ok())?
        });
        weights
            .filter(|weight| (0.0..=1.0).contains(weight))
            .fold(0.0, f32::max)
    };
    weight("text/html") > weight("application/json")
}

pub(super) fn not_repeatable(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.contains_key(IDEMPOTENCY_KEY) {
        return Err(problems::IDEMPOTENCY_NOT_SUPPORTED.into());
    }
    Ok(())
}

pub(super) fn exact(headers: &HeaderMap, line: &str, body: &[u8]) -> Result<Exact, Problem> {
    let version = headers.get(header::IF_MATCH);
    let version = version.map_or(b"".as_slice(), HeaderValue::as_bytes);
    let body = in_canonical_form(body)?;
    Ok(Exact {
        request: [line.as_bytes(), b"\n", version, b"\n", &body].concat(),
        approval: approval(headers)?,
        reason: reason(headers)?,
    })
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
pub(in crate::http) fn bad_reason() -> Problem {
    Problem::from(problems::BAD_APPROVAL_REASON).ruled(Reason::RULE.into())
}

fn approval(headers: &HeaderMap) -> Result<Option<ApprovalId>, Problem> {
    let mut named = headers.get_all("approval").iter();
    let Some(first) = named.next() else { return Ok(None) };
    let id = first.to_str().ok().and_then(|text| text.parse().ok());
    let id = id.filter(|_| named.next().is_none());
    Ok(Some(id.ok_or(problems::BAD_APPROVAL)?))
}

/// The account named in `On-Behalf-Of`, if there is one.
pub(super) fn on_behalf_of(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut named = headers.get_all("on-behalf-of").iter();
    let Some(first) = named.next() else { return Ok(None) };
    let account = first.to_str().ok().filter(|text| is_account_name(text));
    let account = account.filter(|_| named.next().is_none());
    Ok(Some(account.ok_or(problems::BAD_ON_BEHALF_OF)?))
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
    Ok(Some(version.ok_or(problems::BAD_IF_MATCH)?))
}

/// Whether the sender has this version already: `If-None-Match` names it (RFC 9110 §13.1.2). No tag of ours holds a comma.
pub(in crate::http) fn is_known(headers: &HeaderMap, version: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).iter();
    let mut tags = tags
        .filter_map(|tags| tags.to_str().ok())
        .flat_map(|tags| tags.split(','));
    tags.any(|tag| {
        let tag = tag.trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) == Some(version)
    })
}

/// An answer with its `ETag`.
pub(in crate::http) fn tagged(version: impl std::fmt::Display, answer: impl IntoResponse) -> Response {
    let mut response = answer.into_response();
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{version}\"")) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
