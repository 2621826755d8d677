//! `/v1/me`.

use super::Answer;
use super::request::Context;
use crate::vault::people::Me;

/// Shows your account, department, roles and purposes, and how much of each limit is left. It is not logged.
#[utoipa::path(get, path = "/v1/me", tag = "me", responses((status = 200, body = Me)))]
pub(super) async fn me(context: Context) -> Answer<Me> {
    Ok(axum::Json(context.vault().me(context.session()).await?))
}
