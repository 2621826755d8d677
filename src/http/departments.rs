//! Departments: `/v1/admin/departments`, and `/v1/departments` for those who send tickets to them.

use axum::response::Response;

use super::Answer;
use super::admin::{Made, made};
use super::problem::Problem;
use super::request::{Context, Json, ListQuery, MaybeJson, Once, Path, Query, USUAL_PAGE, identifier, limit, tagged};
use crate::model::problems::Thing;
use crate::vault::people::{
    Changed, CloseDepartment, Department, FindDepartments, NewDepartment, Page, RotateReferences, SetDepartment,
};

/// Makes a department.
#[utoipa::path(post, path = "/v1/admin/departments", tag = "admin", request_body = NewDepartment,
    responses((status = 201, body = Changed<Department>), (status = 409)))]
pub(super) async fn make(context: Once, body: Json<NewDepartment>) -> Made<Changed<Department>> {
    made(context.vault().make_department(context.session(), body.value).await?)
}

/// Lists departments by code, including closed ones.
#[utoipa::path(get, path = "/v1/admin/departments", tag = "admin", params(ListQuery),
    responses((status = 200, body = Page<Department>)))]
pub(super) async fn list(context: Context, Query(list): Query<ListQuery>) -> Answer<Page<Department>> {
    let limit = list.limit()?;
    let page = context
        .vault()
        .list_departments(context.session(), list.after.as_deref(), limit);
    Ok(axum::Json(page.await?))
}

/// Sets a department's name and the city's own code for it.
#[utoipa::path(put, path = "/v1/admin/departments/{code}", tag = "admin",
    params(("code" = String, Path), ("If-Match" = String, Header)), request_body = SetDepartment,
    responses((status = 200, body = Changed<Department>), (status = 404), (status = 409), (status = 412), (status = 428)))]
pub(super) async fn set(
    context: Once,
    Path(code): Path<String>,
    body: Json<SetDepartment>,
) -> Result<Response, Problem> {
    let code = identifier(&code, Thing::Department)?;
    let version = context.version()?;
    let set = context
        .vault()
        .set_department(context.session(), code, body.value, version);
    let changed = set.await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Closes a department, or merges it into another. It must have no active accounts, and no ticket that it holds or took may be
/// open. Afterwards it gets no tickets and no accounts.
#[utoipa::path(post, path = "/v1/admin/departments/{code}/close", tag = "admin",
    params(("code" = String, Path), ("If-Match" = String, Header)), request_body(content = Option<CloseDepartment>),
    responses((status = 200, body = Changed<Department>), (status = 404), (status = 409), (status = 412), (status = 428)))]
pub(super) async fn close(
    context: Once,
    Path(code): Path<String>,
    body: MaybeJson<CloseDepartment>,
) -> Result<Response, Problem> {
    let code = identifier(&code, Thing::Department)?;
    let version = context.version()?;
    let changed = context
        .vault()
        .close_department(context.session(), code, &body.value, version)
        .await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Gives a department's references to callers a new version. Those from before are good for 90 days, or for as long as it is said.
#[utoipa::path(post, path = "/v1/admin/departments/{code}/references/rotate", tag = "admin",
    params(("code" = String, Path), ("If-Match" = String, Header)), request_body(content = Option<RotateReferences>),
    responses((status = 200, body = Changed<Department>), (status = 404), (status = 409), (status = 412), (status = 428)))]
pub(super) async fn rotate_references(
    context: Once,
    Path(code): Path<String>,
    body: MaybeJson<RotateReferences>,
) -> Result<Response, Problem> {
    let code = identifier(&code, Thing::Department)?;
    let version = context.version()?;
    let changed = context
        .vault()
        .rotate_references(context.session(), code, &body.value, version)
        .await?;
    Ok(tagged(changed.now.version, axum::Json(changed)))
}

/// Finds open departments by name, for those who send tickets to them.
#[utoipa::path(get, path = "/v1/departments", tag = "tickets", params(FindDepartments),
    responses((status = 200, body = Page<Department>), (status = 404)))]
pub(super) async fn find(context: Context, Query(find): Query<FindDepartments>) -> Answer<Page<Department>> {
    let limit = limit(find.limit, USUAL_PAGE)?;
    let page = context.vault().find_departments(context.session(), &find, limit);
    Ok(axum::Json(page.await?))
}
