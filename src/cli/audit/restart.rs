//! `callervault audit restart`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use crate::cli::opener::OpenerFrom;
use crate::cli::passphrase::secret_file;
use crate::cli::{Done, Where, runtime, say};
use crate::clock::System;
use crate::randomness;
use crate::vault::Vault;
use crate::vault::life::again::ErasedAgain;
use crate::vault::life::restart::{Restarted, Two};

/// Start a new log whose first entry links to the old one. Use it after the vault refused a data store that was restored from
/// an older copy. Stop the server first. Needs two people.
#[derive(Args)]
pub(super) struct Restart {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    /// File with a system administrator's token, mode 0600.
    #[arg(long, value_name = "FILE")]
    asker_token_file: PathBuf,
    /// File with the token of an auditor who approves, mode 0600.
    #[arg(long, value_name = "FILE")]
    approver_token_file: PathBuf,
    /// Account name of a security administrator who gets a new token, shown once. The two tokens given here stay valid. All
    /// other tokens are void.
    #[arg(long, value_name = "ACCOUNT")]
    readmit: Option<String>,
    /// Reason for the restart. It stays in the log forever: give no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Restart {
    pub(super) fn run(self) -> Done {
        let asker = secret_file(&self.asker_token_file)?;
        let approver = secret_file(&self.approver_token_file)?;
        let opener = self.opener.read()?;
        let two = Two {
            asker: &asker,
            approver: &approver,
        };
        let places = self.place.places();
        let readmit = self.readmit.as_deref();
        let (clock, randomness) = (Arc::new(System), Arc::new(randomness::System));
        let restart = Vault::restart(&places, &opener, clock, randomness, &two, &self.reason, readmit);
        let runtime = runtime()?;
        let restarted = runtime.block_on(restart)?;
        say(format!("the new log is {}", restarted.origin))?;
        say(format!("its key      {}", restarted.key))?;
        for (name, value) in &restarted.link {
            say(format!("{name:<12} {value}"))?;
        }
        say(
            "tell the auditors and the witnesses to use the new key from now on; they keep the old key for the old log",
        )?;
        admitted(&restarted)?;
        // Last: what is shown once has been shown by then.
        erased_again(runtime.block_on(restarted.erase_again())?)
    }
}

/// What older copies of the data store have of callers who were erased since.
fn erased_again(done: ErasedAgain) -> Done {
    if done.again > 0 {
        say(format!(
            "erased again      {}: this data store still had what was erased since",
            done.again
        ))?;
    }
    if done.faults > 0 {
        say(format!(
            "not erased again  {}: run `callervault fsck`; each start tries again",
            done.faults
        ))?;
    }
    Ok(())
}

/// Who can still come in, and who may administer.
fn admitted(restarted: &Restarted) -> Done {
    say("Your two tokens stay valid. All other tokens are void: this data store may have lost revocations.")?;
    match &restarted.readmitted {
        Some(one) => {
            say("The token of the readmitted account, shown only now. Use it to issue tokens to the others:")?;
            say(format!("  {:<16} {}", one.account, *one.token))?;
        }
        None => say(
            "No account can issue new tokens yet: run this again with --readmit and a security administrator's account.",
        )?,
    }
    say("Accounts that administer or approve, as in this data store. Role changes in the lost entries are undone:")?;
    for one in &restarted.administrators {
        let inactive = if one.active { "" } else { " (inactive)" };
        say(format!("  {:<16} {}{inactive}", one.account, one.roles.to_words()))?;
    }
    say("Check each account and correct its roles before you issue tokens.")?;
    Ok(())
}
