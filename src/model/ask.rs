//! `Ask`: what somebody wants to do, before anything is decided.

use jiff::Timestamp;

use super::fields::FieldName;
use super::ids::RecordKind;
use super::principals::Actor;
use super::purposes::{Form, Purpose};
use super::reference::{DepartmentCode, Reference};
use super::ticket_no::TicketNo;
use super::word_enum::word_enum;

word_enum! {
    /// What is asked. The same words name the action in policy and in the log's `act`.
    pub enum Action {
        /// Take a call in.
        Intake = "intake",
        /// Find callers by one value.
        Lookup = "caller.lookup",
        /// Read the names of a caller's fields, no values.
        ReadCaller = "caller.read",
        /// Read fields of a caller or of a ticket.
        Reveal = "field.reveal",
        /// Compare a value with a field without opening it.
        Verify = "field.verify",
        /// Replace a caller's field.
        Correct = "caller.correct",
        /// Read a ticket's envelope.
        ReadTicket = "ticket.read",
        /// List a department's tickets.
        ListTickets = "ticket.list",
        /// Send a ticket to a department.
        Dispatch = "ticket.dispatch",
        /// Close a ticket.
        Close = "ticket.close",
        /// See departments and principals.
        ReadAdmin = "admin.read",
        /// Make or change a department.
        SetDepartment = "admin.department",
        /// Make a principal or set its roles.
        SetPrincipal = "admin.principal",
        /// Issue or revoke an API token.
        SetToken = "admin.token",
        /// Make, change or equip an account that administers the vault or may approve.
        SetAdministrator = "admin.administrator",
        /// Lock the vault.
        Lock = "vault.lock",
        /// Read the log's newest checkpoint or its public keys.
        ReadCheckpoint = "log.checkpoint",
        /// Read a tile or a bundle of entries.
        ReadTile = "log.tile",
        /// Get the proof of one entry, or that one size of the log continues another.
        Prove = "log.prove",
        /// Search the log.
        SearchLog = "log.search",
        /// Read one entry.
        ReadEntry = "log.read",
        /// Ask who has been shown which fields.
        Exposure = "log.exposure",
        /// Read the report on readers.
        Report = "log.report",
        /// Follow the log for archive or a SIEM.
        ExportLog = "log.export",
        /// Find the read behind a trace mark.
        Trace = "log.trace",
        /// Drop bodies of old entries.
        PruneLog = "log.prune",
        /// Begin a new log after the old one was cut.
        RestartLog = "log.restart",
        /// Learn which caller a subject of the log is.
        ResolveSubject = "subject.resolve",
        /// Ask for a second person's approval.
        AskApproval = "approval.ask",
        /// See what waits for approval.
        ReadApprovals = "approval.read",
        /// Approve or refuse somebody else's request.
        Approve = "approval.approve",
    }
}

impl Action {
    /// What nobody does without a second person's approval of the very request.
    pub const TWO_PERSONS: &'static [Self] = &[
        Self::SetAdministrator,
        Self::PruneLog,
        Self::RestartLog,
        Self::ResolveSubject,
    ];
}

/// One request of one principal: who, what, on what, why and when. It has no power of its own: `policy::decide`
/// consumes it. Not `Clone`, so that each decision is made once.
pub struct Ask {
    who: Actor,
    action: Action,
    caller: Option<Reference>,
    subject: Option<Reference>,
    ticket: Option<TicketNo>,
    fields: Vec<FieldName>,
    record: RecordKind,
    form: Option<Form>,
    approving: Option<Action>,
    purpose: Purpose,
    at: Timestamp,
    request: RequestId,
}

/// Correlates an answer, the program log and the leaf: 32 hexadecimal digits chosen by the vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// A new random one.
    #[must_use]
    pub fn random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
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
            ticket: None,
            fields: Vec::new(),
            record: RecordKind::Caller,
            form: None,
            approving: None,
            purpose,
            at,
            request,
        }
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

    /// For this ticket.
    #[must_use]
    pub fn ticket(mut self, no: TicketNo) -> Self {
        self.ticket = Some(no);
        self
    }

    /// These fields of one kind of record.
    #[must_use]
    pub fn fields(mut self, record: RecordKind, fields: Vec<FieldName>) -> Self {
        self.record = record;
        self.fields = fields;
        self
    }

    /// In this form.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = Some(form);
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

    /// The subject of the log asked about.
    #[must_use]
    pub const fn subject_reference(&self) -> Option<&Reference> {
        self.subject.as_ref()
    }

    /// The ticket that gives the need.
    #[must_use]
    pub const fn ticket_no(&self) -> Option<&TicketNo> {
        self.ticket.as_ref()
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

    /// The request it came with.
    #[must_use]
    pub const fn request(&self) -> &RequestId {
        &self.request
    }
}
