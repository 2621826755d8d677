//! Records that an older copy of the data store has as one, of which some were erased since.

use std::collections::BTreeMap;

use crate::model::ids::CallerId;
use crate::store::rows::{CallerRow, Genuine};

/// A merge of a record that was erased and one that was not.
pub(super) struct Edge {
    /// The record that was merged.
    pub(super) part: Genuine<CallerRow>,
    /// The one that it was merged into.
    pub(super) whole: Genuine<CallerRow>,
    /// The part and every record that counts it, as they are once it stands alone.
    pub(super) rows: BTreeMap<CallerId, CallerRow>,
}

impl Edge {
    /// The last such merge in a family, in which each record comes after the one that it leads to.
    pub(super) fn of(family: &[Genuine<CallerRow>], is_erased: impl Fn(CallerId) -> bool) -> Option<Self> {
        let record = |id| family.iter().find(|record| record.id == id);
        let whole_of = |part: &Genuine<CallerRow>| {
            let whole = record(part.merged_into?)?;
            (is_erased(part.id) != is_erased(whole.id)).then_some(whole)
        };
        let mut found = family.iter().rev().filter_map(|part| Some((part, whole_of(part)?)));
        let (part, whole) = found.next()?;
        let mut rows = BTreeMap::new();
        let alone = CallerRow {
            merged_into: None,
            ..part.clone().into_row()
        };
        rows.insert(part.id, alone);
        let mut above = part.merged_into;
        while let Some(counting) = above.and_then(record) {
            let fewer = CallerRow {
                merged: counting.merged.saturating_sub(part.merged + 1),
                ..counting.clone().into_row()
            };
            rows.insert(counting.id, fewer);
            above = counting.merged_into;
        }
        Some(Self {
            part: part.clone(),
            whole: whole.clone(),
            rows,
        })
    }
}
