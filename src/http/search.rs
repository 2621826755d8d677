//! `/v1/audit/events`, `exposure`, `trace` and `report`: what auditors find in the log.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::App;
use super::audit::{Answer, Asked, told};
use super::json::Json;
use super::problem::Problem;
use super::session::Authenticated;
use super::tickets::query;
use crate::log::mark::{BadMark, Mark};
use crate::vault::auditing::exposure::{AskExposure, ExposureAnswer};
use crate::vault::auditing::report::{ReportAnswer, ReportDays};
use crate::vault::auditing::search::{BadParameter, Events, Search, Wanted};
use crate::vault::auditing::trace::{AskTrace, Traced};

fn bad_parameter(BadParameter(name): BadParameter) -> Problem {
    if name == "after" {
        let detail = "send `next` of the page before, with the same parameters";
        return Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-cursor",
            "Not a cursor of this search",
            detail,
        );
    }
    Problem::new(
        StatusCode::BAD_REQUEST,
        "bad-query",
        "A parameter is unknown or has no such value",
        format!("{name} has no such value; the parameters of this address are in /openapi.json"),
    )
}

/// Searches the log: entries that fit every parameter given, newest first.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", params(Search),
    responses((status = 200, body = Events), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn search(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    search: Asked<Search>,
) -> Answer {
    let wanted = Wanted::try_from(&query(search)?).map_err(bad_parameter)?;
    let events = app.vault.search(&session, &wanted).await.map_err(told(&session))?;
    Ok(axum::Json(events).into_response())
}

/// Who has been shown which fields in which form, for a ticket, of a caller, or by one reader.
#[utoipa::path(post, path = "/v1/audit/exposure", tag = "audit", request_body = AskExposure,
    responses((status = 200, body = ExposureAnswer), (status = 403, body = Problem), (status = 422, body = Problem),
        (status = 503, body = Problem)))]
pub(super) async fn exposure(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    body: Json<AskExposure>,
) -> Answer {
    let answer = app.vault.exposure(&session, &body.value).await;
    Ok(axum::Json(answer.map_err(told(&session))?).into_response())
}

/// The read behind a trace mark: who saw it, when, for which ticket and which fields.
#[utoipa::path(post, path = "/v1/audit/trace", tag = "audit", request_body = AskTrace,
    responses((status = 200, body = Traced), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn trace(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    body: Json<AskTrace>,
) -> Answer {
    let mistyped = |bad: BadMark| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "mistyped-mark",
            "Not a trace mark",
            bad.to_string(),
        )
        .request(&session.request)
    };
    let mark: Mark = body.value.mark.parse().map_err(mistyped)?;
    let traced = app.vault.trace(&session, mark).await.map_err(told(&session))?;
    Ok(axum::Json(traced).into_response())
}

/// What each reader did in some days, who stands out among their peers, and whose data was read most.
#[utoipa::path(get, path = "/v1/audit/report", tag = "audit", params(ReportDays),
    responses((status = 200, body = ReportAnswer), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub(super) async fn report(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    days: Result<Query<ReportDays>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Problem> {
    let report = app.vault.report(&session, &query(days)?).await;
    Ok(axum::Json(report.map_err(told(&session))?).into_response())
}
