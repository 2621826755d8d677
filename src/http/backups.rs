//! `/v1/backups` and `/v1/checks`: copies of the stores, made while everybody works. Answers here are not kept for a repeated request:
//! an `Idempotency-Key` is refused.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::problem::{AskedBody, Problem};
use super::request::{Context, Json, MaybeJson, Once, Path, Query, identifier};
use crate::model::backups::Part;
use crate::model::problems::Thing;
use crate::vault::Error;
use crate::vault::copies::backup::{BackUp, BackupLine};
use crate::vault::copies::check::{CheckLine, CheckRate};

/// Begins a backup: copies of one store or of both, as they stand at one moment. It goes on in the background. The key store needs a
/// second person's approval. There is one backup at a time; your next one takes its place.
#[utoipa::path(post, path = "/v1/backups", tag = "backups", request_body = BackUp,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = BackupLine), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn back_up(context: Once, body: Json<BackUp>) -> Answer<BackupLine> {
    let exact = context.exact(&body.bytes)?;
    let backup = context.vault().back_up(context.session(), &body.value, &exact);
    Ok(axum::Json(backup.await?))
}

/// Shows how far your backup has come, and its manifests once it is made.
#[utoipa::path(get, path = "/v1/backups/{id}", tag = "backups", params(("id" = String, Path)),
    responses((status = 200, body = BackupLine), (status = 404)))]
pub(super) async fn read(context: Context, Path(id): Path<String>) -> Answer<BackupLine> {
    let id = identifier(&id, Thing::Backup)?;
    Ok(axum::Json(context.vault().backup(context.session(), id).await?))
}

/// From where on.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PieceQuery {
    /// The first byte: how many you have already.
    from: u64,
}

/// Fetches a piece of your backup's copy of one store: at most 1 MiB, and nothing behind its end. The first piece is an entry of the
/// log.
#[utoipa::path(get, path = "/v1/backups/{id}/{part}", tag = "backups",
    params(("id" = String, Path), ("part" = Part, Path), PieceQuery),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404)))]
pub(super) async fn piece(
    context: Context,
    Path((id, part)): Path<(String, String)>,
    Query(PieceQuery { from }): Query<PieceQuery>,
) -> Result<Response, Problem> {
    let id = identifier(&id, Thing::Backup)?;
    let part = Part::from_word(&part).ok_or(Error::NotFound(Thing::Backup))?;
    let bytes = context.vault().backup_piece(context.session(), id, part, from).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes).into_response())
}

/// Deletes your backup from the server.
#[utoipa::path(delete, path = "/v1/backups/{id}", tag = "backups", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(super) async fn forget(context: Once, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = identifier(&id, Thing::Backup)?;
    context.vault().drop_backup(context.session(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Begins to check everything that the vault holds, on copies of both stores of one moment and in the background. One that goes on
/// is left alone.
#[utoipa::path(post, path = "/v1/checks", tag = "backups", request_body(content = Option<CheckRate>),
    responses((status = 200, body = CheckLine)))]
pub(super) async fn check(context: Once, rate: MaybeJson<CheckRate>) -> Answer<CheckLine> {
    Ok(axum::Json(
        context.vault().start_check(context.session(), &rate.value).await?,
    ))
}

/// Shows how far the newest check has come, and what it has found.
#[utoipa::path(get, path = "/v1/checks", tag = "backups", responses((status = 200, body = CheckLine), (status = 404)))]
pub(super) async fn last_check(context: Context) -> Answer<CheckLine> {
    Ok(axum::Json(context.vault().last_check(context.session()).await?))
}
