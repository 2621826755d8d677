//! `/v1/audit`: the log, for auditors and for any client of C2SP tlog-tiles.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Answer;
use super::problem::Problem;
use super::request::{Context, Path, Query, identifier, limit};
use crate::merkle::TilePath;
use crate::model::problems::{self, Thing};
use crate::vault::LARGEST_PAGE;
use crate::vault::auditing::follow::Followed;
use crate::vault::auditing::read::ReadEntry;

const TEXT: &str = "text/plain; charset=utf-8";

fn text(kind: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Reads the log's newest signed checkpoint (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"),))]
pub(super) async fn checkpoint(context: Context) -> Result<Response, Problem> {
    let note = context.vault().checkpoint(context.session()).await?;
    Ok(text(TEXT, note))
}

/// Reads the newest checkpoint that witnesses have cosigned, with their lines (C2SP tlog-cosignature).
#[utoipa::path(get, path = "/v1/audit/checkpoint/cosigned", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404)))]
pub(super) async fn cosigned(context: Context) -> Result<Response, Problem> {
    let note = context.vault().cosigned(context.session()).await?;
    Ok(text(TEXT, note))
}

/// Lists the keys that verify the log's signatures, one vkey per line (C2SP signed-note).
#[utoipa::path(get, path = "/v1/audit/keys", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"),))]
pub(super) async fn keys(context: Context) -> Result<Response, Problem> {
    let keys = context.vault().log_keys(context.session()).await?;
    Ok(text(TEXT, keys))
}

/// Reads a tile or a bundle of entries, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]` (C2SP tlog-tiles).
#[utoipa::path(get, path = "/v1/audit/tile/{path}", tag = "audit",
    params(("path" = String, Path, description = "the path after `tile/`, slashes included")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = 404)))]
pub(super) async fn tile(context: Context, Path(path): Path<String>) -> Result<Response, Problem> {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| problems::NO_SUCH_TILE)?;
    let bytes = context.vault().tile(context.session(), &path).await?;
    Ok(text("application/octet-stream", bytes))
}

/// Reads one entry of the log.
#[utoipa::path(get, path = "/v1/audit/events/{index}", tag = "audit", params(("index" = u64, Path)),
    responses((status = 200, body = ReadEntry), (status = 404)))]
pub(super) async fn entry(context: Context, Path(index): Path<String>) -> Answer<ReadEntry> {
    let index = identifier(&index, Thing::Index)?;
    Ok(axum::Json(context.vault().entry(context.session(), index).await?))
}

/// Proves that an entry is in the log: a `.tlog-proof` file (C2SP tlog-proof).
#[utoipa::path(get, path = "/v1/audit/events/{index}/proof", tag = "audit", params(("index" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404)))]
pub(super) async fn proof(context: Context, Path(index): Path<String>) -> Result<Response, Problem> {
    let index: u64 = identifier(&index, Thing::Index)?;
    let proof = context.vault().prove(context.session(), index).await?;
    let name = format!("attachment; filename=\"{index}.tlog-proof\"");
    Ok((
        [
            (header::CONTENT_TYPE, TEXT.to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        proof,
    )
        .into_response())
}

/// Two sizes of the log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    /// The older size.
    old: u64,
    /// The newer size.
    new: u64,
}

/// Proves that the log of size `new` begins with the log of size `old`: hashes in base64, one per line (RFC 6962 §2.1.2).
#[utoipa::path(get, path = "/v1/audit/consistency", tag = "audit", params(Sizes),
    responses((status = 200, body = String, content_type = "text/plain"),
        (status = 404)))]
pub(super) async fn consistency(
    context: Context,
    Query(Sizes { old, new }): Query<Sizes>,
) -> Result<Response, Problem> {
    let hashes = context.vault().prove_consistency(context.session(), old, new).await;
    Ok(text(TEXT, hashes?))
}

/// Where a follower is.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    /// Index of the first entry: `next` of the previous answer, or 0.
    from: u64,
    /// Entries per answer; 200 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Wait if there is no new entry; `true` by default.
    wait: Option<bool>,
}

/// Reads the next entries, for an archive or a SIEM. Waits up to 20 seconds for new entries, unless `wait` is `false`.
#[utoipa::path(get, path = "/v1/audit/follow", tag = "audit", params(FollowQuery),
    responses((status = 200, body = Followed),))]
pub(super) async fn follow(context: Context, Query(at): Query<FollowQuery>) -> Answer<Followed> {
    let limit = limit(at.limit, LARGEST_PAGE)?;
    let app = context.app();
    let enough = async {
        if at.wait.unwrap_or(true) {
            tokio::select! {
                () = tokio::time::sleep(app.limits.follow) => {}
                () = app.stopping.told() => {}
                () = app.door.closed() => {}
            }
        }
    };
    let vault = context.vault();
    let followed = vault.follow(context.session(), at.from, limit, enough).await?;
    app.metrics.followed(followed.next, followed.behind);
    Ok(axum::Json(followed))
}
