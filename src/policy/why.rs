//! Why an ask was refused: an explanation after the fact. It decides nothing.

use super::facts::Facts;
use super::question::{Flags, Situation};
use crate::model::actions::Needs;
use crate::model::ask::{Action, Ask};
use crate::model::purposes::Purpose;
use crate::model::word_enum::word_enum;

word_enum! {
    /// The reason of a refusal, the leaf's `why`. Some tell more than an asker may know: what `http` answers is its own
    /// choice.
    pub enum Why {
        /// The reference is another department's.
        ForeignReference = "foreign-reference",
        /// The reference is of a version that is good no more.
        EndedReference = "ended-reference",
        /// The reference stands for no caller.
        UnknownReference = "unknown-reference",
        /// The transfer of a reference was used, is too old, or its sender works on the ticket no more.
        TransferOver = "transfer-over",
        /// The contact code was used, or is too old.
        ContactOver = "contact-over",
        /// The transfer of a reference is for another department.
        ForeignTransfer = "foreign-transfer",
        /// There is no such ticket, or none was named where one is needed.
        NoSuchTicket = "no-such-ticket",
        /// The asker's department does not hold the ticket.
        NotHolder = "not-holder",
        /// The asker's department has not signed for the ticket, or has reported.
        NotWorkedOn = "not-worked-on",
        /// The ticket's caller was erased.
        Erased = "erased",
        /// The ticket is about another caller.
        NotAboutCaller = "not-about-caller",
        /// The ticket is closed, and with it the need.
        TicketClosed = "ticket-closed",
        /// A role held may do this for another purpose only.
        Purpose = "purpose",
        /// It would be permitted, were the ticket not confidential.
        Confidential = "confidential",
        /// No role held covers the action, every field named, or the form.
        NeedToKnow = "need-to-know",
        /// Permitted, but the asker has made too many guesses in a short time.
        TooManyGuesses = "too-many-guesses",
        /// Permitted, but the asker has taken too many calls in a short time.
        TooManyIntakes = "too-many-intakes",
        /// Nobody sets their own roles or issues their own token.
        OwnRoles = "own-roles",
        /// The roles exclude each other (三员分立).
        RolesExclude = "roles-exclude",
        /// It takes a second person's approval of this very request.
        NotApproved = "not-approved",
        /// Nobody approves their own request, nor one of somebody they made or were made by, nor one about themselves.
        OwnRequest = "own-request",
        /// What takes two persons takes persons: a service account neither asks for it nor approves it.
        NotAPerson = "not-a-person",
        /// The account may not act on behalf of others.
        MayNotActFor = "may-not-act-for",
        /// Nobody may act on behalf of that account, or this account may not.
        NotActedFor = "not-acted-for",
        /// Permitted, but it is not done on behalf of others.
        InPerson = "in-person",
        /// The request for approval has been decided on, used, or has expired.
        ApprovalClosed = "approval-closed",
        /// What the approval is about has changed since it was asked for.
        TargetChanged = "target-changed",
        /// As many of the asker's requests for approval are open as may be.
        TooManyOpen = "too-many-open",
        /// Another one-time code was given than the account has.
        WrongCode = "wrong-code",
        /// The identifying value belongs to another caller on file.
        IdentityTaken = "identity-taken",
        /// Two records have identity numbers that differ.
        IdentitiesDiffer = "identities-differ",
        /// Two records have no value in common that a caller is found by.
        NothingInCommon = "nothing-in-common",
        /// The records are not as the request says: it names one record as two, a field that is not there, a merge that is none.
        NotAsAsked = "not-as-asked",
        /// A legal hold keeps the caller from being erased.
        Held = "held",
        /// The caller's data are restricted to storage.
        Restricted = "restricted",
        /// Tickets about the caller are open.
        TicketsOpen = "tickets-open",
        /// Nobody lifts a hold that they set themselves, nor one of somebody they made or were made by.
        OwnHold = "own-hold",
        /// The call does not agree with the caller on file whom the agent says it is.
        NotThatCaller = "not-that-caller",
        /// Permitted, but the asker has had as many fields shown in clear today as anybody may.
        BudgetSpent = "budget-spent",
        /// Permitted, but no quorum of witnesses has cosigned the log lately.
        Unwitnessed = "unwitnessed",
        /// Permitted, but a witness says that the log was cut or rewritten.
        Contradicted = "contradicted",
    }
}

/// The first reason that applies, in the order of [`Why`]. `permitted` answers for another situation whether some role
/// of the asker may.
pub(super) fn explain(ask: &Ask, facts: &Facts, situation: Situation, permitted: impl Fn(Situation) -> bool) -> Why {
    let flags = situation.flags;
    let with = |flags| permitted(Situation { flags, ..situation });
    if facts.foreign_reference {
        return Why::ForeignReference;
    }
    if facts.ended_reference {
        return Why::EndedReference;
    }
    if ask.caller_reference().is_some() && is_erased(facts, flags) {
        return Why::Erased;
    }
    if ask.caller_reference().is_some() && !flags.caller_known {
        return Why::UnknownReference;
    }
    if let Some(why) = about_ticket(situation.action, flags) {
        return why;
    }
    if flags.ticket_known && !flags.held && with(Flags { held: true, ..flags }) {
        return Why::NotHolder;
    }
    if flags.held
        && with(Flags {
            worked_on: true,
            ..flags
        })
    {
        return Why::NotWorkedOn;
    }
    if Purpose::ALL
        .iter()
        .any(|&purpose| permitted(Situation { purpose, ..situation }))
    {
        return Why::Purpose;
    }
    // What takes two persons besides is said once nothing else stands against it.
    if flags.confidential
        && with(Flags {
            confidential: false,
            approved: true,
            ..flags
        })
    {
        return Why::Confidential;
    }
    if !flags.approved
        && with(Flags {
            approved: true,
            ..flags
        })
    {
        return Why::NotApproved;
    }
    Why::NeedToKnow
}

/// Whether the ticket's caller was erased, and the asker's department may know whose ticket it is.
fn is_erased(facts: &Facts, flags: Flags) -> bool {
    let erased = facts.ticket.as_ref().is_some_and(|ticket| ticket.row.is_erased());
    erased && (flags.origin || (flags.held && !flags.confidential))
}

/// What is wrong with the ticket, for actions that need one.
const fn about_ticket(action: Action, flags: Flags) -> Option<Why> {
    let needs = action.kind().needs;
    let about_caller = matches!(needs, Needs::OpenTicketAbout | Needs::TicketAbout);
    let open = matches!(needs, Needs::OpenTicketAbout | Needs::OpenTicket);
    if matches!(needs, Needs::Nothing) {
        return None;
    }
    if !flags.ticket_known {
        Some(Why::NoSuchTicket)
    } else if !flags.held && !flags.origin {
        Some(Why::NotHolder)
    } else if about_caller && flags.confidential && !flags.origin {
        // Whether a confidential ticket is about this caller is nothing a department may learn from a refusal.
        Some(Why::Confidential)
    } else if about_caller && !flags.about {
        Some(Why::NotAboutCaller)
    } else if open && !flags.open {
        Some(Why::TicketClosed)
    } else {
        None
    }
}
