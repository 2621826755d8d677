//! `/v1/intake` and `/v1/callers`.

use std::sync::Arc;

use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::headers::{identifier, replay, required_if_match, tagged};
use super::json::Json;
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use crate::keyring::Revealed;
use crate::log::mark::Mark;
use crate::model::purposes::Purpose;
use crate::vault::Audit;
use crate::vault::calls::callers::{CallerPage, Why};
use crate::vault::calls::correct::{Corrected, Correction};
use crate::vault::calls::intake::{Intake, Taken};
use crate::vault::calls::lookup::{Found, LookupCallers};
use crate::vault::calls::reveal::RevealCaller;
use crate::vault::calls::verify::{Verified, VerifyField};

/// Fields that left, and where the log has it.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Shown {
    /// Value by field name, in the form asked for; a field not on file is absent.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    fields: serde_json::Map<String, serde_json::Value>,
    /// The read's receipt.
    audit: Audit,
    /// The trace mark: print it beside what is shown, so that a copy passed on names its reader.
    #[schema(value_type = String, example = "7K3Q-9ZX2-M4HT")]
    mark: Mark,
}

/// The one exit: what the receipt allows becomes the answer.
#[expect(
    clippy::disallowed_methods,
    reason = "the one exit of opened values: the answer to the read that was logged"
)]
pub(super) fn shown(revealed: Revealed) -> Response {
    let disclosed = revealed.disclose();
    let fields = disclosed
        .fields
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.into()))
        .collect();
    let audit = Audit::from(disclosed.at);
    axum::Json(Shown {
        fields,
        audit,
        mark: audit.mark(),
    })
    .into_response()
}

/// Takes a call: entered once, matched, sealed.
#[utoipa::path(post, path = "/v1/intake", tag = "callers", request_body = Intake,
    params(("Idempotency-Key" = Option<String>, Header, description = "the same key and body get the same answer")),
    responses((status = 201, body = Taken), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn intake(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    method: Method,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Json<Intake>,
) -> Result<Response, Problem> {
    let replay = replay(&headers, &method, uri.path(), &body.bytes)?;
    let taken = app.vault.intake(&session, &body.value, replay.as_ref()).await;
    let taken = taken.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok((StatusCode::CREATED, axum::Json(taken)).into_response())
}

/// Finds callers by one value.
#[utoipa::path(post, path = "/v1/callers/lookup", tag = "callers", request_body = LookupCallers,
    responses((status = 200, body = Found), (status = 403, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn lookup(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    body: Json<LookupCallers>,
) -> Result<Response, Problem> {
    let found = app.vault.lookup(&session, &body.value).await;
    Ok(axum::Json(found.map_err(|error| Problem::from(error).request(&session.request))?).into_response())
}

/// Names of the fields on file and tickets of mine about this caller; no values.
#[utoipa::path(get, path = "/v1/callers/{ref}", tag = "callers", params(("ref" = String, Path), Why),
    responses((status = 200, body = CallerPage), (status = 403, body = Problem)))]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(caller): Path<String>,
    why: Result<Query<Why>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let caller = identifier(&caller, "reference")?;
    let purpose = super::tickets::query(why)?.purpose.unwrap_or(Purpose::Handle);
    let page = app.vault.read_caller(&session, caller, purpose).await;
    let page = page.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok(match page.version {
        Some(version) => tagged(version, axum::Json(page)),
        None => axum::Json(page).into_response(),
    })
}

/// Shows fields of a caller, for a ticket and a purpose, after the read is in the log.
#[utoipa::path(post, path = "/v1/callers/{ref}/reveal", tag = "callers", params(("ref" = String, Path)),
    request_body = RevealCaller,
    responses((status = 200, body = Shown), (status = 403, body = Problem), (status = 429, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn reveal(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(caller): Path<String>,
    body: Json<RevealCaller>,
) -> Result<Response, Problem> {
    let fail = |error| Problem::from(error).request(&session.request);
    let caller = identifier(&caller, "reference")?;
    let ask = app.vault.ask_caller(&session, caller, &body.value).map_err(fail)?;
    Ok(shown(app.vault.reveal(ask).await.map_err(fail)?))
}

/// Compares a value with a field; nothing is opened.
#[utoipa::path(post, path = "/v1/callers/{ref}/verify", tag = "callers", params(("ref" = String, Path)),
    request_body = VerifyField,
    responses((status = 200, body = Verified), (status = 403, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn verify(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(caller): Path<String>,
    body: Json<VerifyField>,
) -> Result<Response, Problem> {
    let caller = identifier(&caller, "reference")?;
    let verified = app.vault.verify(&session, caller, &body.value).await;
    Ok(axum::Json(verified.map_err(|error| Problem::from(error).request(&session.request))?).into_response())
}

/// Puts fields of a caller right, with a reason.
#[utoipa::path(patch, path = "/v1/callers/{ref}", tag = "callers",
    params(("ref" = String, Path), ("If-Match" = String, Header, description = "the caller's `ETag`"),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = Correction,
    responses((status = 200, body = Corrected), (status = 403, body = Problem), (status = 412, body = Problem), (status = 429, body = Problem),
        (status = 422, body = Problem), (status = 428, body = Problem)))]
pub(super) async fn correct(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(caller): Path<String>,
    method: Method,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Json<Correction>,
) -> Result<Response, Problem> {
    let caller = identifier(&caller, "reference")?;
    let version = required_if_match(&headers)?;
    let replay = replay(&headers, &method, uri.path(), &body.bytes)?;
    let corrected = app
        .vault
        .correct(&session, caller, body.value, version, replay.as_ref())
        .await;
    let corrected = corrected.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok(tagged(corrected.answer.version, axum::Json(corrected)))
}
