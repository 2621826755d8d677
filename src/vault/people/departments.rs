//! Departments: made, named, closed and merged by a security administrator; listed by name for those who send tickets to them.

use serde::{Deserialize, Serialize};

use crate::cells;
use crate::log::Change;
use crate::log::leaf::milliseconds;
use crate::model::ask::Action;
use crate::model::principals::{DepartmentKind, DepartmentState};
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::reference_versions::ReferenceKeys;
use crate::store::rows::department::{AFTER, BY_CITY_CODE, NAMED};
use crate::store::rows::principal::ACTIVE_IN;
use crate::store::rows::ticket::{OPEN_HELD, OPEN_TAKEN};
use crate::store::rows::{Cell, Column, DepartmentRow, Genuine};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::{Act, DEPARTMENT};
use crate::vault::people::{Changed, Page, about, page, parsed};
use crate::vault::{Error, LARGEST_PAGE, Session, Vault};

/// The deed of [`Vault::rotate_references`].
pub(super) const ROTATE_REFERENCES: &str = "rotate-references";
/// Comes after every character of a name.
const AFTER_ANY: char = char::MAX;

/// A new department.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDepartment {
    /// Two characters with which its references begin. They never change. `00` is reserved for the log.
    #[schema(value_type = String, example = "7K")]
    pub code: DepartmentCode,
    /// Its public name, 1–60 characters.
    pub name: String,
    /// `centre`, `organ`, `enterprise` or `grassroots`.
    #[schema(example = "organ")]
    pub kind: DepartmentKind,
    /// The city's own code for it, 1–40 characters without spaces. No two departments have the same.
    #[serde(default)]
    pub city_code: Option<String>,
}

/// A department.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Department {
    /// Its code.
    #[schema(value_type = String)]
    pub code: DepartmentCode,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: DepartmentKind,
    /// The city's own code for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city_code: Option<String>,
    /// `open`, `closed` or `merged`.
    pub state: DepartmentState,
    /// The department that it was merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub successor: Option<DepartmentCode>,
    /// The version of its references that is given out now, 1 to 15: the last bits of a reference's third character.
    pub references: u8,
    /// Until when the references of the version before are good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references_before_until: Option<String>,
    /// Version; the `ETag`. Each change increases it.
    pub version: u64,
}

/// A department's new names.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetDepartment {
    /// Its public name, 1–60 characters.
    pub name: String,
    /// The city's own code for it; without it, the department has none.
    #[serde(default)]
    pub city_code: Option<String>,
}

/// How to close a department.
#[derive(Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseDepartment {
    /// The department that it is merged into; without it, the department is only closed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub into: Option<DepartmentCode>,
}

/// The departments to find.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct FindDepartments {
    /// The beginning of their names; by default all departments.
    pub name: Option<String>,
    /// The city's own code.
    pub city_code: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// Items per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

