//! Callers.

use jiff::Timestamp;

use super::{Protected, table};
use crate::model::ids::{CallerId, PrincipalId};
use crate::model::reference::Reference;

table! {
    /// A caller: nothing but an identity to hang sealed fields on.
    pub struct CallerRow in "caller", key 1, put Versioned, coded, version version {
        /// Random.
        pub id: CallerId,
        /// What the log calls them: a reference in the auditors' own domain. It stays when reference keys are rotated.
        pub subject: Reference,
        /// When first heard.
        pub created_at: Timestamp,
        /// The names of the fields on file, in order: what is missing among the sealed fields was removed by somebody else.
        pub fields: Vec<String>,
        /// Whether callers are matched with it: its values stand in blind indexes. Not the record of a confidential call, which
        /// is joined with no other.
        pub indexed: bool,
        /// The record that this one was merged into: what is about this caller is about that one.
        pub merged_into: Option<CallerId>,
        /// How many records were merged into this one, and into those.
        pub merged: u32,
        /// When one was last merged into it: a call that was taken before is nobody's own call any more.
        pub joined_at: Option<Timestamp>,
        /// Who has corrected a value by which callers are matched, other than on a call of their own. No call that such a person takes is
        /// their own call: they would have made the caller agree with what they then say was heard.
        pub corrected_by: Vec<String>,
        /// How many legal holds are in force: as long as there is one, the caller is not erased.
        pub holds: u32,
        /// Whether the caller's data may only be stored: no field is shown, compared, corrected or moved.
        pub restricted: bool,
        /// 1 when made, one more at each change of a field, merge and split.
        pub version: u64,
    }
    reads [
        /// One caller by its id.
        BY_ID = "WHERE id = ?1";
        /// Callers behind an id, by id.
        AFTER = "WHERE id > ?1 ORDER BY id LIMIT ?2";
        /// Records that were merged into a caller's.
        MERGED_INTO = "WHERE merged_into = ?1 ORDER BY id LIMIT ?2";
    ]
}

impl Protected for CallerRow {
    fn place(&self) -> Option<String> {
        Some(format!("@caller/{}", self.subject))
    }
}

impl CallerRow {
    /// Adds names of fields to those on file.
    pub fn put_on_file<'n>(&mut self, names: impl IntoIterator<Item = &'n str>) {
        self.fields.extend(names.into_iter().map(str::to_owned));
        self.fields.sort_unstable();
        self.fields.dedup();
    }

    /// Somebody has corrected a value by which callers are matched.
    pub fn note_corrected_by(&mut self, who: impl IntoIterator<Item = String>) {
        self.corrected_by.extend(who);
        self.corrected_by.sort_unstable();
        self.corrected_by.dedup();
    }

    /// Whether this person has corrected a value by which callers are matched.
    #[must_use]
    pub fn was_corrected_by(&self, who: PrincipalId) -> bool {
        self.corrected_by.contains(&who.to_string())
    }

    /// Removes names of fields from those on file.
    pub fn take_off_file(&mut self, names: &[&str]) {
        self.fields.retain(|field| !names.contains(&field.as_str()));
    }

    /// Whether a field of this name is on file.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field == name)
    }
}
