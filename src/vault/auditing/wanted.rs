//! What a search looks for: its parameters, checked.

use serde::Deserialize;

use crate::audit::indexer::ACCOUNT;
use crate::audit::search::{Cursor, Query};
use crate::audit::span::End;
use crate::audit::watch::hours::Hours;
use crate::log::leaf;
use crate::model::ask::Action;
use crate::model::fields::FieldSet;
use crate::model::ids::PrincipalId;
use crate::model::principals::Role;
use crate::model::problems::{Rule, Words};
use crate::model::purposes::{Form, Purpose};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::store::log_index::{Term, TermKind};
use crate::vault::LARGEST_PAGE;
use crate::vault::auditing::roles::AskRoles;

const USUAL_PAGE: u32 = 50;

/// What to search for. An entry must match every given parameter.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// Start: an RFC 3339 time with its offset, or a day in the vault's local time or with an offset, as in
    /// `2026-11-01+08:00`.
    #[param(example = "2026-11-01")]
    pub from: Option<String>,
    /// End, in the same form: a time is excluded, a day included.
    #[param(example = "2026-11-30")]
    pub to: Option<String>,
    /// A principal's id.
    pub actor: Option<String>,
    /// A service account that acted on behalf of others: a principal's id.
    pub via: Option<String>,
    /// A department's code.
    pub dept: Option<String>,
    /// The role that permitted it.
    pub role: Option<String>,
    /// A ticket's number.
    pub ticket: Option<String>,
    /// The log's reference to a caller.
    pub subject: Option<String>,
    /// The act, such as `field.reveal`.
    pub act: Option<String>,
    /// A field that the entry names.
    pub field: Option<String>,
    /// `clear` or `masked`.
    pub form: Option<String>,
    /// The stated purpose.
    pub purpose: Option<String>,
    /// `granted` or `denied`.
    pub out: Option<String>,
    /// `next` of the previous page.
    pub after: Option<String>,
    /// Items per page; 50 by default.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
}

/// A parameter that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadParameter {
    /// Which.
    pub name: &'static str,
    /// What it must be; nothing for a cursor, which is another page's.
    pub rule: Option<Rule>,
}

const OFFSET: Words = Words {
    en: "expected a day, such as 2026-11-01, or a time of RFC 3339 with its offset, such as 2026-11-01T09:00:00+08:00; in an \
         address + is written %2B",
    zh: "应为日期（例如 2026-11-01）或带时区偏移的 RFC 3339 时间（例如 2026-11-01T09:00:00+08:00）；地址中的 + 写作 %2B",
};
const FROM_THE_LOG: Words = Words {
    en: "mistyped; take it from an entry of the log",
    zh: "有误，请从日志条目中复制",
};
const PAGE: Words = Words {
    en: "expected a number from 1 to 200",
    zh: "应为 1 到 200 的整数",
};

/// A search that makes sense.
#[derive(Debug)]
pub struct Wanted {
    pub(super) query: Query,
    pub(super) cursor: Option<Cursor>,
    pub(super) limit: usize,
    pub(super) ticket: Option<TicketNo>,
    pub(super) subject: Option<Reference>,
    pub(super) department: Option<DepartmentCode>,
}

/// A parameter's value, if it is one.
fn known<T>(
    text: Option<&str>,
    name: &'static str,
    rule: impl Into<Rule>,
    value: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, BadParameter> {
    let bad = || BadParameter {
        name,
        rule: Some(rule.into()),
    };
    text.map(|text| value(text).ok_or_else(bad)).transpose()
}

/// What `act` may be: the actions, and what the vault does by itself.
fn acts() -> impl Iterator<Item = &'static str> {
    Action::ALL.iter().map(|action| action.as_str()).chain(leaf::OF_VAULT)
}

/// A caller as the log knows them.
pub(super) fn subject_of(text: &str) -> Option<Reference> {
    let subject: Reference = text.parse().ok()?;
    (subject.department() == DepartmentCode::AUDITORS).then_some(subject)
}

