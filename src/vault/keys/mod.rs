//! The life of the vault's keys: unlocking, as the log has it, new versions, the end of older ones, and locking.

pub mod destroy;
pub mod list;
pub mod rewrap;
pub mod rotate;

use std::collections::BTreeMap;

use crate::causes::with_causes;
use crate::keyring::Opened;
use crate::log::{Change, Unasked, leaf};
use crate::model::ask::Action;
use crate::model::fields::{Field, FieldSet};
use crate::model::purposes::Purpose;
use crate::model::reference::DepartmentCode;
use crate::model::unlocking::OpensBy;
use crate::store::Write;
use crate::store::rows::declared::ALL;
use crate::store::rows::{DeclaredRow, UnlockTryRow};
use crate::vault::{Audit, Error, Session, Vault};

/// How the log says in which way the root key opened.
const OPENED_BY: &str = "opened_by";
/// How the log says which wrapping of the root key.
pub(in crate::vault) const GENERATION: &str = "generation";
/// How the log says which set of shares. A generation may come twice, a set never does.
pub(in crate::vault) const SET: &str = "set";

impl Vault {
    /// Writes into the log that the vault was unlocked here: in which way (`serve`, `import` …), and how many wrong passphrases a
    /// running server was given before. Whoever opens a vault for work says so before anything else.
    ///
    /// # Errors
    /// Whatever keeps it out of the log: then nothing is served.
    pub async fn note_unlock(&self, way: &str) -> Result<Audit, Error> {
        let at = self.clock.now()?;
        let rules = self.rules();
        let wrong = self.keys.unlock_tries().await?;
        let mut link = told(&wrong);
        link.extend(opened(self.keyring.opened_by()));
        let change = Change {
            link,
            writes: self.newly_declared(&rules.fields).await?,
            ..Change::default()
        };
        let position = self.log.unlocked(way, at, rules.policy.hash(), change).await?;
        if !wrong.is_empty()
            && let Err(fault) = self.keys.forget_unlock_tries()
        {
            tracing::warn!(%fault, "the next unlock tells of the wrong passphrases again");
        }
        tracing::info!(way, index = position.index, "the vault is unlocked");
        // A restart that a crash has interrupted, or that could not do all of it. Nobody is served yet.
        if let Err(error) = self.erase_again().await {
            tracing::error!(
                error = with_causes(&error),
                "an older copy of the data store still has who was erased since"
            );
        }
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

    /// Wipes every key once that stands in the log.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub(in crate::vault) async fn lock(&self, session: &Session) -> Result<Audit, Error> {
        let ask = self.ask(session, Action::Lock, Purpose::Administer)?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let audit = self.note(permit).await?;
        self.wipe();
        tracing::info!(index = audit.index, "the vault is locked; keys wiped");
        Ok(audit)
    }

    /// Writes into the log that the vault is locked without a person who asked, and in which way.
    pub(in crate::vault) async fn note_lock(&self, way: &str) -> Result<Audit, Error> {
        let change = Change {
            link: [(leaf::WAY.to_owned(), way.to_owned())].into(),
            ..Change::default()
        };
        let (at, policy) = (self.clock.now()?, self.rules().policy.hash());
        let lock = Unasked::new(Action::Lock.as_str(), DepartmentCode::AUDITORS, at, policy);
        Ok(self.log.unasked(&lock, change).await?.into())
    }

    /// Wipes every key: the end of serving.
    pub fn wipe(&self) {
        self.keyring.lock();
    }
}

/// What the log says of the way in which the root key opened: nothing of a new vault's passphrase.
fn opened(opened: &Opened) -> BTreeMap<String, String> {
    let mut told = BTreeMap::new();
    if opened.by != OpensBy::Passphrase {
        told.insert(OPENED_BY.to_owned(), opened.by.to_string());
    }
    if opened.by != OpensBy::Passphrase || opened.generation > 1 {
        told.insert(GENERATION.to_owned(), opened.generation.to_string());
    }
    if !opened.shares.is_empty() {
        let numbers: Vec<String> = opened.shares.iter().map(ToString::to_string).collect();
        told.insert("shares".to_owned(), numbers.join(" "));
    }
    told.extend(opened.set.iter().map(|set| (SET.to_owned(), set.clone())));
    told
}

/// What the log says of wrong passphrases: how many from where, and since when.
fn told(wrong: &[UnlockTryRow]) -> BTreeMap<String, String> {
    let count = |row: &UnlockTryRow| (format!("wrong_{}", row.came_from), row.wrong.to_string());
    let mut told: BTreeMap<String, String> = wrong.iter().map(count).collect();
    let since = wrong.iter().map(|row| row.first_at).min();
    told.extend(since.map(|since| ("wrong_since".to_owned(), leaf::milliseconds(since))));
    told
}
