//! `callervault status`.

use std::path::PathBuf;

use clap::Args;

use super::client::Client;
use super::{Done, Failure, say};

/// The server to ask.
#[derive(Args)]
pub(super) struct Status {
    /// URL of the server.
    #[arg(long, default_value = "http://127.0.0.1:8440")]
    url: String,
    /// CA certificates (PEM) to trust for the server [default: public CAs].
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

impl Status {
    pub(super) fn run(self) -> Done {
        let answer = Client::new(&self.url, self.ca.as_deref())?.get_without_token("/readyz")?;
        if answer.status != 200 {
            return Err(answer
                .good()
                .err()
                .unwrap_or_else(|| Failure::unavailable(format!("{}: status {}", self.url, answer.status))));
        }
        say(answer.text.trim_end())?;
        Ok(())
    }
}
