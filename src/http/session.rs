//! Who sends a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

use super::App;
use super::problem::Problem;
use crate::model::ask::RequestId;
use crate::vault::{Error, Session};

/// An authenticated request.
pub(super) struct Authenticated(pub(super) Session);

impl FromRequestParts<Arc<App>> for Authenticated {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        // Without randomness the request is refused before anything else; that answer is named by a counter.
        let request = app
            .vault
            .new_request()
            .map_err(|error| Problem::from(error).request(&RequestId::counted()))?;
        let value = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| value.split_once(' '));
        let token = token
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim());
        let fail = |error| Problem::from(error).request(&request);
        let token = token.ok_or_else(|| fail(Error::Unauthenticated))?;
        let session = app.vault.authenticate(token, request.clone()).await.map_err(fail)?;
        let session = app.vault.admit(session).map_err(fail)?;
        Ok(Self(session))
    }
}
