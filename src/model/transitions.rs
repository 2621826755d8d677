//! The steps of a ticket (DOMAIN §3): one table, from which the vault takes how a step is done and the API its addresses.

use super::actions::Action;
use super::principals::Role;
use super::purposes::Purpose;
use super::reference::DepartmentCode;
use super::tickets::TicketState;
use super::word_enum::word_enum;

word_enum! {
    /// Who holds the ticket after a step.
    pub enum Holder {
        /// The department that the step names, which is another than the one that has it. Where that one has asked to return it, the same
        /// again would be a denial that is not called one.
        Named = "named": "the department named, not the one that has it" / "所指明的部门，不能是现承办部门",
        /// Whoever held it.
        Same = "same": "as before" / "不变",
        /// The centre that took the call.
        Origin = "origin": "the centre that took the call" / "受理来电的热线中心",
        /// The department that has signed for it last.
        Worker = "worker": "the department that signed for it" / "签收该工单的部门",
    }
}

/// The departments that a ticket has to do with.
#[derive(Clone, Copy, Debug)]
pub struct Departments {
    /// Holds it.
    pub holder: DepartmentCode,
    /// Took the call.
    pub origin: DepartmentCode,
    /// Has it, where it was sent to one and lies there.
    pub sent_to: Option<DepartmentCode>,
    /// Has signed for it last.
    pub worker: Option<DepartmentCode>,
}

/// Why a step does not lead to a department.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misnamed {
    /// It must name one.
    None,
    /// It must not.
    Some,
    /// It names the one that has the ticket.
    SameAgain,
    /// No department has signed for it.
    NoWorker,
}

impl Holder {
    /// The department that holds the ticket after the step.
    ///
    /// # Errors
    /// [`Misnamed`].
    pub fn after(self, ticket: Departments, named: Option<DepartmentCode>) -> Result<DepartmentCode, Misnamed> {
        match (self, named) {
            (Self::Named, None) => Err(Misnamed::None),
            (Self::Named, Some(named)) if Some(named) == ticket.sent_to => Err(Misnamed::SameAgain),
            (Self::Named, Some(named)) => Ok(named),
            (_, Some(_)) => Err(Misnamed::Some),
            (Self::Same, None) => Ok(ticket.holder),
            (Self::Origin, None) => Ok(ticket.origin),
            (Self::Worker, None) => ticket.worker.ok_or(Misnamed::NoWorker),
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
    /// The state it leads to; nothing where the ticket stays in its own.
    pub to: Option<TicketState>,
    /// Who holds the ticket after it.
    pub holder: Holder,
    /// The ticket's field that its reason is sealed into, if it needs one.
    pub reason: Option<&'static str>,
    /// The ticket's field that what the caller is told is sealed into, if it needs that.
    pub reply: Option<&'static str>,
    /// Its purpose, unless the asker states another.
    pub purpose: Purpose,
}

impl Step {
    /// The state after the step, from this one.
    #[must_use]
    pub fn leads_to(self, from: TicketState) -> TicketState {
        self.to.unwrap_or(from)
    }
}

/// Declares the steps: a word each, which is its address, its labels, and how it is done.
macro_rules! transitions {
    ($( $(#[$doc:meta])* $variant:ident = $word:literal: $en:literal / $zh:literal: $action:ident, [$($from:ident)+] => $to:tt, $holder:ident, $reason:tt, $reply:tt, $purpose:ident; )+) => {
        word_enum! {
            /// A step of a ticket: the last part of `POST /v1/tickets/{ticket}/{transition}`.
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
                        to: transitions!(@to $to),
                        holder: Holder::$holder,
                        reason: transitions!(@ $reason),
                        reply: transitions!(@ $reply),
                        purpose: Purpose::$purpose,
                    }, )+
                }
            }
        }
    };
    (@to -) => { None };
    (@to $to:ident) => { Some(TicketState::$to) };
    (@ -) => { None };
    (@ $field:literal) => { Some($field) };
}

