//! When tickets ended.

use jiff::Timestamp;

use super::{Cell, Coded, Column, Columns, FromColumns, Protected, Row, table};
use crate::model::ids::TicketId;
use crate::model::tickets::MatterKind;
use crate::store::{Result, StoreError};

table! {
    /// When a ticket ended, by being closed or otherwise: what its period of retention is counted from. It goes with the ticket's caller.
    pub struct ClosedRow in "closed", key 1, put Once, coded {
        /// Which ticket.
        pub ticket: TicketId,
        /// Its kind.
        pub kind: MatterKind,
        /// When.
        pub closed_at: Timestamp,
    }
    reads [
        /// That of one ticket.
        BY_TICKET = "WHERE ticket = ?1";
    ]
    joins [
        /// Those of a kind that were closed before a time, oldest first, from after a time and a ticket. What stands in place of a time or an
        /// id and is neither is passed by: it is nobody's, and `fsck` names it.
        DUE: PastRow = &[(ClosedRow::table, "c")],
            "closed c WHERE c.kind = ?1 AND c.closed_at <= ?2 AND (c.closed_at, c.ticket) > (?3, ?4) AND typeof(c.closed_at) = 'integer' \
             AND typeof(c.ticket) = 'blob' ORDER BY c.closed_at, c.ticket LIMIT ?5";
    ]
}

/// A row as the walk of tickets past their periods meets it. Nobody has checked where it stands: that leads on to the next row, and to the
/// ticket whose rows decide.
pub struct PastRow {
    /// The time and the ticket.
    pub place: [Cell; 2],
    /// The row, if it can be read.
    pub row: Option<Coded<ClosedRow>>,
}

impl PastRow {
    /// The ticket that it names.
    #[must_use]
    pub fn ticket(&self) -> Option<TicketId> {
        let [_, ticket] = &self.place;
        TicketId::from_cell(ticket.clone())
    }
}

impl FromColumns for PastRow {
    fn from_columns(columns: &mut dyn Columns) -> Result<Self> {
        let [ticket, kind, closed_at, mac] = [(); 4].map(|()| columns.take());
        let (ticket, closed_at) = (ticket?, closed_at?);
        let place = [closed_at.clone(), ticket.clone()];
        let mut row = Read([Ok(ticket), kind, Ok(closed_at), mac].into_iter());
        Ok(Self {
            place,
            row: Coded::from_columns(&mut row).ok(),
        })
    }
}

/// Columns that were taken before.
struct Read(std::array::IntoIter<Result<Cell>, 4>);

impl Columns for Read {
    fn take(&mut self) -> Result<Cell> {
        self.0.next().unwrap_or(Err(StoreError::Corrupt("closed")))
    }
}

/// A ticket is closed once. The time is that of the step of custody that closed it, by which `fsck` checks it.
impl Protected for ClosedRow {
    fn place(&self) -> Option<String> {
        None
    }
}
