//! `callervault admin`: the security administrator's calls, through a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand};
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
        /// Good for this many seconds; without it, until revoked.
        #[arg(long)]
        expires_in: Option<u32>,
    },
    /// Revoke a token.
    RevokeToken {
        /// The principal's id.
        id: String,
        /// The token's handle.
        token: String,
    },
}

impl Admin {
    pub(super) fn run(self) -> Done {
        let client = Client::new(&self.url, self.ca.as_deref())?;
        let token = secret_file(&self.token_file)?;
        let list = |path: &str| pages(&client, &token, path);
        let answer = match self.what {
            What::Departments => return list("/v1/admin/departments"),
            What::Principals => return list("/v1/admin/principals"),
            What::Tokens { id } => return list(&format!("/v1/admin/principals/{id}/tokens")),
            What::AddDepartment { code, name, kind } => client.post(
                &token,
                "/v1/admin/departments",
                &json!({"code": code, "name": name, "kind": kind}),
            ),
            What::AddPrincipal {
                name,
                department,
                roles,
                kind,
            } => {
                let body = json!({"name": name, "department": department, "roles": roles, "kind": kind});
                client.post(&token, "/v1/admin/principals", &body)
            }
            What::SetPrincipal {
                id,
                roles,
                inactive,
                version,
            } => {
                let body = json!({"roles": roles, "active": !inactive});
                let tag = format!("\"{version}\"");
                client.call(
                    &token,
                    "PUT",
                    &format!("/v1/admin/principals/{id}"),
                    Some(&tag),
                    Some(&body),
                )
            }
            What::IssueToken { id, expires_in } => client.post(
                &token,
                &format!("/v1/admin/principals/{id}/tokens"),
                &json!({"expires_in": expires_in}),
            ),
            What::RevokeToken { id, token: handle } => client.call(
                &token,
                "DELETE",
                &format!("/v1/admin/principals/{id}/tokens/{handle}"),
                None,
                None,
            ),
        };
        say(good(answer?)?)?;
        Ok(())
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

fn good(answer: Answer) -> Result<Value, Failure> {
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
