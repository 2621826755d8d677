//! The statement to a caller: what is held about them, and every entry of the log about them (decision 0041).
//!
//! An officer asks for it by their own reference and gives it to the caller. It has names of fields and no values, departments and roles and
//! no persons. Each entry carries its number among those about the caller, so that an entry that is left out is a gap. Where a statement begins
//! late, nothing from before is in it.

mod held;
mod lines;
mod numbers;
mod since;
mod told;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::held::{Held, HeldTicket};
pub use self::lines::Line;
use self::numbers::LookedThrough;
pub use self::numbers::Numbers;
use crate::audit::search::{Cursor, Query};
use crate::log::leaf::{self, Leaf};
use crate::model::ask::Action;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::store::log_index::{Hit, Term, TermKind};
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::auditing::search::Beyond;
use crate::vault::auditing::statement::told::SinceThen;
use crate::vault::core::caller_of;
use crate::vault::{Audit, Error, LARGEST_PAGE, Session, Vault};

/// Which statement, and which page of it.
pub struct AskStatement {
    /// By which fields the officer has identified the person who asks; without any, by a telephone number.
    pub identified_by: Vec<String>,
    /// Where the page begins.
    pub after: Option<String>,
    /// Most entries on it.
    pub limit: u32,
}

/// What is held about a caller, and every entry of the log about them.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Statement {
    /// What the log calls the caller.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// When the statement was made, UTC.
    pub as_of: String,
    /// What is held; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Fields by which the person who asks was identified.
    pub identified_by: Vec<String>,
    /// Nothing from before is told, not by tickets, fields or restrictions either: since then, UTC, the values by which the person was identified
    /// are known to have been on file. Before, they may have belonged to somebody else. Absent if all is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown_since: Option<String>,
    /// The entry of this statement is number so many of those about the caller; it is in the next statement. Absent if the log began before
    /// entries were counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// Entries about the caller, newest first.
    pub entries: Vec<Line>,
    /// Numbers that this page has looked through. An entry that has none, was archived or stands in an earlier log is in no number here; of records
    /// that were merged with the one in force, an entry newer than these may be missing unseen.
    pub checked: Vec<Numbers>,
    /// Those of them that are missing: entries that were hidden. Empty if there are none.
    pub gaps: Vec<Numbers>,
    /// Pass this as `after` to get the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this statement.
    pub audit: Audit,
}

/// From which entry on a statement shows entries.
#[derive(Clone)]
struct Begin {
    /// Its position.
    index: u64,
    /// Its time.
    at: String,
    /// Its number among those of the record in force.
    nth: Option<u64>,
}

/// What the pieces of a statement are made from.
struct Scope<'s> {
    row: &'s Genuine<CallerRow>,
    /// What the log calls the caller's records that are one now, that of the record in force first.
    own: Vec<String>,
    from: Option<Begin>,
    /// What has come since `from`, where it begins late: nothing else is told.
    then: Option<SinceThen>,
    /// Entries below this are in it.
    before: u64,
    /// Bodies of entries below this were dropped.
    archived: u64,
    limit: usize,
}

impl Scope<'_> {
    /// The fields by which the person was identified. The officer's own are told as they were named.
    fn identified_by(&self, mut by: Vec<String>, named: &[String]) -> Vec<String> {
        by.retain(|field| named.contains(field) || self.tells_field(field, u64::MAX));
        by
    }

    /// Which of the caller's records an entry is counted for, from 1.
    fn record(&self, leaf: &Leaf) -> Option<usize> {
        let subject = leaf.subject.as_ref()?;
        self.own.iter().position(|own| own == subject).map(|at| at + 1)
    }

    /// The number of an entry, as the statement has it. Where earlier entries are not shown it counts from the first that is: who asks is not
    /// told how many there were before.
    fn number(&self, leaf: &Leaf) -> Option<u64> {
        let (subject, nth) = (leaf.subject.as_ref()?, leaf.nth?);
        match &self.from {
            _ if !self.own.contains(subject) => None,
            None => Some(nth),
            Some(from) if self.own.first() == Some(subject) => (nth + 1).checked_sub(from.nth?),
            Some(_) => None,
        }
    }
}

