//! Locking.

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
}
