//! Parameters of the address.

use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::http::problem::Problem;
use crate::model::problems::{self, Thing};

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

fn mistyped(what: Thing) -> Problem {
    Problem::from(problems::MISTYPED_IDENTIFIER).about(what)
}
