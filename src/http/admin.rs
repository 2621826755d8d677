//! `/v1/admin/principals`. Answers here are not kept for a repeated request: an `Idempotency-Key` is refused.

use axum::http::StatusCode;
use axum::response::Response;

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::problem::{AskedBody, Problem};
use super::request::{Context, Json, ListQuery, Once, Path, Query, USUAL_PAGE, identifier, limit, tagged};
use crate::model::problems::Thing;
use crate::vault::Audit;
use crate::vault::people::{
    Changed, Code, FindPrincipals, MovePrincipal, NewPrincipal, NewToken, Page, Principal, SetPrincipal, Token,
    TokenPage,
};

/// What is answered of something made.
pub(super) type Made<T> = Result<(StatusCode, axum::Json<T>), Problem>;

pub(super) const fn made<T>(value: T) -> Made<T> {
    Ok((StatusCode::CREATED, axum::Json(value)))
}

/// Makes a principal. Needs a second person's approval for an administrator's account or one that may approve.
#[utoipa::path(post, path = "/v1/admin/principals", tag = "admin", request_body = NewPrincipal,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 201, body = Changed<Principal>), (status = 202, body = AskedBody), (status = 404), (status = 409)))]
pub(super) async fn make_principal(context: Once, body: Json<NewPrincipal>) -> Made<Changed<Principal>> {
    let exact = context.exact(&body.bytes)?;
    made(
        context
            .vault()
            .make_principal(context.session(), body.value, &exact)
            .await?,
    )
}

/// Lists principals by id.
#[utoipa::path(get, path = "/v1/admin/principals", tag = "admin", params(ListQuery),
    responses((status = 200, body = Page<Principal>)))]
pub(super) async fn list_principals(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<Principal>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .list_principals(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Sets a principal's roles, and whether it is active. Needs a second person's approval for an administrator's account or one
/// that may approve.
#[utoipa::path(put, path = "/v1/admin/principals/{id}", tag = "admin",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    request_body = SetPrincipal,
    responses((status = 200, body = Changed<Principal>), (status = 202, body = AskedBody), (status = 404), (status = 409),
        (status = 412), (status = 428)))]
pub(super) async fn set_principal(
    context: Once,
    Path(id): Path<String>,
    body: Json<SetPrincipal>,
) -> Result<Response, Problem> {
    let id = identifier(&id, Thing::Principal)?;
    let exact = context.exact(&body.bytes)?;
    let version = context.version()?;
    let changed = context
        .vault()
        .set_principal(context.session(), id, &body.value, version, &exact)
        .await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Finds principals by the beginning of their account name, or those of a department.
#[utoipa::path(post, path = "/v1/admin/principals/find", tag = "admin", request_body = FindPrincipals,
    responses((status = 200, body = Page<Principal>), (status = 404)))]
pub(super) async fn find_principals(context: Context, body: Json<FindPrincipals>) -> Answer<Page<Principal>> {
    let limit = limit(body.value.limit, USUAL_PAGE)?;
    let page = context.vault().find_principals(context.session(), &body.value, limit);
    Ok(axum::Json(page.await?))
}

/// Switches an account off and ends its tokens for good. Needs a second person's approval for an administrator's account or
/// one that may approve.
#[utoipa::path(post, path = "/v1/admin/principals/{id}/switch-off", tag = "admin",
    params(("id" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Changed<Principal>), (status = 202, body = AskedBody), (status = 404), (status = 409),
        (status = 412)))]
pub(super) async fn switch_off(context: Once, Path(id): Path<String>) -> Result<Response, Problem> {
    let id = identifier(&id, Thing::Principal)?;
    let exact = context.exact(&[])?;
    let changed = context.vault().switch_off(context.session(), id, &exact).await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Moves an account with its roles to another department and ends its tokens for good. Needs a second person's approval for
/// an administrator's account or one that may approve.
#[utoipa::path(post, path = "/v1/admin/principals/{id}/move", tag = "admin",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    request_body = MovePrincipal,
    responses((status = 200, body = Changed<Principal>), (status = 202, body = AskedBody), (status = 404), (status = 409),
        (status = 412), (status = 428)))]
