//! `callervault principal`: the accounts of people and programs, through a running server.

mod import;
mod list;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::Done;
use super::department::Seen;
use super::named::PRINCIPALS;
use super::server::{Asking, Call, Server};
use super::show::Column;
use super::words::{principal_kinds, roles};
use crate::model::reference::DepartmentCode;

const COLUMNS: &[Column] = &[
    ("account", "/name"),
    ("department", "/department"),
    ("roles", "/roles"),
    ("kind", "/kind"),
    ("acts for", "/acts_for"),
    ("active", "/active"),
    ("version", "/version"),
    ("id", "/id"),
];

/// Accounts of people and programs, through a running server: a security administrator's token is needed.
#[derive(Args)]
pub(super) struct Principal {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List accounts.
    List {
        /// Only those of the department with this code.
        #[arg(long, value_name = "CODE")]
        department: Option<DepartmentCode>,
    },
    /// Find accounts by the beginning of their names.
    Find {
        /// The beginning.
        name: String,
    },
    /// Show one account.
    Show {
        /// The account: its name, or its id.
        account: String,
    },
    /// Make an account.
    Add {
        /// Its name: 2 to 64 of a-z, 0-9, '.', '_' and '-'. It is not a person's name, and can never change.
        name: String,
        /// Its department's code.
        #[arg(long, value_name = "CODE")]
        department: DepartmentCode,
        /// Its roles; repeat or separate by commas.
        #[arg(long, value_delimiter = ',', required = true, value_parser = roles())]
        roles: Vec<String>,
        /// Whether a person or a program has it.
        #[arg(long, value_parser = principal_kinds(), default_value = "person")]
        kind: String,
        /// This service account may act on behalf of the persons of its department.
        #[arg(long)]
        acts_for: bool,
    },
    /// Set an account's roles. Its tokens end for good if it gets one of those that take two persons.
    Set {
        /// The account: its name, or its id.
        account: String,
        /// All its roles from now on; repeat or separate by commas.
        #[arg(long, value_delimiter = ',', required = true, value_parser = roles())]
        roles: Vec<String>,
        /// Whether this service account may act on behalf of the persons of its department; without it, as before.
        #[arg(long, value_name = "BOOL")]
        acts_for: Option<bool>,
        #[command(flatten)]
        seen: Seen,
    },
    /// Switch an account on again. It needs a new token.
    SwitchOn {
        /// The account: its name, or its id.
        account: String,
        #[command(flatten)]
        seen: Seen,
    },
    /// Switch an account off; its tokens end for good.
    SwitchOff {
        /// The account: its name, or its id.
        account: String,
    },
    /// Move an account to another department, with its roles; its tokens end for good.
    Move {
        /// The account: its name, or its id.
        account: String,
        /// The code of its department from now on.
        #[arg(long, value_name = "CODE")]
        department: DepartmentCode,
        #[command(flatten)]
        seen: Seen,
    },
    /// Make the accounts in a list. Existing accounts are skipped, so a list can be imported again.
    ///
    /// The list is CSV in UTF-8 with the columns name, department, roles (separated by spaces) and optionally kind (person or
    /// service). Each account is a log entry. An account whose roles need a second person's approval waits for it: import the
    /// list again after the approval. Exit 1 if a line is wrong (then nothing is sent) or an account could not be made, 5 if none
    /// failed and some wait.
    Import(import::Import),
}

impl Principal {
    pub(super) fn run(self) -> Done {
        let server = self.asking.server()?;
        let call = match self.verb {
            Verb::Import(verb) => return verb.run(&server),
            Verb::List { department: None } => return server.show_all(&server.list(PRINCIPALS)?, COLUMNS),
            Verb::List { department } => return find(&server, &json!({"department": department})),
            Verb::Find { name } => return find(&server, &json!({"name": name})),
            Verb::Show { account } => return server.show(&server.account(&account)?, COLUMNS),
            Verb::Add {
                name,
                department,
                roles,
                kind,
                acts_for,
            } => {
                let body =
                    json!({"name": name, "department": department, "roles": roles, "kind": kind, "acts_for": acts_for});
                Call::new("POST", PRINCIPALS, Some(body))
            }
            Verb::Set {
                account,
                roles,
                acts_for,
                seen,
            } => {
                let now = server.account(&account)?;
                let body = json!({"roles": roles, "active": now.get("active"), "acts_for": acts_for});
                set(&now, body, &seen)
            }
            Verb::SwitchOn { account, seen } => {
                let now = server.account(&account)?;
                let roles = now.get("roles").cloned().unwrap_or_default();
                set(&now, json!({"roles": roles, "active": true}), &seen)
            }
            Verb::SwitchOff { account } => {
                let id = server.account_id(&account)?;
                Call::new("POST", format!("{PRINCIPALS}/{id}/switch-off"), None)
            }
            Verb::Move {
                account,
                department,
                seen,
            } => {
                let now = server.account(&account)?;
                let body = json!({"department": department});
                Call::new("POST", format!("{}/move", path(&now)), Some(body)).at(seen.of(&now))
            }
        };
        server.change(&call, COLUMNS)
    }
}

fn find(server: &Server, find: &Value) -> Done {
    server.show_all(&server.find(&format!("{PRINCIPALS}/find"), find)?, COLUMNS)
}

fn path(account: &Value) -> String {
    let id = account.get("id").and_then(Value::as_str).unwrap_or_default();
    format!("{PRINCIPALS}/{id}")
}

fn set(now: &Value, body: Value, seen: &Seen) -> Call {
    Call::new("PUT", path(now), Some(body)).at(seen.of(now))
}
