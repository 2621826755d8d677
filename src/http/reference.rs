//! `/v1/reference`: fields and words with their labels.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::problem::Problem;
use super::request::{Context, is_known, tagged};
use crate::model::problems;
use crate::model::reference_data::ReferenceData;

/// Shows what a form is built from: fields with their types, masks and groups; every word that requests and answers have; the city's
/// lists; limits. All have labels in Chinese and English. It shows no personal data and is not logged. With `If-None-Match` the
/// answer is 304 while nothing has changed.
#[utoipa::path(get, path = "/v1/reference", tag = "lists",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer.")),
    responses(
        (status = 200, body = ReferenceData, headers(("ETag" = String, description = "Changes with any part of the answer."))),
        (status = 304, description = "As it was.", headers(("ETag" = String, description = "The same as before."))),
    ))]
pub(super) async fn reference(context: Context, headers: HeaderMap) -> Result<Response, Problem> {
    let data = context.vault().reference_data(context.session());
    let body = serde_json::to_vec(&data).map_err(|fault| Problem::from(problems::INTERNAL).inside(&fault))?;
    let tag = BASE64URL_NOPAD.encode(digest(&SHA256, &body).as_ref());
    let mut answer = if is_known(&headers, &tag) {
        tagged(tag, StatusCode::NOT_MODIFIED)
    } else {
        tagged(tag, ([(header::CONTENT_TYPE, "application/json")], body))
    };
    // It may be kept, and is asked for again before it is used.
    let kept = HeaderValue::from_static("private, no-cache");
    answer.headers_mut().insert(header::CACHE_CONTROL, kept);
    Ok(answer)
}
