//! While the recovery of an administrator's account is under way: everybody sees it, and one person stops it.
//!
//! It is begun and finished with the vault stopped (`vault::life::recover`), so that it changes here in one way alone.
//!
//! The vault has one recovery open at a time. A person who edits the data store may put older open rows beside it, or take its row away
//! for a while. So a stop closes every open row that it finds, and its entry in the log ends each recovery that was begun before it.

use jiff::Timestamp;

use crate::keyring::KeyError;
use crate::log::Change;
use crate::model::ask::Action;
use crate::model::problems;
use crate::store::rows::recovery::OPEN;
use crate::store::rows::{About, Genuine, RecoveryRow};
use crate::store::{Guard, Write};
use crate::vault::people::approvals::PRINCIPAL;
use crate::vault::{Audit, Error, Session, Vault};

/// The word of an entry for further accounts whose open rows were closed with the first.
const ALSO: &str = "also";

/// The rows of recoveries that are open.
pub(in crate::vault) struct OpenRecoveries {
    /// Those that the vault wrote, newest first.
    pub(in crate::vault) rows: Vec<Genuine<RecoveryRow>>,
    /// Whether there are others: rows that another program wrote or edited. They finish nothing.
    pub(in crate::vault) others: bool,
}

impl OpenRecoveries {
    pub(in crate::vault) const fn is_empty(&self) -> bool {
        self.rows.is_empty() && !self.others
    }

    /// From when on the first of them may be finished.
    pub(in crate::vault) fn ready_at(&self) -> Option<Timestamp> {
        self.rows.iter().map(|row| row.ready_at).min()
    }
}

impl Vault {
    /// From when on the recovery that is under way may be finished; nothing where none is.
    #[must_use]
    pub fn recovery_ready_at(&self) -> Option<Timestamp> {
        self.recovery.get()
    }

    /// Stops the recovery that is under way.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] where none is; [`Error::Stale`] where another changed it at the same time.
    pub async fn stop_recovery(&self, session: &Session) -> Result<Audit, Error> {
        let ask = self.ask(session, Action::StopRecovery, session.actor.roles().usual_purpose())?;
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let open = self.open_recoveries().await?;
        // One that was told of is stopped by the entry, wherever its row is now.
        if open.is_empty() && self.recovery.get().is_none() {
            return Err(Error::Bad(problems::NO_RECOVERY));
        }
        let change = self.closing(open.rows)?;
        let audit = self.record(permit, change).await?.position().into();
        self.tell_of_recoveries().await?;
        Ok(audit)
    }

    /// The recoveries that are open. The program log says where a row is not one that the vault wrote.
    pub(in crate::vault) async fn open_recoveries(&self) -> Result<OpenRecoveries, Error> {
        let mut open = OpenRecoveries {
            rows: Vec::new(),
            others: false,
        };
        for row in self.store.all(&OPEN, &[]).await? {
            match self.keyring.genuine(row) {
                Ok(row) => open.rows.push(row),
                Err(KeyError::Broken) => {
                    tracing::error!("a row of a recovery is not as the vault wrote it: run `callervault fsck`");
                    open.others = true;
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(open)
    }

    /// From now on `/readyz` and the metrics tell of what the data store has.
    pub(in crate::vault) async fn tell_of_recoveries(&self) -> Result<(), Error> {
        self.recovery.set(self.open_recoveries().await?.ready_at());
        Ok(())
    }

    /// Closes these rows, all of them or none.
    pub(in crate::vault) fn closing(&self, rows: Vec<Genuine<RecoveryRow>>) -> Result<Change, Error> {
        let mut accounts = rows.iter().map(|row| row.principal.to_string());
        let mut link = About::new();
        link.extend(accounts.next().map(|first| (PRINCIPAL.to_owned(), first)));
        let also: Vec<String> = accounts.collect();
        if !also.is_empty() {
            link.insert(ALSO.to_owned(), also.join(" "));
        }
        let guards = rows.iter().map(Guard::unchanged).collect();
        let mut writes = Vec::new();
        for row in rows {
            writes.push(Write::put(self.keyring.protect(closed(row))?));
        }
        Ok(Change {
            guards,
            link,
            writes,
            ..Change::default()
        })
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
