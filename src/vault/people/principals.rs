//! Principals and their roles.

use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::ids::PrincipalId;
use crate::model::principals::{PrincipalKind, Role, Roles, is_account_name};
use crate::model::problems::{self, Thing};
use crate::model::reference::DepartmentCode;
use crate::policy::{Permit, Why};
use crate::store::rows::principal::{AFTER, NAMED, OF_DEPARTMENT};
use crate::store::rows::{About, Cell, Column, Genuine, PrincipalRow};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::{Act, DEPARTMENT, Exact, PRINCIPAL, is_overtaken, without_names};
use crate::vault::people::{Changed, Page, about, page, parsed};
use crate::vault::{Error, LARGEST_PAGE, Session, Vault};

/// The word of `about` for whether the account may act on behalf of others.
pub(in crate::vault) const ACTS_FOR: &str = "acts_for";
/// The word of `about` for whether it might before.
pub(in crate::vault) const ACTS_FOR_BEFORE: &str = "acts_for_before";

/// A new principal.
#[derive(Clone, Deserialize, Serialize, utoipa::ToSchema)]
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
    #[schema(example = "person")]
    pub kind: PrincipalKind,
    /// Whether this service account may act on behalf of the persons of its department (`On-Behalf-Of`).
    #[serde(default)]
    pub acts_for: bool,
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
    pub roles: Vec<Role>,
    /// `person` or `service`.
    pub kind: PrincipalKind,
    /// Whether this service account may act on behalf of the persons of its department.
    pub acts_for: bool,
    /// Whether it may authenticate.
    pub active: bool,
    /// Version; the `ETag`. Each change increases it.
    pub version: u64,
}

/// A change of roles, or of whether the account is active.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPrincipal {
    /// All its roles from now on.
    pub roles: Vec<Role>,
    /// Whether this service account may act on behalf of the persons of its department. Left out, it stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acts_for: Option<bool>,
    /// Whether it may authenticate.
    pub active: bool,
}

