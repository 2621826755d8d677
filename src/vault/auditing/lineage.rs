//! Under which subjects the log has what was shown of one caller: records were merged, undone and split, and the log stays as it
//! was.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::audit::search::Query;
use crate::cells;
use crate::log::leaf;
use crate::model::problems;
use crate::model::reference::Reference;
use crate::store::rows::joined::{OF_PART, OF_WHOLE};
use crate::store::rows::{Coded, Genuine, JoinedRow, Read};
use crate::vault::{Error, Vault};

/// Most subjects of one caller, and most merges and splits of one record that are looked at.
const MOST: u32 = 200;

/// A read gets its time when it is decided on, and its place in the log when it is committed: by so many milliseconds it may say that it is
/// older than a merge that it follows.
const OVERTAKING: i64 = 60_000;

/// Another subject under which the log has entries about the caller.
#[derive(Clone, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct AlsoSubject {
    /// The log's reference to the other record.
    #[schema(value_type = String)]
    pub subject: Reference,
    /// From when on its entries are about the caller too; absent if all are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A span of time in milliseconds since 1970-01-01T00:00:00Z, both ends included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Between {
    from: i64,
    until: i64,
}

impl Between {
    const EVER: Self = Self {
        from: i64::MIN,
        until: i64::MAX,
    };

    fn and(self, other: Self) -> Option<Self> {
        let both = Self {
            from: self.from.max(other.from),
            until: self.until.min(other.until),
        };
        (both.from <= both.until).then_some(both)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self {
            from: self.from.min(other.from),
            until: self.until.max(other.until),
        }
    }

    /// The query, for what it finds in this span.
    pub(super) fn of(self, query: &Query) -> Query {
        let from = query.from.unwrap_or(i64::MIN).max(self.from);
        let to = query.to.unwrap_or(i64::MAX).min(self.until.saturating_add(1));
        Query {
            terms: query.terms.clone(),
            from: (from > i64::MIN).then_some(from),
            to: (to < i64::MAX).then_some(to),
        }
    }
}

/// Subjects, and the span in which each is about the caller.
pub(super) type Subjects = BTreeMap<Reference, Between>;

impl Vault {
    /// The subjects under which the log has entries about a caller, that one included: of records that are one, all of them. Of records
    /// that were one for a time, the other's entries of that time.
    ///
    /// # Errors
    /// [`Error::Bad`] for more subjects than one answer looks at.
    pub(super) async fn subjects_of(&self, subject: Reference) -> Result<Subjects, Error> {
        let mut found = Subjects::new();
        let mut open = vec![(subject, Between::EVER, true)];
        while let Some((subject, span, is_one)) = open.pop() {
            let known = found.get(&subject).copied();
            let all = known.map_or(span, |known| known.or(span));
            if known == Some(all) {
                continue;
            }
            found.insert(subject, all);
            if found.len() > MOST as usize {
                return Err(Error::Bad(problems::TOO_MANY_SUBJECTS));
            }
            for joined in self.joined(&OF_PART, subject).await? {
                let during = between(&joined);
                let in_force = joined.until.is_none() && is_one;
                let span = if in_force { Some(span) } else { span.and(during) };
                open.extend(span.map(|span| (joined.whole, span, in_force)));
            }
            if is_one {
                let parts = self.joined(&OF_WHOLE, subject).await?;
                let in_force = parts.iter().filter(|joined| joined.until.is_none());
                open.extend(in_force.map(|joined| (joined.part, span, true)));
            }
        }
        Ok(found)
    }

    /// The other subjects of a caller, as an answer tells them.
    pub(super) fn besides(subject: Reference, subjects: &Subjects) -> Vec<AlsoSubject> {
        let shown = |ms: i64| jiff::Timestamp::from_millisecond(ms).ok().map(leaf::milliseconds);
        let also = subjects.iter().filter(|(other, _)| **other != subject);
        also.map(|(other, span)| AlsoSubject {
            subject: *other,
            from: shown(span.from),
            until: shown(span.until),
        })
        .collect()
    }

    async fn joined(
        &self,
        read: &'static Read<Coded<JoinedRow>>,
        subject: Reference,
    ) -> Result<Vec<Genuine<JoinedRow>>, Error> {
        let rows = self.store.all(read, &cells![subject, MOST + 1]).await?;
        if rows.len() > MOST as usize {
            return Err(Error::Bad(problems::TOO_MANY_SUBJECTS));
        }
        self.genuine(rows)
    }
}

/// The span, rather too long than too short.
fn between(joined: &JoinedRow) -> Between {
    let ended = |until: jiff::Timestamp| until.as_millisecond().saturating_add(OVERTAKING);
    Between {
        from: joined.since.as_millisecond().saturating_sub(OVERTAKING),
        until: joined.until.map_or(i64::MAX, ended),
    }
}
