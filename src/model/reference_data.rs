//! Reference data: every word that requests and answers of the API have, with its labels, and what a form must know of it. It is put
//! together from the declarations themselves and from the files in force, so that no second table exists.

use serde::Serialize;
use utoipa::ToSchema;

use super::actions::Action;
use super::approvals::ApprovalState;
use super::backups::{Part, WorkState};
use super::callbacks::{Satisfaction, YesNo};
use super::contacts::{ContactOutcome, ContactState};
use super::deadlines::Card;
use super::fields::{Class, Field, FieldSet, FieldType, Group, Mask, MatchStrength};
use super::ids::RecordKind;
use super::key_roles::{KeyRole, RewrapState, Suite};
use super::limits::Counted;
use super::lists::{Labelled, Lists};
use super::principals::{DepartmentState, PrincipalKind, Role};
use super::purposes::{Form, Purpose};
use super::rights::{EntryKind, RefusalGround, RightsRequest};
use super::tickets::{Matched, MatterKind, Share, TicketOrder, TicketState, Urgency};
use super::transitions::{Holder, Transition};

/// Everything that a form for this vault is built from. It holds no personal data.
#[derive(Serialize, ToSchema)]
pub struct ReferenceData {
    /// The declared fields, in the order of their declaration.
    pub fields: Vec<FieldData>,
    /// The words of `fields[].record`.
    pub records: Vec<Labelled>,
    /// The words of `fields[].type`.
    pub field_types: Vec<Labelled>,
    /// The words of `fields[].class`.
    pub classes: Vec<Labelled>,
    /// The words of `fields[].group`.
    pub groups: Vec<Labelled>,
    /// The words of `fields[].mask`: what the masked form shows.
    pub masks: Vec<Labelled>,
    /// The words of `fields[].match`.
    pub match_strengths: Vec<Labelled>,
    /// The forms in which a field is shown.
    pub forms: Vec<Labelled>,
    /// The lists of the city, as `GET /v1/lists` answers them: categories, channels, kinds of departments, townships.
    pub lists: Lists,
    /// The kinds of matters: `ticket.kind` of an intake.
    pub matter_kinds: Vec<Labelled>,
    /// How soon a matter has to be dealt with: `ticket.urgency` of an intake.
    pub urgencies: Vec<Labelled>,
    /// Where a call by a relay stands.
    pub contact_states: Vec<Labelled>,
    /// What becomes of such a call: `outcome` of its report.
    pub contact_outcomes: Vec<Labelled>,
    /// Whether the caller of an intake is on file: the words of its answer's `caller.matched`.
    pub matched: Vec<Labelled>,
    /// What becomes of a field when calls are split from a caller's record.
    pub shares: Vec<Labelled>,
    /// The states of a ticket.
    pub ticket_states: Vec<StateData>,
    /// How a ticket's deadline stands.
    pub cards: Vec<Labelled>,
    /// The orders in which tickets are listed.
    pub ticket_orders: Vec<Labelled>,
    /// The answers to a callback's questions: `results.valid`, `contacted` and `solved`.
    pub callback_answers: Vec<Labelled>,
    /// How satisfied a caller is: `results.satisfied` of a callback.
    pub satisfactions: Vec<Labelled>,
    /// The steps of a ticket.
    pub transitions: Vec<TransitionData>,
    /// Who holds a ticket after a step: the words of `transitions[].holder`.
    pub holders: Vec<Labelled>,
    /// The states of a department.
    pub department_states: Vec<Labelled>,
    /// What the vault's keys are for (`role` of a rotation).
    pub key_roles: Vec<Labelled>,
    /// The algorithms that versions of keys are used with (`suite` of a rotation).
    pub suites: Vec<Labelled>,
    /// Where rewraps stand.
    pub rewrap_states: Vec<Labelled>,
    /// The parts of a backup.
    pub backup_parts: Vec<Labelled>,
    /// How far a backup or a check has come.
    pub work_states: Vec<Labelled>,
    /// The kinds of accounts.
    pub principal_kinds: Vec<Labelled>,
    /// The roles.
    pub roles: Vec<RoleData>,
    /// The purposes of a request.
    pub purposes: Vec<Labelled>,
    /// The acts, as policy and log name them.
    pub actions: Vec<ActionData>,
    /// The states of a request for a second person's approval.
    pub approval_states: Vec<Labelled>,
    /// What callers may ask for about their data: `request` of a refusal.
    pub rights_requests: Vec<Labelled>,
    /// Why it may be refused: `ground` of a refusal.
    pub refusal_grounds: Vec<Labelled>,
    /// What an entry of the log is to the caller: `entries[].what` of a statement.
    pub entry_kinds: Vec<Labelled>,
    /// What is counted for each account, and how much of it is allowed. Service accounts may have limits of their own; `GET /v1/me`
    /// says how much is left.
    pub limits: Vec<LimitData>,
}

