//! JSON in, without ever quoting what came in.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// A JSON body and its bytes.
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) bytes: Bytes,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let kind = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or_default();
        if !kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body is not JSON",
                "send `Content-Type: application/json`",
            ));
        }
        let bytes = Bytes::from_request(request, state).await.map_err(|_| {
            Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
                "a body has at most 1 MiB; nothing was stored",
            )
        })?;
        let value = parse(&bytes)?;
        Ok(Self { value, bytes })
    }
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
