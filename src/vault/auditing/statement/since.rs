//! Since when the values by which somebody was identified have been on file: a telephone number may have been somebody else's before.

use crate::audit::search::Query;
use crate::log::leaf::Leaf;
use crate::log::places::{NOTHING, OF_OTHER, OTHER_SUBJECT};
use crate::model::ask::Action;
use crate::model::fields::{Field, MatchStrength};
use crate::model::problems;
use crate::store::log_index::{Term, TermKind};
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::auditing::statement::{Begin, about};
use crate::vault::{Error, Session, Vault};

/// Acts that put a value on file.
const WRITERS: [Action; 6] = [
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
    /// among the fields, numbers say nothing more. Nothing where all entries are shown.
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
                let found = self.written(&subject, (act, field), (floor, size), archived).await?;
                newest = found.or(newest);
            }
        }
        // What was put on file with the first entry about the caller hides none before it.
        Ok(newest.filter(|from| from.nth != Some(1)))
    }

    /// The newest entry of this act in a range of positions that put a value of this field on the caller's file.
    async fn written(
        &self,
        subject: &str,
        (act, field): (Action, &str),
        (floor, size): (u64, u64),
        archived: u64,
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
                if entry.index() >= floor && put_on_file(&leaf, subject, field) {
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

/// Whether an entry says that it put a value of this field on this caller's file.
fn put_on_file(leaf: &Leaf, subject: &str, field: &str) -> bool {
    let digests = leaf.digest.as_ref();
    let wrote = |place: &str| {
        let digest = digests.and_then(|digests| digests.get(place));
        digest.is_some_and(|digest| digest != NOTHING)
    };
    let other = leaf.link.as_ref().and_then(|link| link.get(OTHER_SUBJECT));
    (leaf.subject.as_deref() == Some(subject) && wrote(field))
        || (other.is_some_and(|other| other == subject) && wrote(&format!("{OF_OTHER}{field}")))
}
