//! API tokens.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::{Change, leaf};
use crate::model::ask::Action;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::problems::{self, Thing};
use crate::model::tokens::{Expiry, Label};
use crate::policy::Why;
use crate::store::rows::token::{BY_ID, OF_PRINCIPAL};
use crate::store::rows::token_day::date_of;
use crate::store::rows::{About, Cell, Column, Genuine, PrincipalRow, TokenRow};
use crate::store::{Guard, Write};
use crate::vault::core::new_token;
use crate::vault::core::text_hash;
use crate::vault::people::approvals::{Act, DEPARTMENT, Exact, PRINCIPAL, TOKEN, TOKEN_DEED, is_overtaken};
use crate::vault::people::codes::CodeLine;
use crate::vault::people::{Page, about, page, parsed};
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// What a token is for, and how long it is good.
#[derive(Default, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// Until when: `90d`, `12h`, or a time by RFC 3339. Without it the token is good until revoked.
    #[schema(example = "90d")]
    pub expires: Option<String>,
    /// What it is for, a device or a program: 1 to 40 of `a-z`, `0-9`, `.`, `_`, `-`.
    #[schema(example = "crm-sync")]
    pub label: Option<String>,
}

impl NewToken {
    /// Label and expiry, if they are such.
    fn checked(&self) -> Result<(Option<Label>, Option<Expiry>), Error> {
        let label = self.label.as_deref().map(str::parse).transpose();
        let expiry = self.expires.as_deref().map(str::parse).transpose();
        Ok((
            label.map_err(|_| Error::Bad(problems::BAD_LABEL))?,
            expiry.map_err(|_| Error::Bad(problems::BAD_EXPIRY))?,
        ))
    }
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
    /// What it is for.
    pub label: Option<String>,
    /// When it was issued.
    pub created_at: String,
    /// Until when it is good.
    pub expires_at: Option<String>,
    /// When it was revoked.
    pub revoked_at: Option<String>,
    /// Whether two persons issued it.
    pub by_two: bool,
    /// The last day, in UTC, on which it was used for an act that the log holds, permitted or refused.
    #[schema(example = "2026-11-30")]
    pub last_used: Option<String>,
}

/// A page of an account's tokens, and its newest one-time code.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenPage {
    /// The tokens.
    #[serde(flatten)]
    pub page: Page<TokenLine>,
    /// The account's newest one-time code, if it ever had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<CodeLine>,
}

/// What may be issued, and for whom.
pub(super) struct Issue {
    pub(super) act: Act,
    pub(super) owner: Genuine<PrincipalRow>,
    /// When.
    pub(super) at: Timestamp,
    pub(super) label: Option<String>,
    /// Until when the token is good.
    pub(super) expires_at: Option<Timestamp>,
}

impl Vault {
    /// Issues a token. The secret is in this answer and nowhere else. An open one-time code of the account ends.
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
        let issue = self.may_issue(session, id, new, "issue", exact).await?;
        let secret = new_token(&*self.randomness)?;
        let row = TokenRow {
            id: TokenId::random(&*self.randomness)?,
            hash: text_hash(&secret),
            principal: issue.owner.id,
            label: issue.label,
            epoch: issue.owner.epoch,
            log: self.log_number(),
            by_two: issue.act.is_of_two(),
            created_at: issue.at,
            expires_at: issue.expires_at,
            revoked_at: None,
            version: 1,
        };
        let row = self.keyring.protect(row)?;
        let token = row.id;
        // The roles that were looked at are those that the token will carry.
        let mut change = guarded(&issue.owner, row);
        self.end_code_with(id, &mut change).await?;
        let audit = self.put(issue.act, change, Thing::Token).await?;
        Ok(Token {
            id: token.to_string(),
            token: secret.to_string(),
            expires_at: shown(issue.expires_at),
            audit,
        })
    }

    /// What the asker may issue: a token or, as `deed` says, a code for one.
    pub(super) async fn may_issue(
        &self,
        session: &Session,
        id: PrincipalId,
        new: &NewToken,
        deed: &str,
        exact: &Exact,
    ) -> Result<Issue, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let owner = self.principal_row(id).await?;
        if id == session.actor.id() {
            return Err(self.refuse(permit, Why::OwnRoles).await);
        }
        let at = self.clock.now()?;
        let (label, expiry) = new.checked()?;
        let expires_at = expiry.map(|expiry| expiry.after(at)).transpose();
        let expires_at = expires_at.map_err(|_| Error::Bad(problems::BAD_EXPIRY))?;
        let about = of_new(&owner, deed, label.as_ref(), expiry);
        let act = self.alone_unless(permit, &[owner.roles], about, exact).await?;
        Ok(Issue {
            act,
            owner,
            at,
            label: label.map(|label| label.as_str().to_owned()),
            expires_at,
        })
    }

    /// The token's row, if it is as the vault wrote it.
    pub(in crate::vault) async fn token_row(&self, id: TokenId) -> Result<Genuine<TokenRow>, Error> {
        let row = self.store.one(&BY_ID, &cells![id]).await?;
        Ok(self.keyring.genuine(row.ok_or(Error::NotFound(Thing::Token))?)?)
    }

    /// Lists a principal's tokens, newest first, without secrets, and its newest one-time code.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Key`] when a row was edited.
    pub async fn list_tokens(
        &self,
        session: &Session,
        id: PrincipalId,
        after: Option<&str>,
        limit: u32,
    ) -> Result<TokenPage, Error> {
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
        let mut lines = Vec::with_capacity(rows.len());
        for row in self.genuine(rows)? {
            let last_used = self.last_used(row.id).await?.and_then(date_of);
            lines.push(TokenLine::of(row, last_used));
        }
        Ok(TokenPage {
            page: page(lines, limit, audit, |line: &TokenLine| line.id.clone())?,
            code: self.code_line(id).await?,
        })
    }

    /// Revokes a token from this moment on, and ends an open one-time code of the account. That of an administrator, or of one who may approve, takes two persons: who
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
        if let Some(label) = &row.label {
            about.insert("label".to_owned(), label.clone());
        }
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
        let mut change = guarded(&owner, row);
        self.end_code_with(principal, &mut change).await?;
        self.put(act, change, Thing::Token).await
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

/// As [`of_owner`], for a token that is not there yet.
fn of_new(owner: &Genuine<PrincipalRow>, deed: &str, label: Option<&Label>, expiry: Option<Expiry>) -> About {
    let mut about = of_owner(owner, deed);
    let lasts = expiry.map_or_else(|| "never".to_owned(), |expiry| expiry.to_string());
    about.insert("expires".to_owned(), lasts);
    if let Some(label) = label {
        about.insert("label".to_owned(), label.as_str().to_owned());
    }
    about
}

fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(leaf::milliseconds)
}

impl TokenLine {
    fn of(row: Genuine<TokenRow>, last_used: Option<String>) -> Self {
        Self {
            id: row.id.to_string(),
            created_at: leaf::milliseconds(row.created_at),
            expires_at: shown(row.expires_at),
            revoked_at: shown(row.revoked_at),
            last_used,
            by_two: row.by_two,
            label: row.into_row().label,
        }
    }
}
