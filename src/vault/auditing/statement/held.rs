//! What is held about a caller, by name.

use serde::Serialize;

use crate::cells;
use crate::keyring::KeyError;
use crate::log::leaf;
use crate::model::ids::RecordKind;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{MatterKind, TicketState};
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::ticket::{ABOUT, BY_NO};
use crate::store::rows::{CallerRow, FieldRow, Genuine, TicketRow};
use crate::vault::auditing::statement::Scope;
use crate::vault::auditing::statement::told::SinceThen;
use crate::vault::{Error, LARGEST_PAGE, Vault};

/// What is held about a caller: names, no values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Held {
    /// Names of the caller's fields on file.
    pub fields: Vec<String>,
    /// Whether the data may only be stored. Absent if a statement that begins late has nothing to tell of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restricted: Option<bool>,
    /// Tickets about the caller, newest first, at most 200.
    pub tickets: Vec<HeldTicket>,
    /// Whether there are more tickets.
    pub more_tickets: bool,
}

/// A ticket, without values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct HeldTicket {
    /// Its number.
    #[schema(value_type = String)]
    pub no: TicketNo,
    /// What kind of matter.
    pub kind: MatterKind,
    /// Where it stands.
    pub state: TicketState,
    /// When the call came in, UTC.
    pub received_at: String,
    /// Whether it is confidential.
    pub confidential: bool,
    /// Names of its sealed fields.
    pub fields: Vec<String>,
}

impl Vault {
    /// What is held in these records, which are one.
    pub(super) async fn names_held(&self, scope: &Scope<'_>, records: &[Genuine<CallerRow>]) -> Result<Held, Error> {
        let (rows, more_tickets) = match &scope.then {
            Some(then) => self.tickets_since(scope, then).await?,
            None => self.tickets_of(records).await?,
        };
        let mut tickets = Vec::with_capacity(rows.len());
        for row in rows {
            let fields: Vec<FieldRow> = self
                .store
                .all(&OF_RECORD, &cells![RecordKind::Ticket, *row.id.as_bytes()])
                .await?;
            tickets.push(HeldTicket {
                no: row.no,
                kind: row.kind,
                state: row.state,
                received_at: leaf::milliseconds(row.received_at),
                confidential: row.confidential,
                fields: fields.into_iter().map(|field| field.field).collect(),
            });
        }
        let fields = scope.row.fields.iter();
        let fields = fields.filter(|name| scope.tells_field(name, u64::MAX));
        Ok(Held {
            fields: fields.cloned().collect(),
            restricted: scope.tells_restriction(u64::MAX).then_some(scope.row.restricted),
            tickets,
            more_tickets,
        })
    }

    /// Tickets about these records, newest first, and whether there are more.
    async fn tickets_of(&self, records: &[Genuine<CallerRow>]) -> Result<(Vec<Genuine<TicketRow>>, bool), Error> {
        let most = LARGEST_PAGE as usize;
        let mut rows: Vec<Genuine<TicketRow>> = Vec::new();
        let mut more = false;
        for record in records {
            let found = self
                .store
                .all(&ABOUT, &cells![record.subject, LARGEST_PAGE + 1])
                .await?;
            more |= found.len() > most;
            rows.extend(self.genuine(found)?);
        }
        rows.sort_by(|one, other| (other.created_at, other.no.as_str()).cmp(&(one.created_at, one.no.as_str())));
        more |= rows.len() > most;
        rows.truncate(most);
        Ok((rows, more))
    }

    /// As [`Self::tickets_of`], of those that were taken since the statement begins.
    async fn tickets_since(
        &self,
        scope: &Scope<'_>,
        then: &SinceThen,
    ) -> Result<(Vec<Genuine<TicketRow>>, bool), Error> {
        let taken = then.tickets();
        let most = LARGEST_PAGE as usize;
        let mut rows: Vec<Genuine<TicketRow>> = Vec::new();
        for no in taken.iter().take(most) {
            let no: TicketNo = no.parse().map_err(|_| KeyError::Broken)?;
            let row = self.store.one(&BY_NO, &cells![no]).await?;
            let row: Option<Genuine<TicketRow>> = row.map(|row| self.keyring.genuine(row)).transpose()?;
            rows.extend(row.filter(|row| scope.own.contains(&row.subject.to_string())));
        }
        Ok((rows, taken.len() > most))
    }
}
