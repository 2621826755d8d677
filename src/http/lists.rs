//! `/v1/lists`: what a city lists, with labels.

use super::Answer;
use super::request::{Context, Once};
use crate::model::lists::Lists;
use crate::vault::life::lists::Reloaded;

/// Lists categories, channels, kinds of departments and townships, with their labels in Chinese and English. It shows no personal
/// data and is not logged.
#[utoipa::path(get, path = "/v1/lists", tag = "lists", responses((status = 200, body = Lists)))]
pub(super) async fn lists(context: Context) -> Answer<Lists> {
    Ok(axum::Json(context.vault().lists().as_ref().clone()))
}

/// Reads lists.toml again. If the file cannot be used, the old lists stay in force.
#[utoipa::path(post, path = "/v1/admin/lists/reload", tag = "admin", responses((status = 200, body = Reloaded)))]
pub(super) async fn reload(context: Once) -> Answer<Reloaded> {
    Ok(axum::Json(context.vault().reload_lists(context.session()).await?))
}
