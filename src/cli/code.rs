//! `callervault code`: one-time codes, by which the owners of accounts fetch their tokens.

use clap::{Args, Subcommand};
use serde_json::json;

use super::named::PRINCIPALS;
use super::server::{Asking, Call};
use super::show::Column;
use super::token::{CHANGED, NewToken};
use super::{Done, Failure};

const COLUMNS: &[Column] = &[
    ("code", "/code"),
    ("good until", "/expires_at"),
    ("log entry", "/audit/index"),
];

/// One-time codes, through a running server: a security administrator's token is needed.
#[derive(Args)]
pub(super) struct Code {
    #[command(flatten)]
    asking: Asking,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Issue a one-time code, shown this once, by which the account's owner fetches the token: `callervault token claim`.
    Issue {
        /// The account: its name, or its id.
        account: String,
        #[command(flatten)]
        token: NewToken,
    },
    /// End the open one-time code of an account.
    End {
        /// The account: its name, or its id.
        account: String,
    },
}

impl Code {
    pub(super) fn run(self) -> Done {
        let server = self.asking.server()?;
        let path = |account: &str| {
            let id = server.account_id(account)?;
            Ok::<_, Failure>(format!("{PRINCIPALS}/{id}/codes"))
        };
        match self.verb {
            Verb::Issue { account, token } => {
                let call = Call::new("POST", path(&account)?, Some(json!(token)));
                server.change(&call, COLUMNS)
            }
            Verb::End { account } => server.change(&Call::new("DELETE", path(&account)?, None), CHANGED),
        }
    }
}