impl Vault {
    /// The statement to a caller, page by page. Asking for one is an entry of its own, which the next has.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for a field that identifies nobody, or another statement's cursor; [`Error::LogIndexBehind`] while
    /// the index is filled.
    pub async fn statement(
        &self,
        session: &Session,
        caller: Reference,
        asked: &AskStatement,
    ) -> Result<Statement, Error> {
        let ask = self.ask_log(session, Action::Statement)?.caller(caller);
        let at = ask.at();
        let facts = self.facts(&ask).await?;
        let permit = self.decide(ask, facts).await?;
        let row = caller_of(&permit)?;
        let identified_by = self.identifying(session, &row, &asked.identified_by)?;
        let query = page_query(&row, &identified_by);
        let cursor = asked.after.as_deref().map(|text| Cursor::parse(text, &query));
        let cursor = cursor
            .map(|cursor| cursor.ok_or(Error::Bad(problems::BAD_CURSOR)))
            .transpose()?;
        let audit = self.note(permit).await?;
        self.catch_up(audit.index).await?;
        let records = self.family(&row).await?;
        let mut scope = self.scope(&row, &records, &identified_by, audit.index).await?;
        scope.limit = usize::try_from(asked.limit.clamp(1, LARGEST_PAGE)).unwrap_or(1);
        scope.before = cursor.map_or(audit.index, |cursor| cursor.before().min(audit.index));
        let number = self.number_of(&scope, audit.index).await?;
        let page = self.lines(session, &scope).await?;
        let next = page.next.map(|next| Cursor::below(next).text(&query));
        let is_first = cursor.is_none();
        let above = match number {
            _ if !is_first => BTreeMap::new(),
            own => self.numbers_above(&scope, &records, own).await?,
        };
        let LookedThrough { checked, gaps } = LookedThrough::on(&scope, &page, &above);
        Ok(Statement {
            subject: row.subject,
            as_of: leaf::milliseconds(at),
            held: if is_first {
                Some(self.names_held(&scope, &records).await?)
            } else {
                None
            },
            identified_by: scope.identified_by(identified_by, &asked.identified_by),
            shown_since: scope.from.as_ref().map(|from| from.at.clone()),
            checked,
            gaps,
            number,
            entries: page.lines,
            next,
            beyond: self.beyond(scope.archived).await?,
            audit,
        })
    }

    /// What a statement may tell that was asked for with this entry.
    async fn scope<'s>(
        &self,
        row: &'s Genuine<CallerRow>,
        records: &[Genuine<CallerRow>],
        identified_by: &[String],
        size: u64,
    ) -> Result<Scope<'s>, Error> {
        let archived = self.archived_below().await?;
        let own: Vec<String> = records.iter().map(|record| record.subject.to_string()).collect();
        let from = self.since(row, identified_by, size, archived).await?;
        let then = match &from {
            Some(from) => Some(self.since_then(&own, (from, size), archived).await?),
            None => None,
        };
        Ok(Scope {
            row,
            own,
            from,
            then,
            before: size,
            archived,
            limit: 1,
        })
    }

    /// The number of the statement's own entry.
    async fn number_of(&self, scope: &Scope<'_>, index: u64) -> Result<Option<u64>, Error> {
        let hit = Hit { index, in_time: true };
        let leaves = self.leaves(&[hit], 0).await?;
        Ok(leaves.first().and_then(|(_, leaf)| scope.number(leaf)))
    }
}

/// What a cursor is bound to: whose statement, and by which fields.
fn page_query(row: &CallerRow, identified_by: &[String]) -> Query {
    let fields = identified_by.iter().map(|field| Term {
        kind: TermKind::Field,
        value: field.clone(),
    });
    let mut terms: Vec<Term> = fields.chain([about(&row.subject.to_string())]).collect();
    terms.sort_unstable();
    Query {
        terms,
        ..Query::default()
    }
}

/// Entries about a subject.
fn about(subject: &str) -> Term {
    Term {
        kind: TermKind::Subject,
        value: subject.to_owned(),
    }
}
