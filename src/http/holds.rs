//! `/v1/callers/{ref}/holds` and `/v1/holds`: legal holds.

use axum::http::StatusCode;
use jiff::civil::Date;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Answer;
use super::problem::Problem;
use super::request::{Context, Json, ListQuery, Once, Path, Query, bad_reason, identifier, reference};
use crate::model::approvals::Reason;
use crate::model::problems::Thing;
use crate::vault::calls::holds::{HoldChanged, HoldLine, NewHold};
use crate::vault::people::Page;

/// A legal hold to be set.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SetHold {
    /// The reason: 1 to 200 characters, sealed under the caller's key.
    reason: String,
    /// The day on which the owner checks whether it is still needed.
    #[schema(value_type = String, format = Date, example = "2027-05-31")]
    review: Date,
    /// Id of the account that answers for it; by default your own.
    owner: Option<String>,
}

/// Why a legal hold is lifted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiftHold {
    /// The reason: 1 to 200 characters, sealed under the caller's key.
    reason: String,
}

fn reason(text: String) -> Result<Reason, Problem> {
    Reason::new(Zeroizing::new(text)).ok_or_else(bad_reason)
}

/// Sets a legal hold on a caller: the caller cannot be erased as long as it is in force.
#[utoipa::path(post, path = "/v1/callers/{ref}/holds", tag = "callers", params(("ref" = String, Path)), request_body = SetHold,
    responses((status = 201, body = HoldChanged), (status = 412)))]
pub(super) async fn set(
    context: Once,
    Path(caller): Path<String>,
    body: Json<SetHold>,
) -> Result<(StatusCode, axum::Json<HoldChanged>), Problem> {
    let caller = reference(&caller, Thing::Reference)?;
    let owner = body.value.owner.as_deref().map(|id| identifier(id, Thing::Principal));
    let new = NewHold {
        reason: reason(body.value.reason)?,
        review: body.value.review,
        owner: owner.transpose()?,
    };
    let held = context.vault().set_hold(context.session(), caller, new).await?;
    Ok((StatusCode::CREATED, axum::Json(held)))
}

/// Lists the legal holds in force, by their days of review.
#[utoipa::path(get, path = "/v1/holds", tag = "callers", params(ListQuery),
    responses((status = 200, body = Page<HoldLine>)))]
pub(super) async fn list(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<HoldLine>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .legal_holds(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Lifts a legal hold that another person set.
#[utoipa::path(post, path = "/v1/holds/{id}/lift", tag = "callers", params(("id" = String, Path)), request_body = LiftHold,
    responses((status = 200, body = HoldChanged), (status = 404), (status = 409), (status = 412)))]
pub(super) async fn lift(context: Once, Path(id): Path<String>, body: Json<LiftHold>) -> Answer<HoldChanged> {
    let id = identifier(&id, Thing::Hold)?;
    let reason = reason(body.value.reason)?;
    Ok(axum::Json(
        context.vault().lift_hold(context.session(), id, &reason).await?,
    ))
}
