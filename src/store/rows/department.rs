//! Departments.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::principals::{DepartmentKind, DepartmentState};
use crate::model::reference::DepartmentCode;
use crate::model::reference_versions::{ReferenceKeys, ReferenceVersions};

table! {
    /// A department.
    pub struct DepartmentRow in "department", key 1, put Versioned, coded, version version {
        /// Two characters, which begin its references.
        pub code: DepartmentCode,
        /// Its public name.
        pub name: String,
        /// Its legal class.
        pub kind: DepartmentKind,
        /// What the city calls it in its own lists, unique where there is one.
        pub city_code: Option<String>,
        /// Where it stands.
        pub state: DepartmentState,
        /// The department that it was merged into.
        pub successor: Option<DepartmentCode>,
        /// The versions of its references, and the key of each.
        pub reference_keys: ReferenceKeys,
        /// Until when the version before the newest is good.
        pub grace_until: Option<Timestamp>,
        /// 1 when made, one more at each change.
        pub version: u64,
    }
    reads [
        /// One department by its code.
        BY_CODE = "WHERE code = ?1";
        /// Departments after a code, by code.
        AFTER = "WHERE code > ?1 ORDER BY code LIMIT ?2";
        /// A department besides so many others.
        BESIDES = "WHERE code > '' ORDER BY code LIMIT 1 OFFSET ?1";
        /// Open departments by name, after a name and a code and before a name.
        NAMED = "WHERE (name, code) > (?1, ?2) AND name < ?3 AND state = 'open' ORDER BY name, code LIMIT ?4";
        /// The department with this code in the city's own lists.
        BY_CITY_CODE = "WHERE city_code = ?1";
    ]
}

impl DepartmentRow {
    /// Its references.
    #[must_use]
    pub const fn references(&self) -> ReferenceVersions {
        ReferenceVersions::new(self.code, self.reference_keys, self.grace_until)
    }
}

impl Protected for DepartmentRow {
    fn place(&self) -> Option<String> {
        Some(format!("@department/{}", self.code))
    }
}
