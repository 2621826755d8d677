//! Other holders of the root key, or another way to open it ([0036](../../../docs/decisions/0036-how-the-root-key-opens.md)).
//!
//! It is done with the vault stopped, by those who can open it: the passphrase, or as many shares as it takes. The root key stays the
//! same; nothing that it leads to is touched. In this order:
//!
//! 1. The new wrapping is made and tried, in memory. Its shares are handed out.
//! 2. The log says that it comes.
//! 3. The key store has it in place of the old one, in one step.
//!
//! A crash before the third leaves the old way, one after it the new. Each unlock says in the log which generation opened the vault, and which
//! set of shares; so it can be seen whether an announced one came.

use std::collections::BTreeMap;

use crate::keyring::unlock::{Choice, Shares, Wrapped};
use crate::log::{Change, Unasked, leaf};
use crate::model::reference::DepartmentCode;
use crate::model::unlocking::OpensBy;
use crate::store::StoreError;
use crate::vault::keys::{GENERATION, SET};
use crate::vault::life::open::OpenError;
use crate::vault::{Audit, Error, Vault};

/// A new way to open the root key, which is not in force yet.
pub struct Rekeying {
    wrapped: Wrapped,
    from: OpensBy,
}

impl Rekeying {
    /// The new shares, if it is a way of shares: to be handed out before it is in force.
    #[must_use]
    pub const fn shares(&self) -> &Shares {
        &self.wrapped.shares
    }

    /// The generation of the new way.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.wrapped.row.generation
    }

    fn told(&self) -> BTreeMap<String, String> {
        let row = &self.wrapped.row;
        let mut told = BTreeMap::from([
            ("from".to_owned(), self.from.to_string()),
            ("to".to_owned(), row.way.to_string()),
            (GENERATION.to_owned(), row.generation.to_string()),
        ]);
        if row.way == OpensBy::Shares {
            told.insert("threshold".to_owned(), row.threshold.to_string());
            told.insert("shares".to_owned(), row.shares.to_string());
            told.extend(row.set_of_shares().map(|set| (SET.to_owned(), set)));
        }
        told
    }
}

impl Vault {
    /// Makes a new way to open the root key. Nothing is changed yet.
    ///
    /// # Errors
    /// As [`crate::keyring::Keyring::rewrapped_root`].
    pub async fn prepare_rekey<'c>(&self, choice: impl Into<Choice<'c>>) -> Result<Rekeying, OpenError> {
        let choice = choice.into();
        let vault = self.keys.vault().await?;
        Ok(Rekeying {
            wrapped: self.keyring.rewrapped_root(&vault, choice)?,
            from: self.keyring.opened_by().by,
        })
    }

    /// Puts it in force: what opened the vault before opens it no longer. Says so in the log first.
    ///
    /// # Errors
    /// Whatever keeps it out of the log: then nothing has changed. A fault of the key store: then one of the two ways is in force, and not
    /// both.
    pub async fn rekey(&self, rekeying: &Rekeying) -> Result<Audit, OpenError> {
        let (at, policy) = (self.clock.now().map_err(Error::from)?, self.rules().policy.hash());
        let change = Change {
            link: rekeying.told(),
            ..Change::default()
        };
        let act = Unasked::new(leaf::REKEY, DepartmentCode::AUDITORS, at, policy);
        let position = self.log.unasked(&act, change).await.map_err(Error::from)?;
        match self.keys.put_unlock(&rekeying.wrapped.row) {
            Ok(()) => {}
            // The next start of a vault empties it.
            Err(StoreError::Busy) => tracing::warn!("the old wrapping is not gone while somebody reads the key store"),
            Err(fault) => return Err(fault.into()),
        }
        tracing::info!(
            way = %rekeying.wrapped.row.way,
            generation = rekeying.generation(),
            index = position.index,
            "the root key opens in another way"
        );
        Ok(position.into())
    }
}
