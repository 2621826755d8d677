//! Searching the log: the index says where to look, the leaves say what is there.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::audit::search::{Cursor, Query};
use crate::keyring::KeyError;
use crate::log::ProvedEntry;
use crate::log::leaf::{self, Leaf};
use crate::model::ask::{Action, Ask};
use crate::model::fields::FieldSet;
use crate::model::ids::PrincipalId;
use crate::model::principals::Role;
use crate::model::problems::{Rule, Words};
use crate::model::purposes::{Form, Purpose};
use crate::model::reference::{DepartmentCode, Reference};
use crate::model::ticket_no::TicketNo;
use crate::policy::facts::Facts;
use crate::store::log_index::{Hit, Term, TermKind};
use crate::vault::auditing::read::Entry;
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Counting stops here.
const MOST_COUNTED: usize = 10_000;
/// Entries looked at to count those that carry several terms: jumping from list to list costs many times what walking
/// along one does, and the page must not wait for it.
const COUNT_STEPS: usize = 500;
/// Entries looked at for one page, or one count: some tenths of a second.
const STEPS: usize = 200_000;
/// How long an answer waits for the index to come up.
const PATIENCE: Duration = Duration::from_secs(5);
/// Leaves read for one page that do not fit after all: only where the clock went to and fro, or the index was edited.
const MOST_READ: usize = 20_000;
const USUAL_PAGE: u32 = 50;

/// What to look for. Every parameter that is given must fit.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields, default)]
pub struct Search {
    /// Not before, RFC 3339.
    pub from: Option<String>,
    /// Before, RFC 3339.
    pub to: Option<String>,
    /// A principal's id.
    pub actor: Option<String>,
    /// A department's code.
    pub dept: Option<String>,
    /// The role it was permitted under.
    pub role: Option<String>,
    /// A ticket's number.
    pub ticket: Option<String>,
    /// A caller, as the log knows them.
    pub subject: Option<String>,
    /// What was done, such as `field.reveal`.
    pub act: Option<String>,
    /// A field that was named.
    pub field: Option<String>,
    /// `clear` or `masked`.
    pub form: Option<String>,
    /// The stated purpose.
    pub purpose: Option<String>,
    /// `granted` or `denied`.
    pub out: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
    /// How many; 50 unless said otherwise.
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
    en: "expected a time of RFC 3339 with its offset, such as 2026-11-01T09:00:00+08:00; in an address + is written %2B",
    zh: "应为带时区偏移的 RFC 3339 时间，例如 2026-11-01T09:00:00+08:00；地址中的 + 写作 %2B",
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
    query: Query,
    cursor: Option<Cursor>,
    limit: usize,
    ticket: Option<TicketNo>,
    subject: Option<Reference>,
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
    /// What a search asks for.
    ///
    /// # Errors
    /// The first parameter that has no such value.
    pub fn new(search: &Search, fields: &FieldSet) -> Result<Self, BadParameter> {
        use TermKind as K;
        let mut terms = search.words(fields)?;
        let mut add = |kind, value: Option<String>| terms.extend(value.map(|value| Term { kind, value }));
        let ticket: Option<TicketNo> = known(search.ticket.as_deref(), "ticket", FROM_THE_LOG, |text| {
            text.parse().ok()
        })?;
        let subject = known(search.subject.as_deref(), "subject", FROM_THE_LOG, subject_of)?;
        let actor: Option<PrincipalId> =
            known(search.actor.as_deref(), "actor", FROM_THE_LOG, |text| text.parse().ok())?;
        let dept: Option<DepartmentCode> =
            known(search.dept.as_deref(), "dept", FROM_THE_LOG, |text| text.parse().ok())?;
        add(K::Ticket, ticket.map(|ticket| ticket.to_string()));
        add(K::Subject, subject.map(|subject| subject.to_string()));
        add(K::Actor, actor.map(|actor| actor.to_string()));
        add(K::Dept, dept.map(|dept| dept.to_string()));
        terms.sort_unstable();
        let time = |text: &str| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond);
        let query = Query {
            terms,
            from: known(search.from.as_deref(), "from", OFFSET, time)?,
            to: known(search.to.as_deref(), "to", OFFSET, time)?,
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
        })
    }
}

/// What an answer cannot know of: it is in archives only.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Beyond {
    /// Entries below this index were archived and their bodies dropped; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_below: Option<u64>,
    /// Origins of the logs that this one has followed; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_logs: Vec<String>,
}

/// A page of what was found.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Events {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Pass as `after` for the next page; absent on the last. A page may be short, or empty, and not be the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many entries fit, on all pages.
    pub count: u64,
    /// Whether that is all; otherwise there are at least so many.
    pub exact: bool,
    /// What is not in this answer.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// Where this search stands in the log. What was searched are the entries before it.
    pub audit: Audit,
}

