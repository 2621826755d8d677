//! `/v1/approvals`, and what of `/v1/audit` takes two persons.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::App;
use super::headers::{Head, identifier};
use super::json::Json;
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use super::tickets::{ListQuery, query};
use crate::vault::admin::Page;
use crate::vault::approvals::{Asked, Decided, Decision, RequestLine};
use crate::vault::auditing::resolve::{Resolve, Resolved};
use crate::vault::auditing::retention::{Dropped, Retain};
use crate::vault::{Error, Session};

type Answer = Result<Response, Problem>;

fn answer<T: Serialize>(session: &Session, result: Result<T, Error>) -> Answer {
    let value = result.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok(axum::Json(value).into_response())
}

/// What waits for a second person and what became of it, newest first.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>), (status = 403, body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let list = query(list)?;
    answer(
        &session,
        app.vault.approvals(&session, list.after.as_deref(), list.limit()).await,
    )
}

/// Approves somebody else's request: they may do it once, within 24 hours of having asked.
#[utoipa::path(post, path = "/v1/approvals/{id}/approve", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = Decided), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    decide(&app, &session, &id, Decision::Approve).await
}

/// Refuses somebody else's request.
#[utoipa::path(post, path = "/v1/approvals/{id}/refuse", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = Decided), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    decide(&app, &session, &id, Decision::Refuse).await
}

async fn decide(app: &App, session: &Session, id: &str, decision: Decision) -> Answer {
    let id = identifier(id, "request for approval")?;
    answer(session, app.vault.decide_on(session, id, decision).await)
}

/// Which caller a subject of the log is, by the asker's own department's reference. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/resolve", tag = "audit", request_body = Resolve,
    params(("Approval" = Option<String>, Header, description = "a second person's approval of this very request")),
    responses((status = 200, body = Resolved), (status = 202, body = Asked), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    body: Json<Resolve>,
) -> Answer {
    let exact = head.with(&body.bytes);
    answer(&session, app.vault.resolve_subject(&session, &body.value, &exact).await)
}

/// Drops the bodies of entries older than the retention period; hashes and tiles stay. Run `callervault audit export`
/// first: what is dropped is only in the archive from then on. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/retention", tag = "audit", request_body = Retain,
    params(("Approval" = Option<String>, Header, description = "a second person's approval of this very request")),
    responses((status = 200, body = Dropped), (status = 202, body = Asked), (status = 403, body = Problem),
        (status = 422, body = Problem)))]
pub(super) async fn retain(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    body: Json<Retain>,
) -> Answer {
    let exact = head.with(&body.bytes);
    answer(&session, app.vault.drop_bodies(&session, &body.value, &exact).await)
}
