//! `/v1/admin` and locking.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::App;
use super::approvals::{APPROVAL, REASON};
use super::headers::{Head, NotRepeatable, identifier, tagged};
use super::json::Json;
use super::path::Path;
use super::problem::Problem;
use super::session::Authenticated;
use super::tickets::{ListQuery, query};
use crate::vault::Asked;
use crate::vault::people::{
    Changed, Department, NewDepartment, NewPrincipal, NewToken, Page, Principal, SetPrincipal, Token, TokenLine,
};
use crate::vault::{Audit, Session};

/// What the document says of every write here.
const NO_KEY: &str = "malformed, or sent with an `Idempotency-Key` (`idempotency-not-supported`): answers here are not \
    kept. After a lost answer list what is there, and revoke a token that did not reach you";

type Answer = Result<Response, Problem>;

fn answer<T: serde::Serialize>(
    status: StatusCode,
    session: &Session,
    result: Result<T, crate::vault::Error>,
) -> Answer {
    let value = result.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok((status, axum::Json(value)).into_response())
}

/// Makes a department.
#[utoipa::path(post, path = "/v1/admin/departments", tag = "admin", request_body = NewDepartment,
    responses((status = 400, body = Problem, description = NO_KEY), (status = 201, body = Changed<Department>), (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(super) async fn make_department(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    _: NotRepeatable,
    body: Json<NewDepartment>,
) -> Answer {
    answer(
        StatusCode::CREATED,
        &session,
        app.vault.make_department(&session, body.value).await,
    )
}

/// Departments by code.
#[utoipa::path(get, path = "/v1/admin/departments", tag = "admin", params(ListQuery),
    responses((status = 200, body = Page<Department>), (status = 403, body = Problem)))]
pub(super) async fn list_departments(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let list = query(list)?;
    answer(
        StatusCode::OK,
        &session,
        app.vault
            .list_departments(&session, list.after.as_deref(), list.limit())
            .await,
    )
}

/// Makes a principal. An administrator, or one who may approve, takes two persons.
#[utoipa::path(post, path = "/v1/admin/principals", tag = "admin", request_body = NewPrincipal,
    params(("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 400, body = Problem, description = NO_KEY), (status = 201, body = Changed<Principal>), (status = 202, body = Asked), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn make_principal(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    body: Json<NewPrincipal>,
) -> Answer {
    let exact = head.with(&body.bytes)?;
    let made = app.vault.make_principal(&session, body.value, &exact).await;
    answer(StatusCode::CREATED, &session, made)
}

/// Principals by id.
#[utoipa::path(get, path = "/v1/admin/principals", tag = "admin", params(ListQuery),
    responses((status = 200, body = Page<Principal>), (status = 403, body = Problem)))]
pub(super) async fn list_principals(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let list = query(list)?;
    answer(
        StatusCode::OK,
        &session,
        app.vault
            .list_principals(&session, list.after.as_deref(), list.limit())
            .await,
    )
}

/// Sets a principal's roles and standing. An administrator's, or those of one who may approve, take two persons.
#[utoipa::path(put, path = "/v1/admin/principals/{id}", tag = "admin",
    params(("id" = String, Path), ("If-Match" = String, Header), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    request_body = SetPrincipal,
    responses((status = 400, body = Problem, description = NO_KEY), (status = 200, body = Changed<Principal>), (status = 202, body = Asked), (status = 403, body = Problem), (status = 409, body = Problem), (status = 412, body = Problem)))]
pub(super) async fn set_principal(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
    head: Head,
    body: Json<SetPrincipal>,
) -> Answer {
    let id = identifier(&id, "principal")?;
    let exact = head.with(&body.bytes)?;
    let version = head.version()?;
    let changed = app
        .vault
        .set_principal(&session, id, &body.value, version, &exact)
        .await;
    let changed = changed.map_err(|error| Problem::from(error).request(&session.request))?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Issues an API token, shown once. For an administrator, or one who may approve, it takes two persons.
#[utoipa::path(post, path = "/v1/admin/principals/{id}/tokens", tag = "admin",
    params(("id" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)), request_body = NewToken,
    responses((status = 400, body = Problem, description = NO_KEY), (status = 201, body = Token), (status = 202, body = Asked), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn issue_token(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
    head: Head,
    body: Json<NewToken>,
) -> Answer {
    let id = identifier(&id, "principal")?;
    let exact = head.with(&body.bytes)?;
    let issued = app.vault.issue_token(&session, id, &body.value, &exact).await;
    answer(StatusCode::CREATED, &session, issued)
}

/// A principal's tokens, newest first, without secrets.
#[utoipa::path(get, path = "/v1/admin/principals/{id}/tokens", tag = "admin", params(("id" = String, Path), ListQuery),
    responses((status = 200, body = Page<TokenLine>), (status = 403, body = Problem)))]
pub(super) async fn list_tokens(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    Path(id): Path<String>,
    list: Result<Query<ListQuery>, QueryRejection>,
) -> Answer {
    let id = identifier(&id, "principal")?;
    let list = query(list)?;
    let listed = app.vault.list_tokens(&session, id, list.after.as_deref(), list.limit());
    answer(StatusCode::OK, &session, listed.await)
}

/// Revokes a token. An administrator's, or that of one who may approve, takes two persons.
#[utoipa::path(delete, path = "/v1/admin/principals/{id}/tokens/{token}", tag = "admin",
    params(("id" = String, Path), ("token" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 400, body = Problem, description = NO_KEY), (status = 200, body = Audit), (status = 202, body = Asked), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(super) async fn revoke_token(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    head: Head,
    Path((id, token)): Path<(String, String)>,
) -> Answer {
    let (id, token) = (identifier(&id, "principal")?, identifier(&token, "token")?);
    let revoked = app.vault.revoke_token(&session, id, token, &head.with(&[])?).await;
    answer(StatusCode::OK, &session, revoked)
}

/// Locks the vault: every key is wiped, and only a start with the passphrase unlocks it again.
#[utoipa::path(post, path = "/v1/keys/lock", tag = "keys",
    responses((status = 400, body = Problem, description = NO_KEY), (status = 200, body = Audit), (status = 403, body = Problem)))]
pub(super) async fn lock(
    State(app): State<Arc<App>>,
    Authenticated(session): Authenticated,
    _: NotRepeatable,
) -> Answer {
    answer(StatusCode::OK, &session, app.vault.lock(&session).await)
}
