//! Who is due: callers of whom every ticket is over and past its period.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::cells;
use crate::keyring::KeyError;
use crate::model::ids::{CallerId, TicketId};
use crate::model::problems::Thing;
use crate::model::retention::RetentionPeriods;
use crate::model::tickets::MatterKind;
use crate::store::StoreError;
use crate::store::rows::closed::{BY_TICKET, DUE, PastRow};
use crate::store::rows::ticket::BY_ID;
use crate::store::rows::{CallerRow, Cell, Column, Genuine, hold, restriction};
use crate::vault::calls::erase::Whole;
use crate::vault::{Error, Vault};

/// Closed tickets looked at together.
const PIECE: u32 = 100;

/// How often one caller is tried in a run before the others go first.
const TRIES: u8 = 3;

/// Why a caller with a ticket past its period is kept, or that the caller is not.
pub(super) enum Standing {
    /// Every ticket is past its period.
    Due(Genuine<CallerRow>, Whole),
    /// A legal hold, a restriction to storage, or more tickets than are erased at once.
    Kept,
    /// Another ticket is open, or not past its period.
    Early,
    /// A row is not as the vault wrote it, or the caller cannot be erased: `fsck` names what is wrong.
    Faulty,
}

/// Goes through the closed tickets that are past their periods, kind by kind, oldest first.
pub(super) struct Walk {
    now: Timestamp,
    /// Which of [`MatterKind::ALL`].
    kind: usize,
    /// The place of the last row. Nobody has checked it: it leads to the next row, and decides nothing.
    after: [Cell; 2],
    found: std::vec::IntoIter<PastRow>,
    seen: BTreeSet<CallerId>,
    /// Callers and tickets that are kept by a fault.
    faulty: u64,
    /// How often somebody could not be erased, and may be able to.
    tried: BTreeMap<CallerId, u8>,
    /// Whom it has passed by after [`TRIES`] of them.
    put_off: BTreeSet<CallerId>,
    /// It has been over once, and tries those once more.
    last: bool,
}

impl Walk {
    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            now,
            kind: 0,
            after: place_from(Timestamp::MIN),
            found: Vec::new().into_iter(),
            seen: BTreeSet::new(),
            faulty: 0,
            tried: BTreeMap::new(),
            put_off: BTreeSet::new(),
            last: false,
        }
    }

    /// From the beginning again, after somebody was not erased. `counted` says whether that was about this caller alone.
    pub(super) fn again(self, caller: CallerId, counted: bool) -> Self {
        let mut tried = self.tried;
        *tried.entry(caller).or_default() += u8::from(counted);
        Self {
            tried,
            last: self.last,
            ..Self::at(self.now)
        }
    }

    /// Whether this caller was tried often enough for the others to go first. At the end each gets one more try.
    pub(super) fn puts_off(&mut self, caller: CallerId) -> bool {
        let tried = self.tried.get(&caller).copied().unwrap_or_default();
        let put_off = tried >= TRIES + u8::from(self.last);
        if put_off {
            self.put_off.insert(caller);
        }
        put_off
    }

    /// Once more from the beginning, for those who were put off; nothing where there are none, or where this was that.
    pub(super) fn once_more(&self) -> Option<Self> {
        let again = !self.last && !self.put_off.is_empty();
        again.then(|| Self {
            tried: self.tried.clone(),
            last: true,
            ..Self::at(self.now)
        })
    }

    /// How many are left to the next run.
    pub(super) fn put_off(&self) -> u64 {
        self.put_off.len() as u64
    }

    /// When the run began that it is of.
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    /// How many callers and tickets so far are kept by a fault.
    pub(super) const fn faulty(&self) -> u64 {
        self.faulty
    }

    /// One more is kept by a fault.
    pub(super) const fn fault(&mut self) -> Standing {
        self.faulty += 1;
        Standing::Faulty
    }
}

/// The place before the first row of a time.
pub(super) fn place_from(at: Timestamp) -> [Cell; 2] {
    [at.cell(), TicketId::from_bytes([0; 16]).cell()]
}

/// Whether a row is not what the vault wrote: it says nothing about other callers. Everything else passes, or keeps all of them.
pub(super) const fn is_of_a_row(error: &Error) -> bool {
    matches!(
        error,
        Error::Key(KeyError::Broken | KeyError::NoSuchKey | KeyError::NoRecordKey)
            | Error::Store(StoreError::Corrupt(_))
            | Error::NotFound(Thing::Caller)
    )
}

impl Vault {
    /// How the next caller stands who has a ticket past its period. Nothing when all have been looked at.
    pub(super) async fn next_standing(
        &self,
        periods: &RetentionPeriods,
        walk: &mut Walk,
    ) -> Result<Option<Standing>, Error> {
        while let Some(past) = self.next_past(periods, walk).await? {
            match self.standing_by(periods, &past, walk).await {
                Ok(Some(standing)) => return Ok(Some(standing)),
                Ok(None) => {}
                Err(error) if is_of_a_row(&error) => return Ok(Some(walk.fault())),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    /// How the caller stands to whom a row leads. Nothing where another row led there before, and for a ticket whose caller was erased
    /// meanwhile.
    async fn standing_by(
        &self,
        periods: &RetentionPeriods,
        past: &PastRow,
        walk: &mut Walk,
    ) -> Result<Option<Standing>, Error> {
        let ticket = past.ticket().ok_or(KeyError::Broken)?;
        let Some(ticket) = self.store.one(&BY_ID, &cells![ticket]).await? else {
            return Err(KeyError::Broken.into());
        };
        let ticket = self.keyring.genuine(ticket)?;
        let Some(caller) = self.keyring.caller_in(&ticket)? else {
            return Ok(None);
        };
        let row = match self.traced(caller).await {
            Ok(traced) => traced.row,
            Err(error) if is_of_a_row(&error) && !walk.seen.insert(caller) => return Ok(None),
            Err(error) => return Err(error),
        };
        if !walk.seen.insert(row.id) {
            return Ok(None);
        }
        Ok(Some(self.standing_of(periods, row, walk.now).await?))
    }

    async fn next_past(&self, periods: &RetentionPeriods, walk: &mut Walk) -> Result<Option<PastRow>, Error> {
        loop {
            if let Some(past) = walk.found.next() {
                walk.after.clone_from(&past.place);
                return Ok(Some(past));
            }
            let Some(&kind) = MatterKind::ALL.get(walk.kind) else {
                return Ok(None);
            };
            let rows = self.past_of(periods, kind, walk.now, walk.after.clone()).await?;
            if rows.is_empty() {
                walk.kind += 1;
                walk.after = place_from(Timestamp::MIN);
            }
            walk.found = rows.into_iter();
        }
    }

    /// Tickets of a kind that are past its period, oldest first, from after a place. Nobody has checked the rows.
    pub(super) async fn past_of(
        &self,
        periods: &RetentionPeriods,
        kind: MatterKind,
        now: Timestamp,
        [at, ticket]: [Cell; 2],
    ) -> Result<Vec<PastRow>, Error> {
        let Some(before) = periods.closed_before(kind, now) else {
            return Ok(Vec::new());
        };
        let with = [kind.cell(), before.cell(), at, ticket, PIECE.cell()];
        Ok(self.store.all(&DUE, &with).await?)
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