transitions! {
    /// 直接答复: the centre answers the caller itself.
    Answer = "answer": "Answer" / "直接答复": Answer, [Accepted] => Answered, Same, -, "reply_public", Intake;
    /// 不予受理: the hotline does not take the matter.
    Refuse = "refuse": "Do not take" / "不予受理": RefuseTicket, [Accepted] => Refused, Same, "close_reason", -, Intake;
    /// 转出: the matter is for somebody beside the hotline.
    TransferOut = "transfer-out": "Pass on elsewhere" / "转出": TransferOut, [Accepted] => TransferredOut, Same, "close_reason", -, Intake;
    /// 派单: sends the ticket to a department, also to another than the one that has it.
    Dispatch = "dispatch": "Dispatch" / "派单": Dispatch, [Accepted Dispatched ReturnAsked Signed InProgress ExtensionAsked Review Callback] => Dispatched, Named, "dispatch_reason", -, Dispatch;
    /// 签收: the department takes the ticket.
    Sign = "sign": "Sign for" / "签收": Sign, [Dispatched] => Signed, Same, -, -, Handle;
    /// 退单: the department asks the centre to take the ticket back. It holds it until the centre has decided.
    Return = "return": "Ask to return" / "申请退单": Return, [Dispatched] => ReturnAsked, Same, "return_reason", -, Handle;
    /// 同意退单: the centre takes the ticket back.
    AcceptReturn = "accept-return": "Take back" / "同意退单": AcceptReturn, [ReturnAsked] => Accepted, Origin, "dispatch_reason", -, Dispatch;
    /// 不同意退单: the ticket stays, as if it had been signed for. That is final: no return leads from there.
    DenyReturn = "deny-return": "Deny the return" / "不同意退单": DenyReturn, [ReturnAsked] => Signed, Same, "dispatch_reason", -, Dispatch;
    /// 开始办理: work has begun.
    Start = "start": "Begin work" / "开始办理": Start, [Signed] => InProgress, Same, -, -, Handle;
    /// 申请延期: the department asks for more time, and works on.
    Extend = "extend": "Ask for more time" / "申请延期": Extend, [Signed InProgress] => ExtensionAsked, Same, "extension_reason", -, Handle;
    /// 同意延期: the deadline moves.
    GrantExtension = "grant-extension": "Grant more time" / "同意延期": GrantExtension, [ExtensionAsked] => InProgress, Same, "dispatch_reason", -, Dispatch;
    /// 不同意延期: the deadline stays.
    RefuseExtension = "refuse-extension": "Refuse more time" / "不同意延期": RefuseExtension, [ExtensionAsked] => InProgress, Same, "dispatch_reason", -, Dispatch;
    /// 反馈: the department reports what it did, to the centre and in words for the caller.
    Feedback = "feedback": "Report" / "反馈": Feedback, [Signed InProgress ExtensionAsked] => Feedback, Origin, "reply_internal", "reply_public", Handle;
    /// 审核: the centre looks at the report.
    Review = "review": "Review" / "审核": Review, [Feedback] => Review, Same, -, -, Dispatch;
    /// 审核通过: the report will do, and the caller is asked.
    Pass = "pass": "Pass" / "审核通过": Pass, [Review] => Callback, Same, -, -, Dispatch;
    /// 登记回访: what came of one attempt to ask the caller. There may be several.
    Callback = "callback": "Record a callback" / "登记回访": RecordCallback, [Callback] => -, Same, -, -, Callback;
    /// 重办: the department works on it once more.
    Redo = "redo": "Send back for more work" / "重办": Redo, [Review Callback] => InProgress, Worker, "dispatch_reason", -, Dispatch;
    /// 办结: closes the ticket.
    Close = "close": "Close" / "办结": Close, [Answered Callback] => Closed, Same, "close_reason", -, Dispatch;
    /// 撤回: the caller takes the matter back.
    Withdraw = "withdraw": "Withdraw" / "撤回": Withdraw, [Accepted Answered Dispatched ReturnAsked Signed InProgress ExtensionAsked Feedback Review Callback] => Withdrawn, Same, "close_reason", -, Dispatch;
    /// 督办: the centre watches over the ticket, wherever it is. It stays where it is.
    Supervise = "supervise": "Supervise" / "督办": Supervise, [Accepted Answered Dispatched ReturnAsked Signed InProgress ExtensionAsked Feedback Review Callback] => -, Same, "supervise_reason", -, Supervise;
    /// 解除督办: it does so no longer.
    Unsupervise = "unsupervise": "End supervision" / "解除督办": Unsupervise, [Accepted Answered Dispatched ReturnAsked Signed InProgress ExtensionAsked Feedback Review Callback] => -, Same, "supervise_reason", -, Supervise;
    /// 终止: ends the ticket without an answer to the matter.
    Terminate = "terminate": "End" / "终止": Terminate, [Accepted Answered Dispatched ReturnAsked Signed InProgress ExtensionAsked Feedback Review Callback] => Terminated, Same, "close_reason", -, Dispatch;
}

