//! `/v1/tokens`: what is asked for without one.

use axum::http::StatusCode;

use super::problem::Problem;
use super::request::{ShortJson, Unknown};
use crate::vault::people::{Claim, Claimed};

/// Fetches the token of an account by its one-time code. It is shown this once.
///
/// It takes no token. After five wrong codes the account's code is worth nothing; a mistyped one is not counted. Whether it is the
/// account or the code that is wrong is not told.
#[utoipa::path(post, path = "/v1/tokens/claim", tag = "tokens", security(()), request_body = Claim,
    responses((status = 201, body = Claimed)))]
pub(super) async fn claim(
    from: Unknown,
    ShortJson(claim): ShortJson<Claim>,
) -> Result<(StatusCode, axum::Json<Claimed>), Problem> {
    let claimed = from.vault().claim(&claim, from.request()).await?;
    Ok((StatusCode::CREATED, axum::Json(claimed)))
}
