//! `/v1/approvals`, and what of `/v1/audit` takes two persons.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::App;
use super::headers::{Head, bad_reason, identifier};
use super::json::{Json, MaybeJson};
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use super::tickets::{ListQuery, query};
use crate::model::approvals::Reason;
use crate::vault::Asked;
use crate::vault::auditing::resolve::{Resolve, Resolved};
use crate::vault::auditing::retention::{Dropped, Retain};
use crate::vault::people::Page;
use crate::vault::people::approvals::{Decided, Decision, RequestLine, RequestPage};
use crate::vault::{Error, Session};

/// What the document says of the header `Approval`.
pub(super) const APPROVAL: &str = "a second person's approval of this request, for the state of what it is about: address, \
    `If-Match` and body say the same as when it was asked for (RFC 8785: white space and the order of names do not matter)";
/// What the document says of the header `Approval-Reason`.
pub(super) const REASON: &str = "why the approval is asked for: 1 to 200 characters of UTF-8, percent-encoded. It is sealed, and \
    shown to the asker and to those who may approve";

/// Why the second person approves or refuses.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// 1 to 200 characters, sealed; shown to the asker and to those who may approve. It may be left out.
    reason: Option<String>,
}

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

/// My own requests for approval and what became of them, newest first.
#[utoipa::path(get, path = "/v1/approvals/mine", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>), (status = 403, body = Problem)))]
pub(super) async fn mine(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let list = query(list)?;
    answer(
        &session,
        app.vault
            .own_approvals(&session, list.after.as_deref(), list.limit())
            .await,
    )
}

/// One request for approval: my own, or any for those who may decide on it.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = RequestPage), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
) -> Answer {
    let id = identifier(&id, "request for approval")?;
    answer(&session, app.vault.approval(&session, id).await)
}

/// Approves somebody else's request: they may do it once, within 24 hours of having asked.
#[utoipa::path(post, path = "/v1/approvals/{id}/approve", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>),
    responses((status = 200, body = Decided), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn approve(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
    why: MaybeJson<Decide>,
) -> Answer {
    decide(&app, &session, &id, Decision::Approve, why.0).await
}

/// Refuses somebody else's request.
#[utoipa::path(post, path = "/v1/approvals/{id}/refuse", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>),
    responses((status = 200, body = Decided), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn refuse(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
    why: MaybeJson<Decide>,
) -> Answer {
    decide(&app, &session, &id, Decision::Refuse, why.0).await
}

async fn decide(app: &App, session: &Session, id: &str, decision: Decision, why: Decide) -> Answer {
    let id = identifier(id, "request for approval")?;
    let reason = why
        .reason
        .map(|text| Reason::new(Zeroizing::new(text)).ok_or_else(bad_reason));
    let reason = reason.transpose()?;
    let decided = app.vault.decide_on(session, id, decision, reason.as_ref()).await;
    answer(session, decided)
}

/// Which caller a subject of the log is, by the asker's own department's reference. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/resolve", tag = "audit", request_body = Resolve,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Resolved), (status = 202, body = Asked), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    body: Json<Resolve>,
) -> Answer {
    let exact = head.with(&body.bytes)?;
    answer(&session, app.vault.resolve_subject(&session, &body.value, &exact).await)
}

/// Drops the bodies of entries older than the retention period; hashes and tiles stay. Run `callervault audit export`
/// first: what is dropped is only in the archive from then on. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/retention", tag = "audit", request_body = Retain,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Dropped), (status = 202, body = Asked), (status = 403, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn retain(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    body: Json<Retain>,
) -> Answer {
    let exact = head.with(&body.bytes)?;
    answer(&session, app.vault.drop_bodies(&session, &body.value, &exact).await)
}
