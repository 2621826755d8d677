//! What a refused asker is told: not always why.

use crate::model::problems::{self, ProblemKind};
use crate::policy::Why;

/// It does not tell a ticket of others from one that does not exist.
pub(super) const fn told(why: Why) -> &'static ProblemKind {
    match why {
        Why::TicketClosed => problems::TICKET_CLOSED,
        Why::Erased => problems::ERASED,
        Why::NotWorkedOn => problems::NOT_WORKED_ON,
        Why::Held => problems::UNDER_HOLD,
        Why::Restricted => problems::RESTRICTED,
        Why::TicketsOpen => problems::TICKETS_OPEN,
        Why::OwnHold => problems::OWN_HOLD,
        Why::NotAboutCaller => problems::NOT_ABOUT_CALLER,
        Why::ForeignReference => problems::FOREIGN_REFERENCE,
        Why::EndedReference => problems::ENDED_REFERENCE,
        Why::UnknownReference => problems::UNKNOWN_REFERENCE,
        Why::TransferOver => problems::TRANSFER_OVER,
        Why::ContactOver => problems::CONTACT_OVER,
        Why::ForeignTransfer => problems::FOREIGN_TRANSFER,
        Why::NoSuchTicket | Why::NotHolder => problems::NOT_HOLDER,
        Why::Confidential => problems::CONFIDENTIAL,
        Why::Purpose => problems::OTHER_PURPOSE,
        // Who is told what the records have against it is told that instead.
        Why::NeedToKnow | Why::NotAsAsked => problems::REFUSED,
        Why::TooManyGuesses => problems::TOO_MANY_GUESSES,
        Why::TooManyIntakes => problems::TOO_MANY_INTAKES,
        Why::BudgetSpent => problems::BUDGET_SPENT,
        Why::Unwitnessed => problems::UNWITNESSED,
        Why::Contradicted => problems::CONTRADICTED,
        Why::OwnRoles => problems::OWN_ROLES,
        Why::RolesExclude => problems::ROLES_EXCLUDE,
        Why::NotApproved => problems::NOT_APPROVED,
        Why::OwnRequest => problems::OWN_REQUEST,
        Why::NotAPerson => problems::NOT_A_PERSON,
        Why::MayNotActFor => problems::MAY_NOT_ACT_FOR,
        Why::NotActedFor => problems::NOT_ACTED_FOR,
        Why::InPerson => problems::IN_PERSON,
        Why::ApprovalClosed => problems::APPROVAL_CLOSED,
        Why::TooManyOpen => problems::TOO_MANY_OPEN,
        Why::TargetChanged => problems::TARGET_CHANGED,
        Why::WrongCode => problems::CLAIM_REFUSED,
        Why::IdentityTaken => problems::IDENTITY_TAKEN,
        Why::IdentitiesDiffer => problems::IDENTITIES_DIFFER,
        Why::NothingInCommon => problems::NOTHING_IN_COMMON,
        Why::NotThatCaller => problems::NOT_THAT_CALLER,
    }
}
