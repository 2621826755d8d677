//! The auditor's work. Reading the log is in the log too.

pub(in crate::vault) mod clients;
pub mod exposure;
pub mod follow;
pub mod lineage;
mod names;
pub mod read;
pub mod report;
pub mod resolve;
pub mod retention;
pub mod roles;
pub mod search;
pub mod shown;
pub mod statement;
pub mod trace;
pub mod wanted;

use crate::log::history::NoHistory;
use crate::model::ask::{Action, Ask};
use crate::model::problems::{self, Thing};
use crate::model::purposes::Purpose;
use crate::policy::Permit;
use crate::vault::{Audit, Error, Session, Vault};

impl Vault {
    fn ask_log(&self, session: &Session, action: Action) -> Result<Ask, Error> {
        self.ask(session, action, Purpose::Audit)
    }

    /// Decides on a read of the log.
    async fn may_audit(&self, ask: Ask) -> Result<Permit, Error> {
        let facts = self.facts(&ask).await?;
        self.decide(ask, facts).await
    }

    /// Decides on a read of the log and writes it into the log.
    async fn audited(&self, ask: Ask) -> Result<Audit, Error> {
        let permit = self.may_audit(ask).await?;
        self.note(permit).await
    }
}

impl From<NoHistory> for Error {
    fn from(missing: NoHistory) -> Self {
        match missing {
            NoHistory::Store(fault) => Self::Store(fault),
            NoHistory::Range(_) => Self::Bad(problems::NO_SUCH_RANGE),
            NoHistory::Absent => Self::NotFound(Thing::PartOfLog),
            NoHistory::Empty(_) => Self::Key(crate::keyring::KeyError::Broken),
        }
    }
}
