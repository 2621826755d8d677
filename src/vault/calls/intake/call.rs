//! A call as the agent enters it, and the answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::fields::ValueRule;
use crate::model::problems::Words;
use crate::model::reference::Reference;
use crate::model::submitted::stated_by_name;
use crate::model::ticket_no::TicketNo;
use crate::model::tickets::Matched;
use crate::model::tickets::{Channel, MatterKind, TicketState, Urgency};
use crate::vault::{Audit, Values};

/// A call as the agent enters it.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// Channel and time of the call.
    pub call: Call,
    /// Declared fields of the caller by name. All may be left out (an anonymous call). A value that is empty or `null`, or that
    /// says that the number is withheld (`anonymous`), counts as left out.
    #[serde(default, deserialize_with = "stated_by_name")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub caller: Values,
    /// Your department's reference to the caller on file who is calling, if matching alone cannot tell: one of several
    /// candidates, or a caller of whom only the number is known. The call must state a number of this caller, and the name if
    /// one is on file. Not for a confidential call.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub same_as: Option<Reference>,
    /// The ticket to make.
    pub ticket: NewTicket,
    /// Take the call without the values that break their field's rule, and name them in `left_out`. By default such a call is
    /// refused. The ticket's `text` is never left out.
    #[serde(default)]
    pub leave_out_invalid: bool,
}

/// Channel and time of a call.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// A channel that `lists.toml` has: `phone`, `web`, `wechat` or `app`.
    #[schema(example = "phone")]
    pub channel: Channel,
    /// RFC 3339, with an offset; not before 1983, and at most a day after the time of the vault's clock.
    #[schema(value_type = String, format = DateTime, example = "2026-11-01T09:00:00+08:00")]
    pub received_at: Timestamp,
}

/// What a call is about.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct NewTicket {
    /// 诉求类型.
    #[schema(example = "complaint")]
    pub kind: MatterKind,
    /// A category that `lists.toml` has.
    #[schema(example = "noise")]
    pub category: String,
    /// Place code of 6, 9 or 12 digits (GB/T 2260). A code of 12 digits that begins like a mobile number must be in a known county.
    #[schema(example = "310113")]
    pub township: String,
    /// How soon the matter has to be dealt with; `normal` by default.
    #[serde(default = "Urgency::usual")]
    #[schema(value_type = Option<Urgency>)]
    pub urgency: Urgency,
    /// Whether the caller asks for secrecy. A report is always confidential.
    #[serde(default)]
    pub secrecy_requested: bool,
    /// Declared fields of the ticket by name; `text` is required.
    #[serde(flatten, deserialize_with = "stated_by_name")]
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    pub values: Values,
}

/// The answer to an intake. It holds no values.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Taken {
    /// The ticket and the caller.
    #[serde(flatten)]
    pub answer: TakenAnswer,
    /// The log entry of this intake.
    pub audit: Audit,
    /// This very request came before: nothing was added.
    #[serde(skip)]
    pub replayed: bool,
}

/// The part of the answer that is remembered for a repeated request.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct TakenAnswer {
    /// The new ticket.
    pub ticket: TakenTicket,
    /// The caller.
    pub caller: TakenCaller,
    /// Values that were not taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// A value that was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LeftOut {
    /// Name of its field.
    #[schema(example = "callback_number")]
    pub field: String,
    /// Name of the rule that it breaks, as in `invalid` of a problem; docs/problems.md lists the rules.
    #[schema(example = "phone-two-numbers")]
    pub rule: String,
    /// What the value must be, in the language of `Accept-Language`.
    #[serde(default, skip_deserializing)]
    pub detail: String,
}

impl LeftOut {
    pub(super) fn new(field: &str, rule: &ValueRule) -> Self {
        Self {
            field: field.to_owned(),
            rule: rule.name.to_owned(),
            detail: String::new(),
        }
    }

    /// Says what the value must be.
    pub fn told(&mut self, words: impl Fn(Words) -> &'static str) {
        if let Some(rule) = ValueRule::named(&self.rule) {
            words(rule.words).clone_into(&mut self.detail);
        }
    }
}

impl Taken {
    /// Says what each value that was left out must be. What is kept for a repeated request has the rules' names alone: it may be
    /// asked for in another language.
    pub fn told(&mut self, words: impl Fn(Words) -> &'static str) {
        for left_out in &mut self.answer.left_out {
            left_out.told(&words);
        }
    }
}

/// A new ticket.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct TakenTicket {
    /// Its number.
    #[schema(value_type = String)]
    pub no: TicketNo,
    /// `accepted`; for an imported call, its state when it was imported.
    pub state: TicketState,
}

/// The caller of a new ticket.
#[derive(Serialize, Deserialize, utoipa::ToSchema)]
pub struct TakenCaller {
    /// Your department's reference to the caller.
    #[schema(value_type = String)]
    pub r#ref: Reference,
    /// Whether the caller called before. A confidential call is not matched: `new`.
    pub matched: Matched,
    /// Names of the fields on file now. Do not ask the caller for them again.
    pub on_file: Vec<String>,
    /// For a tentative match: the callers that it may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    pub candidates: Vec<Reference>,
    /// Whether there are more candidates than these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more_candidates: bool,
}
