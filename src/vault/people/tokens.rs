//! API tokens.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::{Change, leaf};
use crate::model::ask::Action;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::problems::{self, Thing};
use crate::policy::Why;
use crate::store::rows::token::{BY_ID, OF_PRINCIPAL};
use crate::store::rows::{About, Cell, Column, Genuine, PrincipalRow, TokenRow};
use crate::store::{Guard, Write};
use crate::vault::core::new_token;
use crate::vault::core::token_hash;
use crate::vault::people::approvals::{DEPARTMENT, Exact, PRINCIPAL, TOKEN, TOKEN_DEED, is_overtaken};
use crate::vault::people::{Page, about, page, parsed};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// How long a token is good for.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// In seconds; without it the token is good until revoked.
    pub expires_in: Option<u32>,
}

/// A token, once.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Token {
    /// The handle by which it is revoked.
    pub id: String,
    /// The secret: shown now and never again.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Option<String>,
    /// Where its issue stands in the log.
    pub audit: Audit,
}

/// A token without its secret.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenLine {
    /// Its handle.
    pub id: String,
    /// When it was issued.
    pub created_at: String,
    /// Until when it is good.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
}

impl Vault {
    /// Issues a token. The secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`]; [`Error::RefusedBecause`] when the account has changed since a second person's
    /// approval was asked for.
    pub async fn issue_token(
        &self,
        session: &Session,
        id: PrincipalId,
        new: &NewToken,
        exact: &Exact,
    ) -> Result<Token, Error> {
        let done = self.issue_token_once(session, id, new, exact).await;
        if is_overtaken(&done, exact) {
            return self.issue_token_once(session, id, new, exact).await;
        }
        done
    }

