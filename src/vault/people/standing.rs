//! People who leave: switched off, or moved to another department. Either way their tokens end for good.

use serde::{Deserialize, Serialize};

use crate::model::ids::PrincipalId;
use crate::model::problems;
use crate::model::reference::DepartmentCode;
use crate::store::Guard;
use crate::store::rows::{About, Genuine, PrincipalRow};
use crate::vault::people::approvals::{DEPARTMENT, Exact, PRINCIPAL, is_overtaken};
use crate::vault::people::principals::told_of;
use crate::vault::people::{Changed, Principal, about};
use crate::vault::{Error, Session, Vault};

/// The move of an account.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovePrincipal {
    /// Code of the new department.
    #[schema(value_type = String, example = "C1")]
    pub department: DepartmentCode,
}

impl Vault {
    /// Switches an account off. Its tokens end for good: switched on again, it needs new ones. The call needs no version, so that it
    /// is quick. For an administrator's account, or one that may approve, it needs a second person's approval: otherwise one
    /// person could silence all who watch them.
    ///
    /// # Errors
    /// [`Error::Refused`], also for oneself; [`Error::NotFound`]; [`Error::Bad`] for one that is off; [`Error::RefusedBecause`] when
    /// the account has changed since a second person's approval was asked for.
    pub async fn switch_off(
        &self,
        session: &Session,
        id: PrincipalId,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        match self.switch_off_once(session, id, exact).await {
            // It changed meanwhile; how does not matter for switching it off.
            Err(Error::Stale) => self.switch_off_once(session, id, exact).await,
            done => done,
        }
    }

    async fn switch_off_once(
        &self,
        session: &Session,
        id: PrincipalId,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let (permit, row) = self.another_account(session, id).await?;
        // Where an approval is named, it is told first that the account has changed since: that refusal is in the log.
        if !row.active && exact.approval.is_none() {
            return Err(Error::Bad(problems::SWITCHED_OFF));
        }
        let mut about = of_account(&row, row.department);
        about.insert("active".to_owned(), false.to_string());
        about.insert("active_before".to_owned(), row.active.to_string());
        let act = self.alone_unless(permit, &[row.roles], about.clone(), exact).await?;
        let row = PrincipalRow {
            active: false,
            epoch: row.epoch + 1,
            version: row.version + 1,
            ..row.into_row()
        };
        self.put_principal(act, row, &about, Vec::new()).await
    }

    /// Moves an account to another department, with its roles. Nothing of the old department goes with it: its tokens end for good,
    /// references are the department's, and a call that it took there is its own call there only.
    ///
    /// # Errors
    /// [`Error::Refused`], also for oneself; [`Error::NotFound`]; [`Error::Stale`]; [`Error::Bad`] for a department that is closed or
    /// the account's own; [`Error::RefusedBecause`] when account or department has changed since a second person's approval was
    /// asked for.
    pub async fn move_principal(
        &self,
        session: &Session,
        id: PrincipalId,
        to: &MovePrincipal,
        version: u64,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let done = self.move_principal_once(session, id, to, version, exact).await;
        if is_overtaken(&done, exact) {
            return self.move_principal_once(session, id, to, version, exact).await;
        }
        done
    }

    async fn move_principal_once(
        &self,
        session: &Session,
        id: PrincipalId,
        to: &MovePrincipal,
        version: u64,
        exact: &Exact,
    ) -> Result<Changed<Principal>, Error> {
        let (permit, row) = self.another_account(session, id).await?;
        if row.version != version && exact.approval.is_none() {
            return Err(Error::Stale);
        }
        let department = self.open_department(to.department).await?;
        if row.department == to.department && exact.approval.is_none() {
            return Err(Error::Bad(problems::SAME_DEPARTMENT));
        }
        let mut about = of_account(&row, to.department);
        about.insert("department_before".to_owned(), row.department.to_string());
        told_of(&mut about, row.acts_for, false);
        let act = self.alone_unless(permit, &[row.roles], about.clone(), exact).await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let row = PrincipalRow {
            department: to.department,
            // It was allowed for the persons of the other department.
            acts_for: false,
            epoch: row.epoch + 1,
            version: version + 1,
            ..row.into_row()
        };
        let guards = vec![Guard::unchanged(&department)];
        self.put_principal(act, row, &about, guards).await
    }
}

/// The account, its roles, and the department that it is in from now on.
fn of_account(row: &Genuine<PrincipalRow>, department: DepartmentCode) -> About {
    about([
        ("account", row.account.clone()),
        (PRINCIPAL, row.id.to_string()),
        (DEPARTMENT, department.to_string()),
        ("version", row.version.to_string()),
        ("roles", row.roles.to_words()),
        ("roles_before", row.roles.to_words()),
    ])
}
