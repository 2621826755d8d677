//! JSON in, without ever quoting what came in.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;
use crate::model::canonical::canonical;

/// A JSON body and its bytes.
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(not_json());
        }
        let bytes = body(request, state).await?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
}

/// A JSON body that may be left out.
pub(super) struct MaybeJson<T>(pub(super) T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for MaybeJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(&request);
        let bytes = body(request, state).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        if !json {
            return Err(not_json());
        }
        parse(&bytes).map(Self)
    }
}

/// A body in canonical form (RFC 8785), so that white space and the order of names do not matter when it comes again. No body
/// stays none.
pub(super) fn in_canonical_form(body: &[u8]) -> Result<Vec<u8>, Problem> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    canonical(body).map_err(|error| {
        let title = "The JSON can be read in two ways";
        let detail = format!("{error}: name each thing once, and send large numbers as text");
        Problem::new(StatusCode::BAD_REQUEST, "bad-json", title, detail)
    })
}

fn is_json(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let media = kind.split(';').next().unwrap_or_default();
    media.trim().eq_ignore_ascii_case("application/json")
}

fn not_json() -> Problem {
    Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "not-json",
        "The body is not JSON",
        "send `Content-Type: application/json`",
    )
}

async fn body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state).await.map_err(|_| {
        Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The body is too large",
            "a body has at most 1 MiB; nothing was stored",
        )
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        // The message may quote the value, and the path the key, that came in. Only the place is told.
        let at = error.inner();
        let (line, column, class) = (at.line(), at.column(), at.classify());
        let title = match class {
            serde_json::error::Category::Data => "The JSON does not have the shape of this request",
            _ => "The body is not well-formed JSON",
        };
        let detail = format!("line {line}, column {column}; the shape is in /openapi.json");
        Problem::new(StatusCode::BAD_REQUEST, "bad-json", title, detail)
    })?;
    reader.end().map_err(|_| {
        let title = "The body is not well-formed JSON";
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-json",
            title,
            "there is something after the JSON",
        )
    })?;
    Ok(value)
}
