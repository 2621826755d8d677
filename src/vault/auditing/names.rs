//! Names of accounts and departments beside the ids that the log has. They are looked up when an answer is made, from rows as the
//! vault wrote them, and are those of that moment: the log itself names nobody.

use std::collections::HashMap;

use crate::audit::exposure::Exposed;
use crate::audit::watch::Report;
use crate::cells;
use crate::log::leaf::Leaf;
use crate::model::ids::PrincipalId;
use crate::model::principals::Role;
use crate::model::reference::DepartmentCode;
use crate::store::rows::{department, principal};
use crate::vault::auditing::read::Entry;
use crate::vault::{Error, Session, Vault};

/// Most accounts that are named in one answer, in its order. Departments cannot be more than their codes.
const MOST_ACCOUNTS: usize = 5_000;

/// Names for one answer. Each row is read once.
pub(super) struct Names<'v> {
    vault: &'v Vault,
    /// Whether the asker is told any.
    told: bool,
    accounts: HashMap<PrincipalId, Option<String>>,
    departments: HashMap<DepartmentCode, Option<String>>,
}

impl Vault {
    /// Names for an answer to this asker. Auditors and data protection officers are told names; another role is told none, also
    /// where a city's own policy lets it read the log.
    pub(super) fn names_for(&self, session: &Session) -> Names<'_> {
        let roles = session.actor.roles();
        Names {
            vault: self,
            told: roles.holds(Role::Auditor) || roles.holds(Role::Dpo),
            accounts: HashMap::new(),
            departments: HashMap::new(),
        }
    }
}

impl Names<'_> {
    /// The name of an account. Nothing where there is no such row: the vault itself acted, or the data store is older than the log.
    pub(super) async fn account(&mut self, id: &str) -> Result<Option<String>, Error> {
        let Some(id) = id.parse::<PrincipalId>().ok().filter(|_| self.told) else {
            return Ok(None);
        };
        if let Some(known) = self.accounts.get(&id) {
            return Ok(known.clone());
        }
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Ok(None);
        }
        let row = self.vault.store.one(&principal::BY_ID, &cells![id]).await?;
        let row = row.map(|row| self.vault.keyring.genuine(row)).transpose()?;
        let name = row.map(|row| row.into_row().account);
        self.accounts.insert(id, name.clone());
        Ok(name)
    }

    /// The name of a department.
    pub(super) async fn department(&mut self, code: &str) -> Result<Option<String>, Error> {
        let Some(code) = code.parse::<DepartmentCode>().ok().filter(|_| self.told) else {
            return Ok(None);
        };
        if let Some(known) = self.departments.get(&code) {
            return Ok(known.clone());
        }
        let row = self.vault.store.one(&department::BY_CODE, &cells![code]).await?;
        let row = row.map(|row| self.vault.keyring.genuine(row)).transpose()?;
        let name = row.map(|row| row.into_row().name);
        self.departments.insert(code, name.clone());
        Ok(name)
    }

    /// Puts the names of those who acted beside an entry.
    pub(super) async fn beside(&mut self, entry: &mut Entry, leaf: &Leaf) -> Result<(), Error> {
        entry.actor_name = self.account(&leaf.actor).await?;
        entry.department_name = self.department(&leaf.dept).await?;
        if let Some(approver) = &leaf.approver {
            entry.approver_name = self.account(approver).await?;
        }
        Ok(())
    }

    /// Puts the readers' names beside their reads.
    pub(super) async fn beside_groups(&mut self, groups: &mut [Exposed]) -> Result<(), Error> {
        for group in groups {
            group.actor_name = self.account(&group.reading.actor).await?;
            group.department_name = self.department(&group.reading.dept).await?;
        }
        Ok(())
    }

    /// Puts the readers' names into a report.
    pub(super) async fn beside_readers(&mut self, report: &mut Report) -> Result<(), Error> {
        for reader in &mut report.readers {
            reader.actor_name = self.account(&reader.actor).await?;
            reader.department_name = self.department(&reader.dept).await?;
        }
        for alarm in &mut report.alarms {
            alarm.actor_name = self.account(&alarm.actor).await?;
        }
        Ok(())
    }
}