/// The principals to find: those whose name begins so, or those of a department. Account names are in the body, never in an address.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
// Where nobody says otherwise, a page that tries it out sends every member, and name and department exclude each other.
#[schema(example = json!({"name": "water-"}))]
pub struct FindPrincipals {
    /// The beginning of their account names.
    pub name: Option<String>,
    /// Their department's code, in place of a name.
    #[schema(value_type = Option<String>)]
    pub department: Option<DepartmentCode>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// Items per page; 50 by default.
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl Vault {
    /// Makes a principal.
    ///
    /// # Errors
    /// [`Error::Refused`], also for roles that exclude each other; [`Error::NotFound`] for the department;
    /// [`Error::RefusedBecause`] when the department has changed since a second person's approval was asked for.
    pub async fn make_principal(
        &self,
        session: &Session,
        new: NewPrincipal,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let done = self.make_principal_once(session, new.clone(), exact).await;
        if is_overtaken(&done, exact) {
            return self.make_principal_once(session, new, exact).await;
        }
        done
    }

    async fn make_principal_once(
        &self,
        session: &Session,
        new: NewPrincipal,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let permit = self.administer(session, Action::SetPrincipal).await?;
        if !is_account_name(&new.name) {
            return Err(Error::Bad(problems::BAD_ACCOUNT));
        }
        let department = self.open_department(new.department).await?;
        let (permit, roles) = self.compatible(permit, new.roles).await?;
        fits(new.kind, roles)?;
        if new.acts_for {
            self.can_act_for(new.kind, roles)?;
        }
        let mut about = about([
            ("account", new.name.clone()),
            (DEPARTMENT, new.department.to_string()),
            ("kind", new.kind.to_string()),
            ("roles", roles.to_words()),
        ]);
        told_of(&mut about, false, new.acts_for);
        let act = self.alone_unless(permit, &[roles], about.clone(), exact).await?;
        let row = PrincipalRow {
            id: PrincipalId::random(&*self.randomness)?,
            account: new.name,
            department: new.department,
            kind: new.kind,
            roles,
            acts_for: new.acts_for,
            active: true,
            created_by: Some(session.actor.id()),
            epoch: 1,
            version: 1,
        };
        let guards = vec![Guard::unchanged(&department)];
        self.put_principal(act, row, &about, guards).await
    }

    /// Sets a principal's roles and standing.
    ///
    /// # Errors
    /// [`Error::Refused`], also for oneself and for roles that exclude each other; [`Error::Stale`];
    /// [`Error::RefusedBecause`] when the account has changed since a second person's approval was asked for.
    pub async fn set_principal(
        &self,
        session: &Session,
        id: PrincipalId,
        set: &SetPrincipal,
        version: u64,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let done = self.set_principal_once(session, id, set, version, exact).await;
        if is_overtaken(&done, exact) {
            return self.set_principal_once(session, id, set, version, exact).await;
        }
        done
    }

    async fn set_principal_once(
        &self,
        session: &Session,
        id: PrincipalId,
        set: &SetPrincipal,
        version: u64,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let (permit, row) = self.another_account(session, id).await?;
        let (permit, roles) = self.compatible(permit, set.roles.clone()).await?;
        fits(row.kind, roles)?;
        let acts_for = set.acts_for.unwrap_or(row.acts_for);
        if acts_for {
            self.can_act_for(row.kind, roles)?;
        }
        // Where an approval is named, it is told first that the account has changed since: that refusal is in the log.
        if row.version != version && exact.approval.is_none() {
            return Err(Error::Stale);
        }
        let mut about = about([
            ("account", row.account.clone()),
            (PRINCIPAL, id.to_string()),
            (DEPARTMENT, row.department.to_string()),
            ("version", row.version.to_string()),
            ("roles", roles.to_words()),
            ("roles_before", row.roles.to_words()),
            ("active", set.active.to_string()),
            ("active_before", row.active.to_string()),
        ]);
        told_of(&mut about, row.acts_for, acts_for);
        let act = self
            .alone_unless(permit, &[row.roles, roles], about.clone(), exact)
            .await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let mut guards = Vec::new();
        if set.active && !row.active {
            guards.push(Guard::unchanged(&self.open_department(row.department).await?));
        }
        let row = PrincipalRow {
            roles,
            acts_for,
            active: set.active,
            epoch: self.epoch_under(&row, roles, set.active),
            version: version + 1,
            ..row.into_row()
        };
        self.put_principal(act, row, &about, guards).await
    }

    /// An account that the administrator may change: not the administrator's own.
    pub(super) async fn another_account(
        &self,
        session: &Session,
        id: PrincipalId,
    ) -> Result<(Permit, Genuine<PrincipalRow>), Error> {
        let permit = self.administer(session, Action::SetPrincipal).await?;
        if id == session.actor.id() {
            return Err(self.refuse(permit, Why::OwnRoles).await);
        }
        Ok((permit, self.principal_row(id).await?))
    }

    /// Writes an account's row, and the leaf, which says what became of it and does not name it.
    pub(super) async fn put_principal(
        &self,
        act: Act,
        row: PrincipalRow,
        about: &About,
        guards: Vec<Guard>,
    ) -> Result<Changed<Principal>, Error> {
        let mut link = without_names(about);
        link.insert(PRINCIPAL.to_owned(), row.id.to_string());
        let row = self.keyring.protect(row)?;
        let change = Change {
            guards,
            writes: vec![Write::put(row.clone())],
            link,
            ..Change::default()
        };
        let audit = self.put(act, change, Thing::Principal).await?;
        Ok(Changed { now: row.into(), audit })
    }

    /// The account's epoch with these roles and this standing. A new one begins, and its tokens end for good, where it gets roles
    /// that take two persons to give, or a token that one person issued would hold the new roles; and where it is switched
    /// off, or its tokens would live again with it.
    fn epoch_under(&self, row: &Genuine<PrincipalRow>, roles: Roles, active: bool) -> u64 {
        let policy = &self.rules.load().policy;
        let rises = policy.takes_two_to_give(roles) && !policy.takes_two_to_give(row.roles);
        let ends = row.active && !active;
        row.epoch + u64::from(rises || ends)
    }

    /// Whether such an account can be allowed to act on behalf of others.
    fn can_act_for(&self, kind: PrincipalKind, roles: Roles) -> Result<(), Error> {
        if kind == PrincipalKind::Service && self.are_working(roles) {
            return Ok(());
        }
        Err(Error::Bad(problems::CANNOT_ACT_FOR))
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
        let after = after.map_or_else(|| Cell::Bytes(Vec::new()), |id: PrincipalId| id.cell());
        let limit = limit.clamp(1, LARGEST_PAGE);
        let rows = self.genuine(self.store.all(&AFTER, &[after, limit.cell()]).await?)?;
        let lines = rows.into_iter().map(Principal::from).collect();
        page(lines, limit, audit, |line: &Principal| line.id.clone())
    }

    /// Finds principals by the beginning of their account name, or those of a department.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] unless exactly one of the two is named.
    pub async fn find_principals(
        &self,
        session: &Session,
        find: &FindPrincipals,
        limit: u32,
    ) -> Result<Page<Principal>, Error> {
        let permit = self.administer(session, Action::ReadAdmin).await?;
        let after: Option<PrincipalId> = parsed(find.after.as_deref())?;
        let limit = limit.clamp(1, LARGEST_PAGE);
        let (read, with) = match (&find.name, find.department) {
            (Some(name), None) => (&NAMED, self.beginning_so(name, after, limit).await?),
            (None, Some(department)) => {
                let after = after.map_or_else(|| Cell::Bytes(Vec::new()), |id| id.cell());
                (&OF_DEPARTMENT, vec![department.cell(), after, limit.cell()])
            }
            _ => return Err(Error::Bad(problems::NAME_OR_DEPARTMENT)),
        };
        let audit = self.note(permit).await?;
        let rows = self.store.all(read, &with).await?;
        let lines = self.genuine(rows)?.into_iter().map(Principal::from).collect();
        page(lines, limit, audit, |line: &Principal| line.id.clone())
    }

    /// What the accounts whose name begins so are read with.
    async fn beginning_so(&self, name: &str, after: Option<PrincipalId>, limit: u32) -> Result<Vec<Cell>, Error> {
        let end = format!("{name}{}", char::MAX);
        let [from, id] = match after {
            Some(id) => cells![self.principal_row(id).await?.account, id],
            None => cells![name.to_owned(), Vec::<u8>::new()],
        };
        Ok(vec![from, id, end.cell(), limit.cell()])
    }

    /// The roles, if one person may hold them together.
    async fn compatible(&self, permit: Permit, roles: Vec<Role>) -> Result<(Permit, Roles), Error> {
        match Roles::new(roles) {
            Ok(roles) => Ok((permit, roles)),
            Err(_) => Err(self.refuse(permit, Why::RolesExclude).await),
        }
    }
}

/// Adds whether an account may act on behalf of others, where it may or might before.
pub(super) fn told_of(about: &mut About, before: bool, acts_for: bool) {
    if before || acts_for {
        about.insert(ACTS_FOR.to_owned(), acts_for.to_string());
        about.insert(ACTS_FOR_BEFORE.to_owned(), before.to_string());
    }
}

impl From<Genuine<PrincipalRow>> for Principal {
    fn from(row: Genuine<PrincipalRow>) -> Self {
        Self {
            id: row.id.to_string(),
            department: row.department,
            roles: row.roles.iter().collect(),
            kind: row.kind,
            acts_for: row.acts_for,
            active: row.active,
            version: row.version,
            name: row.into_row().account,
        }
    }
}

/// Whether such an account can have these roles.
fn fits(kind: PrincipalKind, roles: Roles) -> Result<(), Error> {
    match kind {
        PrincipalKind::Person if roles.holds(Role::Relay) => Err(Error::Bad(problems::RELAY_IS_A_PROGRAM)),
        _ => Ok(()),
    }
}