impl Search {
    /// A term for each parameter that is one of several words.
    fn words(&self, fields: &FieldSet) -> Result<Vec<Term>, BadParameter> {
        use TermKind as K;
        let roles = Role::ALL.iter().map(|role| role.as_str());
        let forms = Form::ALL.iter().map(|form| form.as_str());
        let purposes = Purpose::ALL.iter().map(|purpose| purpose.as_str());
        let declared = fields.iter().map(|field| field.name().as_str());
        let words: [(K, _, _, Vec<&str>); 6] = [
            (K::Role, "role", &self.role, roles.collect()),
            (K::Act, "act", &self.act, acts().collect()),
            (K::Field, "field", &self.field, declared.collect()),
            (K::Form, "form", &self.form, forms.collect()),
            (K::Purpose, "purpose", &self.purpose, purposes.collect()),
            (K::Out, "out", &self.out, vec!["granted", "denied"]),
        ];
        let mut terms = Vec::new();
        for (kind, name, given, allowed) in words {
            let rule = Rule::one_of(allowed.iter().copied());
            let word = known(given.as_deref(), name, rule, |word| {
                allowed.contains(&word).then(|| word.to_owned())
            })?;
            terms.extend(word.map(|value| Term { kind, value }));
        }
        Ok(terms)
    }
}

impl Wanted {
    /// What a search asks for. Days are days of that local time.
    ///
    /// # Errors
    /// The first parameter that has no such value.
    pub fn new(search: &Search, fields: &FieldSet, local: Hours) -> Result<Self, BadParameter> {
        Self::beside(Vec::new(), search, fields, local)
    }

    /// What the search of a role history asks for.
    ///
    /// # Errors
    /// The first parameter that has no such value.
    pub fn roles(asked: &AskRoles, fields: &FieldSet, local: Hours) -> Result<Self, BadParameter> {
        let account: Option<PrincipalId> = known(asked.principal.as_deref(), "principal", FROM_THE_LOG, |text| {
            text.parse().ok()
        })?;
        let value = account.map_or_else(|| ACCOUNT.to_owned(), |id| format!("{ACCOUNT}/{id}"));
        let kind = TermKind::Wrote;
        let search = Search {
            from: asked.from.clone(),
            to: asked.to.clone(),
            after: asked.after.clone(),
            limit: asked.limit.clone(),
            ..Search::default()
        };
        Self::beside(vec![Term { kind, value }], &search, fields, local)
    }

    fn beside(mut terms: Vec<Term>, search: &Search, fields: &FieldSet, local: Hours) -> Result<Self, BadParameter> {
        use TermKind as K;
        terms.extend(search.words(fields)?);
        let mut add = |kind, value: Option<String>| terms.extend(value.map(|value| Term { kind, value }));
        let ticket: Option<TicketNo> = known(search.ticket.as_deref(), "ticket", FROM_THE_LOG, |text| {
            text.parse().ok()
        })?;
        let subject = known(search.subject.as_deref(), "subject", FROM_THE_LOG, subject_of)?;
        let actor: Option<PrincipalId> =
            known(search.actor.as_deref(), "actor", FROM_THE_LOG, |text| text.parse().ok())?;
        let via: Option<PrincipalId> = known(search.via.as_deref(), "via", FROM_THE_LOG, |text| text.parse().ok())?;
        let dept: Option<DepartmentCode> =
            known(search.dept.as_deref(), "dept", FROM_THE_LOG, |text| text.parse().ok())?;
        add(K::Ticket, ticket.map(|ticket| ticket.to_string()));
        add(K::Subject, subject.map(|subject| subject.to_string()));
        add(K::Actor, actor.map(|actor| actor.to_string()));
        add(K::Via, via.map(|via| via.to_string()));
        add(K::Dept, dept.map(|dept| dept.to_string()));
        terms.sort_unstable();
        let end = |text: &str| text.parse::<End>().ok();
        let query = Query {
            terms,
            from: known(search.from.as_deref(), "from", OFFSET, |text| {
                end(text)?.begins(local).ok()
            })?,
            to: known(search.to.as_deref(), "to", OFFSET, |text| end(text)?.ends(local).ok())?,
        };
        let limit = known(search.limit.as_deref(), "limit", PAGE, |text| {
            text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit))
        })?;
        let not_of_this = BadParameter {
            name: "after",
            rule: None,
        };
        let after = search.after.as_deref();
        let cursor = after
            .map(|text| Cursor::parse(text, &query).ok_or(not_of_this))
            .transpose()?;
        Ok(Self {
            query,
            cursor,
            limit: limit.unwrap_or(USUAL_PAGE) as usize,
            ticket,
            subject,
            department: dept,
        })
    }
}
