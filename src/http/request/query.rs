//! The query of an address, without quoting it.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::openapi::is_declared;
use crate::http::problem::Problem;
use crate::model::problems::{self, Rule, Words};
use crate::vault::LARGEST_PAGE;

pub(in crate::http) const USUAL_PAGE: u32 = 50;

/// The parameters of the address.
pub(in crate::http) struct Query<T>(pub(in crate::http) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        if percent_decode_str(query).decode_utf8().is_err() {
            return Err(Problem::from(problems::BAD_QUERY).with("at", "…").ruled(UTF8.into()));
        }
        let pairs = serde_urlencoded::Deserializer::new(url_parse(query));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(|error| {
            let message = error.inner().to_string();
            let name = error.path().to_string();
            let at = if is_declared(&name) { name } else { "…".to_owned() };
            let kind = match message.starts_with("unknown field `") {
                true => problems::UNKNOWN_PARAMETER,
                false => problems::BAD_QUERY,
            };
            Problem::from(kind).with("at", at).ruled(Rule::of_serde(&message))
        })
    }
}

fn url_parse(query: &str) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(query.as_bytes())
}

const UTF8: Words = Words {
    en: "expected UTF-8, percent-encoded",
    zh: "应为百分号编码的 UTF-8",
};

/// A page of a list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ListQuery {
    /// `next` of the previous page.
    pub(in crate::http) after: Option<String>,
    /// Items per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl ListQuery {
    pub(in crate::http) fn limit(&self) -> Result<u32, Problem> {
        limit(self.limit, USUAL_PAGE)
    }
}

/// A page's length, if it is one.
pub(in crate::http) fn limit(asked: Option<u32>, usual: u32) -> Result<u32, Problem> {
    const RULE: Words = Words {
        en: "expected a number from 1 to 200",
        zh: "应为 1 到 200 的整数",
    };
    let limit = asked.unwrap_or(usual);
    if (1..=LARGEST_PAGE).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::from(problems::BAD_QUERY)
        .with("at", "limit")
        .ruled(RULE.into()))
}
