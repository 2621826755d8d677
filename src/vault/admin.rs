//! Departments, principals, roles, tokens: the security administrator's work.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::authenticate::token_hash;
use super::open::new_token;
use super::{Audit, Error, LARGEST_PAGE, Session, Vault};
use crate::audit::{Change, CommitError, leaf};
use crate::model::ask::Action;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::principals::{DepartmentKind, PrincipalKind, Role, Roles};
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::policy::{Permit, Why};
use crate::store::Write;
use crate::store::rows::{DepartmentRow, PrincipalRow, TokenRow};

/// A new department.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDepartment {
    /// Two characters that begin its references; `00` is the auditors' own.
    #[schema(value_type = String, example = "7K")]
    pub code: DepartmentCode,
    /// Its public name, 1–60 characters.
    pub name: String,
    /// `centre`, `organ`, `enterprise` or `grassroots`.
    #[schema(value_type = String, example = "organ")]
    pub kind: DepartmentKind,
}

/// A department.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Department {
    /// Its code.
    #[schema(value_type = String)]
    pub code: DepartmentCode,
    /// Its name.
    pub name: String,
    /// Its legal class.
    #[schema(value_type = String)]
    pub kind: DepartmentKind,
    /// Goes up with each change.
    pub version: u64,
}

/// A new principal.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrincipal {
    /// Account name, 2–64 of `a-z`, `0-9`, `.`, `_`, `-`: an account, not a person's name.
    #[schema(example = "water-handler-01")]
    pub name: String,
    /// Its department's code.
    #[schema(value_type = String)]
    pub department: DepartmentCode,
    /// Its roles.
    #[schema(value_type = Vec<String>, example = json!(["handler"]))]
    pub roles: Vec<Role>,
    /// `person` or `service`.
    #[schema(value_type = String, example = "person")]
    pub kind: PrincipalKind,
}

/// A principal.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Principal {
    /// Its id, which the log calls `actor`.
    pub id: String,
    /// Account name.
    pub name: String,
    /// Its department.
    #[schema(value_type = String)]
    pub department: DepartmentCode,
    /// Its roles.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Person or program.
    #[schema(value_type = String)]
    pub kind: PrincipalKind,
    /// Whether it may authenticate.
    pub active: bool,
    /// Goes up with each change; the `ETag`.
    pub version: u64,
}

/// A change of roles or of standing.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPrincipal {
    /// All its roles from now on.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Whether it may authenticate.
    pub active: bool,
}

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

/// Something made or changed, and where that stands in the log.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Changed<T> {
    /// It, as it is now.
    #[serde(flatten)]
    pub now: T,
    /// Where the change stands in the log.
    pub audit: Audit,
}

/// A page of a list.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The lines.
    pub items: Vec<T>,
    /// Pass as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where this read stands in the log.
    pub audit: Audit,
}

impl Vault {
    async fn administer(&self, session: &Session, action: Action) -> Result<Permit, Error> {
        let ask = self.ask(session, action, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    async fn put(&self, permit: Permit, write: Write, taken: &'static str) -> Result<Audit, Error> {
        let change = Change {
            writes: vec![write],
            ..Change::default()
        };
        match self.log.record(permit, change).await {
            Ok(recorded) => Ok(recorded.position().into()),
            Err(CommitError::Duplicate) => Err(Error::Taken(taken)),
            Err(other) => Err(other.into()),
        }
    }

    /// Makes a department.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Taken`], [`Error::Bad`] for the auditors' code or an unfit name.
    pub async fn make_department(&self, session: &Session, new: NewDepartment) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        let fits = (1..=60).contains(&new.name.chars().count()) && !new.name.chars().any(char::is_control);
        if new.code == DepartmentCode::AUDITORS || !fits {
            return Err(Error::Bad(
                "bad-department",
                "a code other than 00 and a name of 1 to 60 characters",
            ));
        }
        let row = DepartmentRow {
            code: new.code,
            name: new.name,
            kind: new.kind,
            version: 1,
            mac: [0; 16],
        };
        let row = self.keyring.protect(row)?;
        let audit = self.put(permit, Write::Department(row.clone()), "department").await?;
        Ok(Changed { now: row.into(), audit })
    }

    /// Lists departments by code.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_departments(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Department>, Error> {
        let permit = self.administer(session, Action::ReadAdmin).await?;
        let after = parsed(after)?;
        let audit = self.note(permit).await?;
        let rows = self.store.departments(after, limit.clamp(1, LARGEST_PAGE)).await?;
        let rows = rows
            .into_iter()
            .map(|row| Ok(Department::from(self.keyring.genuine(row)?)));
        page(
            rows.collect::<Result<_, Error>>()?,
            limit,
            audit,
            |line: &Department| line.code.to_string(),
        )
    }

