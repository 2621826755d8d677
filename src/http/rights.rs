//! `/v1/callers/{ref}/statement`, `…/restrict`, `…/unrestrict` and `…/refusals`: what callers may ask for about their data.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::Answer;
use super::approvals::{APPROVAL, REASON};
use super::page::page;
use super::problem::{AskedBody, Language, Problem};
use super::request::{Context, Json, Once, Path, Query, USUAL_PAGE, bad_reason, limit, reference};
use crate::model::approvals::Reason;
use crate::model::problems::{self, Thing, Words};
use crate::vault::auditing::statement::{AskStatement, Statement};
use crate::vault::calls::refuse::{CallerRefused, RefuseCaller};
use crate::vault::calls::restrict::Restriction;

/// Which statement, and in which language its page is.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct StatementQuery {
    /// Names of the fields by which you have identified the person who asks, separated by commas. Without any, the telephone numbers on file.
    /// Entries from before these values were put on file are not shown. Names of fields only, no values.
    #[param(example = "callback_number")]
    identified_by: Option<String>,
    /// The language of the page: `en` or `zh`. By default that of `Accept-Language`.
    lang: Option<String>,
    /// `next` of the previous page.
    after: Option<String>,
    /// Entries per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

const LANGUAGES: Words = Words {
    en: "expected en or zh",
    zh: "应为 en 或 zh",
};

impl StatementQuery {
    fn language(&self, context: &Context) -> Result<Language, Problem> {
        match self.lang.as_deref() {
            None => Ok(context.language()),
            Some("en") => Ok(Language::English),
            Some("zh") => Ok(Language::Chinese),
            Some(_) => Err(Problem::from(problems::BAD_QUERY)
                .with("at", "lang")
                .ruled(LANGUAGES.into())),
        }
    }

    fn asked(&self) -> Result<AskStatement, Problem> {
        let named = self.identified_by.as_deref().unwrap_or_default().split(',');
        let named = named.map(str::trim).filter(|name| !name.is_empty());
        Ok(AskStatement {
            identified_by: named.map(str::to_owned).collect(),
            after: self.after.clone(),
            limit: limit(self.limit, USUAL_PAGE)?,
        })
    }
}

/// The statement to a caller: names of what is held, and every entry of the log about the caller, newest first, with its number. Shows no
/// values and names no persons. With `Accept: text/html` it is a page to be printed. Each asking is an entry, which the next statement has.
#[utoipa::path(get, path = "/v1/callers/{ref}/statement", tag = "callers", params(("ref" = String, Path), StatementQuery),
    responses((status = 200, content((Statement = "application/json"), (String = "text/html")))))]
pub(super) async fn statement(
    context: Context,
    Path(caller): Path<String>,
    Query(query): Query<StatementQuery>,
) -> Result<Response, Problem> {
    let caller = reference(&caller, Thing::Reference)?;
    let (language, asked) = (query.language(&context)?, query.asked()?);
    let vault = context.vault();
    let statement = vault.statement(context.session(), caller, &asked).await?;
    let mut answer = if context.wants_page() {
        page(&statement, language, vault.rules().fields())
    } else {
        axum::Json(statement).into_response()
    };
    let vary = HeaderValue::from_static("Accept, Accept-Language");
    answer.headers_mut().insert(header::VARY, vary);
    Ok(answer)
}

/// Why a caller's data are restricted to storage.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestrictCaller {
    /// The reason: 1 to 200 characters, sealed under the caller's key.
    reason: String,
}

/// Restricts a caller's data to storage: no field of the caller or of the caller's tickets is shown, compared, corrected or moved, except by
/// the agent on the caller's own call.
#[utoipa::path(post, path = "/v1/callers/{ref}/restrict", tag = "callers", params(("ref" = String, Path)), request_body = RestrictCaller,
    responses((status = 200, body = Restriction), (status = 409), (status = 412)))]
pub(super) async fn restrict(
    context: Once,
    Path(caller): Path<String>,
    body: Json<RestrictCaller>,
) -> Answer<Restriction> {
    let caller = reference(&caller, Thing::Reference)?;
    let reason = Reason::new(Zeroizing::new(body.value.reason)).ok_or_else(bad_reason)?;
    let restricted = context.vault().restrict_caller(context.session(), caller, &reason);
    Ok(axum::Json(restricted.await?))
}

/// Lifts the restriction of a caller's data. Needs a second person's approval and a reason from both.
#[utoipa::path(post, path = "/v1/callers/{ref}/unrestrict", tag = "callers",
    params(("ref" = String, Path), ("Approval" = Option<String>, Header, description = APPROVAL),
        ("Approval-Reason" = Option<String>, Header, description = REASON)),
    responses((status = 200, body = Restriction), (status = 202, body = AskedBody), (status = 409)))]
pub(super) async fn unrestrict(context: Once, Path(caller): Path<String>) -> Answer<Restriction> {
    let caller = reference(&caller, Thing::Reference)?;
    let exact = context.exact(&[])?;
    let lifted = context.vault().unrestrict_caller(context.session(), caller, &exact);
    Ok(axum::Json(lifted.await?))
}

/// Refuses what a caller asks for about their data. The log has the request and the reason; the answer has the words for the caller, with
/// what the caller can do about it, in English and Chinese.
#[utoipa::path(post, path = "/v1/callers/{ref}/refusals", tag = "callers", params(("ref" = String, Path)), request_body = RefuseCaller,
    responses((status = 201, body = CallerRefused)))]
pub(super) async fn refuse(
    context: Once,
    Path(caller): Path<String>,
    body: Json<RefuseCaller>,
) -> Result<(axum::http::StatusCode, axum::Json<CallerRefused>), Problem> {
    let caller = reference(&caller, Thing::Reference)?;
    let refused = context.vault().refuse_caller(context.session(), caller, &body.value);
    Ok((axum::http::StatusCode::CREATED, axum::Json(refused.await?)))
}
