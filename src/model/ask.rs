//! `Ask`: what somebody wants to do, before anything is decided.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;

pub use super::actions::Action;
use super::client::SealedAddress;
use super::fields::FieldName;
use super::ids::{PrincipalId, RecordKind, random_uuid};
use super::limits::Counted;
use super::principals::Actor;
use super::purposes::{Form, Purpose};
use super::reference::{DepartmentCode, Reference};
use super::ticket_name::TicketName;
use super::ticket_no::TicketNo;
use crate::randomness::{NoRandomness, Randomness, System};

/// One request of one principal: who, what, on what, why and when. It has no power of its own: `policy::decide`
/// consumes it. Not `Clone`, so that each decision is made once.
pub struct Ask {
    who: Actor,
    action: Action,
    caller: Option<Reference>,
    subject: Option<Reference>,
    other: Option<Reference>,
    account: Option<PrincipalId>,
    ticket: Option<TicketName>,
    /// The vault itself has found the ticket.
    found_ticket: bool,
    /// The caller asked about is the ticket's, whoever that is.
    caller_of_ticket: bool,
    fields: Vec<FieldName>,
    record: RecordKind,
    form: Option<Form>,
    approving: Option<Action>,
    counted: Vec<Counted>,
    purpose: Purpose,
    at: Timestamp,
    request: RequestId,
    client: Option<SealedAddress>,
}

