//! The numbers of a caller's entries: which of them a page has looked through, and which of those are missing.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cells;
use crate::store::rows::tally::BY_SUBJECT;
use crate::store::rows::{CallerRow, Genuine};
use crate::vault::auditing::statement::Scope;
use crate::vault::auditing::statement::lines::Lines;
use crate::vault::{Error, Vault};

/// Numbers of one of the caller's records, both ends included.
#[derive(Clone, Copy, Debug, Serialize, PartialEq, Eq, utoipa::ToSchema)]
pub struct Numbers {
    /// Which of the caller's records: 1 is the one in force.
    pub record: usize,
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

impl Numbers {
    /// Those from the first up to, and without, the last.
    fn before(record: usize, first: u64, above: u64) -> Option<Self> {
        let last = above.checked_sub(1).filter(|last| *last >= first)?;
        Some(Self { record, first, last })
    }
}

/// What a page says of numbers.
#[derive(Default)]
pub(super) struct LookedThrough {
    /// Each of these was looked for.
    pub(super) checked: Vec<Numbers>,
    /// Those of them that are missing.
    pub(super) gaps: Vec<Numbers>,
}

impl LookedThrough {
    /// Looks from `above` (of each record of which that is known on the first page), or else from the highest number on the page, down to the
    /// next entry behind the page, or to the first number where there is none. What was archived is not looked for.
    pub(super) fn on(scope: &Scope<'_>, page: &Lines, above: &BTreeMap<usize, u64>) -> Self {
        let mut looked = Self::default();
        // Of each record the lowest number so far, and the one above the highest.
        let mut lowest = above.clone();
        let mut highest = above.clone();
        for line in &page.lines {
            let (Some(record), Some(number)) = (line.record, line.number) else {
                continue;
            };
            highest.entry(record).or_insert(number + 1);
            if let Some(above) = lowest.insert(record, number) {
                looked.gaps.extend(Numbers::before(record, number + 1, above));
            }
        }
        for (record, lowest) in lowest {
            let first = match page.beyond.get(&record).copied().flatten() {
                Some(next) => next + 1,
                None if scope.archived == 0 => 1,
                None => lowest,
            };
            looked.gaps.extend(Numbers::before(record, first, lowest));
            let above = highest.get(&record).copied().unwrap_or(lowest);
            looked.checked.extend(Numbers::before(record, first, above));
        }
        looked
    }
}

impl Vault {
    /// What the numbers on the first page are below: of the record in force the number of the statement's own entry; of records that were merged
    /// into it what the table of counts has. That may lag behind, and then the newest are not looked for.
    pub(super) async fn numbers_above(
        &self,
        scope: &Scope<'_>,
        records: &[Genuine<CallerRow>],
        own: Option<u64>,
    ) -> Result<BTreeMap<usize, u64>, Error> {
        let mut above: BTreeMap<usize, u64> = own.map(|own| (1, own)).into_iter().collect();
        let numbered = (1..).zip(records).skip(1).filter(|_| scope.from.is_none());
        for (record, row) in numbered {
            let count = self.store.one(&BY_SUBJECT, &cells![row.subject]).await?;
            let count = count.map(|row| self.keyring.genuine(row)).transpose()?;
            above.extend(count.map(|count| (record, count.count + 1)));
        }
        Ok(above)
    }
}
