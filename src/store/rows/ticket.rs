//! Tickets.

use jiff::Timestamp;

use super::{Cell, Protected, table};
use crate::model::callbacks::YesNo;
use crate::model::ids::{PrincipalId, TicketId};
use crate::model::principals::Actor;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState, Urgency};

table! {
    /// A ticket's envelope: only what holds no person.
    pub struct TicketRow in "ticket", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: TicketId,
        /// What callers and departments call it.
        pub no: TicketNo,
        /// Whose: the caller's id, sealed. Empty once the caller is erased.
        pub caller: Vec<u8>,
        /// Whose: what the log calls them.
        pub subject: Reference,
        /// 诉求类型.
        pub kind: MatterKind,
        /// Category code.
        pub category: String,
        /// Place code.
        pub township: String,
        /// How it came in.
        pub channel: Channel,
        /// How soon it has to be dealt with.
        pub urgency: Urgency,
        /// Where it stands.
        pub state: TicketState,
        /// Who holds it now.
        pub holder: DepartmentCode,
        /// The centre that took the call.
        pub origin: DepartmentCode,
        /// The department that has signed for it last.
        pub worker: Option<DepartmentCode>,
        /// The last that asked to return it: the reason is its own.
        pub returned_by: Option<DepartmentCode>,
        /// Until when that department reports: the last moment of a day in the city. Nothing where the ticket is not with a department,
        /// or came to it in another system.
        pub due: Option<Timestamp>,
        /// Until when it signs for the ticket; nothing once it has.
        pub sign_due: Option<Timestamp>,
        /// Extensions granted since the ticket was dispatched, or sent back for more work.
        pub extensions: u32,
        /// The centre watches over it.
        pub supervised: bool,
        /// What the caller last said when asked whether the matter is solved; nothing before, and in any state but that of the callback.
        pub solved: Option<YesNo>,
        /// The agent who took it.
        pub taken_by: PrincipalId,
        /// It came from another system, by an import with the passphrase: it was nobody's call here.
        pub brought_in: bool,
        /// Secrecy asked for, or the default of its kind.
        pub confidential: bool,
        /// The names of the caller's fields that were on file when the ticket came to its holder: nothing where it is
        /// confidential and has left the centre.
        pub on_file: Vec<String>,
        /// When the call came in.
        pub received_at: Timestamp,
        /// When the vault took it.
        pub created_at: Timestamp,
        /// [`Self::FIRST`] when made, one more at each step.
        pub version: u64,
    }
    reads [
        /// One ticket by its id.
        BY_ID = "WHERE id = ?1";
        /// One ticket by its number.
        BY_NO = "WHERE no = ?1";
        /// Tickets a department holds, newest first, from before a time and a number.
        HELD = "WHERE holder = ?1 AND (created_at, no) < (?2, ?3) ORDER BY created_at DESC, no DESC LIMIT ?4";
        /// Tickets a department took, newest first, from before a time and a number.
        TAKEN = "WHERE origin = ?1 AND (created_at, no) < (?2, ?3) ORDER BY created_at DESC, no DESC LIMIT ?4";
        /// Tickets a department holds that are not over, the next in turn first, from after a turn, a time and a number to the last turn asked for.
        QUEUE_HELD = "WHERE holder = ?1 AND state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated') \
                      AND (turn, created_at, no) > (?2, ?3, ?4) AND turn <= ?5 ORDER BY turn, created_at, no LIMIT ?6";
        /// The same of tickets a department took.
        QUEUE_TAKEN = "WHERE origin = ?1 AND state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated') \
                       AND (turn, created_at, no) > (?2, ?3, ?4) AND turn <= ?5 ORDER BY turn, created_at, no LIMIT ?6";
        /// As [`QUEUE_HELD`], in one state.
        STATE_HELD = "WHERE holder = ?1 AND (turn, created_at, no) > (?2, ?3, ?4) AND turn <= ?5 AND state = ?7 \
                      ORDER BY turn, created_at, no LIMIT ?6";
        /// As [`QUEUE_TAKEN`], in one state.
        STATE_TAKEN = "WHERE origin = ?1 AND (turn, created_at, no) > (?2, ?3, ?4) AND turn <= ?5 AND state = ?7 \
                       ORDER BY turn, created_at, no LIMIT ?6";
        /// Tickets about a caller that a department took, that are not over and not confidential.
        OPEN_ABOUT = "WHERE subject = ?1 AND origin = ?2 AND confidential = 0 AND state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated') LIMIT ?3";
        /// A ticket that a department holds and that is not over.
        OPEN_HELD = "WHERE holder = ?1 AND state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated') LIMIT 1";
        /// A ticket that a department took and that is not over.
        OPEN_TAKEN = "WHERE origin = ?1 AND state NOT IN ('closed', 'refused', 'transferred_out', 'withdrawn', 'terminated') LIMIT 1";
        /// Tickets about a caller that a department holds, newest first.
        HELD_ABOUT = "WHERE subject = ?1 AND holder = ?2 ORDER BY created_at DESC, no DESC LIMIT ?3";
        /// Tickets about a caller that a department took, newest first.
        TAKEN_ABOUT = "WHERE subject = ?1 AND origin = ?2 ORDER BY created_at DESC, no DESC LIMIT ?3";
        /// Tickets about a caller, newest first.
        ABOUT = "WHERE subject = ?1 ORDER BY created_at DESC, no DESC LIMIT ?2";
    ]
    counts [
        /// Tickets a department holds in a state, up to so many.
        COUNT_HELD = "WHERE holder = ?1 AND state = ?2 LIMIT ?3";
        /// Tickets a department took in a state, up to so many.
        COUNT_TAKEN = "WHERE origin = ?1 AND state = ?2 LIMIT ?3";
    ]
}

