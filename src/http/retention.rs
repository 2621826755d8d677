//! `/v1/retention/preview` and `/v1/retention/enforce`: callers are erased after a period.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::approvals::{APPROVAL, REASON};
use super::problem::AskedBody;
use super::request::{Context, Json, ListQuery, Once, Query};
use super::{Answer, App};
use crate::vault::calls::retention::{Enforce, Enforced, Preview};
use crate::vault::life::door::OpenVault;

/// Shows what is past its period of retention: tickets by kind and month, what the next run would do, and legal holds whose review is overdue.
/// Nothing is changed.
#[utoipa::path(get, path = "/v1/retention/preview", tag = "callers", params(ListQuery),
    responses((status = 200, body = Preview)))]
pub(super) async fn preview(context: Context, Query(list): Query<ListQuery>) -> Answer<Preview> {
    let limit = list.limit()?;
    let preview = context
        .vault()
        .preview_retention(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(preview.await?))
}

/// Puts the periods of `retention.toml` in force, as the file stands. From then on a run a day erases who is past them, until the file is changed.
/// Needs a second person's approval and a reason from both.
#[utoipa::path(post, path = "/v1/retention/enforce", tag = "callers", request_body = Enforce,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Enforced), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn enforce(context: Once, body: Json<Enforce>) -> Answer<Enforced> {
    let exact = context.exact(&body.bytes)?;
    let enforced = context
        .vault()
        .enforce_retention(context.session(), &body.value, &exact);
    Ok(axum::Json(enforced.await?))
}

async fn keep_retention(vault: Arc<OpenVault>) {
    vault.keep_retention().await;
}

/// Erases who is past a period on a task of its own, until this is dropped.
pub(super) fn keeping(app: &Arc<App>) -> JoinSet<()> {
    let (mut task, app) = (JoinSet::new(), Arc::clone(app));
    task.spawn(async move { app.door.while_open(keep_retention).await });
    task
}
