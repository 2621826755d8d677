//! Words of the model that options take: `--help` lists them, and no other is taken.

use clap::builder::PossibleValuesParser;

use crate::model::principals::{DepartmentKind, PrincipalKind, Role};

pub(super) fn roles() -> PossibleValuesParser {
    PossibleValuesParser::new(Role::ALL.iter().map(|role| role.as_str()))
}

pub(super) fn principal_kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(PrincipalKind::ALL.iter().map(|kind| kind.as_str()))
}

pub(super) fn department_kinds() -> PossibleValuesParser {
    PossibleValuesParser::new(DepartmentKind::ALL.iter().map(|kind| kind.as_str()))
}
