//! `callervault department`: the security administrator's departments, through a running server.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::named::{DEPARTMENTS, version};
use super::server::{Asking, Call, Server};
use super::show::Column;
use super::words::department_kinds;
use super::{Done, Failure};
use crate::model::reference::DepartmentCode;

const COLUMNS: &[Column] = &[
    ("code", "/code"),
    ("name", "/name"),
    ("kind", "/kind"),
    ("city code", "/city_code"),
    ("state", "/state"),
    ("into", "/successor"),
    ("references", "/references"),
    ("those before until", "/references_before_until"),
    ("version", "/version"),
];

/// Departments, through a running server: a security administrator's token is needed.
#[derive(Args)]
pub(super) struct Department {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List departments, the closed ones too.
    List,
    /// Make a department.
    Add {
        /// Its code: two characters. It can never change.
        code: DepartmentCode,
        /// Its public name.
        #[arg(long)]
        name: String,
        /// Its kind, which decides what its handlers may see.
        #[arg(long, value_parser = department_kinds(), default_value = "organ")]
        kind: String,
        /// What the city calls it in its own lists.
        #[arg(long)]
        city_code: Option<String>,
    },
    /// Set a department's public name.
    Rename {
        /// Its code.
        code: DepartmentCode,
        /// Its public name from now on.
        name: String,
        #[command(flatten)]
        seen: Seen,
    },
    /// Set what the city calls a department in its own lists.
    SetCityCode {
        /// Its code.
        code: DepartmentCode,
        /// The city's own code for it; without it, it has none from now on.
        city_code: Option<String>,
        #[command(flatten)]
        seen: Seen,
    },
    /// Give a department's references to callers a new version. Those from before stay good for a while.
    RotateReferences {
        /// Its code.
        code: DepartmentCode,
        /// How many days, 0 to 366, the references from before stay good: 0 where they may be in wrong hands, which ends all of them at
        /// once.
        #[arg(long, default_value_t = 90)]
        grace_days: u16,
        #[command(flatten)]
        seen: Seen,
    },
    /// Close a department for good. It must have no active account, and no open ticket.
    Close {
        /// Its code.
        code: DepartmentCode,
        #[command(flatten)]
        seen: Seen,
    },
    /// Close a department whose work another one does from now on. It must have no active account, and no open ticket.
    Merge {
        /// Its code.
        code: DepartmentCode,
        /// The department that it is merged into.
        #[arg(long, value_name = "CODE")]
        into: DepartmentCode,
        #[command(flatten)]
        seen: Seen,
    },
}

/// What the change is decided on.
#[derive(Args)]
pub(super) struct Seen {
    /// Change it only if this is still its version [default: the current one].
    #[arg(long)]
    pub(super) version: Option<u64>,
}

impl Seen {
    /// The version that was given, or that of the item as it is now.
    pub(super) fn of(&self, item: &Value) -> u64 {
        self.version.unwrap_or_else(|| version(item))
    }
}

impl Department {
    pub(super) fn run(self) -> Done {
        let server = self.asking.server()?;
        let call = match self.verb {
            Verb::List => return server.show_all(&server.list(DEPARTMENTS)?, COLUMNS),
            Verb::Add {
                code,
                name,
                kind,
                city_code,
            } => {
                let body = json!({"code": code, "name": name, "kind": kind, "city_code": city_code});
                Call::new("POST", DEPARTMENTS, Some(body))
            }
            Verb::Rename { code, name, seen } => {
                let now = server.department(code)?;
                set(&now, &json!(name), now.get("city_code"), &seen)
            }
            Verb::SetCityCode { code, city_code, seen } => {
                let now = server.department(code)?;
                let name = now.get("name").cloned().unwrap_or_default();
                set(&now, &name, Some(&json!(city_code)), &seen)
            }
            Verb::RotateReferences { code, grace_days, seen } => {
                let now = server.department(code)?;
                let path = format!("{}/references/rotate", path(&now));
                Call::new("POST", path, Some(json!({"grace_days": grace_days}))).at(seen.of(&now))
            }
            Verb::Close { code, seen } => close(&server, code, None, &seen)?,
            Verb::Merge { code, into, seen } => close(&server, code, Some(into), &seen)?,
        };
        server.change(&call, COLUMNS)
    }
}

fn path(department: &Value) -> String {
    let code = department.get("code").and_then(Value::as_str).unwrap_or_default();
    format!("{DEPARTMENTS}/{code}")
}

/// Sets both names: what the server is not told is none from now on.
fn set(now: &Value, name: &Value, city_code: Option<&Value>, seen: &Seen) -> Call {
    let body = json!({"name": name, "city_code": city_code});
    Call::new("PUT", path(now), Some(body)).at(seen.of(now))
}

fn close(server: &Server, code: DepartmentCode, into: Option<DepartmentCode>, seen: &Seen) -> Result<Call, Failure> {
    let now = server.department(code)?;
    let body = json!({"into": into});
    Ok(Call::new("POST", format!("{}/close", path(&now)), Some(body)).at(seen.of(&now)))
}
