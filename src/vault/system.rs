//! Locking, and the log's newest checkpoint.

use super::{Audit, Error, Session, Vault};
use crate::model::ask::Action;
use crate::model::purposes::Purpose;

impl Vault {
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

    /// The log's newest signed checkpoint (C2SP tlog-checkpoint). Reading it is itself in the log: the checkpoint
    /// answered covers that entry.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn checkpoint(&self, session: &Session) -> Result<String, Error> {
        let ask = self.ask(session, Action::ReadCheckpoint, Purpose::Audit)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        self.note(permit).await?;
        Ok(self.store.head().await?.checkpoint)
    }
}