/// A declared field. Its keys are those of `fields.toml`.
#[derive(Serialize, ToSchema)]
pub struct FieldData {
    /// Its name.
    pub name: String,
    /// Its label in Chinese.
    pub zh: String,
    /// Its label in English.
    pub en: String,
    /// Whose it is.
    pub record: RecordKind,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: FieldType,
    /// The longest value in characters, for label, address, line and text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// Personal or sensitive.
    pub class: Class,
    /// What the policy calls it.
    pub group: Group,
    /// What its masked form shows.
    pub mask: Mask,
    /// Only fields with an index can be looked up and verified. Fields that share one are compared with each other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<String>,
    /// How an equal value identifies a repeat caller. Absent: not at all.
    #[serde(rename = "match", skip_serializing_if = "Option::is_none")]
    pub matching: Option<MatchStrength>,
    /// Whether an intake may state it.
    pub intake: bool,
}

impl From<&Field> for FieldData {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name().to_string(),
            zh: field.zh().to_owned(),
            en: field.en().to_owned(),
            record: field.record(),
            kind: field.kind(),
            max: field.longest(),
            class: field.class(),
            group: field.group(),
            mask: field.how_masked(),
            index: field.index().map(str::to_owned),
            matching: field.matching(),
            intake: field.at_intake(),
        }
    }
}

/// A state of a ticket.
#[derive(Serialize, ToSchema)]
pub struct StateData {
    /// The word.
    pub code: TicketState,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// Whether work on the ticket goes on.
    pub open: bool,
    /// The role that must act next, unless the ticket is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<Role>,
}

impl From<TicketState> for StateData {
    fn from(code: TicketState) -> Self {
        let label = code.label();
        Self {
            code,
            zh: label.zh,
            en: label.en,
            open: code.is_open(),
            next: code.next_role(),
        }
    }
}

/// A step of a ticket.
#[derive(Serialize, ToSchema)]
pub struct TransitionData {
    /// The word, which is the last part of its address.
    pub code: Transition,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// What policy and log call it.
    pub action: Action,
    /// The states it leads from.
    pub from: Vec<TicketState>,
    /// The state it leads to. Without one the ticket stays in its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<TicketState>,
    /// Who holds the ticket afterwards.
    pub holder: Holder,
    /// The field that its `reason` is sealed into. Without one it takes no reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The field that its `reply`, the words for the caller, is sealed into. Without one it takes no reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<&'static str>,
    /// Whether it needs `working_days`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub working_days: bool,
    /// Whether it needs `results`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub results: bool,
    /// Its purpose, where the asker's role has it and the request names none.
    pub purpose: Purpose,
}

impl From<Transition> for TransitionData {
    fn from(code: Transition) -> Self {
        let (label, step) = (code.label(), code.step());
        Self {
            code,
            zh: label.zh,
            en: label.en,
            action: step.action,
            from: step.from.to_vec(),
            to: step.to,
            holder: step.holder,
            reason: step.reason,
            reply: step.reply,
            working_days: code.takes_working_days(),
            results: code.takes_results(),
            purpose: step.purpose,
        }
    }
}

/// A role.
#[derive(Serialize, ToSchema)]
pub struct RoleData {
    /// The word.
    pub code: Role,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// Its purposes. A request that names none has the first.
    pub purposes: Vec<Purpose>,
    /// Whether an account that has it can have no other role.
    pub alone: bool,
}

impl From<Role> for RoleData {
    fn from(code: Role) -> Self {
        let label = code.label();
        Self {
            code,
            zh: label.zh,
            en: label.en,
            purposes: code.purposes().to_vec(),
            alone: code.stands_alone(),
        }
    }
}

