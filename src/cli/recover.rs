//! `callervault recover-admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::SignedDuration;

use super::opener::OpenerFrom;
use super::passphrase::secret_file;
use super::token_to::TokenTo;
use super::{Done, Failure, Where, cosigned, runtime, say};
use crate::log::leaf;
use crate::model::tokens::Expiry;
use crate::vault::life::open::{OpenError, Running};
use crate::vault::life::recover::Recovery;
use crate::vault::life::restart::Two;
use crate::vault::{Vault, Witnessing};

/// How its unlocks are called in the log, and its node.
const WAY: &str = "recover-admin";

/// A security administrator whose token is lost gets a new one, after a delay in which others see it and can stop it. The vault must
/// be stopped; serve it in between.
#[derive(Args)]
pub(super) struct RecoverAdmin {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Begin: write into the log for which account, why, and from when on it may be finished.
    Start(Start),
    /// Finish once the delay is over: the account gets a new token, shown this once, and all its earlier ones are void.
    Finish(Finish),
    /// End it without a token.
    Cancel(Cancel),
}

#[derive(Args)]
struct Start {
    #[command(flatten)]
    opening: Opening,
    /// The account: a security administrator's that is active.
    #[arg(long, value_name = "ACCOUNT")]
    account: String,
    /// The token of an auditor, a system administrator or a data protection officer, in a file of mode 0600.
    #[arg(long, value_name = "FILE", requires = "approver_token_file")]
    asker_token_file: Option<PathBuf>,
    /// The token of another one of them, neither of whom made the other's account, in a file of mode 0600. Without these two tokens the
    /// passphrase alone begins it, and the delay is longer.
    #[arg(long, value_name = "FILE", requires = "asker_token_file")]
    approver_token_file: Option<PathBuf>,
    /// How long others have to stop it: 36h, 5d. With two persons 24h and at least 1h; with the passphrase alone 7d and at least 72h.
    #[arg(long, value_name = "TIME", value_parser = delay)]
    delay: Option<SignedDuration>,
    /// Why. It stays in the log for good: no personal data.
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args)]
struct Finish {
    #[command(flatten)]
    opening: Opening,
    /// Write the token into this new file (mode 0600). Without it the token is shown on the terminal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Args)]
struct Cancel {
    #[command(flatten)]
    opening: Opening,
}

/// Which vault, and what opens it.
#[derive(Args)]
struct Opening {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
}

impl Opening {
    /// Proves the log, also against what witnesses have cosigned of it, and unlocks.
    async fn vault(&self) -> Result<Vault, Failure> {
        let opener = self.opener.read()?;
        let places = self.place.places();
        let clock = std::sync::Arc::new(crate::clock::System);
        let vault = Vault::open_with(&places, &opener, clock, WAY, Running::patient()).await?;
        // Before anything is written: a log that was cut does not grow over what was cosigned.
        let kept = Witnessing::kept(cosigned(&places));
        let vault = vault.with_witnesses(kept).map_err(Failure::unavailable)?;
        vault.note_unlock(WAY).await.map_err(OpenError::from)?;
        Ok(vault)
    }
}

fn delay(text: &str) -> Result<SignedDuration, &'static str> {
    match text.parse() {
        Ok(Expiry::Hours(hours)) if hours <= 10_000 => Ok(SignedDuration::from_hours(hours)),
        Ok(Expiry::Days(days)) if days <= 400 => Ok(SignedDuration::from_hours(24 * days)),
        _ => Err("hours or days, such as 36h or 5d"),
    }
}

impl RecoverAdmin {
    pub(super) fn run(self) -> Done {
        let runtime = runtime()?;
        match self.what {
            What::Start(start) => runtime.block_on(start.run()),
            What::Finish(finish) => runtime.block_on(finish.run()),
            What::Cancel(cancel) => runtime.block_on(cancel.run()),
        }
    }
}

impl Start {
    async fn run(&self) -> Done {
        let tokens = match (&self.asker_token_file, &self.approver_token_file) {
            (Some(asker), Some(approver)) => Some((secret_file(asker)?, secret_file(approver)?)),
            _ => None,
        };
        let vault = self.opening.vault().await?;
        let recovery = Recovery {
            account: &self.account,
            two: tokens.as_ref().map(|(asker, approver)| Two { asker, approver }),
            reason: &self.reason,
            delay: self.delay,
        };
        let ready_at = vault.start_recovery(&recovery).await.map_err(OpenError::from)?;
        say(format!("begun; from {} on:", leaf::milliseconds(ready_at)))?;
        say("  callervault recover-admin finish")?;
        say(
            "serve the vault until then: /readyz, the metrics and the log tell of it, and an auditor, a data protection officer or an \
             administrator may stop it",
        )?;
        Ok(())
    }
}

impl Finish {
    async fn run(&self) -> Done {
        let vault = self.opening.vault().await?;
        let to = TokenTo::ready(self.out.as_deref())?;
        let issued = vault.finish_recovery().await.map_err(OpenError::from);
        let token = issued.as_ref().ok().map(|issued| issued.token.as_str());
        let account = issued.as_ref().map_or("", |issued| &issued.account);
        to.take(token, account)?;
        let issued = issued?;
        say(format!(
            "{} has a new token; all its earlier ones are void",
            issued.account
        ))?;
        Ok(())
    }
}

impl Cancel {
    async fn run(&self) -> Done {
        let vault = self.opening.vault().await?;
        vault.cancel_recovery().await.map_err(OpenError::from)?;
        say("the recovery is cancelled")?;
        Ok(())
    }
}