    /// Makes a principal.
    ///
    /// # Errors
    /// [`Error::Refused`], also for roles that exclude each other or are an administrator's; [`Error::NotFound`] for the
    /// department.
    pub async fn make_principal(&self, session: &Session, new: NewPrincipal) -> Result<Changed<Principal>, Error> {
        let permit = self.administer(session, Action::SetPrincipal).await?;
        let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
        if !(2..=64).contains(&new.name.len()) || !new.name.chars().all(word) {
            return Err(Error::Bad(
                "bad-account",
                "an account name has 2 to 64 of a-z, 0-9, '.', '_' and '-'",
            ));
        }
        self.department_row(new.department).await?;
        let (permit, roles) = self.may_set(permit, new.roles).await?;
        let row = PrincipalRow {
            id: PrincipalId::random(),
            account: new.name,
            department: new.department,
            kind: new.kind,
            roles,
            active: true,
            created_by: Some(session.actor.id()),
            version: 1,
            mac: [0; 16],
        };
        let row = self.keyring.protect(row)?;
        let audit = self.put(permit, Write::Principal(row.clone()), "account").await?;
        Ok(Changed { now: row.into(), audit })
    }

    /// Sets a principal's roles and standing.
    ///
    /// # Errors
    /// [`Error::Refused`], also for oneself, for administrators and for roles that exclude each other; [`Error::Stale`].
    pub async fn set_principal(
        &self,
        session: &Session,
        id: PrincipalId,
        set: SetPrincipal,
        version: u64,
    ) -> Result<Changed<Principal>, Error> {
        let permit = self.administer(session, Action::SetPrincipal).await?;
        if id == session.actor.id() {
            return Err(self.refuse(permit, Why::OwnRoles).await);
        }
        let row = self.principal_row(id).await?;
        let permit = self.unless_administrator(permit, row.roles).await?;
        let (permit, roles) = self.may_set(permit, set.roles).await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let row = PrincipalRow {
            roles,
            active: set.active,
            version: version + 1,
            ..row
        };
        let row = self.keyring.protect(row)?;
        let audit = self.put(permit, Write::Principal(row.clone()), "account").await?;
        Ok(Changed { now: row.into(), audit })
    }

    /// Lists principals by id.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_principals(
        &self,
        session: &Session,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Page<Principal>, Error> {
        let permit = self.administer(session, Action::ReadAdmin).await?;
        let after = parsed(after)?;
        let audit = self.note(permit).await?;
        let rows = self.store.principals(after, limit.clamp(1, LARGEST_PAGE)).await?;
        let rows = rows
            .into_iter()
            .map(|row| Ok(Principal::from(self.keyring.genuine(row)?)));
        page(rows.collect::<Result<_, Error>>()?, limit, audit, |line: &Principal| {
            line.id.clone()
        })
    }

