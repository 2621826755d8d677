//! `/v1/approvals`, and the parts of `/v1/audit` that need a second person's approval.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::Answer;
use super::problem::AskedBody;
use super::request::{Context, Json, ListQuery, MaybeJson, Once, Path, Query, bad_reason, identifier};
use crate::model::approvals::Reason;
use crate::model::problems::Thing;
use crate::vault::auditing::resolve::{Resolve, Resolved};
use crate::vault::auditing::retention::{Dropped, Retain};
use crate::vault::auditing::shown::{AskShown, ShownAnswer};
use crate::vault::people::Page;
use crate::vault::people::approvals::{Decided, Decision, RequestLine, RequestPage};

/// What the document says of the header `Approval`.
pub(super) const APPROVAL: &str = "id of a second person's approval of this request. Address, `If-Match` and body must be the same as \
    when it was asked for (RFC 8785: white space and the order of names do not matter), and the data must not have changed since";
/// What the document says of the header `Approval-Reason`.
pub(super) const REASON: &str = "reason for the request: 1 to 200 characters of UTF-8, percent-encoded. It is sealed, and shown to \
    the asker and to those who may approve";

/// The second person's reason.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Decide {
    /// 1 to 200 characters, sealed; shown to the asker and to those who may approve. An approval needs it.
    reason: Option<String>,
}

/// Lists requests for approval and their states, newest first.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>)))]
pub(super) async fn list(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<RequestLine>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .approvals(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Lists your own requests for approval and their states, newest first.
#[utoipa::path(get, path = "/v1/approvals/mine", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>)))]
pub(super) async fn mine(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<RequestLine>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .own_approvals(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Reads one request for approval: your own, or any that you may decide.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = RequestPage), (status = 404)))]
pub(super) async fn read(context: Context, Path(id): Path<String>) -> Answer<RequestPage> {
    let id = identifier(&id, Thing::Approval)?;
    Ok(axum::Json(context.vault().approval(context.session(), id).await?))
}

/// Approves another person's request, with a reason. The asker can use the approval once, within 24 hours after asking.
#[utoipa::path(post, path = "/v1/approvals/{id}/approve", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>), responses((status = 200, body = Decided), (status = 404), (status = 409)))]
pub(super) async fn approve(context: Context, Path(id): Path<String>, why: MaybeJson<Decide>) -> Answer<Decided> {
    decide(&context, &id, Decision::Approve, why.value).await
}

/// Refuses another person's request.
#[utoipa::path(post, path = "/v1/approvals/{id}/refuse", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>), responses((status = 200, body = Decided), (status = 404), (status = 409)))]
pub(super) async fn refuse(context: Context, Path(id): Path<String>, why: MaybeJson<Decide>) -> Answer<Decided> {
    decide(&context, &id, Decision::Refuse, why.value).await
}

async fn decide(context: &Context, id: &str, decision: Decision, why: Decide) -> Answer<Decided> {
    let id = identifier(id, Thing::Approval)?;
    let reason = why
        .reason
        .map(|text| Reason::new(Zeroizing::new(text)).ok_or_else(bad_reason));
    let reason = reason.transpose()?;
    let decided = context
        .vault()
        .decide_on(context.session(), id, decision, reason.as_ref());
    Ok(axum::Json(decided.await?))
}

/// Finds the caller behind a subject of the log, as your department's reference. Needs a second person's approval.
#[utoipa::path(post, path = "/v1/audit/resolve", tag = "audit", request_body = Resolve,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Resolved), (status = 202, body = AskedBody), (status = 404), (status = 409)))]
pub(super) async fn resolve(context: Once, body: Json<Resolve>) -> Answer<Resolved> {
    let exact = context.exact(&body.bytes)?;
    let resolved = context.vault().resolve_subject(context.session(), &body.value, &exact);
    Ok(axum::Json(resolved.await?))
}

/// Lists who was shown data of the callers who have a value, or of a ticket's caller. The answer does not identify them. Needs
/// a second person's approval and a reason from both.
#[utoipa::path(post, path = "/v1/audit/shown", tag = "audit", request_body = AskShown,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = ShownAnswer), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn shown(context: Once, body: Json<AskShown>) -> Answer<ShownAnswer> {
    let exact = context.exact(&body.bytes)?;
    let shown = context.vault().shown(context.session(), &body.value, &exact);
    Ok(axum::Json(shown.await?))
}

/// Drops the bodies of entries older than the retention period; hashes and tiles stay. Run `callervault audit export` first:
/// afterwards only the archive has the bodies. Needs a second person's approval.
#[utoipa::path(post, path = "/v1/audit/retention", tag = "audit", request_body = Retain,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Dropped), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn retain(context: Once, body: Json<Retain>) -> Answer<Dropped> {
    let exact = context.exact(&body.bytes)?;
    let dropped = context.vault().drop_bodies(context.session(), &body.value, &exact);
    Ok(axum::Json(dropped.await?))
}
