//! Since when the values by which somebody was identified have been on file: a telephone number may have been somebody else's before.

use crate::audit::search::Query;
use crate::keyring::KeyError;
use crate::log::ProvedEntry;
use crate::log::leaf::{self, Leaf};
use crate::log::places::{NOTHING, OF_OTHER, OTHER_SUBJECT};
use crate::model::ask::Action;
use crate::model::fields::{Field, MatchStrength};
use crate::model::problems;
use crate::store::log_index::{Term, TermKind};
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::auditing::statement::{Begin, about};
use crate::vault::{Error, Session, Vault};

/// Acts that put a value on file.
pub(super) const WRITERS: [Action; 6] = [
    Action::Intake,
    Action::Import,
    Action::Correct,
    Action::Merge,
    Action::Unmerge,
    Action::Split,
];
/// Entries looked at together.
const PIECE: usize = 50;
/// Entries of the index looked at for one piece.
const STEPS: usize = 200_000;

impl Vault {
    /// The fields by which somebody is identified: those named, or else the telephone numbers on file.
    ///
    /// # Errors
    /// [`Error::Bad`] for a field that is not on file or identifies nobody.
    pub(super) fn identifying(
        &self,
        session: &Session,
        row: &CallerRow,
        named: &[String],
    ) -> Result<Vec<String>, Error> {
        let fields = session.rules.fields();
        let identifies = |name: &&String| {
            let field = fields.get(name).filter(|_| row.has(name));
            field.is_some_and(|field| {
                matches!(
                    field.matching(),
                    Some(MatchStrength::Certain | MatchStrength::Tentative)
                )
            })
        };
        if named.is_empty() {
            let tentative = |name: &&String| fields.get(name).is_some_and(is_tentative);
            return Ok(row.fields.iter().filter(tentative).cloned().collect());
        }
        if !named.iter().all(|name| identifies(&name)) {
            return Err(Error::Bad(problems::IDENTIFIES_NOBODY));
        }
        let mut named = named.to_vec();
        named.sort_unstable();
        named.dedup();
        Ok(named)
    }

    /// The entry from which on entries are shown: the newest that put one of these values on file. A document says who somebody is; where one is
    /// among the fields, numbers say nothing more. Where nothing at hand says since when a number has been on file, that is the first entry
    /// that can be read. Nothing where all entries are shown.
    pub(super) async fn since(
        &self,
        row: &Genuine<CallerRow>,
        identified_by: &[String],
        size: u64,
        archived: u64,
    ) -> Result<Option<Begin>, Error> {
        let rules = self.rules();
        let certain = |name: &&String| rules.fields().get(name).is_some_and(|field| !is_tentative(field));
        let some_certain = identified_by.iter().any(|name| certain(&name));
        let subject = row.subject.to_string();
        let mut newest: Option<Begin> = None;
        for field in identified_by.iter().filter(|name| !some_certain || certain(name)) {
            for act in WRITERS {
                let floor = newest.as_ref().map_or(0, |from| from.index + 1);
                let mut wrote = |_, leaf: &Leaf| put_on_file(leaf, &subject).any(|name| name == field);
                let found = self.first_where((act, &subject), (floor, size), archived, &mut wrote);
                newest = found.await?.or(newest);
            }
        }
        let first = self.first_at_hand(archived).await?;
        let from = match newest {
            None if some_certain || identified_by.is_empty() => return Ok(None),
            None => first.clone(),
            Some(newest) => newest,
        };
        let hides_none = self.is_nothing_before(row, &from, &first).await?;
        Ok((!hides_none).then_some(from))
    }

    /// The first entry of the log in force whose body is here.
    async fn first_at_hand(&self, archived: u64) -> Result<Begin, Error> {
        let entry = self.store.entries(archived, 1).await?.pop().ok_or(KeyError::Broken)?;
        let leaf = ProvedEntry::new(entry)?.leaf().ok_or(KeyError::Broken)?;
        Ok(Begin {
            index: archived,
            at: leaf.t,
            // All numbers that are here are shown.
            nth: (archived == 0).then_some(1),
        })
    }

    /// Whether there is nothing about the caller before an entry, by any record that was merged into theirs, in this log or in an earlier
    /// one.
    async fn is_nothing_before(&self, row: &Genuine<CallerRow>, from: &Begin, first: &Begin) -> Result<bool, Error> {
        // The index has neither what was archived nor what earlier logs have.
        let all_here = first.index == 0 && self.store.past_logs().await?.is_empty();
        for record in self.family(row).await? {
            let query = Query {
                terms: vec![about(&record.subject.to_string())],
                ..Query::default()
            };
            let walked = self.indexer.index().walk(query.walk(from.index, 1, STEPS)).await?;
            let made_here = leaf::milliseconds(record.created_at) >= first.at;
            if !walked.hits.is_empty() || !(made_here || all_here) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The newest entry of this act in a range of positions of which this holds.
    pub(super) async fn first_where(
        &self,
        (act, subject): (Action, &str),
        (floor, size): (u64, u64),
        archived: u64,
        holds: &mut (dyn FnMut(u64, &Leaf) -> bool + Send),
    ) -> Result<Option<Begin>, Error> {
        let act = Term {
            kind: TermKind::Act,
            value: act.to_string(),
        };
        let mut terms = vec![act, about(subject)];
        terms.sort_unstable();
        let query = Query {
            terms,
            ..Query::default()
        };
        let mut before = Some(size);
        while let Some(position) = before.filter(|position| *position > floor) {
            let walked = self.indexer.index().walk(query.walk(position, PIECE, STEPS)).await?;
            for (entry, leaf) in self.leaves(&walked.hits, archived).await? {
                if entry.index() >= floor && holds(entry.index(), &leaf) {
                    return Ok(Some(Begin {
                        index: entry.index(),
                        nth: leaf.nth.filter(|_| leaf.subject.as_deref() == Some(subject)),
                        at: leaf.t,
                    }));
                }
            }
            before = walked.next;
            tokio::task::yield_now().await;
        }
        Ok(None)
    }
}

fn is_tentative(field: &Field) -> bool {
    field.matching() == Some(MatchStrength::Tentative)
}

/// The fields of which an entry says that it put a value on this caller's file.
pub(super) fn put_on_file<'l>(leaf: &'l Leaf, subject: &str) -> impl Iterator<Item = &'l str> {
    let is_other = leaf
        .link
        .as_ref()
        .and_then(|link| link.get(OTHER_SUBJECT))
        .is_some_and(|other| other == subject);
    let is_own = leaf.subject.as_deref() == Some(subject);
    let digests = leaf.digest.iter().flatten();
    let written = digests.filter(|(_, digest)| *digest != NOTHING);
    written.filter_map(move |(place, _)| match place.strip_prefix(OF_OTHER) {
        Some(field) => is_other.then_some(field),
        None => is_own.then_some(place.as_str()),
    })
}