impl Transition {
    /// Whether it must say so many working days.
    #[must_use]
    pub const fn takes_working_days(self) -> bool {
        matches!(self, Self::GrantExtension)
    }

    /// Whether it must say what came of a callback.
    #[must_use]
    pub const fn takes_results(self) -> bool {
        matches!(self, Self::Callback)
    }

    /// Whether the work of a department begins with it, and its deadlines.
    #[must_use]
    pub const fn begins_work(self) -> bool {
        matches!(self, Self::Dispatch | Self::Redo)
    }
}

impl TicketState {
    /// Who must act next: the role whose step leads on from here. Nobody when the ticket is over.
    #[must_use]
    pub const fn next_role(self) -> Option<Role> {
        match self {
            Self::Answered => Some(Role::Agent),
            Self::Accepted | Self::ReturnAsked | Self::ExtensionAsked | Self::Feedback | Self::Review => {
                Some(Role::Dispatcher)
            }
            Self::Dispatched | Self::Signed | Self::InProgress => Some(Role::Handler),
            Self::Callback => Some(Role::Callback),
            Self::Closed | Self::Refused | Self::TransferredOut | Self::Withdrawn | Self::Terminated => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

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

    /// A ticket gets somewhere from wherever it is, until it is over, and it can come to each state.
    #[test]
    fn every_state_is_reached_and_left() {
        let moving = || {
            Transition::ALL
                .iter()
                .map(|step| step.step())
                .filter(|step| step.to.is_some())
        };
        let reached: BTreeSet<&str> = moving().filter_map(|step| Some(step.to?.as_str())).collect();
        for state in TicketState::ALL {
            let leads_on = moving().any(|step| step.from.contains(state));
            assert_eq!(leads_on, state.is_open(), "{state}");
            assert!(reached.contains(state.as_str()), "{state}");
        }
    }

    #[test]
    fn a_step_names_a_department_where_the_table_has_it() {
        let [centre, one, other] = ["H0", "C1", "W2"].map(|code| code.parse().unwrap());
        let there = Departments {
            holder: one,
            origin: centre,
            sent_to: Some(one),
            worker: None,
        };
        let back = Departments {
            holder: centre,
            sent_to: None,
            worker: Some(one),
            ..there
        };
        for (holder, ticket, named, after) in [
            (Holder::Named, there, Some(one), Err(Misnamed::SameAgain)),
            (Holder::Named, there, Some(other), Ok(other)),
            (Holder::Named, there, None, Err(Misnamed::None)),
            (Holder::Named, back, None, Err(Misnamed::None)),
            (Holder::Named, back, Some(one), Ok(one)),
            (Holder::Same, there, Some(one), Err(Misnamed::Some)),
            (Holder::Same, there, None, Ok(one)),
            (Holder::Origin, there, None, Ok(centre)),
            (Holder::Worker, there, None, Err(Misnamed::NoWorker)),
            (Holder::Worker, back, None, Ok(one)),
        ] {
            let found = holder.after(ticket, named);
            assert!(found == after, "{holder}");
        }
    }

    /// 不同意退单 is final.
    #[test]
    fn nothing_is_returned_once_a_return_was_denied() {
        let denied = Transition::DenyReturn.step().to.unwrap();
        let mut after = BTreeSet::from([denied.as_str()]);
        // Until the centre has the ticket again, and sends it to somebody anew.
        for _ in Transition::ALL {
            for step in Transition::ALL.iter().map(|transition| transition.step()) {
                if step.holder != Holder::Named && step.from.iter().any(|from| after.contains(from.as_str())) {
                    after.extend(step.to.map(TicketState::as_str));
                }
            }
        }
        let returns = Transition::Return.step();
        assert!(returns.from.iter().all(|from| !after.contains(from.as_str())));
    }

    /// Whoever must act next has a step that leads on; of a callback clerk's it is the closing or the further work.
    #[test]
    fn who_must_act_next_can() {
        for state in TicketState::ALL {
            let Some(role) = state.next_role() else {
                assert!(!state.is_open(), "{state}");
                continue;
            };
            let leads_on = |step: Step| step.from.contains(state) && (step.to.is_some() || role == Role::Callback);
            let own = |step: Step| role.purposes().contains(&step.purpose) || step.action == Action::Close;
            let steps = Transition::ALL.iter().map(|step| step.step());
            assert!(steps.filter(|step| leads_on(*step)).any(own), "{role} in {state}");
        }
    }
}