pub(super) async fn move_principal(
    context: Once,
    Path(id): Path<String>,
    body: Json<MovePrincipal>,
) -> Result<Response, Problem> {
    let id = identifier(&id, Thing::Principal)?;
    let exact = context.exact(&body.bytes)?;
    let version = context.version()?;
    let changed = context
        .vault()
        .move_principal(context.session(), id, &body.value, version, &exact)
        .await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Issues an API token, shown once, and ends an open one-time code of the account. Needs a second person's approval for an administrator's account or one that may approve.
#[utoipa::path(post, path = "/v1/admin/principals/{id}/tokens", tag = "admin",
    params(("id" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)), request_body = NewToken,
    responses((status = 201, body = Token), (status = 202, body = AskedBody), (status = 404), (status = 409)))]
pub(super) async fn issue_token(context: Once, Path(id): Path<String>, body: Json<NewToken>) -> Made<Token> {
    let id = identifier(&id, Thing::Principal)?;
    let exact = context.exact(&body.bytes)?;
    made(
        context
            .vault()
            .issue_token(context.session(), id, &body.value, &exact)
            .await?,
    )
}

/// Issues a one-time code, shown once, by which the account's owner fetches the token (`POST /v1/tokens/claim`) within a day. It ends an
/// earlier code of the account. For an administrator, or one who may approve, it takes two persons.
#[utoipa::path(post, path = "/v1/admin/principals/{id}/codes", tag = "admin",
    params(("id" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)), request_body = NewToken,
    responses((status = 201, body = Code), (status = 202, body = AskedBody), (status = 404), (status = 409)))]
pub(super) async fn issue_code(context: Once, Path(id): Path<String>, body: Json<NewToken>) -> Made<Code> {
    let id = identifier(&id, Thing::Principal)?;
    let exact = context.exact(&body.bytes)?;
    made(
        context
            .vault()
            .issue_code(context.session(), id, &body.value, &exact)
            .await?,
    )
}

/// Ends the open one-time code of an account. One person is enough.
#[utoipa::path(delete, path = "/v1/admin/principals/{id}/codes", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = Audit), (status = 404), (status = 409)))]
pub(super) async fn end_code(context: Once, Path(id): Path<String>) -> Answer<Audit> {
    let id = identifier(&id, Thing::Principal)?;
    Ok(axum::Json(context.vault().end_code(context.session(), id).await?))
}

/// Lists a principal's tokens, newest first, without secrets, and its newest one-time code without the code.
#[utoipa::path(get, path = "/v1/admin/principals/{id}/tokens", tag = "admin", params(("id" = String, Path), ListQuery),
    responses((status = 200, body = TokenPage), (status = 404)))]
pub(super) async fn list_tokens(
    context: Context,
    Path(id): Path<String>,
    Query(list): Query<ListQuery>,
) -> Answer<TokenPage> {
    let id = identifier(&id, Thing::Principal)?;
    let limit = list.limit()?;
    let page = context
        .vault()
        .list_tokens(context.session(), id, list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Revokes a token, and ends an open one-time code of the account. Needs a second person's approval for an administrator's account or one that may approve.
#[utoipa::path(delete, path = "/v1/admin/principals/{id}/tokens/{token}", tag = "admin",
    params(("id" = String, Path), ("token" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Audit), (status = 202, body = AskedBody), (status = 404), (status = 409)))]
pub(super) async fn revoke_token(context: Once, Path((id, token)): Path<(String, String)>) -> Answer<Audit> {
    let (id, token) = (identifier(&id, Thing::Principal)?, identifier(&token, Thing::Token)?);
    let exact = context.exact(&[])?;
    Ok(axum::Json(
        context
            .vault()
            .revoke_token(context.session(), id, token, &exact)
            .await?,
    ))
}

/// Stops the recovery of an administrator's account that is under way. One person is enough.
#[utoipa::path(post, path = "/v1/admin/recovery/stop", tag = "admin", responses((status = 200, body = Audit), (status = 409)))]
pub(super) async fn stop_recovery(context: Once) -> Answer<Audit> {
    Ok(axum::Json(context.vault().stop_recovery(context.session()).await?))
}
