//! Requests without a token: few at once, and short.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::json::{is_json, parse};
use super::named::Named;
use crate::http::App;
use crate::http::problem::Problem;
use crate::model::problems;
use crate::randomness::NoRandomness;
use crate::vault::life::door::OpenVault;
use crate::vault::{Error, Stranger, Unnamed, Vault};

/// Longest body of a request without a token, in bytes.
const LARGEST_BODY: usize = 4096;

/// A request whose sender presents no token, without its body.
pub(in crate::http) struct Unknown {
    vault: Arc<OpenVault>,
    request: Unnamed,
    _under_way: Stranger,
}

impl FromRequestParts<Arc<App>> for Unknown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let named = parts.extensions.get::<Named>().and_then(Named::for_the_log);
        let request = named.ok_or(Error::from(NoRandomness))?;
        let vault = app.vault()?;
        let under_way = vault.admit_stranger()?;
        Ok(Self {
            request: vault.unnamed(request, app.proxies.client(parts))?,
            _under_way: under_way,
            vault,
        })
    }
}

impl Unknown {
    pub(in crate::http) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// What its entry in the log says of the request.
    pub(in crate::http) const fn request(&self) -> &Unnamed {
        &self.request
    }
}

/// A short JSON body.
pub(in crate::http) struct ShortJson<T>(pub(in crate::http) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for ShortJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(&request) {
            return Err(problems::NOT_JSON.into());
        }
        let bytes = to_bytes(request.into_body(), LARGEST_BODY).await;
        parse(&bytes.map_err(|_| problems::BODY_TOO_LARGE)?, app).map(Self)
    }
}
