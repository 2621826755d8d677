//! Unlocking, as the log has it, and locking.

use crate::model::ask::Action;
use crate::model::purposes::Purpose;
use crate::vault::{Audit, Error, Session, Vault};

impl Vault {
    /// Writes into the log that the vault was unlocked here: in which way (`serve`, `import` …). Whoever opens a vault for work
    /// says so before anything else.
    ///
    /// # Errors
    /// Whatever keeps it out of the log: then nothing is served.
    pub async fn note_unlock(&self, way: &str) -> Result<Audit, Error> {
        let at = self.clock.now()?;
        Ok(self.log.unlocked(way, at, self.policy.hash()).await?.into())
    }

    /// Wipes every key once that stands in the log. Only a start with the passphrase unlocks again.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn lock(&self, session: &Session) -> Result<Audit, Error> {
        let ask = self.ask(session, Action::Lock, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        self.wipe();
        Ok(audit)
    }

    /// Wipes every key: the end of serving.
    pub fn wipe(&self) {
        self.keyring.lock();
    }
}
