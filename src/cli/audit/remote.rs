//! A log behind the API of a running server, with an auditor's token.

use std::path::PathBuf;

use clap::Args;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::audit::verify::{NoFile, Source};
use crate::cli::Failure;
use crate::cli::client::Client;
use crate::cli::passphrase::secret_file;

#[derive(Args)]
pub(super) struct TokenFrom {
    /// An auditor's token, in a file of mode 0600; needed for a server.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Certificates of the authorities that may vouch for the server, PEM; without it those of the web.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// A server and a token.
pub(super) struct Remote {
    client: Client,
    token: Zeroizing<String>,
}

impl Remote {
    pub(super) fn new(url: &str, token: &TokenFrom) -> Result<Self, Failure> {
        let file = token.token_file.as_deref();
        let file = file.ok_or_else(|| Failure::usage("a server asks for an auditor's token\n  give --token-file"))?;
        Ok(Self {
            client: Client::new(url, token.ca.as_deref())?,
            token: secret_file(file)?,
        })
    }
}

impl Remote {
    /// A JSON answer of the API.
    pub(super) fn json(&self, path: &str) -> Result<serde_json::Value, Failure> {
        let (status, bytes) = self.client.bytes(&self.token, path)?;
        if status == 200 {
            return serde_json::from_slice(&bytes).map_err(Failure::unavailable);
        }
        Err(Failure::unavailable(refused(status)))
    }

    /// Sends JSON to the server. Answers with the status and what came back.
    pub(super) fn post(&self, path: &str, body: &Value) -> Result<(u16, Value), Failure> {
        let answer = self.client.call(&self.token, "POST", path, &[], Some(body))?;
        Ok((answer.status, answer.json()))
    }
}

fn refused(status: u16) -> String {
    if matches!(status, 401 | 403) {
        "the server refuses this token\n  the log is read with the token of an auditor".to_owned()
    } else {
        format!("the server answered with status {status}")
    }
}

impl Source for Remote {
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, NoFile> {
        let answer = self.client.bytes(&self.token, &format!("/v1/audit/{path}"));
        let (status, bytes) = answer.map_err(|failure| NoFile(failure.to_string()))?;
        match status {
            200 => Ok(Some(bytes)),
            404 => Ok(None),
            other => Err(NoFile(format!("{path}: {}", refused(other)))),
        }
    }

    fn cosigned(&self) -> Result<Option<Vec<u8>>, NoFile> {
        self.read("checkpoint/cosigned")
    }
}
