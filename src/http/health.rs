//! `/livez`, `/readyz`, `/metrics`: no personal data, no identifiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The vault is unlocked and serves.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String), (status = 503, body = String)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.vault.is_locked() {
        (StatusCode::SERVICE_UNAVAILABLE, "locked\n").into_response()
    } else {
        "ready\n".into_response()
    }
}

/// Counts, as OpenMetrics text.
#[utoipa::path(get, path = "/metrics", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.metrics.text(app.vault.log_stats(), app.vault.reveal_alarms());
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
