//! Shares that people bring one after the other, until there are enough of them.
//!
//! They lie in the memory of this process alone, on locked pages ([0036](../../../docs/decisions/0036-how-the-root-key-opens.md)): each
//! node is unlocked by itself, and a share in a store would be a secret in a backup. They are wiped when the vault opens, when they turn
//! out to be wrong, when somebody locks, and some time after the last of them came.

use std::mem::take;
use std::path::Path;

use crate::keyring::KeyError;
use crate::keyring::unlock::{Hsm, Means, Passphrase, Pin, Progress, Share, Shares};
use crate::store::KeyStore;
use crate::vault::life::open::{OpenError, Stores};

/// What somebody brings to unlock.
pub enum Brought {
    /// The passphrase.
    Passphrase(Passphrase),
    /// One share.
    Share(Share),
    /// The PIN of a hardware module.
    Pin(Pin),
}

/// Whether it is enough.
pub(super) enum Gathered {
    /// It is: what there is to unlock with.
    Enough(Means),
    /// More shares are needed.
    Waiting(Progress),
}

/// The shares that are in.
#[derive(Default)]
pub(super) struct Gathering {
    shares: Shares,
    /// How many have come since the process began: it tells whether one came later.
    count: u64,
}

impl Gathering {
    /// Takes what was brought, and says whether the vault can be tried with it.
    ///
    /// # Errors
    /// [`OpenError::Key`] for a share that is not for this vault as it opens now, or that is in; the others stay. For a PIN without a module.
    pub(super) async fn take(
        &mut self,
        brought: Brought,
        stores: &Stores,
        module: Option<&Path>,
    ) -> Result<Gathered, OpenError> {
        let share = match brought {
            Brought::Passphrase(passphrase) => return Ok(Gathered::Enough(Means::Passphrase(passphrase))),
            Brought::Pin(pin) => {
                let module = module.ok_or(KeyError::ModuleNotNamed)?.to_owned();
                return Ok(Gathered::Enough(Means::Hsm(Hsm { module, pin })));
            }
            Brought::Share(share) => share,
        };
        let ways = stores.keys.unlocks().await?;
        share.fits(&stores.vault, &ways)?;
        // Where the holders were changed since they came, the others open nothing any more.
        if !self.shares.iter().all(|other| other.fits(&stores.vault, &ways).is_ok()) {
            self.wipe();
        }
        let progress = self.shares.add(share)?;
        self.count += 1;
        tracing::info!(
            shares = progress.shares_in.len(),
            threshold = progress.threshold,
            "a share is in"
        );
        if self.shares.are_enough() {
            return Ok(Gathered::Enough(Means::Shares(take(&mut self.shares))));
        }
        Ok(Gathered::Waiting(progress))
    }

    /// How many have come.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// Wipes them if none came after this one.
    pub(super) fn expire(&mut self, count: u64) {
        if self.count == count && !self.shares.is_empty() {
            self.wipe();
            tracing::info!("the shares that were in are wiped: no further one came in time");
        }
    }

    /// Wipes them.
    pub(super) fn wipe(&mut self) {
        drop(take(&mut self.shares));
    }
}
