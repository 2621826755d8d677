//! From a bearer token to an [`Actor`].

use ring::digest::{SHA256, digest};

use crate::cells;
use crate::model::ask::RequestId;
use crate::model::ids::TokenId;
use crate::model::principals::Actor;
use crate::randomness::{NoRandomness, Randomness};
use crate::store::rows::token::{self, CREDENTIALS};
use crate::store::rows::{DepartmentRow, Genuine, PrincipalRow, TokenRow, principal};
use crate::vault::{Error, Session, Vault};

/// What every token begins with, so that a leaked one is recognised by scanners.
const PREFIX: &str = "cvt_";

/// SHA-256 of a token or a transfer: 256 random bits, so no slow hash is needed.
pub(in crate::vault) fn text_hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    hash
}

/// A new token: `cvt_` and 256 random bits in base32.
pub(in crate::vault) fn new_token(randomness: &dyn Randomness) -> Result<zeroize::Zeroizing<String>, NoRandomness> {
    random_text(randomness, PREFIX)
}

/// A prefix and 256 random bits in base32.
pub(in crate::vault) fn random_text(
    randomness: &dyn Randomness,
    prefix: &str,
) -> Result<zeroize::Zeroizing<String>, NoRandomness> {
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    randomness.fill(&mut *secret)?;
    let text = data_encoding::BASE32_NOPAD.encode(&*secret).to_ascii_lowercase();
    Ok(zeroize::Zeroizing::new(format!("{prefix}{text}")))
}

impl Vault {
    /// The id of a request that has just come in.
    ///
    /// # Errors
    /// [`Error::Key`] without randomness.
    pub fn new_request(&self) -> Result<RequestId, Error> {
        Ok(RequestId::random(&*self.randomness)?)
    }

    /// Who presents this token. The rows of token, principal and department must be as the vault wrote them.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for a token that is unknown, expired, revoked, of an earlier epoch or of an earlier log, whose
    /// principal is inactive, or that one person issued where the rules in force say that the roles take two to give; [`Error::Key`] when a row was edited or the vault is locked.
    pub async fn authenticate(&self, token: &str, request: RequestId) -> Result<Session, Error> {
        self.authenticate_under(token, request, self.log_number()).await
    }

    /// As [`Self::authenticate`], with a token that is good under the log with this number.
    pub(in crate::vault) async fn authenticate_under(
        &self,
        token: &str,
        request: RequestId,
        log: u64,
    ) -> Result<Session, Error> {
        if self.keyring.is_locked() {
            return Err(crate::keyring::KeyError::Locked.into());
        }
        let found = self.store.one(&CREDENTIALS, &cells![text_hash(token)]).await?;
        let (token, principal, department) = found.ok_or(Error::Unauthenticated)?;
        let token = self.keyring.genuine(token)?;
        let principal = self.keyring.genuine(principal)?;
        let department = self.keyring.genuine(department)?;
        self.session(&token, &principal, &department, request, log)
    }

    /// Whoever has begun something that goes on without them, as they are now.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] when their token would not be taken any more; [`Error::Key`].
    pub(in crate::vault) async fn whoever_began(&self, token: TokenId, request: RequestId) -> Result<Session, Error> {
        let token = self.store.one(&token::BY_ID, &cells![token]).await?;
        let token = self.keyring.genuine(token.ok_or(Error::Unauthenticated)?)?;
        let principal = self.store.one(&principal::BY_ID, &cells![token.principal]).await?;
        let principal = self.keyring.genuine(principal.ok_or(Error::Unauthenticated)?)?;
        let department = self.department_row(principal.department).await?;
        self.session(&token, &principal, &department, request, self.log_number())
    }

    fn session(
        &self,
        token: &Genuine<TokenRow>,
        principal: &Genuine<PrincipalRow>,
        department: &Genuine<DepartmentRow>,
        request: RequestId,
        log: u64,
    ) -> Result<Session, Error> {
        let now = self.clock.now()?;
        let over = token.revoked_at.is_some() || token.expires_at.is_some_and(|at| at <= now);
        if over || token.epoch != principal.epoch || token.log != log || !principal.active {
            return Err(Error::Unauthenticated);
        }
        let rules = self.rules();
        if !token.by_two && rules.policy.takes_two_to_give(principal.roles) {
            return Err(Error::Unauthenticated);
        }
        let actor = Actor::authenticated(
            (principal.id, *principal.code()),
            (department.references(), department.kind, *department.code()),
            principal.roles,
            (token.id, *token.code()),
        );
        Ok(Session {
            actor,
            acts_for: principal.acts_for,
            request,
            client: None,
            rules,
            under_way: Vec::new(),
        })
    }
}
