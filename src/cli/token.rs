//! `callervault token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::Done;
use super::client::Client;
use super::passphrase::secret_file;
use super::terminal::Terminal;
use super::token_to::TokenTo;

/// One's own token.
#[derive(Args)]
pub(super) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Fetch the token of your account by the one-time code that a security administrator gave you. It can be fetched once.
    Claim(Claim),
}

#[derive(Args)]
struct Claim {
    /// The server: https://, or http:// on this machine alone.
    #[arg(long, default_value = "http://127.0.0.1:8440")]
    url: String,
    /// Certificates (PEM) that vouch for the server, in place of the public authorities.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Your account's name.
    #[arg(long, value_name = "NAME")]
    account: String,
    /// The code, in a file of mode 0600. Asked for on the terminal where it is not given.
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    /// Write the token into this new file (mode 0600). Without it the token is shown on the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Token {
    pub(super) fn run(self) -> Done {
        let What::Claim(claim) = self.what;
        let client = Client::new(&claim.url, claim.ca.as_deref())?;
        let code = match &claim.code_file {
            Some(file) => secret_file(file)?,
            None => {
                let terminal = Terminal::open("no terminal to ask for the code\n  give --code-file")?;
                Zeroizing::new(terminal.ask("Code: ")?)
            }
        };
        let to = TokenTo::ready(claim.out.as_deref())?;
        let body = json!({"account": claim.account, "code": *code});
        let fetched = client
            .post_without_token("/v1/tokens/claim", &body)
            .and_then(|answer| answer.good());
        to.take(fetched.as_ref().ok().and_then(token), &claim.account)?;
        fetched.map(drop)
    }
}

fn token(answer: &Value) -> Option<&str> {
    answer.get("token").and_then(Value::as_str)
}
