//! The tickets about a record of a caller, all of them.
//!
//! They are found by a column that nobody has checked. A row that somebody has edited to be another's, or nobody's, would not be missed, so
//! that the vault counts them in a row of its own for each record.

use crate::cells;
use crate::keyring::KeyError;
use crate::model::reference::Reference;
use crate::store::Write;
use crate::store::rows::ticket::ABOUT;
use crate::store::rows::ticket_count::BY_SUBJECT;
use crate::store::rows::{CallerRow, Genuine, TicketCountRow, TicketRow};
use crate::vault::{Error, Vault};

/// The tickets about a record, and what counts them: as long as that is unchanged, there are no others.
pub(in crate::vault) struct Counted {
    pub(in crate::vault) tickets: Vec<Genuine<TicketRow>>,
    pub(in crate::vault) count: Genuine<TicketCountRow>,
}

impl Vault {
    /// Every ticket about this record; nothing where there are more than `most`.
    ///
    /// # Errors
    /// [`KeyError::Broken`] where one is missing or was edited; [`Error::Stale`] where somebody took a call meanwhile.
    pub(in crate::vault) async fn every_ticket(&self, record: &CallerRow, most: u32) -> Result<Option<Counted>, Error> {
        let count = self.ticket_count(record.subject).await?;
        if count.tickets > most {
            return Ok(None);
        }
        let found = self.store.all(&ABOUT, &cells![record.subject, most + 1]).await?;
        let tickets = self.genuine(found)?;
        if u32::try_from(tickets.len()) == Ok(count.tickets) {
            return Ok(Some(Counted { tickets, count }));
        }
        let now = self.ticket_count(record.subject).await?;
        Err(if now.version == count.version {
            KeyError::Broken.into()
        } else {
            Error::Stale
        })
    }

    /// What counts a record's tickets. Each record has one.
    async fn ticket_count(&self, subject: Reference) -> Result<Genuine<TicketCountRow>, Error> {
        let row = self.store.one(&BY_SUBJECT, &cells![subject]).await?;
        Ok(self.keyring.genuine(row.ok_or(KeyError::Broken)?)?)
    }

    /// A new record has so many tickets.
    pub(in crate::vault) fn first_tickets(&self, subject: Reference, tickets: u32) -> Result<Write, Error> {
        let version = 1;
        let row = TicketCountRow {
            subject,
            tickets,
            version,
        };
        Ok(Write::put(self.keyring.protect(row)?))
    }

    /// A record has so many tickets more, or fewer.
    pub(in crate::vault) async fn tickets_changed(&self, subject: Reference, by: i32) -> Result<Write, Error> {
        let row = self.ticket_count(subject).await?;
        let next = TicketCountRow {
            tickets: row.tickets.checked_add_signed(by).ok_or(KeyError::Broken)?,
            version: row.version + 1,
            ..row.into_row()
        };
        Ok(Write::put(self.keyring.protect(next)?))
    }
}
