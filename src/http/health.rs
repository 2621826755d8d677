//! `/livez`, `/readyz`, and `/metrics` on a listener of its own: no personal data, no identifiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use crate::keyring::KeyError;
use crate::log::leaf;
use crate::policy::Why;
use crate::vault::{Error, Vault};

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The vault is unlocked and serves.
///
/// It also says when the witnesses bar every field: the condition's name (`unwitnessed`, `contradicted`) stands at the
/// beginning of the second line. The status is 200 then: calls are still taken, and auditors still read the log. A line that begins with
/// `recovery` says that an administrator's account is being recovered, from when on, and how to stop that.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String), (status = 503)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.vault.is_locked() {
        return Problem::from(Error::Key(KeyError::Locked)).into_response();
    }
    let recovery = recovery(&app.vault);
    match app.vault.shows_nothing() {
        Ok(None) => format!("ready\n{recovery}").into_response(),
        Ok(Some(why)) => format!(
            "ready to take calls, but no field is shown\n{why}: {}\n{recovery}",
            what_to_do(why)
        )
        .into_response(),
        Err(error) => Problem::from(error).into_response(),
    }
}

/// That an administrator's account is being recovered, for whoever may stop it.
fn recovery(vault: &Vault) -> String {
    let ready_at = vault.recovery_ready_at().map(leaf::milliseconds);
    ready_at.map_or_else(String::new, |at| {
        format!(
            "recovery: an administrator's account gets a new token from {at} on\n  if that is not meant, an auditor, a data \
             protection officer or an administrator stops it with POST /v1/admin/recovery/stop; the log says who began it \
             (act=admin.recover)\n"
        )
    })
}

/// What has happened and how to act, for whoever runs the vault.
const fn what_to_do(why: Why) -> &'static str {
    match why {
        Why::Contradicted => {
            "a witness has seen more entries than this log has, or others\n  the log was cut or rewritten, or the witness \
             lies: the program log names it. Keep both stores as evidence and compare with receipts, backups and the witness's \
             own checkpoint. It ends when the same witness cosigns what continues the log it had seen, or with \
             `callervault audit restart` by two persons"
        }
        _ => {
            "too few witnesses have cosigned the log within a day, or none ever has\n  the program log says how each of them \
             fails: is it running, does it know this log's key, does the way to it work?"
        }
    }
}

/// Counts, as OpenMetrics text. Not part of the API.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let text = app.metrics.text(&app.vault, &app.connections);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
