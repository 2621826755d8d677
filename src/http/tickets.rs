//! `/v1/tickets`.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::callers::{Shown, shown};
use super::headers::{identifier, if_match, replay, tagged};
use super::json::Json;
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use crate::model::purposes::Purpose;
use crate::model::transitions::Transition;
use crate::vault::Error;
use crate::vault::calls::callers::Why;
use crate::vault::calls::reveal::RevealTicket;
use crate::vault::tickets::{Moved, TicketList, TicketPage, TicketStep};

const USUAL_PAGE: u32 = 50;

/// A page of the list.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// `handle` unless said otherwise.
    #[param(value_type = Option<String>)]
    purpose: Option<Purpose>,
    /// `next` of the page before.
    pub(super) after: Option<String>,
    /// 1 to 200, 50 unless said otherwise.
    pub(super) limit: Option<u32>,
}

impl ListQuery {
    pub(super) fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL_PAGE)
    }
}

/// The query, without quoting it.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    let bad = |_| {
        let detail = "the parameters of this address are in /openapi.json";
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-query",
            "A parameter is unknown or has no such value",
            detail,
        )
    };
    query.map(|Query(value)| value).map_err(bad)
}

/// My department's tickets, newest first.
#[utoipa::path(get, path = "/v1/tickets", tag = "tickets", params(ListQuery),
    responses((status = 200, body = TicketList), (status = 403, body = Problem)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let list = query(list)?;
    let after = list
        .after
        .as_deref()
        .map(|after| identifier(after, "ticket number"))
        .transpose()?;
    let purpose = list.purpose.unwrap_or(Purpose::Handle);
    let page = app.vault.list_tickets(&session, purpose, after, list.limit()).await;
    Ok(axum::Json(page.map_err(|error| Problem::from(error).request(&session.request))?).into_response())
}

/// A ticket's envelope.
#[utoipa::path(get, path = "/v1/tickets/{no}", tag = "tickets", params(("no" = String, Path), Why),
    responses((status = 200, body = TicketPage), (status = 403, body = Problem)))]
pub(super) async fn read(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(no): Path<String>,
    why: Result<Query<Why>, QueryRejection>,
) -> Result<Response, Problem> {
    let no = identifier(&no, "ticket number")?;
    let purpose = query(why)?.purpose.unwrap_or(Purpose::Handle);
    let page = app.vault.read_ticket(&session, no, purpose).await;
    let page = page.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok(tagged(page.version, axum::Json(page)))
}

/// Takes a ticket one step on. Which steps there are, where they lead from and who may take them is in docs/transitions.md.
#[utoipa::path(post, path = "/v1/tickets/{no}/{transition}", tag = "tickets",
    params(("no" = String, Path), ("transition" = Transition, Path),
        ("If-Match" = Option<String>, Header), ("Idempotency-Key" = Option<String>, Header)),
    request_body = TicketStep,
    responses((status = 200, body = Moved), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 412, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn step(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path((no, transition)): Path<(String, String)>,
    method: Method,
    uri: OriginalUri,
    headers: HeaderMap,
    body: Json<TicketStep>,
) -> Result<Response, Problem> {
    let fail = |error| Problem::from(error).request(&session.request);
    let no = identifier(&no, "ticket number")?;
    let transition = Transition::from_word(&transition).ok_or_else(|| fail(Error::NotFound("step of a ticket")))?;
    let replay = replay(&headers, &method, uri.path(), &body.bytes)?;
    let seen = if_match(&headers)?;
    let moved = app
        .vault
        .step(&session, no, transition, &body.value, seen, replay.as_ref())
        .await
        .map_err(fail)?;
    Ok(tagged(moved.answer.version, axum::Json(moved)))
}

/// Shows fields of the ticket itself.
#[utoipa::path(post, path = "/v1/tickets/{no}/reveal", tag = "tickets", params(("no" = String, Path)),
    request_body = RevealTicket,
    responses((status = 200, body = Shown), (status = 403, body = Problem), (status = 429, body = Problem)))]
pub(super) async fn reveal(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(no): Path<String>,
    body: Json<RevealTicket>,
) -> Result<Response, Problem> {
    let fail = |error| Problem::from(error).request(&session.request);
    let no = identifier(&no, "ticket number")?;
    let ask = app.vault.ask_ticket(&session, no, &body.value).map_err(fail)?;
    Ok(shown(app.vault.reveal(ask).await.map_err(fail)?))
}
