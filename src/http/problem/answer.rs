//! Problems as they are written, in the language that is asked for.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::Problem;
use super::language::Language;
use crate::http::App;
use crate::http::request::{Named, REQUEST_ID};
use crate::model::fields::Invalid;
use crate::model::problems::{self, Words};
use crate::vault::{Asked, Audit, Pending};

const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");
const IN_THE_LOG: Words = Words {
    en: " The refusal is entry {index} of the log.",
    zh: "此次拒绝记录为日志第 {index} 条。",
};

/// `application/problem+json`.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
pub(in crate::http) struct Body {
    /// `urn:callervault:problem:<name>`; docs/problems.md lists the names.
    #[schema(example = "urn:callervault:problem:refused")]
    r#type: String,
    /// What happened.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What to do.
    detail: String,
    /// The request's id, as in `X-Request-Id`, the log and the program log.
    request_id: String,
    /// For a refusal: its log entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    audit: Option<Audit>,
    /// For invalid values: field and rule.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    invalid: Vec<InvalidField>,
    /// For `archived`: the index of the first log entry whose body is still here.
    #[serde(skip_serializing_if = "Option::is_none")]
    archived_below: Option<u64>,
}

/// A field whose value breaks its rule.
#[derive(Serialize, utoipa::ToSchema)]
pub(in crate::http) struct InvalidField {
    field: String,
    /// The rule's stable name; docs/problems.md lists the rules.
    #[schema(example = "phone-two-numbers")]
    rule: &'static str,
    /// What the value must be.
    detail: &'static str,
}

impl InvalidField {
    fn new(invalid: &Invalid, language: Language) -> Self {
        let rule = invalid.rule();
        Self {
            field: invalid.field().to_string(),
            rule: rule.name,
            detail: language.words(rule.words),
        }
    }
}

/// The request waits for another person's approval.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Asked)]
pub(in crate::http) struct AskedBody {
    /// The request for approval. After the approval, send the same request again with its id.
    approval: Pending,
    /// What to do now.
    detail: &'static str,
    /// The log entry of the request for approval.
    audit: Audit,
}

impl AskedBody {
    fn new(asked: &Asked, language: Language) -> Self {
        Self {
            approval: asked.approval.clone(),
            detail: language.words(asked.detail),
            audit: asked.audit,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Names the request, and writes the problem that an answer is. What is an error and was not made here becomes a problem too: what
/// libraries say in their own words may quote what came in.
pub(in crate::http) async fn told(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let named = Named::new(&app.door);
    let language = Language::of(request.headers());
    request.extensions_mut().insert(named.clone());
    let mut response = next.run(request).await;
    let status = response.status();
    let problem = response.extensions_mut().remove::<Problem>();
    if let Some(problem) = problem {
        write(&mut response, problem, &named, language);
    } else if status.is_client_error() || status.is_server_error() {
        let problem = Problem {
            status,
            ..Problem::from(problems::NOT_UNDERSTOOD)
        };
        response = status.into_response();
        write(&mut response, problem, &named, language);
    }
    if let Some(name) = named.header() {
        response.headers_mut().insert(REQUEST_ID, name);
    }
    response
}

fn write(response: &mut Response, mut problem: Problem, named: &Named, language: Language) {
    let request_id = named.id().as_str();
    if let Some(fault) = &problem.inside {
        tracing::error!(request_id, fault, "a request failed inside");
    }
    if let Some(asked) = problem.asked.take() {
        *response = (problem.status, axum::Json(AskedBody::new(&asked, language))).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_LANGUAGE, language.header());
        return;
    }
    headers(response, &problem, language);
    let body = serde_json::to_vec(&problem.body(request_id, language)).unwrap_or_default();
    *response.body_mut() = body.into();
}

fn headers(response: &mut Response, problem: &Problem, language: Language) {
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, PROBLEM_JSON);
    headers.insert(header::CONTENT_LANGUAGE, language.header());
    match problem.status {
        StatusCode::UNAUTHORIZED => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            headers.insert(header::RETRY_AFTER, problem.wait.unwrap_or(1).into());
        }
        StatusCode::TOO_MANY_REQUESTS => {
            headers.insert(header::RETRY_AFTER, problem.wait.unwrap_or(60).into());
        }
        _ => {}
    }
}

impl Problem {
    fn body(self, request_id: &str, language: Language) -> Body {
        let mut detail = language.words(self.kind.remedy).to_owned();
        for (place, text) in &self.places {
            detail = detail.replace(&format!("{{{place}}}"), language.rule(text));
        }
        if let Some(audit) = &self.audit {
            detail.push_str(&language.words(IN_THE_LOG).replace("{index}", &audit.index.to_string()));
        }
        Body {
            r#type: format!("urn:callervault:problem:{}", self.kind.name),
            title: language.words(self.kind.title),
            status: self.status.as_u16(),
            detail,
            request_id: request_id.to_owned(),
            audit: self.audit,
            invalid: self
                .invalid
                .iter()
                .map(|bad| InvalidField::new(bad, language))
                .collect(),
            archived_below: self.archived_below,
        }
    }
}
