//! People and service accounts.

use super::{Protected, table};
use crate::model::ids::PrincipalId;
use crate::model::principals::{PrincipalKind, Roles};
use crate::model::reference::DepartmentCode;

table! {
    /// A person or service account.
    pub struct PrincipalRow in "principal", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: PrincipalId,
        /// Account name, unique: an account, not a person's name.
        pub account: String,
        /// The one department.
        pub department: DepartmentCode,
        /// Person or program.
        pub kind: PrincipalKind,
        /// What it may act as.
        pub roles: Roles,
        /// Whether this service account may act on behalf of the persons of its department (decision 0029).
        pub acts_for: bool,
        /// An inactive principal cannot authenticate.
        pub active: bool,
        /// Who made it; nobody for the first administrators.
        pub created_by: Option<PrincipalId>,
        /// From 1. Tokens of an earlier epoch are void: one more when the account gets roles that take two persons to give, is
        /// switched off, or moves to another department.
        pub epoch: u64,
        /// 1 when made, one more at each change.
        pub version: u64,
    }
    reads [
        /// One principal by its id.
        BY_ID = "WHERE id = ?1";
        /// One principal by its account name.
        BY_ACCOUNT = "WHERE account = ?1";
        /// Principals after an id, by id.
        AFTER = "WHERE id > ?1 ORDER BY id LIMIT ?2";
        /// Principals by account name, after a name and an id and before a name.
        NAMED = "WHERE (account, id) > (?1, ?2) AND account < ?3 ORDER BY account LIMIT ?4";
        /// A department's principals after an id, by id.
        OF_DEPARTMENT = "WHERE department = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        /// An active principal of a department.
        ACTIVE_IN = "WHERE department = ?1 AND active = 1 LIMIT 1";
    ]
}

impl Protected for PrincipalRow {
    fn place(&self) -> Option<String> {
        Some(format!("@principal/{}", self.id))
    }
}
