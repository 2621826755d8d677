//! Parameters of the address.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::problem::Problem;
use crate::model::problems::{self, Thing};
use crate::model::reference::Reference;

/// As axum's own; what cannot be read is a problem.
pub(in crate::http) struct Path<T>(pub(in crate::http) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| mistyped(Thing::Identifier))
    }
}

/// An identifier in the address.
pub(in crate::http) fn identifier<T: FromStr>(text: &str, what: Thing) -> Result<T, Problem> {
    text.parse().map_err(|_| mistyped(what))
}

/// As [`identifier`]; where one character is wrong, the answer says which.
pub(in crate::http) fn reference<T: FromStr>(text: &str, what: Thing) -> Result<T, Problem> {
    text.parse().map_err(|_| match Reference::one_wrong(text) {
        None => mistyped(what),
        Some((position, character)) => Problem::from(problems::MISTYPED_REFERENCE)
            .about(what)
            .with("position", position)
            .with("character", character),
    })
}

fn mistyped(what: Thing) -> Problem {
    Problem::from(problems::MISTYPED_IDENTIFIER).about(what)
}