impl Vault {
    /// Searches the log. The leaf of the search names the ticket and the caller searched for.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::LogIndexBehind`] while the index is filled.
    pub async fn search(&self, session: &Session, wanted: &Wanted) -> Result<Events, Error> {
        let ask = self.ask_log(session, Action::SearchLog)?;
        let audit = self.looked(ask, wanted.ticket, wanted.subject).await?;
        let archived = self.archived_below().await?;
        let (entries, next) = self.page(wanted, audit.index, archived).await?;
        let (counted, exact) = self.count(&wanted.query, audit.index, archived).await?;
        let all_shown = wanted.cursor.is_none() && next.is_none();
        Ok(Events {
            next: next.map(|next| next.text(&wanted.query)),
            count: counted.max(u64::try_from(entries.len()).unwrap_or(u64::MAX)),
            exact: exact || all_shown,
            beyond: self.beyond(archived).await?,
            entries,
            audit,
        })
    }

    /// Writes a search into the log and brings the index up to it. A ticket is named as it was searched for: nothing is
    /// looked up about it.
    pub(super) async fn looked(
        &self,
        mut ask: Ask,
        ticket: Option<TicketNo>,
        subject: Option<Reference>,
    ) -> Result<Audit, Error> {
        if let Some(ticket) = ticket {
            ask = ask.ticket(ticket);
        }
        if let Some(subject) = subject {
            ask = ask.subject(subject);
        }
        let permit = self.decide(ask, Facts::default()).await?;
        let audit = self.note(permit).await?;
        self.catch_up(audit.index).await?;
        Ok(audit)
    }

    /// Brings the index up to a size of the log, or says how far it has come.
    async fn catch_up(&self, size: u64) -> Result<(), Error> {
        let until = Instant::now() + PATIENCE;
        loop {
            let at = self.indexer.advance(&*self.store, size).await?;
            if at >= size {
                return Ok(());
            }
            if Instant::now() > until {
                return Err(Error::LogIndexBehind(at, size));
            }
        }
    }

    /// Keeps the index near the head of the log, for as long as it is polled.
    pub async fn keep_indexed(&self) -> std::convert::Infallible {
        loop {
            let size = self.log.size();
            match self.indexer.advance(&*self.store, size).await {
                Ok(at) if at < size => tokio::task::yield_now().await,
                Ok(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                Err(fault) => {
                    tracing::warn!(%fault, "the index of the log cannot be filled");
                    tokio::time::sleep(Duration::from_secs(30)).await;
                }
            }
        }
    }

    async fn page(&self, wanted: &Wanted, size: u64, archived: u64) -> Result<(Vec<Entry>, Option<Cursor>), Error> {
        let mut before = wanted.cursor.map_or(size, |cursor| cursor.before().min(size));
        let mut entries: Vec<Entry> = Vec::new();
        let mut read = 0;
        loop {
            // One more than the page tells whether there is another.
            let missing = (wanted.limit + 1).saturating_sub(entries.len());
            let walk = wanted.query.walk(before, missing, STEPS);
            let walked = self.indexer.index().walk(walk).await?;
            for (entry, leaf) in self.leaves(&walked.hits, archived).await? {
                if wanted.query.matches(&leaf) {
                    entries.push(Entry::new(&entry)?);
                }
            }
            if entries.len() > wanted.limit {
                entries.truncate(wanted.limit);
                let next = entries.last().map(|entry| Cursor::below(entry.index));
                return Ok((entries, next));
            }
            read += walked.hits.len();
            match walked.next {
                None => return Ok((entries, None)),
                Some(next) if walked.hits.len() < missing || read > MOST_READ => {
                    return Ok((entries, Some(Cursor::below(next))));
                }
                Some(next) => before = next,
            }
        }
    }

    /// The leaves at these places, each as it was logged; without those whose bodies were archived and dropped. One that is
    /// missing otherwise is no smaller answer: it is none.
    pub(in crate::vault) async fn leaves(
        &self,
        hits: &[Hit],
        archived: u64,
    ) -> Result<Vec<(ProvedEntry, Leaf)>, Error> {
        let indexes: Vec<u64> = hits.iter().map(|hit| hit.index).collect();
        let rows = self.store.entries_at(&indexes).await?;
        if rows.len() != hits.len() {
            return Err(KeyError::Broken.into());
        }
        let mut leaves = Vec::with_capacity(rows.len());
        for row in rows
            .into_iter()
            .filter(|row| !row.body.is_empty() || row.idx >= archived)
        {
            let entry = ProvedEntry::new(row)?;
            let leaf = entry.leaf().ok_or(KeyError::Broken)?;
            leaves.push((entry, leaf));
        }
        Ok(leaves)
    }

    async fn count(&self, query: &Query, size: u64, archived: u64) -> Result<(u64, bool), Error> {
        if query.from.is_none() && query.to.is_none() {
            match &query.terms[..] {
                [] => return Ok((size, true)),
                [term] => return Ok((self.indexer.index().count(term.clone(), size).await?, true)),
                _ => {}
            }
        }
        let steps = if query.terms.len() > 1 { COUNT_STEPS } else { STEPS };
        let walk = query.walk(size, MOST_COUNTED, steps);
        let walked = self.indexer.index().walk(walk).await?;
        let (sure, unsure): (Vec<Hit>, Vec<Hit>) = walked.hits.into_iter().partition(|hit| hit.in_time);
        let mut count = u64::try_from(sure.len()).unwrap_or(u64::MAX);
        for (_, leaf) in self.leaves(&unsure, archived).await? {
            count += u64::from(query.matches(&leaf));
        }
        Ok((count, walked.next.is_none()))
    }
}
