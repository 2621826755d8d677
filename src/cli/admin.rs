//! `callervault admin`: the security administrator's calls, through a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::client::Client;
use super::passphrase::secret_file;
use super::{Done, Failure, say};

/// Departments, principals and tokens, through a running server. Answers are JSON.
#[derive(Args)]
pub(super) struct Admin {
    /// The server: https://, or http:// on this machine alone.
    #[arg(long, default_value = "http://127.0.0.1:8440")]
    url: String,
    /// Certificates (PEM) that vouch for the server, in place of the public authorities.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A security administrator's token, in a file of mode 0600.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// A second person's approval of this very command: the id that was answered when it was first sent.
    #[arg(long, value_name = "ID", global = true)]
    approval: Option<String>,
    /// Why: kept, sealed, with the request for a second person's approval, and shown to those who may approve.
    #[arg(long, value_name = "TEXT", global = true)]
    reason: Option<String>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    #[command(flatten)]
    OfDepartment(OfDepartment),
    /// List principals.
    Principals,
    /// Make a principal.
    AddPrincipal {
        /// Account name, not a person's name.
        #[arg(long)]
        name: String,
        /// Its department's code.
        #[arg(long)]
        department: String,
        /// Its roles; repeat or separate by commas.
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// person or service.
        #[arg(long, default_value = "person")]
        kind: String,
        /// This service account may act on behalf of the persons of its department.
        #[arg(long)]
        acts_for: bool,
    },
    /// Set a principal's roles and standing.
    SetPrincipal {
        /// Its id.
        id: String,
        /// All its roles from now on.
        #[arg(long, value_delimiter = ',', required = true)]
        roles: Vec<String>,
        /// It may no longer authenticate.
        #[arg(long)]
        inactive: bool,
        /// Whether this service account may act on behalf of the persons of its department; without it, as before.
        #[arg(long, value_name = "BOOL")]
        acts_for: Option<bool>,
        /// The version you saw.
        #[arg(long)]
        version: u64,
    },
    /// Find principals by the beginning of their account name, or those of a department.
    FindPrincipals {
        /// The beginning of the name.
        #[arg(required_unless_present = "department")]
        name: Option<String>,
        /// The department's code, in place of a name.
        #[arg(long, conflicts_with = "name")]
        department: Option<String>,
    },
    /// Switch a principal off; its tokens end for good.
    SwitchOff {
        /// Its id.
        id: String,
    },
    /// Move a principal to another department, with its roles; its tokens end for good.
    Move {
        /// Its id.
        id: String,
        /// The department's code.
        #[arg(long)]
        department: String,
        /// The version you saw.
        #[arg(long)]
        version: u64,
    },
    /// List a principal's tokens, without secrets.
    Tokens {
        /// The principal's id.
        id: String,
    },
    /// Issue a token; its secret is shown this once.
    IssueToken {
        /// The principal's id.
        id: String,
        #[command(flatten)]
        token: NewToken,
    },
    /// Issue a one-time code, shown this once, by which the account's owner fetches the token: `callervault token claim`.
    IssueCode {
        /// The principal's id.
        id: String,
        #[command(flatten)]
        token: NewToken,
    },
    /// End the open one-time code of an account.
    EndCode {
        /// The principal's id.
        id: String,
    },
    /// List your own requests for approval and what became of them.
    Requests,
    /// Revoke a token.
    RevokeToken {
        /// The principal's id.
        id: String,
        /// The token's handle.
        token: String,
    },
}

/// What is done to departments.
#[derive(Subcommand)]
enum OfDepartment {
    /// List departments.
    Departments,
    /// Make a department.
    AddDepartment {
        /// Two characters.
        #[arg(long)]
        code: String,
        /// Its public name.
        #[arg(long)]
        name: String,
        /// centre, organ, enterprise or grassroots.
        #[arg(long, default_value = "organ")]
        kind: String,
        /// What the city calls it in its own lists.
        #[arg(long)]
        city_code: Option<String>,
    },
    /// Set a department's name and the city's own code of it.
    SetDepartment {
        /// Its code.
        code: String,
        /// Its public name from now on.
        #[arg(long)]
        name: String,
        /// What the city calls it in its own lists; without it, nothing.
        #[arg(long)]
        city_code: Option<String>,
        /// The version you saw.
        #[arg(long)]
        version: u64,
    },
    /// Close a department in which nobody works and of which no ticket is open.
    CloseDepartment {
        /// Its code.
        code: String,
        /// The department that does its work from now on: it is merged into that one.
        #[arg(long)]
        into: Option<String>,
        /// The version you saw.
        #[arg(long)]
        version: u64,
    },
}

/// What is said of a new token.
#[derive(Args, serde::Serialize)]
struct NewToken {
    /// Until when it is good: 90d, 12h, or a time by RFC 3339; without it, until revoked.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// What it is for: a device or a program, not a person.
    #[arg(long, value_name = "WORD")]
    label: Option<String>,
}

/// A call that changes something.
struct Call {
    method: &'static str,
    path: String,
    if_match: Option<String>,
    body: Option<Value>,
}

impl Call {
    const fn new(method: &'static str, path: String, body: Option<Value>) -> Self {
        Self {
            method,
            path,
            if_match: None,
            body,
        }
    }

