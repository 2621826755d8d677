//! `/v1/approvals`, and what of `/v1/audit` takes two persons.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::Answer;
use super::request::{Context, Json, ListQuery, MaybeJson, Once, Path, Query, bad_reason, identifier};
use crate::model::approvals::Reason;
use crate::model::problems::Thing;
use crate::vault::Asked;
use crate::vault::auditing::resolve::{Resolve, Resolved};
use crate::vault::auditing::retention::{Dropped, Retain};
use crate::vault::auditing::shown::{AskShown, ShownAnswer};
use crate::vault::people::Page;
use crate::vault::people::approvals::{Decided, Decision, RequestLine, RequestPage};

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
    /// 1 to 200 characters, sealed; shown to the asker and to those who may approve. Only a refusal may leave it out.
    reason: Option<String>,
}

/// What waits for a second person and what became of it, newest first.
#[utoipa::path(get, path = "/v1/approvals", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>)))]
pub(super) async fn list(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<RequestLine>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .approvals(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// My own requests for approval and what became of them, newest first.
#[utoipa::path(get, path = "/v1/approvals/mine", tag = "approvals", params(ListQuery),
    responses((status = 200, body = Page<RequestLine>)))]
pub(super) async fn mine(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<RequestLine>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .own_approvals(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// One request for approval: my own, or any for those who may decide on it.
#[utoipa::path(get, path = "/v1/approvals/{id}", tag = "approvals", params(("id" = String, Path)),
    responses((status = 200, body = RequestPage), (status = 404)))]
pub(super) async fn read(context: Context, Path(id): Path<String>) -> Answer<RequestPage> {
    let id = identifier(&id, Thing::Approval)?;
    Ok(axum::Json(context.vault().approval(context.session(), id).await?))
}

/// Approves somebody else's request: they may do it once, within 24 hours of having asked. An
/// approval has a reason.
#[utoipa::path(post, path = "/v1/approvals/{id}/approve", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>), responses((status = 200, body = Decided), (status = 404), (status = 409)))]
pub(super) async fn approve(context: Context, Path(id): Path<String>, why: MaybeJson<Decide>) -> Answer<Decided> {
    decide(&context, &id, Decision::Approve, why.0).await
}

/// Refuses somebody else's request.
#[utoipa::path(post, path = "/v1/approvals/{id}/refuse", tag = "approvals", params(("id" = String, Path)),
    request_body(content = Option<Decide>), responses((status = 200, body = Decided), (status = 404), (status = 409)))]
pub(super) async fn refuse(context: Context, Path(id): Path<String>, why: MaybeJson<Decide>) -> Answer<Decided> {
    decide(&context, &id, Decision::Refuse, why.0).await
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

/// Which caller a subject of the log is, by the asker's own department's reference. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/resolve", tag = "audit", request_body = Resolve,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Resolved), (status = 202, body = Asked), (status = 404), (status = 409)))]
pub(super) async fn resolve(context: Once, body: Json<Resolve>) -> Answer<Resolved> {
    let exact = context.exact(&body.bytes)?;
    let resolved = context.vault().resolve_subject(context.session(), &body.value, &exact);
    Ok(axum::Json(resolved.await?))
}

/// Which readers were shown fields of the caller that a value, or a ticket, belongs to, without a word on who that is. Takes two
/// persons, who say why.
#[utoipa::path(post, path = "/v1/audit/shown", tag = "audit", request_body = AskShown,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = ShownAnswer), (status = 202, body = Asked), (status = 409)))]
pub(super) async fn shown(context: Once, body: Json<AskShown>) -> Answer<ShownAnswer> {
    let exact = context.exact(&body.bytes)?;
    let shown = context.vault().shown(context.session(), &body.value, &exact);
    Ok(axum::Json(shown.await?))
}

/// Drops the bodies of entries older than the retention period; hashes and tiles stay. Run `callervault audit export`
/// first: what is dropped is only in the archive from then on. Takes two persons.
#[utoipa::path(post, path = "/v1/audit/retention", tag = "audit", request_body = Retain,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Dropped), (status = 202, body = Asked), (status = 409)))]
pub(super) async fn retain(context: Once, body: Json<Retain>) -> Answer<Dropped> {
    let exact = context.exact(&body.bytes)?;
    let dropped = context.vault().drop_bodies(context.session(), &body.value, &exact);
    Ok(axum::Json(dropped.await?))
}
