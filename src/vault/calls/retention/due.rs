//! Who is due: callers of whom every ticket is over and past its period.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::cells;
use crate::model::ids::{CallerId, TicketId};
use crate::model::retention::RetentionPeriods;
use crate::model::tickets::MatterKind;
use crate::store::rows::closed::{BY_TICKET, DUE};
use crate::store::rows::ticket::BY_ID;
use crate::store::rows::{CallerRow, ClosedRow, Genuine, hold, restriction};
use crate::vault::calls::erase::Whole;
use crate::vault::{Error, Vault};

/// Closed tickets looked at together.
const PIECE: u32 = 100;

/// Why a caller with a ticket past its period is kept, or that the caller is not.
pub(super) enum Standing {
    /// Every ticket is past its period.
    Due(Genuine<CallerRow>, Whole),
    /// A legal hold, a restriction to storage, or more tickets than are erased at once.
    Kept,
    /// Another ticket is open, or not past its period.
    Early,
}

/// Goes through the closed tickets that are past their periods, kind by kind, oldest first.
pub(super) struct Walk {
    now: Timestamp,
    /// Which of [`MatterKind::ALL`].
    kind: usize,
    after: (Timestamp, TicketId),
    found: std::vec::IntoIter<Genuine<ClosedRow>>,
    seen: BTreeSet<CallerId>,
}

impl Walk {
    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            now,
            kind: 0,
            after: (Timestamp::MIN, TicketId::from_bytes([0; 16])),
            found: Vec::new().into_iter(),
            seen: BTreeSet::new(),
        }
    }

    /// When the run began that it is of.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }
}

impl Vault {
    /// How the next caller stands who has a ticket past its period. Nothing when all have been looked at.
    pub(super) async fn next_standing(
        &self,
        periods: &RetentionPeriods,
        walk: &mut Walk,
    ) -> Result<Option<Standing>, Error> {
        loop {
            let Some(closed) = self.next_closed(periods, walk).await? else {
                return Ok(None);
            };
            let ticket = self.store.one(&BY_ID, &cells![closed.ticket]).await?;
            let ticket = ticket.map(|row| self.keyring.genuine(row)).transpose()?;
            let caller = ticket.map(|row| self.keyring.caller_in(&row)).transpose()?.flatten();
            // Erased meanwhile.
            let Some(caller) = caller else { continue };
            let row = self.traced(caller).await?.row;
            if walk.seen.insert(row.id) {
                return Ok(Some(self.standing_of(periods, row, walk.now).await?));
            }
        }
    }

    async fn next_closed(
        &self,
        periods: &RetentionPeriods,
        walk: &mut Walk,
    ) -> Result<Option<Genuine<ClosedRow>>, Error> {
        loop {
            if let Some(closed) = walk.found.next() {
                walk.after = (closed.closed_at, closed.ticket);
                return Ok(Some(closed));
            }
            let Some(&kind) = MatterKind::ALL.get(walk.kind) else {
                return Ok(None);
            };
            let rows = self.closed_before(periods, kind, walk.now, walk.after).await?;
            if rows.is_empty() {
                walk.kind += 1;
                walk.after = Walk::at(walk.now).after;
            }
            walk.found = rows.into_iter();
        }
    }

    /// Tickets of a kind that are past its period, oldest first, from after one of them.
    pub(super) async fn closed_before(
        &self,
        periods: &RetentionPeriods,
        kind: MatterKind,
        now: Timestamp,
        (at, ticket): (Timestamp, TicketId),
    ) -> Result<Vec<Genuine<ClosedRow>>, Error> {
        let Some(before) = periods.closed_before(kind, now) else {
            return Ok(Vec::new());
        };
        let rows = self.store.all(&DUE, &cells![kind, before, at, ticket, PIECE]).await?;
        self.genuine(rows)
    }

    async fn standing_of(
        &self,
        periods: &RetentionPeriods,
        row: Genuine<CallerRow>,
        now: Timestamp,
    ) -> Result<Standing, Error> {
        let whole = match self.whole(&row).await {
            Err(Error::Bad(_)) => return Ok(Standing::Kept),
            whole => whole?,
        };
        for ticket in &whole.tickets {
            let closed = self.store.one(&BY_TICKET, &cells![ticket.id]).await?;
            let closed = closed.map(|row| self.keyring.genuine(row)).transpose()?;
            let before = periods.closed_before(ticket.kind, now);
            let is_past = closed
                .zip(before)
                .is_some_and(|(closed, before)| closed.closed_at <= before);
            if ticket.state.is_open() || !is_past {
                return Ok(Standing::Early);
            }
        }
        let is_kept = |record: &Genuine<CallerRow>| record.holds > 0 || record.restricted;
        if whole.family.iter().any(is_kept) {
            return Ok(Standing::Kept);
        }
        // The rows of holds and restrictions count, whatever the record says: an older row of it may have been put back.
        for record in &whole.family {
            let hold = self.store.one(&hold::IN_FORCE, &cells![record.subject, 1_u32]).await?;
            let restriction = self.store.one(&restriction::IN_FORCE, &cells![record.subject]).await?;
            if hold.is_some() || restriction.is_some() {
                return Ok(Standing::Kept);
            }
        }
        Ok(Standing::Due(row, whole))
    }
}
