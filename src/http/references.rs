//! `/v1/references`: a caller's reference goes to another department.

use axum::http::StatusCode;

use super::Answer;
use super::problem::Problem;
use super::request::{Json, Once};
use crate::vault::calls::translate::{AcceptTransfer, Accepted, Transfer, Translate};

/// Makes a transfer by which another department gets a reference of its own to a ticket's caller. It is good for 72 hours and one use. You do not
/// see the other department's reference, and it does not see yours.
#[utoipa::path(post, path = "/v1/references/translate", tag = "callers", request_body = Translate,
    responses((status = 201, body = Transfer), (status = 404), (status = 409)))]
pub(super) async fn translate(
    context: Once,
    body: Json<Translate>,
) -> Result<(StatusCode, axum::Json<Transfer>), Problem> {
    let transfer = context.vault().translate(context.session(), &body.value).await?;
    Ok((StatusCode::CREATED, axum::Json(transfer)))
}

/// Gives your department its own reference to the caller of a transfer, and uses the transfer up.
#[utoipa::path(post, path = "/v1/references/accept", tag = "callers", request_body = AcceptTransfer,
    responses((status = 200, body = Accepted), (status = 404), (status = 410)))]
pub(super) async fn accept(context: Once, body: Json<AcceptTransfer>) -> Answer<Accepted> {
    Ok(axum::Json(
        context.vault().accept(context.session(), &body.value).await?,
    ))
}
