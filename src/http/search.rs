//! `/v1/audit/events`, `exposure`, `trace`, `roles` and `report`: what auditors find in the log.

use super::Answer;
use super::problem::Problem;
use super::request::{Context, Json, Query};
use crate::log::mark::Mark;
use crate::model::problems;
use crate::vault::auditing::exposure::{AskExposure, ExposureAnswer};
use crate::vault::auditing::report::{ReportAnswer, ReportDays};
use crate::vault::auditing::roles::{AskRoles, RoleHistory};
use crate::vault::auditing::search::Events;
use crate::vault::auditing::trace::{AskTrace, Traced};
use crate::vault::auditing::wanted::{BadParameter, Search, Wanted};

impl From<BadParameter> for Problem {
    fn from(bad: BadParameter) -> Self {
        match bad.rule {
            Some(rule) => Self::from(problems::BAD_QUERY).with("at", bad.name).ruled(rule),
            None => problems::BAD_CURSOR.into(),
        }
    }
}

/// Searches the log: entries that match every given parameter, newest first.
#[utoipa::path(get, path = "/v1/audit/events", tag = "audit", params(Search),
    responses((status = 200, body = Events), (status = 404)))]
pub(super) async fn search(context: Context, Query(search): Query<Search>) -> Answer<Events> {
    let wanted = Wanted::new(&search, context.vault().rules().fields(), context.vault().hours())?;
    Ok(axum::Json(context.vault().search(context.session(), &wanted).await?))
}

/// Lists who was shown which fields and in which form: for a ticket, of a caller, or by one reader.
#[utoipa::path(post, path = "/v1/audit/exposure", tag = "audit", request_body = AskExposure,
    responses((status = 200, body = ExposureAnswer)))]
pub(super) async fn exposure(context: Context, body: Json<AskExposure>) -> Answer<ExposureAnswer> {
    Ok(axum::Json(
        context.vault().exposure(context.session(), &body.value).await?,
    ))
}

/// Finds the read behind a trace mark: who read which fields, when and for which ticket.
#[utoipa::path(post, path = "/v1/audit/trace", tag = "audit", request_body = AskTrace,
    responses((status = 200, body = Traced), (status = 404)))]
pub(super) async fn trace(context: Context, body: Json<AskTrace>) -> Answer<Traced> {
    let mark: Mark = body.value.mark.parse().map_err(|_| problems::MISTYPED_MARK)?;
    Ok(axum::Json(context.vault().trace(context.session(), mark).await?))
}

/// Lists role changes, newest first: new accounts and changes of roles, department or active state; when and by whom.
#[utoipa::path(get, path = "/v1/audit/roles", tag = "audit", params(AskRoles),
    responses((status = 200, body = RoleHistory)))]
pub(super) async fn roles(context: Context, Query(asked): Query<AskRoles>) -> Answer<RoleHistory> {
    let wanted = Wanted::roles(&asked, context.vault().rules().fields(), context.vault().hours())?;
    let history = context.vault().role_history(context.session(), &asked, &wanted);
    Ok(axum::Json(history.await?))
}

/// Reports what each reader did on some days, which readers stand out among their peers, and whose data was read most.
#[utoipa::path(get, path = "/v1/audit/report", tag = "audit", params(ReportDays),
    responses((status = 200, body = ReportAnswer)))]
pub(super) async fn report(context: Context, Query(days): Query<ReportDays>) -> Answer<ReportAnswer> {
    Ok(axum::Json(context.vault().report(context.session(), &days).await?))
}