/// One urgency's part of the numbers that tickets are in turn by. Milliseconds of a deadline fit into it.
const TURNS: i64 = 1_000_000_000_000_000;

/// A ticket's turn in a queue: first the most urgent, among them first the earliest deadline, those without any last. The database keeps it
/// in a column of its own (`turn`), which it makes of `urgency` and `due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Turn(i64);

impl Turn {
    /// That of a ticket of this urgency with this deadline.
    #[must_use]
    pub fn new(urgency: Urgency, due: Option<Timestamp>) -> Self {
        Self::at(urgency, due.map_or(TURNS - 1, |due| due.as_millisecond()))
    }

    /// The first of an urgency.
    #[must_use]
    pub fn first(urgency: Urgency) -> Self {
        Self::at(urgency, 0)
    }

    /// That of a ticket of this urgency with a deadline at this moment, in milliseconds.
    #[must_use]
    pub fn at(urgency: Urgency, due: i64) -> Self {
        Self(urgency.rank() * TURNS + due.clamp(0, TURNS - 1))
    }

    /// The one that a number stands for.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number that the database has for it.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The one before it.
    #[must_use]
    pub const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    /// As the parameter of a statement.
    #[must_use]
    pub const fn cell(self) -> Cell {
        Cell::Int(self.0)
    }
}

impl TicketRow {
    /// The version of a ticket of which no step has been taken.
    pub const FIRST: u64 = 1;

    /// Its turn in a queue.
    #[must_use]
    pub fn turn(&self) -> Turn {
        Turn::new(self.urgency, self.due)
    }

    /// Whether its caller was erased: nothing leads from it to anybody.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.caller.is_empty()
    }

    /// Whether this is the agent who took the call, in the department in which they took it: what they knew of a caller there does
    /// not go with them to another. Of a call that was brought in nobody is.
    #[must_use]
    pub fn was_taken_by(&self, who: &Actor) -> bool {
        !self.brought_in && self.taken_by == who.id() && self.origin == who.department()
    }
}

impl Protected for TicketRow {
    fn place(&self) -> Option<String> {
        Some(format!("@ticket/{}", self.no))
    }
}
