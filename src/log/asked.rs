//! What an entry says of an ask: which ticket, and what else it is about.

use std::collections::BTreeMap;

use super::places::OTHER_SUBJECT;
use crate::model::ask::Ask;
use crate::model::ticket_name::TicketName;
use crate::model::ticket_no::TicketNo;
use crate::policy::facts::Facts;

/// The word of `link` for the account that an entry is about.
const ACCOUNT: &str = "principal";
/// The word of `link` for how a department named a ticket, where it did not by its own reference.
const NAMED_BY: &str = "named_by";
/// By its number.
const NUMBER: &str = "number";

/// What an ask is about besides its caller and ticket.
pub(super) fn linked(ask: &Ask, facts: &Facts) -> Option<BTreeMap<String, String>> {
    let by_number = is_named_by_number(ask, facts).then(|| (NAMED_BY, NUMBER.to_owned()));
    let account = ask.account_asked_about().map(|id| (ACCOUNT, id.to_string()));
    let other = ask.other_subject().map(|subject| (OTHER_SUBJECT, subject.to_string()));
    let linked = account.into_iter().chain(other).chain(by_number);
    let linked: BTreeMap<String, String> = linked.map(|(word, what)| (word.to_owned(), what)).collect();
    (!linked.is_empty()).then_some(linked)
}

/// The number of the ticket that an ask is for: of the one that was found, or as it was given.
pub(super) fn named_ticket(ask: &Ask, facts: &Facts) -> Option<TicketNo> {
    let found = facts.ticket.as_ref().map(|ticket| ticket.row.no);
    found.or(match ask.ticket_name() {
        Some(TicketName::No(no)) => Some(*no),
        _ => None,
    })
}

/// Whether a department presents the number of a ticket, which is the centre's and the caller's: somebody has told it.
fn is_named_by_number(ask: &Ask, facts: &Facts) -> bool {
    let by_number = matches!(ask.ticket_name(), Some(TicketName::No(_)));
    let theirs = facts.ticket.as_ref().map(|ticket| ticket.row.origin);
    by_number && !ask.has_found_ticket() && theirs.is_some_and(|origin| origin != ask.department())
}