impl Vault {
    /// Makes a department.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::Taken`], [`Error::Bad`] for the auditors' code, an unfit name, or a kind that `lists.toml` has not.
    pub async fn make_department(&self, session: &Session, new: NewDepartment) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        fits(&new.name, new.city_code.as_deref())?;
        if new.code == DepartmentCode::AUDITORS {
            return Err(Error::Bad(problems::BAD_DEPARTMENT));
        }
        if !self.lists().has_kind(new.kind) {
            return Err(Error::Bad(problems::BAD_KIND));
        }
        let row = DepartmentRow {
            code: new.code,
            name: new.name,
            kind: new.kind,
            city_code: new.city_code,
            state: DepartmentState::Open,
            successor: None,
            reference_keys: ReferenceKeys::first(self.keyring.reference_version()?),
            grace_until: None,
            version: 1,
        };
        self.put_department(Act::alone(permit), row, ("make", None), Vec::new())
            .await
    }

    /// Sets a department's name and its code in the city's own lists. Its own code, and so its references, stay.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`], [`Error::Stale`]; [`Error::Taken`] for a code of another department;
    /// [`Error::Bad`] for an unfit name and for a department that is closed.
    pub async fn set_department(
        &self,
        session: &Session,
        code: DepartmentCode,
        set: SetDepartment,
        version: u64,
    ) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        fits(&set.name, set.city_code.as_deref())?;
        let row = self.open_department(code).await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let row = DepartmentRow {
            name: set.name,
            city_code: set.city_code,
            version: version + 1,
            ..row.into_row()
        };
        self.put_department(Act::alone(permit), row, ("name", None), Vec::new())
            .await
    }

    /// Closes a department, or merges it into another. It must have no active accounts, and no ticket that it holds or took may be
    /// open. Afterwards it gets no tickets and no accounts, and its city code is free for another department.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`], [`Error::Stale`]; [`Error::Bad`] for one that is closed already or in use, and for a
    /// successor that is closed or the department itself.
    pub async fn close_department(
        &self,
        session: &Session,
        code: DepartmentCode,
        close: &CloseDepartment,
        version: u64,
    ) -> Result<Changed<Department>, Error> {
        let permit = self.administer(session, Action::SetDepartment).await?;
        let row = self.open_department(code).await?;
        if row.version != version {
            return Err(Error::Stale);
        }
        let mut guards = self.unused(code).await?;
        if let Some(into) = close.into {
            if into == code {
                return Err(Error::Bad(problems::BAD_SUCCESSOR));
            }
            guards.push(Guard::unchanged(&self.open_department(into).await?));
        }
        let (state, deed) = match close.into {
            Some(_) => (DepartmentState::Merged, "merge"),
            None => (DepartmentState::Closed, "close"),
        };
        let row = DepartmentRow {
            state,
            successor: close.into,
            version: version + 1,
            ..row.into_row()
        };
        let freed = row.city_code;
        let row = DepartmentRow { city_code: None, ..row };
        self.put_department(Act::alone(permit), row, (deed, freed), guards)
            .await
    }

    /// Guards that a department has no active accounts and no open tickets.
    async fn unused(&self, code: DepartmentCode) -> Result<Vec<Guard>, Error> {
        if self.store.one(&ACTIVE_IN, &cells![code]).await?.is_some() {
            return Err(Error::Bad(problems::DEPARTMENT_STAFFED));
        }
        for open in [&OPEN_HELD, &OPEN_TAKEN] {
            if self.store.one(open, &cells![code]).await?.is_some() {
                return Err(Error::Bad(problems::DEPARTMENT_HOLDS));
            }
        }
        let tickets = [&OPEN_HELD, &OPEN_TAKEN].map(|open| Guard::none(open, &cells![code]));
        let people = Guard::none(&ACTIVE_IN, &cells![code]);
        Ok(tickets.into_iter().chain([people]).collect())
    }

    /// Writes a department's row and the leaf, which says what was done, which city code was given up, and names no name.
    pub(super) async fn put_department(
        &self,
        act: Act,
        row: DepartmentRow,
        (deed, freed): (&str, Option<String>),
        guards: Vec<Guard>,
    ) -> Result<Changed<Department>, Error> {
        let mut link = about([(DEPARTMENT, row.code.to_string()), ("deed", deed.to_owned())]);
        link.extend(row.successor.map(|into| ("into".to_owned(), into.to_string())));
        if deed == ROTATE_REFERENCES {
            link.insert("references".to_owned(), row.references().current().to_string());
            link.extend(
                row.grace_until
                    .map(|until| ("good_until".to_owned(), milliseconds(until))),
            );
        }
        link.extend(freed.map(|code| ("city_code_before".to_owned(), code)));
        let row = self.keyring.protect(row)?;
        let change = Change {
            guards,
            writes: vec![Write::put(row.clone())],
            link,
            ..Change::default()
        };
        let audit = self.put(act, change, Thing::Department).await?;
        Ok(Changed { now: row.into(), audit })
    }

    /// A department that is neither closed nor merged.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Bad`] for one that is not open.
    pub(in crate::vault) async fn open_department(
        &self,
        code: DepartmentCode,
    ) -> Result<Genuine<DepartmentRow>, Error> {
        let row = self.department_row(code).await?;
        match row.state {
            DepartmentState::Open => Ok(row),
            DepartmentState::Closed | DepartmentState::Merged => Err(Error::Bad(problems::DEPARTMENT_CLOSED)),
        }
    }

    /// Lists departments by code, those that were closed too.
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

    /// Finds open departments, by name, for those who send tickets to them.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn find_departments(
        &self,
        session: &Session,
        find: &FindDepartments,
        limit: u32,
    ) -> Result<Page<Department>, Error> {
        let ask = self.ask(session, Action::ListDepartments, Purpose::Dispatch)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let after = parsed(find.after.as_deref())?;
        let audit = self.note(permit).await?;
        let limit = limit.clamp(1, LARGEST_PAGE);
        let rows = self.named(find, after, limit).await?;
        let lines = rows.into_iter().map(Department::from).collect();
        page(lines, limit, audit, |line: &Department| line.code.to_string())
    }

    async fn named(
        &self,
        find: &FindDepartments,
        after: Option<DepartmentCode>,
        limit: u32,
    ) -> Result<Vec<Genuine<DepartmentRow>>, Error> {
        let name = find.name.clone().unwrap_or_default();
        if let Some(city_code) = &find.city_code {
            let rows = self.genuine(self.store.all(&BY_CITY_CODE, &cells![*city_code]).await?)?;
            let fits = |row: &Genuine<DepartmentRow>| row.state == DepartmentState::Open && row.name.starts_with(&name);
            let rows = rows.into_iter().filter(|row| fits(row) && after.is_none());
            return Ok(rows.collect());
        }
        let end = format!("{name}{AFTER_ANY}");
        let [after, code] = match after {
            Some(code) => cells![self.department_row(code).await?.name, code],
            None => cells![name, String::new()],
        };
        self.genuine(self.store.all(&NAMED, &[after, code, end.cell(), limit.cell()]).await?)
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

/// Whether a department may be called so.
fn fits(name: &str, city_code: Option<&str>) -> Result<(), Error> {
    let plain = |c: char| !c.is_control() && c != AFTER_ANY;
    let name = (1..=60).contains(&name.chars().count()) && name.chars().all(plain);
    let code = |code: &str| {
        let length = (1..=40).contains(&code.chars().count());
        length && code.chars().all(|c| plain(c) && !c.is_whitespace())
    };
    if name && city_code.is_none_or(code) {
        return Ok(());
    }
    Err(Error::Bad(problems::BAD_DEPARTMENT))
}

impl From<Genuine<DepartmentRow>> for Department {
    fn from(row: Genuine<DepartmentRow>) -> Self {
        let row = row.into_row();
        let references = row.references().current();
        Self {
            code: row.code,
            name: row.name,
            kind: row.kind,
            city_code: row.city_code,
            state: row.state,
            successor: row.successor,
            references,
            references_before_until: row.grace_until.map(milliseconds),
            version: row.version,
        }
    }
}
