//! JSON in, without ever quoting what came in.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use crate::http::App;
use crate::http::openapi::is_declared;
use crate::http::problem::Problem;
use crate::model::canonical::canonical;
use crate::model::problems::{self, Rule};

/// A JSON body and its bytes.
pub(in crate::http) struct Json<T> {
    pub(in crate::http) value: T,
    pub(in crate::http) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(problems::NOT_JSON.into());
        }
        let bytes = body(request, app).await?;
        let value = parse(&bytes, app)?;
        Ok(Self { value, bytes })
    }
}

/// A JSON body that may be left out; the bytes are then those of one with nothing in it, so that a request is repeated with either.
pub(in crate::http) struct MaybeJson<T> {
    pub(in crate::http) value: T,
    pub(in crate::http) bytes: Bytes,
}

impl<T: DeserializeOwned + Default> FromRequest<Arc<App>> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        let json = is_json(&request);
        let bytes = body(request, app).await?;
        if bytes.is_empty() {
            return Ok(Self {
                value: T::default(),
                bytes: Bytes::from_static(b"{}"),
            });
        }
        if !json {
            return Err(problems::NOT_JSON.into());
        }
        let value = parse(&bytes, app)?;
        Ok(Self { value, bytes })
    }
}

/// A body in canonical form (RFC 8785), so that white space and the order of names do not matter when it comes again. No body
/// stays none.
pub(super) fn in_canonical_form(body: &[u8]) -> Result<Vec<u8>, Problem> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    canonical(body).map_err(|_| problems::AMBIGUOUS_JSON.into())
}

pub(super) fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

async fn body(request: Request, app: &Arc<App>) -> Result<Bytes, Problem> {
    let body = Bytes::from_request(request, app).await;
    body.map_err(|_| problems::BODY_TOO_LARGE.into())
}

/// A body of a request to an open vault.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8], app: &App) -> Result<T, Problem> {
    let rules = app.vault()?.rules();
    parse_naming(bytes, |name| rules.fields().has(name))
}

/// As `parse`; these names of fields may be told as well.
pub(super) fn parse_naming<'b, T: Deserialize<'b>>(
    bytes: &'b [u8],
    is_field: impl Fn(&str) -> bool,
) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let inner = error.inner();
        // To serde_json a number where a word is expected is no JSON.
        let well_formed = || serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok();
        if inner.classify() == serde_json::error::Category::Data || well_formed() {
            let at = place(error.path(), |name| is_declared(name) || is_field(name));
            let rule = Rule::of_serde(&inner.to_string());
            return Problem::from(problems::WRONG_SHAPE).with("at", at).ruled(rule);
        }
        Problem::from(problems::BAD_JSON)
            .with("line", inner.line())
            .with("column", inner.column())
    })?;
    reader.end().map_err(|_| Problem::from(problems::MORE_THAN_JSON))?;
    Ok(value)
}

/// Where in the shape, in names that the program declares; a name that came in from outside is a dot.
fn place(path: &Path, declared: impl Fn(&str) -> bool) -> String {
    let mut at = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => at.push_str(&format!("[{index}]")),
            Segment::Map { key } | Segment::Enum { variant: key } => {
                if !at.is_empty() {
                    at.push('.');
                }
                at.push_str(if declared(key) { key } else { "…" });
            }
            Segment::Unknown => at.push('…'),
        }
    }
    if at.is_empty() { "body".to_owned() } else { at }
}
