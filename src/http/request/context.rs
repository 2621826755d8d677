//! Who sends a request, and what its headers ask for.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::headers;
use super::named::Named;
use crate::http::App;
use crate::http::problem::{Language, Problem};
use crate::model::problems;
use crate::model::purposes::Purpose;
use crate::randomness::NoRandomness;
use crate::vault::life::door::OpenVault;
use crate::vault::people::approvals::Exact;
use crate::vault::{Error, Replay, Session, Vault};

/// An authenticated request without its body.
pub(in crate::http) struct Context {
    app: Arc<App>,
    /// Held to the end of the request, whether it is locked meanwhile or not.
    vault: Arc<OpenVault>,
    session: Session,
    /// Method and path.
    line: String,
    headers: HeaderMap,
}

impl FromRequestParts<Arc<App>> for Context {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let named = parts.extensions.get::<Named>().and_then(Named::for_the_log);
        let request = named.ok_or(Error::from(NoRandomness))?;
        let vault = app.vault()?;
        let token = bearer(&parts.headers).ok_or(Error::Unauthenticated)?;
        let session = vault.authenticate(token, request).await?;
        let session = vault.admit(session)?;
        let session = vault.came_from(session, app.proxies.client(parts))?;
        Ok(Self {
            session: match headers::on_behalf_of(&parts.headers)? {
                Some(account) => vault.act_for(session, account).await?,
                None => session,
            },
            app: Arc::clone(app),
            vault,
            line: format!("{} {}", parts.method, parts.uri.path()),
            headers: parts.headers.clone(),
        })
    }
}

/// The token of RFC 6750 §2.1.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl Context {
    pub(in crate::http) fn app(&self) -> &App {
        &self.app
    }

    pub(in crate::http) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(in crate::http) const fn session(&self) -> &Session {
        &self.session
    }

    /// The language in which the answer's words are.
    pub(in crate::http) fn language(&self) -> Language {
        Language::of(&self.headers)
    }

    /// Whether the answer is to be a page for people.
    pub(in crate::http) fn wants_page(&self) -> bool {
        headers::prefers_html(&self.headers)
    }

    /// The purpose that the request names, or what is usual for the asker's role.
    pub(in crate::http) fn purpose(&self, named: Option<Purpose>) -> Purpose {
        named.unwrap_or_else(|| self.session.actor.roles().usual_purpose())
    }

    /// The version in `If-Match`, if there is one.
    pub(in crate::http) fn if_match(&self) -> Result<Option<u64>, Problem> {
        headers::if_match(&self.headers)
    }

    /// The version in `If-Match`, which must be there.
    pub(in crate::http) fn version(&self) -> Result<u64, Problem> {
        Ok(self.if_match()?.ok_or(problems::IF_MATCH_REQUIRED)?)
    }

    /// The `Idempotency-Key`, if there is one, with the request it came with.
    pub(in crate::http) fn replay(&self, body: &[u8]) -> Result<Option<Replay>, Problem> {
        headers::replay(&self.headers, &self.line, body)
    }
}

/// A request whose answer is not kept for a repeated one, because it shows a secret once or because a repetition is seen to have
/// happened: an `Idempotency-Key` would promise what is not done, so it is refused, before the body is read.
pub(in crate::http) struct Once(Context);

impl FromRequestParts<Arc<App>> for Once {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let context = Context::from_request_parts(parts, app).await?;
        headers::not_repeatable(&context.headers)?;
        Ok(Self(context))
    }
}

impl std::ops::Deref for Once {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl Once {
    /// A request that may take two persons: what is approved is its line and version with its body in canonical form. An
    /// approval is good for one time.
    pub(in crate::http) fn exact(&self, body: &[u8]) -> Result<Exact, Problem> {
        headers::exact(&self.headers, &self.line, body)
    }
}
