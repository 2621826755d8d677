//! What of a ticket's course its reader hears: in the centre that took the call everything; elsewhere what happened at their own department, and
//! days in place of moments. By a moment two departments could tell that they have had the same ticket, and so join its caller.

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

use crate::log::leaf;
use crate::model::reference::DepartmentCode;
use crate::store::rows::TicketRow;
use crate::vault::Session;

/// How much a reader hears.
#[derive(Clone, Copy)]
pub(super) enum Told {
    /// Everything.
    Whole,
    /// What happened at this department, by the day.
    OwnPart(DepartmentCode),
}

impl Told {
    /// How much this reader hears of this ticket.
    pub(super) fn of(session: &Session, ticket: &TicketRow) -> Self {
        let department = session.actor.department();
        if department == ticket.origin {
            Self::Whole
        } else {
            Self::OwnPart(department)
        }
    }

    /// Whether they hear everything.
    pub(super) const fn is_whole(self) -> bool {
        matches!(self, Self::Whole)
    }

    /// Whether they hear of a step that gave the ticket to this department.
    pub(super) fn tells_of(self, holder: DepartmentCode) -> bool {
        match self {
            Self::Whole => true,
            Self::OwnPart(department) => department == holder,
        }
    }

    /// A time as they hear it, UTC.
    pub(super) fn time(self, at: Timestamp) -> String {
        let heard = match self {
            Self::Whole => at,
            Self::OwnPart(_) => {
                let day = TimeZone::UTC.to_datetime(at).date();
                let begins = TimeZone::UTC.to_timestamp(day.to_datetime(Time::midnight()));
                // The first day that there is begins before the first time.
                begins.unwrap_or(Timestamp::MIN)
            }
        };
        leaf::milliseconds(heard)
    }
}
