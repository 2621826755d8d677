//! `/livez`, `/readyz`, and `/metrics` on a listener of its own: no personal data, no identifiers.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::App;
use super::problem::Problem;
use crate::log::leaf;
use crate::policy::Why;
use crate::store::StoreError;
use crate::vault::calls::retention::KeptByFault;
use crate::vault::{Error, Vault};

/// Answers while the process runs.
#[utoipa::path(get, path = "/livez", tag = "health", security(()), responses((status = 200, body = String)))]
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// Says whether the vault is unlocked and serves.
///
/// It also says when the witnesses bar every field. Then the second line begins with the condition's name (`unwitnessed`,
/// `contradicted`). The status is 200, because calls are still taken and auditors can read the log. A line that begins with
/// `recovery` says that an administrator's account is being recovered, when that can be finished, and how to stop it.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String), (status = 503)))]
pub(super) async fn ready(State(app): State<Arc<App>>) -> Response {
    let vault = match app.vault() {
        Ok(vault) => vault,
        Err(locked) => return Problem::from(locked).into_response(),
    };
    let recovery = recovery(&vault) + &overdue(&vault).await + &kept_by_fault(&vault).await;
    match vault.shows_nothing() {
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

/// That legal holds were to be reviewed, for whoever asks whether all is well.
async fn overdue(vault: &Vault) -> String {
    match vault.count_overdue_holds().await {
        Ok(0) | Err(_) => String::new(),
        Ok(holds) => format!(
            "holds: {holds} legal holds or more were to be reviewed before today\n  a data protection officer finds them with `callervault \
             retention preview`\n"
        ),
    }
}

/// That a run of retention has kept somebody because of a fault, or cannot be told of.
async fn kept_by_fault(vault: &Vault) -> String {
    const NAMED: &str = "  `callervault fsck` names what was changed or damaged";
    match vault.kept_by_fault().await {
        Ok(KeptByFault::Some(0)) => String::new(),
        Ok(KeptByFault::Some(kept)) => {
            format!("retention: the newest run kept {kept} callers or tickets because of a fault\n{NAMED}\n")
        }
        Ok(KeptByFault::All) => {
            format!(
                "retention: the newest run kept everybody, because the row of a department was changed or damaged\n{NAMED}\n"
            )
        }
        Err(Error::Key(_) | Error::Store(StoreError::Corrupt(_))) => {
            format!("retention: nobody is erased, because the row of the periods in force cannot be used\n{NAMED}\n")
        }
        Err(_) => String::new(),
    }
}

/// What has happened, and what the operator can do.
const fn what_to_do(why: Why) -> &'static str {
    match why {
        Why::Contradicted => {
            "a witness has seen more entries than this log has, or other entries\n  either the log was cut or rewritten, or the \
             witness lies. The program log names the witness. Keep both stores as evidence. Compare them with receipts, backups \
             and the witness's own checkpoint. This ends when the same witness cosigns a log that continues what it saw, or \
             after `callervault audit restart` by two people"
        }
        _ => {
            "too few witnesses have cosigned the log within a day, or none ever has\n  the program log says why each of them \
             failed. Check that it runs, knows this log's key and can be reached"
        }
    }
}

/// Counts, as OpenMetrics text. Not part of the API.
pub(super) async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let vault = app.vault().ok();
    let text = app
        .metrics
        .text(vault.as_ref().map(|vault| &***vault), &app.connections);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
