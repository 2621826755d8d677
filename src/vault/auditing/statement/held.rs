//! What is held about a caller, by name.

use serde::Serialize;

use crate::cells;
use crate::log::leaf;
use crate::model::ids::RecordKind;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{MatterKind, TicketState};
use crate::store::rows::field::OF_RECORD;
use crate::store::rows::ticket::ABOUT;
use crate::store::rows::{CallerRow, FieldRow, Genuine, TicketRow};
use crate::vault::auditing::statement::Begin;
use crate::vault::{Error, LARGEST_PAGE, Vault};

/// What is held about a caller: names, no values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Held {
    /// Names of the caller's fields on file.
    pub fields: Vec<String>,
    /// Whether the data may only be stored.
    pub restricted: bool,
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
    /// What is held in these records, which are one. Tickets that are older than what is shown of the log are left out.
    pub(super) async fn names_held(&self, records: &[Genuine<CallerRow>], from: Option<&Begin>) -> Result<Held, Error> {
        let most = LARGEST_PAGE as usize;
        let mut rows: Vec<Genuine<TicketRow>> = Vec::new();
        let mut more_tickets = false;
        for record in records {
            let found = self
                .store
                .all(&ABOUT, &cells![record.subject, LARGEST_PAGE + 1])
                .await?;
            more_tickets |= found.len() > most;
            rows.extend(self.genuine(found)?);
        }
        if let Some(from) = from {
            rows.retain(|row| leaf::milliseconds(row.created_at) >= from.at);
        }
        rows.sort_by(|one, other| (other.created_at, other.no.as_str()).cmp(&(one.created_at, one.no.as_str())));
        more_tickets |= rows.len() > most;
        rows.truncate(most);
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
        let in_force = records.first();
        Ok(Held {
            fields: in_force.map(|record| record.fields.clone()).unwrap_or_default(),
            restricted: in_force.is_some_and(|record| record.restricted),
            tickets,
            more_tickets,
        })
    }
}
