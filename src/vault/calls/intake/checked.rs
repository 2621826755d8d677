//! What a call states, checked before anything is decided: values in normal form, what is left out, and the codes that stand in
//! clear.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::{Call, Intake, LeftOut, is_confidential};
use crate::model::ask::Ask;
use crate::model::fields::{Field, TEXT};
use crate::model::ids::RecordKind;
use crate::model::limits::Counted;
use crate::model::problems;
use crate::model::submitted::Submitted;
use crate::model::tickets::Category;
use crate::model::township::Township;
use crate::vault::core::{Rules, Sorted};
use crate::vault::{Error, Values, Vault};

/// How far a call may lie ahead of the vault's clock: clocks differ, and so do calendars at midnight.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// A call that has been checked.
pub(super) struct Checked<'r> {
    pub(super) caller: Vec<(&'r Field, Submitted)>,
    pub(super) ticket: Vec<(&'r Field, Submitted)>,
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

impl Vault {
    pub(super) fn checked<'r>(&self, rules: &'r Rules, body: &Intake) -> Result<Checked<'r>, Error> {
        if body.same_as.is_some() && is_confidential(&body.ticket) {
            return Err(Error::Bad(problems::SAME_AS_CONFIDENTIAL));
        }
        let today = self.today()?;
        let caller = stated(rules, RecordKind::Caller, &body.caller, today)?;
        let ticket = stated(rules, RecordKind::Ticket, &body.ticket.values, today)?;
        let bad: Vec<_> = caller.bad.into_iter().chain(ticket.bad).collect();
        let required = bad.iter().any(|invalid| invalid.field().as_str() == TEXT);
        if !bad.is_empty() && (required || !body.leave_out_invalid) {
            return Err(Error::Invalid(bad));
        }
        if !ticket.good.iter().any(|(field, _)| field.name().as_str() == TEXT) {
            return Err(Error::Bad(problems::TEXT_MISSING));
        }
        self.has_come(&body.call)?;
        let lists = self.lists();
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

    fn has_come(&self, call: &Call) -> Result<(), Error> {
        let latest = self.clock.now()?.saturating_add(AHEAD);
        if latest.is_ok_and(|latest| call.received_at > latest) {
            return Err(Error::Bad(problems::RECEIVED_AHEAD));
        }
        Ok(())
    }
}

/// What is stated of one record, but for values that are none.
fn stated<'r>(rules: &'r Rules, record: RecordKind, values: &Values, today: Date) -> Result<Sorted<'r>, Error> {
    let late = |name: &String| rules.fields.get(name).is_some_and(|field| !field.at_intake());
    if values.keys().any(late) {
        return Err(Error::Bad(problems::FIELD_NOT_AT_INTAKE));
    }
    let is_none = |(name, value): (&String, &Submitted)| {
        let field = rules.fields.get(name)?;
        field.is_absent(value).then(|| field.name().as_str())
    };
    let absent: Vec<&str> = values.iter().filter_map(is_none).collect();
    rules.sorted(record, values, today, &absent)
}
