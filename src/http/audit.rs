//! `/v1/audit`: the log, for auditors and for any client of C2SP tlog-tiles.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::headers::identifier;
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use super::tickets::query;
use crate::merkle::TilePath;
use crate::vault::auditing::follow::Followed;
use crate::vault::auditing::read::ReadEntry;
use crate::vault::{Error, Session};

pub(super) type Answer = Result<Response, Problem>;
pub(super) type Asked<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

const TEXT: &str = "text/plain; charset=utf-8";

pub(super) fn told(session: &Session) -> impl Fn(Error) -> Problem + '_ {
    |error| Problem::from(error).request(&session.request)
}

fn text(kind: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// The log's newest signed checkpoint (C2SP tlog-checkpoint).
#[utoipa::path(get, path = "/v1/audit/checkpoint", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem)))]
pub(super) async fn checkpoint(State(app): State<Arc<App>>, Authenticated(session): Authenticated) -> Answer {
    let note = app.vault.checkpoint(&session).await.map_err(told(&session))?;
    Ok(text(TEXT, note))
}

/// The newest checkpoint that witnesses have cosigned, with their lines (C2SP tlog-cosignature).
#[utoipa::path(get, path = "/v1/audit/checkpoint/cosigned", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn cosigned(State(app): State<Arc<App>>, Authenticated(session): Authenticated) -> Answer {
    let note = app.vault.cosigned(&session).await.map_err(told(&session))?;
    Ok(text(TEXT, note))
}

/// The keys that check the log's signatures, a vkey on each line (C2SP signed-note).
#[utoipa::path(get, path = "/v1/audit/keys", tag = "audit",
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem)))]
pub(super) async fn keys(State(app): State<Arc<App>>, Authenticated(session): Authenticated) -> Answer {
    let keys = app.vault.log_keys(&session).await.map_err(told(&session))?;
    Ok(text(TEXT, keys))
}

/// A tile or a bundle of entries, `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]` (C2SP tlog-tiles).
#[utoipa::path(get, path = "/v1/audit/tile/{path}", tag = "audit",
    params(("path" = String, Path, description = "the path after `tile/`, slashes included")),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, body = Problem), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn tile(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(path): Path<String>,
) -> Answer {
    let path: TilePath = format!("tile/{path}").parse().map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "no-such-tile",
            "Not the path of a tile",
            "a path is tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]",
        )
    })?;
    let bytes = app.vault.tile(&session, &path).await.map_err(told(&session))?;
    Ok(text("application/octet-stream", bytes))
}

/// One entry of the log.
#[utoipa::path(get, path = "/v1/audit/events/{index}", tag = "audit", params(("index" = u64, Path)),
    responses((status = 200, body = ReadEntry), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn entry(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(index): Path<String>,
) -> Answer {
    let index = identifier(&index, "index")?;
    let entry = app.vault.entry(&session, index).await.map_err(told(&session))?;
    Ok(axum::Json(entry).into_response())
}

/// The proof that an entry is in the log: a `.tlog-proof` file (C2SP tlog-proof).
#[utoipa::path(get, path = "/v1/audit/events/{index}/proof", tag = "audit", params(("index" = u64, Path)),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn proof(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(index): Path<String>,
) -> Answer {
    let index: u64 = identifier(&index, "index")?;
    let proof = app.vault.prove(&session, index).await.map_err(told(&session))?;
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
#[serde(deny_unknown_fields)]
pub(super) struct Sizes {
    /// The older.
    old: u64,
    /// The newer.
    new: u64,
}

/// The proof that the log of one size begins with that of another: hashes in base64, one a line (RFC 6962 §2.1.2).
#[utoipa::path(get, path = "/v1/audit/consistency", tag = "audit", params(Sizes),
    responses((status = 200, body = String, content_type = "text/plain"), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn consistency(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    sizes: Asked<Sizes>,
) -> Answer {
    let Sizes { old, new } = query(sizes)?;
    let hashes = app.vault.prove_consistency(&session, old, new).await;
    Ok(text(TEXT, hashes.map_err(told(&session))?))
}

/// Where a follower is.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct FollowQuery {
    /// The first entry wanted: `next` of the answer before, or 0.
    from: u64,
    /// 1 to 200, 200 unless said otherwise.
    limit: Option<u32>,
}

/// The next entries, for an archive or a SIEM; waits up to 20 seconds for news.
#[utoipa::path(get, path = "/v1/audit/follow", tag = "audit", params(FollowQuery),
    responses((status = 200, body = Followed), (status = 403, body = Problem)))]
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    at: Asked<FollowQuery>,
) -> Answer {
    let FollowQuery { from, limit } = query(at)?;
    let limit = limit.unwrap_or(crate::vault::LARGEST_PAGE);
    let followed = app.vault.follow(&session, from, limit).await.map_err(told(&session))?;
    app.metrics.followed(followed.next, followed.behind);
    Ok(axum::Json(followed).into_response())
}
