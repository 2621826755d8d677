//! The steps of a ticket (DOMAIN §3): one table, from which the vault takes how a step is done and the API its addresses.

use super::actions::Action;
use super::purposes::Purpose;
use super::reference::DepartmentCode;
use super::tickets::TicketState;
use super::word_enum::word_enum;

word_enum! {
    /// Who holds the ticket after a step.
    pub enum Holder {
        /// The department that the step names.
        Named = "named": "the department named" / "所指明的部门",
        /// Whoever held it.
        Same = "same": "as before" / "不变",
        /// The centre that took the call.
        Origin = "origin": "the centre that took the call" / "受理来电的热线中心",
    }
}

/// The departments that a ticket has to do with.
#[derive(Clone, Copy, Debug)]
pub struct Departments {
    /// Holds it.
    pub holder: DepartmentCode,
    /// Took the call.
    pub origin: DepartmentCode,
}

impl Holder {
    /// The department that holds the ticket after the step. Nothing if the step must name one and does not, or names one and
    /// must not.
    #[must_use]
    pub fn after(self, ticket: Departments, named: Option<DepartmentCode>) -> Option<DepartmentCode> {
        match (self, named) {
            (Self::Named, named) => named,
            (_, Some(_)) => None,
            (Self::Same, None) => Some(ticket.holder),
            (Self::Origin, None) => Some(ticket.origin),
        }
    }
}

/// How a step is done.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What the policy and the log call it.
    pub action: Action,
    /// The states it leads from.
    pub from: &'static [TicketState],
    /// The state it leads to.
    pub to: TicketState,
    /// Who holds the ticket after it.
    pub holder: Holder,
    /// The ticket's field that its reason is sealed into.
    pub reason: &'static str,
    /// Its purpose, unless the asker states another.
    pub purpose: Purpose,
}

/// Declares the steps: a word each, which is its address, its labels, and how it is done.
macro_rules! transitions {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal: $en:literal / $zh:literal: $action:ident, [$($from:ident)+] => $to:ident, $holder:ident, $reason:literal, $purpose:ident; )+) => {
        word_enum! {
            /// A step of a ticket: the last part of `POST /v1/tickets/{no}/{transition}`.
            pub enum Transition { $( $(#[$doc])* $variant = $word: $en / $zh, )+ }
        }

        impl Transition {
            /// How it is done.
            #[must_use]
            pub const fn step(self) -> Step {
                match self {
                    $( Self::$variant => Step {
                        action: Action::$action,
                        from: &[$(TicketState::$from),+],
                        to: TicketState::$to,
                        holder: Holder::$holder,
                        reason: $reason,
                        purpose: Purpose::$purpose,
                    }, )+
                }
            }
        }
    };
}

transitions! {
    /// 派单: sends the ticket to a department.
    Dispatch = "dispatch": "Dispatch" / "派单": Dispatch, [Accepted Dispatched] => Dispatched, Named, "dispatch_reason", Dispatch;
    /// 退单: gives the ticket back to the centre, which sends it elsewhere, or here again.
    Return = "return": "Return" / "退单": Return, [Dispatched] => Accepted, Origin, "return_reason", Handle;
    /// 办结: closes the ticket. Nothing about its caller is shown for it any more.
    Close = "close": "Close" / "办结": Close, [Accepted Dispatched] => Closed, Same, "close_reason", Handle;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is shown for a ticket ends with its work: no step leads back from a state in which nothing is shown.
    #[test]
    fn no_step_leads_from_a_ticket_that_is_over() {
        for transition in Transition::ALL {
            let step = transition.step();
            assert!(step.from.iter().all(|state| state.is_open()), "{transition}");
            assert_eq!(step.action.as_str(), format!("ticket.{transition}"));
        }
    }
}