    /// Issues a token. The secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`].
    pub async fn issue_token(&self, session: &Session, id: PrincipalId, new: &NewToken) -> Result<Token, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let principal = self.principal_row(id).await?;
        let permit = if id == session.actor.id() {
            return Err(self.refuse(permit, Why::OwnRoles).await);
        } else {
            self.unless_administrator(permit, principal.roles).await?
        };
        let now = self.clock.now()?;
        let lifetime = |seconds| now.checked_add(SignedDuration::from_secs(i64::from(seconds)));
        let expires_at = new.expires_in.map(lifetime).transpose();
        let expires_at = expires_at.map_err(|_| Error::Bad("bad-expiry", "`expires_in` is a number of seconds"))?;
        let secret = new_token()?;
        let row = TokenRow {
            id: TokenId::random(),
            hash: token_hash(&secret),
            principal: principal.id,
            created_at: now,
            expires_at,
            revoked_at: None,
            mac: [0; 16],
        };
        let row = self.keyring.protect(row)?;
        let token = row.id;
        let audit = self.put(permit, Write::Token(row), "token").await?;
        let expires_at = expires_at.map(leaf::milliseconds);
        Ok(Token {
            id: token.to_string(),
            token: secret.to_string(),
            expires_at,
            audit,
        })
    }

    /// Lists a principal's tokens, without secrets.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn list_tokens(&self, session: &Session, id: PrincipalId) -> Result<Page<TokenLine>, Error> {
        let permit = self.administer(session, Action::ReadAdmin).await?;
        let audit = self.note(permit).await?;
        let rows = self.store.tokens(id).await?.into_iter();
        let rows = rows.map(|row| Ok(TokenLine::from(self.keyring.genuine(row)?)));
        Ok(Page {
            items: rows.collect::<Result<_, Error>>()?,
            next: None,
            audit,
        })
    }

    /// Revokes a token from this moment on.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`], [`Error::Stale`] if it was revoked already.
    pub async fn revoke_token(&self, session: &Session, principal: PrincipalId, id: TokenId) -> Result<Audit, Error> {
        let permit = self.administer(session, Action::SetToken).await?;
        let row = self.store.token(id).await?.filter(|row| row.principal == principal);
        let row = self.keyring.genuine(row.ok_or(Error::NotFound("token"))?)?;
        let row = TokenRow {
            revoked_at: Some(self.clock.now()?),
            ..row
        };
        let row = self.keyring.protect(row)?;
        self.put(permit, Write::RevokeToken(row), "token").await
    }

    /// The roles, if one person may hold them together and one administrator alone may give them. Who could make an
    /// auditor or another administrator alone could grant, read and audit alone (P9).
    async fn may_set(&self, permit: Permit, roles: Vec<Role>) -> Result<(Permit, Roles), Error> {
        let Ok(roles) = Roles::new(roles) else {
            return Err(self.refuse(permit, Why::RolesExclude).await);
        };
        Ok((self.unless_administrator(permit, roles).await?, roles))
    }

    async fn unless_administrator(&self, permit: Permit, roles: Roles) -> Result<Permit, Error> {
        if roles.iter().any(Role::is_administrator) {
            return Err(self.refuse(permit, Why::NotApproved).await);
        }
        Ok(permit)
    }

    async fn principal_row(&self, id: PrincipalId) -> Result<PrincipalRow, Error> {
        let row = self.store.principal(id).await?.ok_or(Error::NotFound("principal"))?;
        Ok(self.keyring.genuine(row)?)
    }
}

fn parsed<T: FromStr>(after: Option<&str>) -> Result<Option<T>, Error> {
    let bad = |_| Error::Bad("bad-cursor", "`after` is the `next` of the page before");
    after.map(|text| text.parse().map_err(bad)).transpose()
}

fn page<T>(items: Vec<T>, limit: u32, audit: Audit, key: impl Fn(&T) -> String) -> Result<Page<T>, Error> {
    let full = items.len() >= limit.clamp(1, LARGEST_PAGE) as usize;
    let next = items.last().filter(|_| full).map(key);
    Ok(Page { items, next, audit })
}

fn shown(at: Option<Timestamp>) -> Option<String> {
    at.map(leaf::milliseconds)
}

impl From<DepartmentRow> for Department {
    fn from(row: DepartmentRow) -> Self {
        Self {
            code: row.code,
            name: row.name,
            kind: row.kind,
            version: row.version,
        }
    }
}

impl From<PrincipalRow> for Principal {
    fn from(row: PrincipalRow) -> Self {
        Self {
            id: row.id.to_string(),
            name: row.account,
            department: row.department,
            roles: row.roles.iter().collect(),
            kind: row.kind,
            active: row.active,
            version: row.version,
        }
    }
}

impl From<TokenRow> for TokenLine {
    fn from(row: TokenRow) -> Self {
        Self {
            id: row.id.to_string(),
            created_at: leaf::milliseconds(row.created_at),
            expires_at: shown(row.expires_at),
            revoked_at: shown(row.revoked_at),
        }
    }
}
