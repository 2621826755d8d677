//! What an approval is about, as it stands. An approval is for that state: once any of these rows has changed, the second person
//! has said yes to something that is no longer there.

use std::str::FromStr;

use ring::digest::{Context, SHA256};

use crate::cells;
use crate::keyring::KeyError;
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::problems::Thing;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::store::Guard;
use crate::store::rows::coded::row_digest;
use crate::store::rows::ticket::{ABOUT, BY_NO};
use crate::store::rows::{About, Genuine, Protected, archive, key_version};
use crate::vault::{Error, Vault};

/// The word of `about` for the account that it is about: its id.
pub(in crate::vault) const PRINCIPAL: &str = "principal";
/// The department of that account.
pub(in crate::vault) const DEPARTMENT: &str = "department";
/// The handle of the API token that it is about.
pub(in crate::vault) const TOKEN: &str = "token_id";
/// The log whose entries it is about: its origin.
pub(in crate::vault) const LOG: &str = "log";

/// The key that it is about: its role.
pub(in crate::vault) const KEY: &str = "key";
/// A ticket of the caller's record that is kept in a merge.
pub(in crate::vault) const KEPT_TICKET: &str = "kept_ticket";
/// A ticket of the record that is merged into it.
pub(in crate::vault) const MERGED_TICKET: &str = "merged_ticket";
/// The caller who is to be erased: what the log calls the record in force.
pub(in crate::vault) const ERASED: &str = "erased";
/// The caller whose data are no longer to be restricted: what the log calls the record in force.
pub(in crate::vault) const RESTRICTED: &str = "restricted";
/// Most tickets about a caller who can be erased: all of them change in one transaction.
pub(in crate::vault) const MOST_TICKETS: u32 = 5_000;
/// A ticket that goes to a record of its own.
pub(in crate::vault) const SPLIT_TICKET: &str = "split_ticket";

/// The rows that a request for approval is about.
pub(in crate::vault) struct Bound {
    /// SHA-256 over the number of the log and the digests of the rows, in a fixed order. It does not change when a row gets a code under a newer key.
    pub(in crate::vault) state: [u8; 32],
    /// Hold as long as none of the rows changes.
    pub(in crate::vault) guards: Vec<Guard>,
}

/// Gathers rows.
struct Gathered {
    state: Context,
    guards: Vec<Guard>,
}

impl Gathered {
    fn row<R: Protected>(&mut self, row: &Genuine<R>) {
        self.state.update(&row_digest(&**row));
        self.guards.push(Guard::unchanged(row));
    }

    fn done(self) -> Bound {
        let mut state = [0; 32];
        state.copy_from_slice(self.state.finish().as_ref());
        Bound {
            state,
            guards: self.guards,
        }
    }
}

impl Vault {
    /// The rows that these words name, as they stand now: department, account, API token, the newest version of a key, how far a log was
    /// archived, and the records that a ticket is about. The number
    /// of the log in force belongs to their state: where the next log was opened on a restored data store, an approval may have
    /// been used in the entries that were lost.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a row that is not there; [`Error::Key`] for one that was edited.
    pub(in crate::vault) async fn bound(&self, about: &About) -> Result<Bound, Error> {
        let mut rows = Gathered {
            state: Context::new(&SHA256),
            guards: Vec::new(),
        };
        rows.state.update(&self.log_number().to_be_bytes());
        if let Some(code) = named::<DepartmentCode>(about, DEPARTMENT)? {
            rows.row(&self.department_row(code).await?);
        }
        if let Some(id) = named::<PrincipalId>(about, PRINCIPAL)? {
            rows.row(&self.principal_row(id).await?);
        }
        if let Some(id) = named::<TokenId>(about, TOKEN)? {
            rows.row(&self.token_row(id).await?);
        }
        if let Some(role) = about.get(KEY) {
            match self.store.one(&key_version::NEWEST, &cells![*role]).await? {
                Some(row) => rows.row(&self.keyring.genuine(row)?),
                None => rows.guards.push(Guard::none(&key_version::NEWEST, &cells![*role])),
            }
        }
        if let Some(log) = about.get(LOG) {
            match self.store.one(&archive::BY_LOG, &cells![*log]).await? {
                Some(row) => rows.row(&self.keyring.genuine(row)?),
                None => rows.guards.push(Guard::none(&archive::BY_LOG, &cells![*log])),
            }
        }
        for word in [KEPT_TICKET, MERGED_TICKET, SPLIT_TICKET] {
            let Some(no) = named::<TicketNo>(about, word)? else {
                continue;
            };
            let ticket = self.store.one(&BY_NO, &cells![no]).await?;
            let ticket = self.keyring.genuine(ticket.ok_or(Error::NotFound(Thing::Ticket))?)?;
            match self.keyring.caller_in(&ticket)? {
                None => rows.row(&ticket),
                Some(caller) => self.traced(caller).await?.line().for_each(|record| rows.row(record)),
            }
        }
        if let Some(subject) = named::<Reference>(about, ERASED)? {
            self.bound_whole(&mut rows, &subject).await?;
        }
        if let Some(subject) = named::<Reference>(about, RESTRICTED)?
            && let Some(id) = self.subject(&subject).await?
        {
            rows.row(&self.caller_row(id).await?);
        }
        Ok(rows.done())
    }
}

impl Vault {
    /// Everything of a caller who is to be erased: the records that are one, and the tickets about them. Nothing once the caller is
    /// erased, which is another state than any before.
    async fn bound_whole(&self, rows: &mut Gathered, subject: &Reference) -> Result<(), Error> {
        let Some(id) = self.subject(subject).await? else {
            return Ok(());
        };
        for record in self.family(&self.caller_row(id).await?).await? {
            rows.row(&record);
            let tickets = self.store.all(&ABOUT, &cells![record.subject, MOST_TICKETS]).await?;
            for ticket in self.genuine(tickets)? {
                rows.state.update(&row_digest(&*ticket));
            }
        }
        Ok(())
    }
}

/// What a word of `about` names. The words were written by the vault and stand under the row's code.
fn named<T: FromStr>(about: &About, word: &str) -> Result<Option<T>, Error> {
    let parsed = about.get(word).map(|text| text.parse()).transpose();
    parsed.map_err(|_| KeyError::Broken.into())
}
