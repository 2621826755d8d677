//! Tickets.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{PrincipalId, TicketId};
use crate::model::principals::Actor;
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::{Channel, MatterKind, TicketState};

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
}

impl TicketRow {
    /// The version of a ticket of which no step has been taken.
    pub const FIRST: u64 = 1;

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
