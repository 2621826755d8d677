//! `callervault keys`.

use clap::{Args, Subcommand};

use super::passphrase::PassphraseFrom;
use super::{Done, Where, runtime, say, unlocked};
use crate::vault::life::open::{OpenError, Running};

/// The vault's keys.
#[derive(Args)]
pub(super) struct Keys {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Show the public keys that check the log, while no process serves the vault: of the log in force first, then of those that
    /// it followed.
    ShowLogKey(ShowLogKey),
}

/// It takes the passphrase: the public key is stored nowhere, but follows from the sealed private one. A stored copy could be
/// replaced by whoever writes the files, and an auditor would then trust a forger's key.
#[derive(Args)]
struct ShowLogKey {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    passphrase: PassphraseFrom,
}

impl Keys {
    pub(super) fn run(self) -> Done {
        let What::ShowLogKey(show) = self.what;
        let passphrase = show.passphrase.read()?;
        let keys = runtime()?.block_on(async {
            // An unlock like any other: the log is proved with these keys, and has an entry of it.
            let vault = unlocked(&show.place.places(), &passphrase, ("keys", "keys"), Running::patient()).await?;
            Ok::<_, OpenError>(vault.public_log_keys().await?)
        })?;
        for key in keys.lines() {
            say(key)?;
        }
        Ok(())
    }
}
