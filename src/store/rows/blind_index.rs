//! Blind indexes.

use super::{Coded, Protected, Row, table};
use crate::model::code::Code;
use crate::model::ids::CallerId;

table! {
    /// One blind index entry: this caller's field has this keyed value.
    pub struct BlindIndexRow in "blind_index", key 4, put Once, coded {
        /// The index, which fields may share (both phone numbers use one).
        pub idx: String,
        /// The code of the normal form; it names the version of the index key.
        pub value: Code,
        /// Whose.
        pub caller: CallerId,
        /// Which of the caller's fields.
        pub field: String,
        /// The field identifies one person for certain: no second caller may have this value.
        pub certain: bool,
    }
    reads [
        /// The first entries with this value in this index, by caller.
        HITS = "WHERE idx = ?1 AND value = ?2 ORDER BY caller LIMIT ?3";
        /// Whether one caller has this value in this index.
        HAS = "WHERE idx = ?1 AND value = ?2 AND caller = ?3 LIMIT 1";
        /// The entries of one of a caller's fields, whatever their value: one, or two while an index key is replaced.
        OF_FIELD = "WHERE caller = ?1 AND field = ?2";
        /// The entries of one caller, by field.
        OF_CALLER = "WHERE caller = ?1 ORDER BY field";
    ]
    joins [
        /// The first pairs of entries of one caller that have one value in one index and another in another, among the first
        /// entries with the one value: a number that a thousand share says nothing of who calls.
        BOTH: (Coded<BlindIndexRow>, Coded<BlindIndexRow>) =
            &[(BlindIndexRow::table, "a"), (BlindIndexRow::table, "b")],
            "blind_index a JOIN blind_index b ON b.idx = ?3 AND b.value = ?4 AND b.caller = a.caller \
             WHERE a.idx = ?1 AND a.value = ?2 AND a.caller < COALESCE((SELECT caller FROM blind_index WHERE idx = ?1 \
             AND value = ?2 ORDER BY caller LIMIT 1 OFFSET ?5), ?6) ORDER BY a.caller LIMIT ?7";
    ]
}

/// An entry is computed again from the field it stands for, so that no leaf needs to follow it.
impl Protected for BlindIndexRow {
    fn place(&self) -> Option<String> {
        None
    }
}