/// An act.
#[derive(Serialize, ToSchema)]
pub struct ActionData {
    /// The word.
    pub code: Action,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// Whether it takes a second person's approval.
    pub two_persons: bool,
}

impl From<Action> for ActionData {
    fn from(code: Action) -> Self {
        let label = code.label();
        Self {
            code,
            zh: label.zh,
            en: label.en,
            two_persons: code.kind().two_persons,
        }
    }
}

/// What is counted, and how much of it is allowed. Without any of the three it is not limited.
#[derive(Serialize, ToSchema)]
pub struct LimitData {
    /// The word.
    pub code: Counted,
    /// In Chinese.
    pub zh: &'static str,
    /// In English.
    pub en: &'static str,
    /// At most so many in any 60 seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minute: Option<u64>,
    /// At most so many in any 60 minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hour: Option<u64>,
    /// At most so many a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<u64>,
}

/// How much is allowed of what is counted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowed {
    /// In any 60 seconds.
    pub minute: Option<u64>,
    /// In any 60 minutes.
    pub hour: Option<u64>,
    /// A day.
    pub day: Option<u64>,
}

impl ReferenceData {
    /// The reference data of a vault with these fields, lists and limits in force.
    #[must_use]
    pub fn new(fields: &FieldSet, lists: &Lists, allowed: impl Fn(Counted) -> Allowed) -> Self {
        Self {
            fields: fields.iter().map(FieldData::from).collect(),
            records: each(RecordKind::ALL, RecordKind::labelled),
            field_types: each(FieldType::ALL, FieldType::labelled),
            classes: each(Class::ALL, Class::labelled),
            groups: each(Group::ALL, Group::labelled),
            masks: each(Mask::ALL, Mask::labelled),
            match_strengths: each(MatchStrength::ALL, MatchStrength::labelled),
            forms: each(Form::ALL, Form::labelled),
            lists: lists.clone(),
            matter_kinds: each(MatterKind::ALL, MatterKind::labelled),
            urgencies: each(Urgency::ALL, Urgency::labelled),
            contact_states: each(ContactState::ALL, ContactState::labelled),
            contact_outcomes: each(ContactOutcome::ALL, ContactOutcome::labelled),
            matched: each(Matched::ALL, Matched::labelled),
            shares: each(Share::ALL, Share::labelled),
            ticket_states: each(TicketState::ALL, StateData::from),
            cards: each(Card::ALL, Card::labelled),
            ticket_orders: each(TicketOrder::ALL, TicketOrder::labelled),
            callback_answers: each(YesNo::ALL, YesNo::labelled),
            satisfactions: each(Satisfaction::ALL, Satisfaction::labelled),
            transitions: each(Transition::ALL, TransitionData::from),
            holders: each(Holder::ALL, Holder::labelled),
            department_states: each(DepartmentState::ALL, DepartmentState::labelled),
            key_roles: each(KeyRole::ALL, KeyRole::labelled),
            suites: each(Suite::ALL, Suite::labelled),
            rewrap_states: each(RewrapState::ALL, RewrapState::labelled),
            backup_parts: each(Part::ALL, Part::labelled),
            work_states: each(WorkState::ALL, WorkState::labelled),
            principal_kinds: each(PrincipalKind::ALL, PrincipalKind::labelled),
            roles: each(Role::ALL, RoleData::from),
            purposes: each(Purpose::ALL, Purpose::labelled),
            actions: each(Action::ALL, ActionData::from),
            approval_states: each(ApprovalState::ALL, ApprovalState::labelled),
            rights_requests: each(RightsRequest::ALL, RightsRequest::labelled),
            refusal_grounds: each(RefusalGround::ALL, RefusalGround::labelled),
            entry_kinds: each(EntryKind::ALL, EntryKind::labelled),
            limits: each(Counted::ALL, |code| limit(code, allowed(code))),
        }
    }
}

fn each<W: Copy, T>(words: &[W], with: impl Fn(W) -> T) -> Vec<T> {
    words.iter().copied().map(with).collect()
}

fn limit(code: Counted, allowed: Allowed) -> LimitData {
    let label = code.label();
    LimitData {
        code,
        zh: label.zh,
        en: label.en,
        minute: allowed.minute,
        hour: allowed.hour,
        day: allowed.day,
    }
}
