//! What a decision depends on: classes and flags. Identifiers end here.

use std::collections::HashMap;

use super::facts::Facts;
use crate::model::actions::Judged;
use crate::model::ask::{Action, Ask};
use crate::model::fields::{Class, Field, FieldName, FieldSet, Group};
use crate::model::ids::RecordKind;
use crate::model::principals::{DepartmentKind, Role};
use crate::model::purposes::{Form, Purpose};
use crate::model::tickets::TicketState;
use crate::store::rows::{ContactRow, TicketRow};

/// What policy knows of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FieldKind {
    pub(super) record: RecordKind,
    pub(super) group: Group,
    pub(super) class: Class,
}

impl FieldKind {
    pub(super) const fn of(field: &Field) -> Self {
        Self {
            record: field.record(),
            group: field.group(),
            class: field.class(),
        }
    }
}

/// What an action is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A field.
    Field(FieldKind),
    /// No field.
    Vault,
}

/// Declares the flags once: the struct, and the names under which Cedar's context has them. The schema is held to the names when
/// it is loaded: one that lacks a flag, or wants another, does not load.
macro_rules! flags {
    ($($flag:ident,)+) => {
        /// How things stand between asker, ticket and caller. Every flag is the vault's own finding; `schema.cedarschema` says what
        /// each means.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub(super) struct Flags {
            $(pub(super) $flag: bool,)+
        }

        impl Flags {
            /// Each flag by its name.
            pub(super) fn named(self) -> impl Iterator<Item = (&'static str, bool)> {
                [$((stringify!($flag), self.$flag)),+].into_iter()
            }
        }
    };
}

flags! {
    ticket_known,
    open,
    answered,
    told,
    worked_on,
    held,
    returned,
    origin,
    about,
    own_call,
    confidential,
    caller_known,
    concerns,
    approved,
    by_code,
}

impl Flags {
    fn new(ask: &Ask, facts: &Facts) -> Self {
        let caller = facts.caller.as_ref().filter(|_| {
            ask.is_about_caller_of_ticket() || (ask.caller_reference().is_some() && !facts.foreign_reference)
        });
        let concerns = caller.is_some_and(|caller| caller.concerns);
        let approved = facts.approval.is_some();
        // Facts about another ticket than the one named give no need.
        let Some(ticket) = facts
            .ticket
            .as_ref()
            .filter(|ticket| ask.ticket_name() == Some(&ticket.name))
        else {
            return Self {
                caller_known: caller.is_some(),
                concerns,
                approved,
                ..Self::default()
            };
        };
        let about_itself = ask.record() == RecordKind::Ticket && ask.caller_reference().is_none();
        Self {
            ticket_known: true,
            open: ticket.row.state.is_open(),
            answered: ticket.row.state == TicketState::Answered,
            told: ticket.row.state.is_told(),
            worked_on: ticket.row.state.is_worked_on(),
            held: ticket.row.holder == ask.department(),
            returned: ticket.row.returned_by == Some(ask.department()),
            origin: ticket.row.origin == ask.department(),
            about: about_itself || caller.is_some_and(|caller| Some(caller.row.id) == ticket.caller),
            own_call: ticket.is_own_call(),
            confidential: ticket.row.confidential,
            caller_known: caller.is_some(),
            concerns,
            approved,
            by_code: facts
                .contact
                .as_ref()
                .is_some_and(|contact| calls_for(contact, &ticket.row)),
        }
    }
}

/// Whether a contact code is for a ticket that the department which has asked for it still has: it works on it, or calls back.
fn calls_for(contact: &ContactRow, ticket: &TicketRow) -> bool {
    let theirs = ticket.holder == contact.department && ticket.state.is_worked_on();
    let called_back = ticket.origin == contact.department && contact.purpose == Purpose::Callback;
    contact.ticket == ticket.id && (theirs || called_back)
}

/// Everything that is the same for each role and field of one ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Situation {
    pub(super) action: Action,
    /// Counts for a reveal only.
    pub(super) form: Option<Form>,
    /// Counts for an approval only: of what.
    pub(super) approves: Option<Action>,
    pub(super) purpose: Purpose,
    pub(super) department_kind: DepartmentKind,
    pub(super) flags: Flags,
}

impl Situation {
    pub(super) fn new(ask: &Ask, facts: &Facts) -> Self {
        Self {
            action: ask.action(),
            form: ask.shown_as().filter(|_| ask.action() == Action::Reveal),
            approves: ask.approved_action().filter(|_| ask.action() == Action::Approve),
            purpose: ask.purpose(),
            department_kind: ask.who().department_kind(),
            flags: Flags::new(ask, facts),
        }
    }
}

/// One question to the policy: small, `Copy`, and all that the answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Question {
    pub(super) role: Role,
    pub(super) subject: Subject,
    pub(super) situation: Situation,
}

/// Each thing the policy must permit for this ask; `None` when the ask makes no sense, which is a refusal.
pub(super) fn subjects(ask: &Ask, fields: &HashMap<FieldName, FieldKind>) -> Option<Vec<Subject>> {
    match ask.action().kind().judged {
        Judged::ByField => {
            let kind = |name| fields.get(name).copied().filter(|kind| kind.record == ask.record());
            let subjects: Option<Vec<Subject>> = ask
                .field_names()
                .iter()
                .map(|name| kind(name).map(Subject::Field))
                .collect();
            subjects.filter(|subjects| !subjects.is_empty())
        }
        Judged::Writing => Some(vec![Subject::Vault]),
        // A permit to read an envelope carries no field.
        Judged::Whole => ask.field_names().is_empty().then(|| vec![Subject::Vault]),
    }
}

/// The declared fields by name.
pub(super) fn kinds(fields: &FieldSet) -> HashMap<FieldName, FieldKind> {
    fields
        .iter()
        .map(|field| (field.name().clone(), FieldKind::of(field)))
        .collect()
}
