//! What a call states, checked before anything is decided: values in normal form, what is left out, and the codes that stand in
//! clear.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Call, Intake, LeftOut};
use crate::clock::Clock;
use crate::model::ask::Ask;
use crate::model::fields::{Field, FieldSet, TEXT};
use crate::model::ids::RecordKind;
use crate::model::limits::Counted;
use crate::model::lists::Lists;
use crate::model::problems;
use crate::model::submitted::Submitted;
use crate::model::tickets::Category;
use crate::model::township::Township;
use crate::vault::core::Sorted;
use crate::vault::{Error, Values};

/// How far a call may lie ahead of the vault's clock: clocks differ, and so do calendars at midnight.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// 1983-01-01T00:00:00+08:00. The first mayor's hotline in China, Shenyang's, opened in 1983: an earlier call has a wrong year or
/// unit, and its deadlines would mean nothing.
const EARLIEST: Timestamp = Timestamp::constant(410_198_400, 0);

/// A call that has been checked.
pub(super) struct Checked<'v> {
    pub(super) caller: Vec<(&'v Field, Submitted)>,
    pub(super) ticket: Vec<(&'v Field, Submitted)>,
    pub(super) category: Category,
    pub(super) township: Township,
    pub(super) left_out: Vec<LeftOut>,
}

impl Checked<'_> {
    /// A call that states a value by which callers are found is answered with whether somebody has it.
    pub(super) fn counted(&self, ask: Ask) -> Ask {
        let ask = ask.counting(Counted::Intake);
        if self.caller.iter().any(|(field, _)| field.matching().is_some()) {
            ask.counting(Counted::Guess)
        } else {
            ask
        }
    }
}

/// What intake says of a call before it looks at who is on file: the values that it would leave out.
///
/// # Errors
/// [`Error::Invalid`] and [`Error::Bad`], as [`Vault::intake`](crate::vault::Vault::intake) has them.
pub fn check(fields: &FieldSet, lists: &Lists, clock: &dyn Clock, body: &Intake) -> Result<Vec<LeftOut>, Error> {
    checked((fields, lists), clock, body).map(|checked| checked.left_out)
}

pub(super) fn checked<'v>(
    (fields, lists): (&'v FieldSet, &Lists),
    clock: &dyn Clock,
    body: &Intake,
) -> Result<Checked<'v>, Error> {
    if body.same_as.is_some() && body.is_confidential() {
        return Err(Error::Bad(problems::SAME_AS_CONFIDENTIAL));
    }
    let now = clock.now()?;
    let caller = stated(fields, now, RecordKind::Caller, &body.caller)?;
    let ticket = stated(fields, now, RecordKind::Ticket, &body.ticket.values)?;
    let bad: Vec<_> = caller.bad.into_iter().chain(ticket.bad).collect();
    let required = bad.iter().any(|invalid| invalid.field().as_str() == TEXT);
    if !bad.is_empty() && (required || !body.leave_out_invalid) {
        return Err(Error::Invalid(bad));
    }
    if !ticket.good.iter().any(|(field, _)| field.name().as_str() == TEXT) {
        return Err(Error::Bad(problems::TEXT_MISSING));
    }
    is_of_its_time(&body.call, now)?;
    if !lists.has_channel(body.call.channel) {
        return Err(Error::Bad(problems::BAD_CHANNEL));
    }
    let category = lists.category(&body.ticket.category);
    let township = lists.township(&body.ticket.township);
    Ok(Checked {
        caller: caller.good,
        ticket: ticket.good,
        category: category.ok_or(Error::Bad(problems::BAD_CATEGORY))?,
        township: township.ok_or(Error::Bad(problems::BAD_TOWNSHIP))?,
        left_out: bad
            .iter()
            .map(|bad| LeftOut::new(bad.field().as_str(), bad.rule()))
            .collect(),
    })
}

/// What is stated of one record, but for values that are none.
fn stated<'v>(fields: &'v FieldSet, now: Timestamp, record: RecordKind, values: &Values) -> Result<Sorted<'v>, Error> {
    let late = |name: &String| fields.get(name).is_some_and(|field| !field.at_intake());
    if values.keys().any(late) {
        return Err(Error::Bad(problems::FIELD_NOT_AT_INTAKE));
    }
    let is_none = |(name, value): (&String, &Submitted)| {
        let field = fields.get(name)?;
        field.is_absent(value).then(|| field.name().as_str())
    };
    let absent: Vec<&str> = values.iter().filter_map(is_none).collect();
    let today = TimeZone::UTC.to_datetime(now).date();
    Sorted::of(fields, today, record, values, &absent)
}

fn is_of_its_time(call: &Call, now: Timestamp) -> Result<(), Error> {
    if call.received_at < EARLIEST {
        return Err(Error::Bad(problems::RECEIVED_BEFORE));
    }
    let latest = now.saturating_add(AHEAD);
    if latest.is_ok_and(|latest| call.received_at > latest) {
        return Err(Error::Bad(problems::RECEIVED_AHEAD));
    }
    Ok(())
}
