//! The life of the vault's keys: unlocking, as the log has it, new versions, the end of older ones, and locking.

pub mod destroy;
pub mod list;
pub mod rewrap;
pub mod rotate;

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::fields::{Field, FieldSet};
use crate::model::purposes::Purpose;
use crate::store::Write;
use crate::store::rows::DeclaredRow;
use crate::store::rows::declared::ALL;
use crate::vault::{Audit, Error, Session, Vault};

impl Vault {
    /// Writes into the log that the vault was unlocked here: in which way (`serve`, `import` …). Whoever opens a vault for work
    /// says so before anything else.
    ///
    /// # Errors
    /// Whatever keeps it out of the log: then nothing is served.
    pub async fn note_unlock(&self, way: &str) -> Result<Audit, Error> {
        let at = self.clock.now()?;
        let rules = self.rules();
        let change = Change {
            writes: self.newly_declared(&rules.fields).await?,
            ..Change::default()
        };
        let position = self.log.unlocked(way, at, rules.policy.hash(), change).await?;
        tracing::info!(way, index = position.index, "the vault is unlocked");
        Ok(position.into())
    }

    /// Fields that are declared for the first time.
    pub(in crate::vault) async fn newly_declared(&self, fields: &FieldSet) -> Result<Vec<Write>, Error> {
        let known = self.genuine(self.store.all(&ALL, &[]).await?)?;
        let new = |field: &&Field| known.iter().all(|row| row.name != field.name().as_str());
        let row = |field: &Field| DeclaredRow {
            name: field.name().as_str().to_owned(),
            record: field.record(),
            kind: field.kind().as_str().to_owned(),
            idx: field.index().map(str::to_owned),
        };
        let rows = fields.iter().filter(new).map(row);
        rows.map(|row| Ok(Write::put(self.keyring.protect(row)?))).collect()
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
        tracing::info!(index = audit.index, "the vault is locked; keys wiped");
        Ok(audit)
    }

    /// Wipes every key: the end of serving.
    pub fn wipe(&self) {
        self.keyring.lock();
    }
}
