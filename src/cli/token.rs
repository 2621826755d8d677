//! `callervault token`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::named::PRINCIPALS;
use super::passphrase::secret_file;
use super::server::{Asking, Call, Reach, Server};
use super::show::Column;
use super::terminal::Terminal;
use super::token_to::TokenTo;
use super::{Done, Failure};
use crate::model::ids::TokenId;

const COLUMNS: &[Column] = &[
    ("id", "/id"),
    ("label", "/label"),
    ("created", "/created_at"),
    ("good until", "/expires_at"),
    ("revoked", "/revoked_at"),
    ("last used", "/last_used"),
    ("by two", "/by_two"),
];
const ISSUED: &[Column] = &[
    ("token", "/token"),
    ("id", "/id"),
    ("good until", "/expires_at"),
    ("log entry", "/audit/index"),
];
/// What is answered where nothing is left to show.
pub(super) const CHANGED: &[Column] = &[("log entry", "/index")];

/// API tokens, through a running server. All but `claim` need a security administrator's token.
#[derive(Args)]
pub(super) struct Token {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    #[command(flatten)]
    Administer(Administer),
    /// Fetch the token of your own account by the one-time code that a security administrator gave you. It can be fetched once.
    Claim(Claim),
}

/// What a security administrator does with tokens.
#[derive(Subcommand)]
enum Administer {
    /// List an account's tokens, newest first, without secrets.
    List {
        /// The account: its name, or its id.
        account: String,
    },
    /// Issue a token; its secret is shown this once. With `callervault code issue` nobody but its owner sees it.
    Issue {
        /// The account: its name, or its id.
        account: String,
        #[command(flatten)]
        token: NewToken,
    },
    /// Revoke a token.
    Revoke {
        /// The account: its name, or its id.
        account: String,
        /// The token's id, as `token list` shows it.
        token: String,
    },
}

/// What is said of a new token.
#[derive(Args, serde::Serialize)]
pub(super) struct NewToken {
    /// Until when it is good: 90d, 12h, or a time by RFC 3339; without it, until revoked.
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// What it is for: a device or a program, not a person.
    #[arg(long, value_name = "WORD")]
    label: Option<String>,
}

#[derive(Args)]
struct Claim {
    /// Your account's name.
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
        match self.verb {
            Verb::Administer(verb) => verb.run(&self.asking.server()?),
            Verb::Claim(claim) => claim.run(&self.asking.reach),
        }
    }
}

impl Administer {
    fn run(self, server: &Server) -> Done {
        let path = |account: &str| {
            let id = server.account_id(account)?;
            Ok::<_, Failure>(format!("{PRINCIPALS}/{id}/tokens"))
        };
        match self {
            Self::List { account } => server.show_all(&server.list(&path(&account)?)?, COLUMNS),
            Self::Issue { account, token } => {
                let call = Call::new("POST", path(&account)?, Some(json!(token)));
                server.change(&call, ISSUED)
            }
            Self::Revoke { account, token } => {
                let token = token_id(&token)?;
                let call = Call::new("DELETE", format!("{}/{token}", path(&account)?), None);
                server.change(&call, CHANGED)
            }
        }
    }
}

/// What was given may be the token itself, which must not stand in an address or on a screen.
fn token_id(given: &str) -> Result<TokenId, Failure> {
    given.parse().map_err(|_| {
        Failure::usage(
            "this is not the id of a token, which has 32 hexadecimal digits\n  `callervault token list ACCOUNT` shows the ids; the token \
             itself belongs on no command line",
        )
    })
}

impl Claim {
    fn run(&self, reach: &Reach) -> Done {
        let client = reach.client()?;
        let code = match &self.code_file {
            Some(file) => secret_file(file)?,
            None => {
                let terminal = Terminal::open("no terminal to ask for the code\n  give --code-file")?;
                Zeroizing::new(terminal.ask("Code: ")?)
            }
        };
        let to = TokenTo::ready(self.out.as_deref())?;
        let body = json!({"account": self.account, "code": *code});
        let fetched = client
            .post_without_token("/v1/tokens/claim", &body)
            .and_then(|answer| answer.good(&["/token"]));
        to.take(fetched.as_ref().ok().and_then(token), &self.account)?;
        fetched.map(drop)
    }
}

fn token(answer: &Value) -> Option<&str> {
    answer.get("token").and_then(Value::as_str)
}
