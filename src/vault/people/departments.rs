//! Departments.

use serde::{Deserialize, Serialize};

use crate::model::ask::Action;
use crate::model::principals::DepartmentKind;
use crate::model::problems::{self, Thing};
use crate::model::reference::DepartmentCode;
use crate::store::Write;
use crate::store::rows::department::AFTER;
use crate::store::rows::{Cell, Column, DepartmentRow, Genuine};
use crate::vault::people::approvals::Act;
use crate::vault::people::{Changed, Page, page, parsed};
use crate::vault::{Error, LARGEST_PAGE, Session, Vault};

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
    #[schema(example = "organ")]
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
    pub kind: DepartmentKind,
    /// Goes up with each change.
    pub version: u64,
}

impl Vault {
    /// Makes a department.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Taken`], [`Error::Bad`] for the auditors' code or an unfit name.
    pub async fn make_department(&self, session: &Session, new: NewDepartment) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        let fits = (1..=60).contains(&new.name.chars().count()) && !new.name.chars().any(char::is_control);
        if new.code == DepartmentCode::AUDITORS || !fits {
            return Err(Error::Bad(problems::BAD_DEPARTMENT));
        }
        let row = DepartmentRow {
            code: new.code,
            name: new.name,
            kind: new.kind,
            version: 1,
        };
        let row = self.keyring.protect(row)?;
        let audit = self
            .put(
                Act::alone(permit),
                Vec::new(),
                Write::put(row.clone()),
                Thing::Department,
            )
            .await?;
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
        let rows = self.departments_after(after, limit.clamp(1, LARGEST_PAGE)).await?;
        let lines = rows.into_iter().map(Department::from).collect();
        page(lines, limit, audit, |line: &Department| line.code.to_string())
    }

    /// Departments after that code, by code.
    pub(in crate::vault) async fn departments_after(
        &self,
        after: Option<DepartmentCode>,
        limit: u32,
    ) -> Result<Vec<Genuine<DepartmentRow>>, Error> {
        let after = after.map_or_else(|| Cell::Text(String::new()), |code| code.cell());
        self.genuine(self.store.all(&AFTER, &[after, limit.cell()]).await?)
    }
}

impl From<Genuine<DepartmentRow>> for Department {
    fn from(row: Genuine<DepartmentRow>) -> Self {
        Self {
            code: row.code,
            kind: row.kind,
            version: row.version,
            name: row.into_row().name,
        }
    }
}
