//! `callervault token`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::admin::good;
use super::client::Client;
use super::init::write_secret;
use super::passphrase::secret_file;
use super::terminal::Terminal;
use super::{Done, Failure, say};
use crate::atomic_file;

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
        let to = To::ready(claim.out.as_deref())?;
        let body = json!({"account": claim.account, "code": *code});
        let fetched = client.post_without_token("/v1/tokens/claim", &body).and_then(good);
        to.take(fetched.as_ref().ok().and_then(token), &claim.account)?;
        fetched.map(drop)
    }
}

fn token(answer: &Value) -> Option<&str> {
    answer.get("token").and_then(Value::as_str)
}

/// Where the token goes. It is ready before the code is used up: a token that cannot be put anywhere is lost.
enum To<'p> {
    File(&'p Path),
    Terminal(Terminal),
}

impl<'p> To<'p> {
    fn ready(out: Option<&'p Path>) -> Result<Self, Failure> {
        match out {
            Some(path) => write_secret(path, "").map(|()| Self::File(path)),
            None => Terminal::open("no terminal to show the token on\n  give --out FILE").map(Self::Terminal),
        }
    }

    fn take(&self, token: Option<&str>, account: &str) -> Done {
        match (self, token) {
            (Self::Terminal(_), None) => Ok(()),
            (Self::Terminal(terminal), Some(token)) => terminal.show_once(&format!("The token of {account}"), token),
            (Self::File(path), None) => Ok(std::fs::remove_file(path)?),
            (Self::File(path), Some(token)) => {
                let line = Zeroizing::new(format!("{token}\n"));
                atomic_file::replace(path, line.as_bytes()).map_err(|error| {
                    Failure::unavailable(format!("{}: {error}\n  ask for a new code", path.display()))
                })?;
                Ok(say(format!("token: {}", path.display()))?)
            }
        }
    }
}
