//! While the recovery of an administrator's account is under way: everybody sees it, and one person stops it.
//!
//! It is begun and finished with the vault stopped (`vault::life::recover`), so that it changes here in one way alone.

use jiff::Timestamp;

use crate::log::Change;
use crate::model::ask::Action;
use crate::model::problems;
use crate::store::rows::recovery::UNDER_WAY;
use crate::store::rows::{Genuine, RecoveryRow};
use crate::store::{Guard, Write};
use crate::vault::people::about;
use crate::vault::people::approvals::PRINCIPAL;
use crate::vault::{Audit, Error, Session, Vault};

impl Vault {
    /// From when on the recovery that is under way may be finished; nothing where none is.
    #[must_use]
    pub fn recovery_ready_at(&self) -> Option<Timestamp> {
        self.recovery.get()
    }

    /// Stops the recovery that is under way.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] where none is.
    pub async fn stop_recovery(&self, session: &Session) -> Result<Audit, Error> {
        let ask = self.ask(session, Action::StopRecovery, session.actor.roles().usual_purpose())?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = self.open_recovery().await?.ok_or(Error::Bad(problems::NO_RECOVERY))?;
        let change = Change {
            guards: vec![Guard::unchanged(&row)],
            link: about([(PRINCIPAL, row.principal.to_string())]),
            writes: vec![Write::put(self.keyring.protect(closed(row))?)],
            ..Change::default()
        };
        let audit = self.record(permit, change).await?.position().into();
        self.recovery.set(None);
        Ok(audit)
    }

    /// The recovery, if one is under way.
    pub(in crate::vault) async fn open_recovery(&self) -> Result<Option<Genuine<RecoveryRow>>, Error> {
        let row = self.store.one(&UNDER_WAY, &[]).await?;
        Ok(row.map(|row| self.keyring.genuine(row)).transpose()?)
    }
}

/// As it stands once it is finished or stopped.
pub(in crate::vault) fn closed(row: Genuine<RecoveryRow>) -> RecoveryRow {
    RecoveryRow {
        open: false,
        version: row.version + 1,
        ..row.into_row()
    }
}
