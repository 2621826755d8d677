//! `callervault admin`: the security administrator's calls, through a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::client::{Answer, Client};
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
    },
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
        say(good(answer)?)?;
        Ok(())
    }
}

impl What {
    /// What to send, or the address of the list to show.
    fn call(self) -> Result<Call, String> {
        Ok(match self {
            Self::Departments => return Err("/v1/admin/departments".to_owned()),
            Self::Principals => return Err("/v1/admin/principals".to_owned()),
            Self::Tokens { id } => return Err(format!("/v1/admin/principals/{id}/tokens")),
            Self::Requests => return Err("/v1/approvals/mine".to_owned()),
            Self::AddDepartment { code, name, kind } => {
                let body = json!({"code": code, "name": name, "kind": kind});
                Call::new("POST", "/v1/admin/departments".to_owned(), Some(body))
            }
            Self::AddPrincipal {
                name,
                department,
                roles,
                kind,
            } => {
                let body = json!({"name": name, "department": department, "roles": roles, "kind": kind});
                Call::new("POST", "/v1/admin/principals".to_owned(), Some(body))
            }
            Self::SetPrincipal {
                id,
                roles,
                inactive,
                version,
            } => {
                let body = json!({"roles": roles, "active": !inactive});
                Call {
                    if_match: Some(format!("\"{version}\"")),
                    ..Call::new("PUT", format!("/v1/admin/principals/{id}"), Some(body))
                }
            }
            Self::IssueToken { id, token } => {
                let body = json!(token);
                Call::new("POST", format!("/v1/admin/principals/{id}/tokens"), Some(body))
            }
            Self::IssueCode { id, token } => {
                let body = json!(token);
                Call::new("POST", format!("/v1/admin/principals/{id}/codes"), Some(body))
            }
            Self::RevokeToken { id, token } => {
                Call::new("DELETE", format!("/v1/admin/principals/{id}/tokens/{token}"), None)
            }
        })
    }
}

/// Every page of a list, a line each item.
fn pages(client: &Client, token: &str, path: &str) -> Done {
    let mut after = String::new();
    loop {
        let page = good(client.get(token, &format!("{path}{after}"))?)?;
        for item in page.get("items").and_then(Value::as_array).into_iter().flatten() {
            say(item)?;
        }
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("?after={next}"),
            None => return Ok(()),
        }
    }
}

/// What came back, or what went wrong.
pub(super) fn good(answer: Answer) -> Result<Value, Failure> {
    let body = answer.json();
    if answer.status < 300 {
        return Ok(body);
    }
    let word = |name| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let words = format!("{} ({})\n  {}", word("title"), answer.status, word("detail"));
    Err(if answer.status >= 500 {
        Failure::unavailable(words)
    } else {
        Failure::usage(words)
    })
}