/// Correlates an answer, the program log and the leaf: 32 hexadecimal digits chosen by the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A new random one.
    ///
    /// # Errors
    /// Without randomness.
    pub fn random(randomness: &dyn Randomness) -> Result<Self, NoRandomness> {
        Ok(Self(random_uuid(randomness)?.simple().to_string()))
    }

    /// For an answer to a request that stands in no log, not even as a refusal.
    #[must_use]
    pub fn unlogged() -> Self {
        Self::random(&System).unwrap_or_else(|NoRandomness| Self::counted())
    }

    /// The next number of a counter that this process has: for a request that finds no randomness and therefore does nothing.
    /// Together with the time, the number still finds the answer in the program log.
    #[must_use]
    pub fn counted() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(1);
        Self(format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ask {
    /// An ask about nothing in particular; the builders below name what it is about.
    #[must_use]
    pub const fn new(who: Actor, action: Action, purpose: Purpose, at: Timestamp, request: RequestId) -> Self {
        Self {
            who,
            action,
            caller: None,
            subject: None,
            other: None,
            account: None,
            ticket: None,
            found_ticket: false,
            caller_of_ticket: false,
            fields: Vec::new(),
            record: RecordKind::Caller,
            form: None,
            approving: None,
            counted: Vec::new(),
            purpose,
            at,
            request,
            client: None,
        }
    }

    /// Of a request that came from here.
    #[must_use]
    pub fn from_client(mut self, client: Option<SealedAddress>) -> Self {
        self.client = client;
        self
    }

    /// About this caller.
    #[must_use]
    pub fn caller(mut self, reference: Reference) -> Self {
        self.caller = Some(reference);
        self
    }

    /// About this subject of the log: a caller in the auditors' own domain.
    #[must_use]
    pub fn subject(mut self, reference: Reference) -> Self {
        self.subject = Some(reference);
        self
    }

    /// About this other caller too, as the log calls them.
    #[must_use]
    pub const fn other(mut self, subject: Reference) -> Self {
        self.other = Some(subject);
        self
    }

    /// About this account.
    #[must_use]
    pub const fn account(mut self, id: PrincipalId) -> Self {
        self.account = Some(id);
        self
    }

    /// For another purpose.
    #[must_use]
    pub const fn purpose_instead(mut self, purpose: Purpose) -> Self {
        self.purpose = purpose;
        self
    }

    /// For this ticket.
    #[must_use]
    pub fn ticket(mut self, name: impl Into<TicketName>) -> Self {
        self.ticket = Some(name.into());
        self
    }

    /// For this ticket, which nobody has named: the vault has found it.
    #[must_use]
    pub fn found_ticket(mut self, no: TicketNo) -> Self {
        self.found_ticket = true;
        self.ticket(no)
    }

    /// About the caller of the ticket, whoever that is.
    #[must_use]
    pub const fn caller_of_ticket(mut self) -> Self {
        self.caller_of_ticket = true;
        self
    }

    /// These fields of one kind of record.
    #[must_use]
    pub fn fields(mut self, record: RecordKind, fields: Vec<FieldName>) -> Self {
        self.record = record;
        self.fields = fields;
        self
    }

    /// In this form. What is shown in clear is counted.
    #[must_use]
    pub fn form(mut self, form: Form) -> Self {
        self.form = Some(form);
        if form == Form::Clear {
            self.counted.push(Counted::Reveal);
        }
        self
    }

    /// As [`Self::form`], where it was counted for somebody else before.
    #[must_use]
    pub const fn form_counted_before(mut self, form: Form) -> Self {
        self.form = Some(form);
        self
    }

    /// Counted as one of these for its asker.
    #[must_use]
    pub fn counting(mut self, counted: Counted) -> Self {
        self.counted.push(counted);
        self
    }

    /// Deciding on somebody else's request to do this.
    #[must_use]
    pub const fn approving(mut self, action: Action) -> Self {
        self.approving = Some(action);
        self
    }

    /// Who asks.
    #[must_use]
    pub const fn who(&self) -> &Actor {
        &self.who
    }

    /// Who asks: their department.
    #[must_use]
    pub const fn department(&self) -> DepartmentCode {
        self.who.department()
    }

    /// What is asked.
    #[must_use]
    pub const fn action(&self) -> Action {
        self.action
    }

    /// The caller asked about, as the asker names them.
    #[must_use]
    pub const fn caller_reference(&self) -> Option<&Reference> {
        self.caller.as_ref()
    }

    /// Every reference of a department that the asker names: to a caller, to a ticket.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let ticket = match &self.ticket {
            Some(TicketName::Reference(reference)) => Some(reference),
            _ => None,
        };
        self.caller.iter().chain(ticket)
    }

    /// The subject of the log asked about.
    #[must_use]
    pub const fn subject_reference(&self) -> Option<&Reference> {
        self.subject.as_ref()
    }

    /// The other caller asked about, as the log calls them.
    #[must_use]
    pub const fn other_subject(&self) -> Option<&Reference> {
        self.other.as_ref()
    }

    /// The account asked about, where its entry says so.
    #[must_use]
    pub const fn account_asked_about(&self) -> Option<PrincipalId> {
        self.account
    }

    /// The ticket that gives the need, as the asker names it.
    #[must_use]
    pub const fn ticket_name(&self) -> Option<&TicketName> {
        self.ticket.as_ref()
    }

    /// Whether the vault itself has found the ticket.
    #[must_use]
    pub const fn has_found_ticket(&self) -> bool {
        self.found_ticket
    }

    /// Whether it is about the ticket's caller, whoever that is.
    #[must_use]
    pub const fn is_about_caller_of_ticket(&self) -> bool {
        self.caller_of_ticket
    }

    /// The fields asked for, all of one record.
    #[must_use]
    pub fn field_names(&self) -> &[FieldName] {
        &self.fields
    }

    /// The kind of record those fields belong to.
    #[must_use]
    pub const fn record(&self) -> RecordKind {
        self.record
    }

    /// In which form.
    #[must_use]
    pub const fn shown_as(&self) -> Option<Form> {
        self.form
    }

    /// Whether it is counted as this.
    #[must_use]
    pub fn counts_as(&self, counted: Counted) -> bool {
        self.counted.contains(&counted)
    }

    /// What somebody else asks to do, where the ask is to decide on that.
    #[must_use]
    pub const fn approved_action(&self) -> Option<Action> {
        self.approving
    }

    /// The stated purpose.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// When.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Where that request came from; nothing where it came by no connection.
    #[must_use]
    pub const fn client(&self) -> Option<&SealedAddress> {
        self.client.as_ref()
    }

    /// The request it came with.
    #[must_use]
    pub const fn request(&self) -> &RequestId {
        &self.request
    }
}