    /// Of this version of what it changes.
    fn at(self, version: u64) -> Self {
        Self {
            if_match: Some(format!("\"{version}\"")),
            ..self
        }
    }
}

impl Admin {
    pub(super) fn run(self) -> Done {
        let client = Client::new(&self.url, self.ca.as_deref())?;
        let token = secret_file(&self.token_file)?;
        let call = match self.what.call() {
            Ok(call) => call,
            Err(list) => return pages(&client, &token, &list),
        };
        let reason = self
            .reason
            .map(|reason| utf8_percent_encode(&reason, NON_ALPHANUMERIC).to_string());
        let headers = [
            ("if-match", call.if_match),
            ("approval", self.approval),
            ("approval-reason", reason),
        ];
        let headers: Vec<(&str, &str)> = headers
            .iter()
            .filter_map(|(name, value)| Some((*name, value.as_deref()?)))
            .collect();
        let answer = client.call(&token, call.method, &call.path, &headers, call.body.as_ref())?;
        say(answer.good()?)?;
        Ok(())
    }
}

impl What {
    /// What to send, or the address of the list to show.
    fn call(self) -> Result<Call, List> {
        Ok(match self {
            Self::OfDepartment(what) => return what.call(),
            Self::Principals => return Err(List::at("/v1/admin/principals")),
            Self::Tokens { id } => return Err(List::at(format!("/v1/admin/principals/{id}/tokens"))),
            Self::Requests => return Err(List::at("/v1/approvals/mine")),
            Self::FindPrincipals { name, department } => {
                return Err(List {
                    path: "/v1/admin/principals/find".to_owned(),
                    find: Some(json!({"name": name, "department": department})),
                });
            }
            Self::SwitchOff { id } => Call::new("POST", format!("/v1/admin/principals/{id}/switch-off"), None),
            Self::Move {
                id,
                department,
                version,
            } => {
                let body = json!({"department": department});
                Call::new("POST", format!("/v1/admin/principals/{id}/move"), Some(body)).at(version)
            }
            Self::AddPrincipal {
                name,
                department,
                roles,
                kind,
                acts_for,
            } => {
                let body =
                    json!({"name": name, "department": department, "roles": roles, "kind": kind, "acts_for": acts_for});
                Call::new("POST", "/v1/admin/principals".to_owned(), Some(body))
            }
            Self::SetPrincipal {
                id,
                roles,
                inactive,
                acts_for,
                version,
            } => {
                let body = json!({"roles": roles, "active": !inactive, "acts_for": acts_for});
                Call::new("PUT", format!("/v1/admin/principals/{id}"), Some(body)).at(version)
            }
            Self::IssueToken { id, token } => {
                let body = json!(token);
                Call::new("POST", format!("/v1/admin/principals/{id}/tokens"), Some(body))
            }
            Self::IssueCode { id, token } => {
                let body = json!(token);
                Call::new("POST", format!("/v1/admin/principals/{id}/codes"), Some(body))
            }
            Self::EndCode { id } => Call::new("DELETE", format!("/v1/admin/principals/{id}/codes"), None),
            Self::RevokeToken { id, token } => {
                Call::new("DELETE", format!("/v1/admin/principals/{id}/tokens/{token}"), None)
            }
        })
    }
}

impl OfDepartment {
    fn call(self) -> Result<Call, List> {
        Ok(match self {
            Self::Departments => return Err(List::at("/v1/admin/departments")),
            Self::AddDepartment {
                code,
                name,
                kind,
                city_code,
            } => {
                let body = json!({"code": code, "name": name, "kind": kind, "city_code": city_code});
                Call::new("POST", "/v1/admin/departments".to_owned(), Some(body))
            }
            Self::SetDepartment {
                code,
                name,
                city_code,
                version,
            } => {
                let body = json!({"name": name, "city_code": city_code});
                Call::new("PUT", format!("/v1/admin/departments/{code}"), Some(body)).at(version)
            }
            Self::CloseDepartment { code, into, version } => {
                let body = json!({"into": into});
                Call::new("POST", format!("/v1/admin/departments/{code}/close"), Some(body)).at(version)
            }
        })
    }
}

/// A list to show: with what to find, where that is asked for in a body.
struct List {
    path: String,
    find: Option<Value>,
}

impl List {
    fn at(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            find: None,
        }
    }

    /// The page after this one; the first after none.
    fn page(&self, client: &Client, token: &str, after: Option<&str>) -> Result<Value, Failure> {
        let path = &self.path;
        let answer = match &self.find {
            Some(find) => {
                let mut find = find.clone();
                if let (Some(find), Some(after)) = (find.as_object_mut(), after) {
                    find.insert("after".to_owned(), after.into());
                }
                client.post(token, path, &find)?
            }
            None => match after {
                Some(after) => client.get(token, &format!("{path}?after={after}"))?,
                None => client.get(token, path)?,
            },
        };
        answer.good()
    }
}

/// Every page of a list, a line each item.
fn pages(client: &Client, token: &str, list: &List) -> Done {
    let mut after: Option<String> = None;
    loop {
        let page = list.page(client, token, after.as_deref())?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            say(item)?;
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = Some(next.to_owned()),
            None => return Ok(()),
        }
    }
}
