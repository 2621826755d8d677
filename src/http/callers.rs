//! `/v1/intake` and `/v1/callers`.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Answer;
use super::problem::Problem;
use super::request::{Context, Json, Path, Query, reference, tagged};
use crate::keyring::Revealed;
use crate::log::mark::Mark;
use crate::model::problems::Thing;
use crate::vault::calls::callers::{CallerPage, PurposeQuery};
use crate::vault::calls::compare::{Compared, Comparison};
use crate::vault::calls::correct::{Corrected, Correction};
use crate::vault::calls::intake::{Intake, Taken};
use crate::vault::calls::lookup::{Found, LookupCallers};
use crate::vault::calls::reveal::RevealCaller;
use crate::vault::{Audit, Superseded, Vault};

/// Of an answer that was given before.
const REPLAYED: &str = "idempotent-replayed";

/// Fields that were shown, and the log entry of the read.
#[derive(Serialize, utoipa::ToSchema)]
pub(super) struct Shown {
    /// Values by field name, in the form asked for. A field that is not on file is absent.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    fields: serde_json::Map<String, serde_json::Value>,
    /// Where the reference that you named has been superseded by another.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded: Option<Superseded>,
    /// The log entry of this read.
    audit: Audit,
    /// The trace mark. Print it beside the values, so that a leaked copy leads to its reader.
    #[schema(value_type = String, example = "7K3Q-9ZX2-M4HT")]
    mark: Mark,
}

/// The one exit: what the receipt allows becomes the answer, unless the vault was locked meanwhile.
#[expect(
    clippy::disallowed_methods,
    reason = "the one exit of opened values: the answer to the read that was logged"
)]
pub(super) fn shown(vault: &Vault, (revealed, superseded): (Revealed, Option<Superseded>)) -> Answer<Shown> {
    vault.is_open()?;
    let disclosed = revealed.disclose();
    let fields = disclosed
        .fields
        .into_iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.into()))
        .collect();
    let audit = Audit::from(disclosed.at);
    Ok(axum::Json(Shown {
        fields,
        superseded,
        audit,
        mark: audit.mark(),
    }))
}

/// Takes a call: matches the caller, makes a ticket and seals the values.
#[utoipa::path(post, path = "/v1/intake", tag = "callers", request_body = Intake,
    params(("Idempotency-Key" = Option<String>, Header, description = "the same key and body get the same answer")),
    responses((status = 201, body = Taken, headers(("Idempotent-Replayed" = Option<bool>,
        description = "`true` if the same request was answered before: nothing was added"))), (status = 409)))]
pub(super) async fn intake(context: Context, body: Json<Intake>) -> Result<Response, Problem> {
    let replay = context.replay(&body.bytes)?;
    let taken = context.vault().intake(context.session(), &body.value, replay.as_ref());
    let mut taken = taken.await?;
    taken.told(|words| context.language().words(words));
    let replayed = taken.replayed.then_some([(REPLAYED, "true")]);
    let answer = (StatusCode::CREATED, axum::Json(taken));
    Ok(match replayed {
        Some(headers) => (headers, answer).into_response(),
        None => answer.into_response(),
    })
}

/// Finds callers by one value.
#[utoipa::path(post, path = "/v1/callers/lookup", tag = "callers", request_body = LookupCallers,
    responses((status = 200, body = Found)))]
pub(super) async fn lookup(context: Context, body: Json<LookupCallers>) -> Answer<Found> {
    let found = context.vault().lookup(context.session(), &body.value);
    Ok(axum::Json(found.await?))
}

/// Lists which fields of a caller are on file, and your department's tickets about the caller. Shows no values.
#[utoipa::path(get, path = "/v1/callers/{ref}", tag = "callers", params(("ref" = String, Path), PurposeQuery),
    responses((status = 200, body = CallerPage)))]
pub(super) async fn read(
    context: Context,
    Path(caller): Path<String>,
    Query(query): Query<PurposeQuery>,
) -> Result<Response, Problem> {
    let caller = reference(&caller, Thing::Reference)?;
    let purpose = context.purpose(query.purpose);
    let page = context.vault().read_caller(context.session(), caller, purpose).await?;
    Ok(match page.version {
        Some(version) => tagged(version, axum::Json(page)),
        None => axum::Json(page).into_response(),
    })
}

/// Shows fields of a caller for a ticket. The read is logged before anything is decrypted.
#[utoipa::path(post, path = "/v1/callers/{ref}/reveal", tag = "callers", params(("ref" = String, Path)),
    request_body = RevealCaller, responses((status = 200, body = Shown)))]
pub(super) async fn reveal(context: Context, Path(caller): Path<String>, body: Json<RevealCaller>) -> Answer<Shown> {
    let caller = reference(&caller, Thing::Reference)?;
    let ask = context.vault().ask_caller(context.session(), caller, &body.value)?;
    shown(context.vault(), context.vault().reveal(ask).await?)
}

/// Compares a value with a field without decrypting it.
#[utoipa::path(post, path = "/v1/callers/{ref}/verify", tag = "callers", params(("ref" = String, Path)),
    request_body = Comparison, responses((status = 200, body = Compared)))]
pub(super) async fn compare(context: Context, Path(caller): Path<String>, body: Json<Comparison>) -> Answer<Compared> {
    let caller = reference(&caller, Thing::Reference)?;
    let compared = context.vault().compare(context.session(), caller, &body.value);
    Ok(axum::Json(compared.await?))
}

/// Corrects fields of a caller, with a reason.
#[utoipa::path(patch, path = "/v1/callers/{ref}", tag = "callers",
    params(("ref" = String, Path), ("If-Match" = String, Header, description = "the caller's `ETag`"),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body = Correction,
    responses((status = 200, body = Corrected), (status = 409), (status = 412), (status = 428)))]
pub(super) async fn correct(
    context: Context,
    Path(caller): Path<String>,
    body: Json<Correction>,
) -> Result<Response, Problem> {
    let caller = reference(&caller, Thing::Reference)?;
    let version = context.version()?;
    let replay = context.replay(&body.bytes)?;
    let corrected = context
        .vault()
        .correct(context.session(), caller, body.value, version, replay.as_ref())
        .await?;
    Ok(tagged(corrected.answer.version, axum::Json(corrected)))
}
