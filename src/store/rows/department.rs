//! Departments.

use super::{Protected, table};
use crate::model::principals::DepartmentKind;
use crate::model::reference::DepartmentCode;

table! {
    /// A department.
    pub struct DepartmentRow in "department", key 1, put Versioned, coded, version version {
        /// Two characters, which begin its references.
        pub code: DepartmentCode,
        /// Its public name.
        pub name: String,
        /// Its legal class.
        pub kind: DepartmentKind,
        /// 1 when made, one more at each change.
        pub version: u64,
    }
    reads [
        /// One department by its code.
        BY_CODE = "WHERE code = ?1";
        /// Departments after a code, by code.
        AFTER = "WHERE code > ?1 ORDER BY code LIMIT ?2";
    ]
}

impl Protected for DepartmentRow {
    fn place(&self) -> Option<String> {
        Some(format!("@department/{}", self.code))
    }
}
