//! `callervault audit restart`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::passphrase::{PassphraseFrom, secret_file};
use crate::cli::{Done, Where, runtime, say};
use crate::clock::System;
use crate::vault::Vault;
use crate::vault::restart::Two;

/// Open the next log, whose first entry links the old one: after the fence has refused a data store that was restored from
/// an older copy. The vault must be stopped. Takes two persons who are there.
#[derive(Args)]
pub(super) struct Restart {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
    /// A system administrator's token, in a file of mode 0600.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
    /// The token of an auditor who approves it, in a file of mode 0600.
    #[arg(long, value_name = "FILE")]
    approver_token_file: PathBuf,
    /// Why. It stays in the log for good: no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Restart {
    pub(super) fn run(self) -> Done {
        let asker = secret_file(&self.token_file)?;
        let approver = secret_file(&self.approver_token_file)?;
        let passphrase = self.passphrase.read()?;
        let two = Two {
            asker: &asker,
            approver: &approver,
        };
        let places = self.place.places();
        let restart = Vault::restart(&places, &passphrase, Arc::new(System), &two, &self.reason);
        let restarted = runtime()?.block_on(restart)?;
        say(format!("the log goes on as {}", restarted.origin))?;
        say(format!("its key      {}", restarted.key))?;
        for (name, value) in &restarted.link {
            say(format!("{name:<12} {value}"))?;
        }
        say(
            "tell the auditors and the witnesses: they follow the new key from now on, and keep the old one for the old log",
        )?;
        Ok(())
    }
}
