//! Names of accounts and departments beside the ids that the log has. They are looked up when an answer is made, from rows as the
//! vault wrote them, and are those of that moment: the log itself names nobody.

use std::collections::HashMap;

use crate::audit::exposure::Exposed;
use crate::audit::watch::Report;
use crate::keyring::KeyError;
use crate::log::leaf::Leaf;
use crate::model::ids::PrincipalId;
use crate::model::principals::Role;
use crate::model::reference::DepartmentCode;
use crate::store::StoreError;
use crate::store::rows::{Cell, Coded, Column, Protected, Read, department, principal};
use crate::vault::auditing::read::Entry;
use crate::vault::{Error, Session, Vault};

/// Most accounts that are named in one answer, in its order. Departments cannot be more than their codes.
const MOST_ACCOUNTS: usize = 5_000;

/// Names for one answer. Each row is read once.
pub(super) struct Names<'v> {
    vault: &'v Vault,
    /// Whether the asker is told any.
    told: bool,
    /// Whether the asker is told the addresses that requests came from.
    addresses: bool,
    accounts: HashMap<PrincipalId, Name>,
    departments: HashMap<DepartmentCode, Name>,
}

/// What is told of a name.
#[derive(Clone, Default)]
pub(super) struct Name {
    /// The name.
    pub(super) text: Option<String>,
    /// Whether there is a row that is not as the vault wrote it: its name is not told, and nothing else is held up by it.
    pub(super) unproved: bool,
}

impl Name {
    /// The name, and the mark of its item.
    fn told(self, unproved: &mut bool) -> Option<String> {
        *unproved |= self.unproved;
        self.text
    }
}

impl Vault {
    /// Names for an answer to this asker. Auditors and data protection officers are told names; another role is told none, also
    /// where a city's own policy lets it read the log.
    pub(super) fn names_for(&self, session: &Session) -> Names<'_> {
        let roles = session.actor.roles();
        Names {
            vault: self,
            told: roles.holds(Role::Auditor) || roles.holds(Role::Dpo),
            addresses: roles.holds(Role::Auditor),
            accounts: HashMap::new(),
            departments: HashMap::new(),
        }
    }
}

impl Names<'_> {
    /// The name of an account. Nothing where there is no such row: the vault itself acted, or the data store is older than the log.
    pub(super) async fn account(&mut self, id: &str) -> Result<Name, Error> {
        let Some(id) = id.parse::<PrincipalId>().ok().filter(|_| self.told) else {
            return Ok(Name::default());
        };
        if let Some(known) = self.accounts.get(&id) {
            return Ok(known.clone());
        }
        if self.accounts.len() >= MOST_ACCOUNTS {
            return Ok(Name::default());
        }
        let name = self.read(&principal::BY_ID, id.cell(), |row| row.account).await?;
        self.accounts.insert(id, name.clone());
        Ok(name)
    }

    /// The name of a department.
    pub(super) async fn department(&mut self, code: &str) -> Result<Name, Error> {
        let Some(code) = code.parse::<DepartmentCode>().ok().filter(|_| self.told) else {
            return Ok(Name::default());
        };
        if let Some(known) = self.departments.get(&code) {
            return Ok(known.clone());
        }
        let name = self.read(&department::BY_CODE, code.cell(), |row| row.name).await?;
        self.departments.insert(code, name.clone());
        Ok(name)
    }

    /// The name in a row. One row that was edited keeps no auditor from an answer: the program log says of which table it is.
    async fn read<R: Protected + Clone>(
        &self,
        read: &'static Read<Coded<R>>,
        key: Cell,
        name: fn(R) -> String,
    ) -> Result<Name, Error> {
        let row = match self.vault.store.one(read, &[key]).await {
            Ok(row) => row.map(|row| self.vault.keyring.genuine(row)).transpose(),
            Err(StoreError::Corrupt(_)) => Err(KeyError::Broken),
            Err(other) => return Err(other.into()),
        };
        match row {
            Ok(row) => Ok(Name {
                text: row.map(|row| name(row.into_row())),
                unproved: false,
            }),
            Err(KeyError::Broken) => {
                let table = R::table().name;
                tracing::error!(
                    table,
                    "a row is not as the vault wrote it, so its name is not told: run `callervault fsck`"
                );
                Ok(Name {
                    text: None,
                    unproved: true,
                })
            }
            Err(other) => Err(other.into()),
        }
    }

    /// Puts the names of those who acted beside an entry, and for auditors the address that it came from.
    pub(super) async fn beside(&mut self, entry: &mut Entry, leaf: &Leaf) -> Result<(), Error> {
        let unproved = &mut entry.names_unproved;
        entry.actor_name = self.account(&leaf.actor).await?.told(unproved);
        entry.department_name = self.department(&leaf.dept).await?.told(unproved);
        if self.addresses {
            self.vault.address_beside(entry, leaf).await?;
        }
        let unproved = &mut entry.names_unproved;
        if let Some(via) = &leaf.via {
            entry.via_name = self.account(via).await?.told(unproved);
        }
        if let Some(approver) = &leaf.approver {
            entry.approver_name = self.account(approver).await?.told(unproved);
        }
        Ok(())
    }

    /// Puts the readers' names beside their reads.
    pub(super) async fn beside_groups(&mut self, groups: &mut [Exposed]) -> Result<(), Error> {
        for group in groups {
            let unproved = &mut group.names_unproved;
            group.actor_name = self.account(&group.reading.actor).await?.told(unproved);
            group.department_name = self.department(&group.reading.dept).await?.told(unproved);
        }
        Ok(())
    }

    /// Puts the readers' names into a report.
    pub(super) async fn beside_readers(&mut self, report: &mut Report) -> Result<(), Error> {
        for reader in &mut report.readers {
            let unproved = &mut reader.names_unproved;
            reader.actor_name = self.account(&reader.actor).await?.told(unproved);
            reader.department_name = self.department(&reader.dept).await?.told(unproved);
        }
        for alarm in &mut report.alarms {
            alarm.actor_name = self.account(&alarm.actor).await?.told(&mut alarm.names_unproved);
        }
        Ok(())
    }
}
