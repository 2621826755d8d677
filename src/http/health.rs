//! `/livez`, `/readyz`, `/metrics`: no personal data, no identifiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use crate::keyring::KeyError;
use crate::vault::Error;

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The vault is unlocked and serves.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String), (status = 503, body = Problem)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.vault.is_locked() {
        Problem::from(Error::Key(KeyError::Locked)).into_response()
    } else {
        "ready\n".into_response()
    }
}

/// Counts, as OpenMetrics text.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let (freshness, alarms) = (app.vault.freshness().ok(), app.vault.reveal_alarms());
    let text = app.metrics.text(app.vault.log_stats(), freshness, alarms);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
