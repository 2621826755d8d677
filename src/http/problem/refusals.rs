//! Refusals: each stands in the log, and the answer says where.

use axum::http::StatusCode;

use super::Problem;
use crate::log::Refusal;
use crate::policy::Why;

/// A refusal as its asker hears it.
pub(super) fn problem(refusal: &Refusal) -> Problem {
    with_words(refusal, told(refusal.why()))
}

/// A refusal, with words of its own for the asker.
pub(super) fn with_words(refusal: &Refusal, words: &str) -> Problem {
    use StatusCode as S;
    let (status, name, title) = match refusal.why() {
        Why::TooManyGuesses => (S::TOO_MANY_REQUESTS, "too-many-guesses", "Too many guesses"),
        Why::TooManyIntakes => (S::TOO_MANY_REQUESTS, "too-many-intakes", "Too many calls taken"),
        Why::OwnRoles => (S::FORBIDDEN, "own-roles", "Not for oneself"),
        Why::RolesExclude => (S::UNPROCESSABLE_ENTITY, "roles-exclude", "The roles exclude each other"),
        Why::Unwitnessed => (
            S::SERVICE_UNAVAILABLE,
            "unwitnessed",
            "No witness has cosigned the log lately",
        ),
        Why::Contradicted => (
            S::SERVICE_UNAVAILABLE,
            "contradicted",
            "A witness says that the log was cut or rewritten",
        ),
        Why::NotApproved => (S::FORBIDDEN, "not-approved", "This takes two persons"),
        Why::OwnRequest => (S::FORBIDDEN, "own-request", "Not for oneself"),
        Why::NotAPerson => (S::FORBIDDEN, "not-a-person", "This takes persons"),
        Why::ApprovalClosed => (S::CONFLICT, "approval-closed", "Decided already"),
        Why::TooManyOpen => (S::CONFLICT, "too-many-open", "Too many open requests"),
        Why::TargetChanged => (S::CONFLICT, "approval-stale", "What the approval is about has changed"),
        Why::BudgetSpent => (S::TOO_MANY_REQUESTS, "budget-spent", "Daily limit reached"),
        Why::IdentityTaken => (S::CONFLICT, "taken", "Already exists"),
        _ => (S::FORBIDDEN, "refused", "No need to know"),
    };
    let index = refusal.position().index;
    let detail = format!("{words}; the refusal is entry {index} of the log");
    Problem {
        audit: Some(refusal.position().into()),
        ..Problem::new(status, name, title, detail)
    }
}

/// What a refused asker is told. It does not tell a ticket of others from one that does not exist.
const fn told(why: Why) -> &'static str {
    match why {
        Why::TicketClosed => "the ticket is closed",
        Why::NotAboutCaller => "the ticket is not about this caller",
        Why::ForeignReference => "the reference is not one of your department's",
        Why::UnknownReference => "the reference is unknown",
        Why::NoSuchTicket | Why::NotHolder => "your department does not hold such a ticket",
        Why::Confidential => "the ticket is confidential",
        Why::Purpose => "the purpose does not cover this",
        Why::TooManyGuesses => {
            "you have asked too often in a short time whether a value is right: wait as long as `Retry-After` says; limits.toml \
             has the limits"
        }
        Why::TooManyIntakes => {
            "you have taken too many calls in a short time: wait as long as `Retry-After` says; a service account that takes \
             calls for many people can have limits of its own in limits.toml"
        }
        Why::Unwitnessed => "an administrator must find out why the witnesses are silent; see the program log",
        Why::Contradicted => {
            "an administrator must find out who is right, the log or the witness; see /readyz and the program log"
        }
        Why::BudgetSpent => {
            "you have been shown as many fields in clear today as anybody may: ask for the masked form, or wait for \
             tomorrow; who needs more asks the operator for a higher --reveal-limit"
        }
        Why::OwnRoles => "nobody sets their own roles or issues their own token: ask another security administrator",
        Why::RolesExclude => {
            "at least one role; auditor, security_admin, system_admin and dpo exclude each other and every other role"
        }
        Why::NotApproved => "nobody does this alone: send it without `Approval` to ask for a second person's approval",
        Why::OwnRequest => {
            "nobody approves their own request, one of an account they made or that made theirs, or one about themselves"
        }
        Why::NotAPerson => "a service account neither asks for what takes two persons nor approves it",
        Why::ApprovalClosed => "the request has been decided on or has expired",
        Why::TooManyOpen => {
            "20 of your requests for approval are open: use those that were approved, or have the others decided on; each \
             ends by itself after a day"
        }
        Why::TargetChanged => "what the approval is about has changed since it was asked for: ask anew",
        Why::IdentityTaken => "an identifying value belongs to another caller on file: check it with the caller",
        _ => "your role does not cover this",
    }
}
