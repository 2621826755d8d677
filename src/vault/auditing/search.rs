//! Searching the log: the index says where to look, the leaves say what is there.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;

use crate::audit::search::{Cursor, Query};
use crate::keyring::KeyError;
use crate::log::ProvedEntry;
use crate::log::leaf::{self, Leaf};
use crate::model::ask::{Action, Ask};
use crate::model::reference::Reference;
use crate::model::ticket_no::TicketNo;
use crate::policy::facts::Facts;
use crate::store::log_index::Hit;
use crate::vault::auditing::lineage::AlsoSubject;
use crate::vault::auditing::names::Names;
use crate::vault::auditing::read::Entry;
use crate::vault::auditing::wanted::Wanted;
use crate::vault::{Audit, Error, Session, Vault};

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

/// The period that was asked for, in UTC.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Span {
    /// Start, included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// End, excluded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Span {
    pub(super) fn of(query: &Query) -> Self {
        let shown = |ms| Timestamp::from_millisecond(ms).ok().map(leaf::milliseconds);
        Self {
            from: query.from.and_then(shown),
            to: query.to.and_then(shown),
        }
    }
}

/// What an answer cannot include, because only archives have it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Beyond {
    /// The bodies of entries below this index were archived and dropped; absent if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archived_below: Option<u64>,
    /// Origins of the logs before this one; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier_logs: Vec<String>,
}

/// A page of the entries found.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Events {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// Pass this as `after` to get the next page; absent on the last page. Other pages may be short or empty too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Number of matching entries on all pages.
    pub count: u64,
    /// Whether `count` is exact; otherwise there are at least `count`.
    pub exact: bool,
    /// The period that the answer covers.
    #[serde(flatten)]
    pub span: Span,
    /// Where a caller was searched for: other subjects under which the log has entries about this caller, because records were merged or
    /// split. Search for them too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub also: Vec<AlsoSubject>,
    /// What this answer cannot include.
    #[serde(flatten)]
    pub beyond: Beyond,
    /// The log entry of this search. The search covers the entries before it.
    pub audit: Audit,
}

impl Vault {
    /// Searches the log. The leaf of the search names the ticket and the caller searched for.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] for a department of which there are no entries and which there is not;
    /// [`Error::LogIndexBehind`] while the index is filled.
    pub async fn search(&self, session: &Session, wanted: &Wanted) -> Result<Events, Error> {
        let ask = self.ask_log(session, Action::SearchLog)?;
        let audit = self.looked(ask, wanted.ticket, wanted.subject).await?;
        let archived = self.archived_below().await?;
        let mut names = self.names_for(session);
        let (entries, next) = self.page(wanted, audit.index, archived, &mut names).await?;
        let (counted, exact) = self.count(&wanted.query, audit.index, archived).await?;
        // Nothing would be found for a mistyped code either. The log may know departments that this store does not.
        if let Some(code) = wanted.department.filter(|_| counted == 0 && entries.is_empty()) {
            self.department_row(code).await?;
        }
        let also = match wanted.subject {
            Some(subject) => Self::besides(subject, &self.subjects_of(subject).await?),
            None => Vec::new(),
        };
        let all_shown = wanted.cursor.is_none() && next.is_none();
        Ok(Events {
            next: next.map(|next| next.text(&wanted.query)),
            count: counted.max(u64::try_from(entries.len()).unwrap_or(u64::MAX)),
            exact: exact || all_shown,
            span: Span::of(&wanted.query),
            beyond: self.beyond(archived).await?,
            also,
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
    pub(super) async fn catch_up(&self, size: u64) -> Result<(), Error> {
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

    pub(super) async fn page(
        &self,
        wanted: &Wanted,
        size: u64,
        archived: u64,
        names: &mut Names<'_>,
    ) -> Result<(Vec<Entry>, Option<Cursor>), Error> {
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
                    let mut entry = Entry::new(&entry)?;
                    names.beside(&mut entry, &leaf).await?;
                    entries.push(entry);
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