    async fn issue_token_once(
        &self,
        session: &Session,
        id: PrincipalId,
        new: &NewToken,
        exact: &Exact,
    ) -> Result<Token, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let principal = self.principal_row(id).await?;
        if id == session.actor.id() {
            return Err(self.refuse(permit, Why::OwnRoles).await);
        }
        let now = self.clock.now()?;
        let lifetime = |seconds| now.checked_add(SignedDuration::from_secs(i64::from(seconds)));
        let expires_at = new.expires_in.map(lifetime).transpose();
        let expires_at = expires_at.map_err(|_| Error::Bad(problems::BAD_EXPIRY))?;
        let mut about = of_owner(&principal, "issue");
        let lasts = new.expires_in.map_or_else(
            || "never".to_owned(),
            |seconds| format!("{seconds} seconds after issue"),
        );
        about.insert("expires".to_owned(), lasts);
        let act = self.alone_unless(permit, &[principal.roles], about, exact).await?;
        let secret = new_token(&*self.randomness)?;
        let row = TokenRow {
            id: TokenId::random(&*self.randomness)?,
            hash: token_hash(&secret),
            principal: principal.id,
            epoch: principal.epoch,
            log: self.log_number(),
            created_at: now,
            expires_at,
            revoked_at: None,
            version: 1,
        };
        let row = self.keyring.protect(row)?;
        let token = row.id;
        // The roles that were looked at are those that the token will carry.
        let audit = self.put(act, guarded(&principal, row), Thing::Token).await?;
        let expires_at = expires_at.map(leaf::milliseconds);
        Ok(Token {
            id: token.to_string(),
            token: secret.to_string(),
            expires_at,
            audit,
        })
    }

    /// The token's row, if it is as the vault wrote it.
    pub(in crate::vault) async fn token_row(&self, id: TokenId) -> Result<Genuine<TokenRow>, Error> {
        let row = self.store.one(&BY_ID, &cells![id]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Token))?)?)
    }

    /// Lists a principal's tokens, newest first, without secrets.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_tokens(
        &self,
        session: &Session,
        id: PrincipalId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<TokenLine>, Error> {
        let permit = self.administer(session, Action::ReadAdmin).await?;
        let after: Option<TokenId> = parsed(after)?;
        let audit = self.note(permit).await?;
        let limit = limit.clamp(1, LARGEST_PAGE);
        let [at, token] = match after {
            None => [Cell::Int(i64::MAX), Cell::Bytes(Vec::new())],
            Some(after) => {
                let row = self.token_row(after).await?;
                cells![row.created_at, row.id]
            }
        };
        let rows = self
            .store
            .all(&OF_PRINCIPAL, &[id.cell(), at, token, limit.cell()])
            .await?;
        let lines = self.genuine(rows)?.into_iter().map(TokenLine::from).collect();
        page(lines, limit, audit, |line: &TokenLine| line.id.clone())
    }

    /// Revokes a token from this moment on. That of an administrator, or of one who may approve, takes two persons: who
    /// could do it alone could silence everybody who watches them.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`], [`Error::Stale`] if it was revoked already; [`Error::RefusedBecause`] when the
    /// token or its account has changed since a second person's approval was asked for.
    pub async fn revoke_token(
        &self,
        session: &Session,
        principal: PrincipalId,
        id: TokenId,
        exact: &Exact,
    ) -> Result<Audit, Error> {
        let done = self.revoke_token_once(session, principal, id, exact).await;
        if is_overtaken(&done, exact) {
            return self.revoke_token_once(session, principal, id, exact).await;
        }
        done
    }

    async fn revoke_token_once(
        &self,
        session: &Session,
        principal: PrincipalId,
        id: TokenId,
        exact: &Exact,
    ) -> Result<Audit, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let owner = self.principal_row(principal).await?;
        let row = self.token_row(id).await?;
        if row.principal != principal {
            return Err(Error::NotFound(Thing::Token));
        }
        // Where an approval is named, it is told first that the token has changed since: that refusal is in the log.
        let revoked = row.revoked_at.is_some();
        if revoked && exact.approval.is_none() {
            return Err(Error::Stale);
        }
        let mut about = of_owner(&owner, "revoke");
        about.insert(TOKEN.to_owned(), id.to_string());
        about.insert("issued".to_owned(), leaf::milliseconds(row.created_at));
        about.insert(
            "expires".to_owned(),
            shown(row.expires_at).unwrap_or_else(|| "never".to_owned()),
        );
        // One's own may go at once.
        let others = (principal != session.actor.id()).then_some(owner.roles);
        let act = self.alone_unless(permit, others.as_slice(), about, exact).await?;
        if revoked {
            return Err(Error::Stale);
        }
        let row = TokenRow {
            revoked_at: Some(self.clock.now()?),
            version: row.version + 1,
            ..row.into_row()
        };
        let row = self.keyring.protect(row)?;
        self.put(act, guarded(&owner, row), Thing::Token).await
    }
}

/// A token's row, written while its owner stands as they were read.
fn guarded(owner: &Genuine<PrincipalRow>, row: Genuine<TokenRow>) -> Change {
    Change {
        guards: vec![Guard::unchanged(owner)],
        writes: vec![Write::put(row)],
        ..Change::default()
    }
}

/// Whose token it is and what is done to it, for the second person.
fn of_owner(owner: &Genuine<PrincipalRow>, deed: &str) -> About {
    about([
        ("account", owner.account.clone()),
        (PRINCIPAL, owner.id.to_string()),
        (DEPARTMENT, owner.department.to_string()),
        ("version", owner.version.to_string()),
        ("roles", owner.roles.to_words()),
        (TOKEN_DEED, deed.to_owned()),
    ])
}

fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(leaf::milliseconds)
}

impl From<Genuine<TokenRow>> for TokenLine {
    fn from(row: Genuine<TokenRow>) -> Self {
        Self {
            id: row.id.to_string(),
            created_at: leaf::milliseconds(row.created_at),
            expires_at: shown(row.expires_at),
            revoked_at: shown(row.revoked_at),
        }
    }
}
