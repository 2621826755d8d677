//! `callervault keys rekey`.

use clap::Args;

use super::hsm_to::NewHsmTo;
use super::opener::OpenerFrom;
use super::passphrase::NewPassphraseFrom;
use super::shares_to::{HandedOut, SharesTo};
use super::{Done, Failure, Where, aside, runtime, say, unlocked};
use crate::keyring::unlock::{Choice, HsmKey, Passphrase};
use crate::vault::Vault;
use crate::vault::life::open::{OpenError, Running};

/// It takes what opens the vault now: the passphrase, or as many shares as it takes. With --shares it opens by new shares from then on;
/// without, by a new passphrase. What opened it before opens it no longer; backups of the key store from before still open with it.
#[derive(Args)]
pub(super) struct Rekey {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    opener: OpenerFrom,
    #[command(flatten)]
    shares: SharesTo,
    #[command(flatten)]
    passphrase: NewPassphraseFrom,
    #[command(flatten)]
    hsm: NewHsmTo,
}

/// What is to open the vault from now on.
enum New<'p> {
    Passphrase(Passphrase),
    Shares(super::shares_to::HandingOut<'p>),
    Hsm(HsmKey),
}

impl New<'_> {
    const fn choice(&self) -> Choice<'_> {
        match self {
            Self::Passphrase(passphrase) => Choice::Passphrase(passphrase),
            Self::Shares(out) => Choice::Shares(out.scheme),
            Self::Hsm(key) => Choice::Hsm(key),
        }
    }
}

impl Rekey {
    pub(super) fn run(self) -> Done {
        let out = self.shares.ready()?;
        let opener = self.opener.read()?;
        let new = match out {
            Some(out) => New::Shares(out),
            None => match self.hsm.key(&self.passphrase)? {
                Some(key) => New::Hsm(key),
                None => New::Passphrase(self.passphrase.choose()?),
            },
        };
        let generation = runtime()?.block_on(async {
            // An unlock like any other: the log is proved, and has an entry of it.
            let vault = unlocked(&self.place.places(), &opener, ("rekey", "rekey"), Running::patient()).await?;
            rekeyed(&vault, &new).await
        })?;
        match &new {
            New::Passphrase(_) => say("the new passphrase opens the vault")?,
            New::Shares(out) => out.tell()?,
            New::Hsm(_) => say("the key in the hardware module opens the vault")?,
        }
        say(format!(
            "generation {generation} is in force; what opened the vault before opens it no longer, except backups of the key store"
        ))?;
        Ok(())
    }
}

/// Puts the new way in force, once its shares are handed out: its generation.
async fn rekeyed(vault: &Vault, new: &New<'_>) -> Result<u32, Failure> {
    let rekeying = vault.prepare_rekey(new.choice()).await?;
    let handed: Option<HandedOut> = match new {
        New::Passphrase(_) | New::Hsm(_) => None,
        New::Shares(out) => Some(out.hand_out(rekeying.shares())?),
    };
    let done = vault.rekey(&rekeying).await;
    // Where the key store fails, nobody knows which of the two it has.
    if let Err(OpenError::Store(_)) = &done {
        aside("the key store may have either: keep both, the old and the new, and try which opens the vault");
    }
    if matches!(done, Ok(_) | Err(OpenError::Store(_))) {
        handed.into_iter().for_each(HandedOut::keep);
    }
    done?;
    Ok(rekeying.generation())
}
