//! What an entry says of the places that it writes: the digest of what stands there now, and whose place it is.

use std::collections::BTreeMap;

use super::Change;
use super::leaf::base64;
use crate::store::Write;

/// The word of `link` for the other of two callers' records that were joined or parted. An entry is found by either.
pub const OTHER_SUBJECT: &str = "subject";
/// What the place of a field begins with that the other record has; the field's name follows.
pub const OF_OTHER: &str = "@other/";
/// The digest of a place from which something was removed.
pub const NOTHING: &str = "";

/// The digests of what a change writes, where it writes anything that has one.
pub(super) fn digests(change: &Change) -> Option<BTreeMap<String, String>> {
    let digests: BTreeMap<String, String> = change.writes.iter().filter_map(digest).collect();
    (!digests.is_empty()).then_some(digests)
}

/// The place a write fills and the digest of what stands there now, in base64. Rows that can be computed again from others
/// (blind indexes, references) and replays have none.
#[must_use]
pub fn digest(write: &Write) -> Option<(String, String)> {
    match write {
        Write::Put(row) => {
            let (place, hash) = row.digest.as_ref()?;
            Some((place.clone(), base64(hash)))
        }
        Write::Unseal(_, field) => Some((field.clone(), NOTHING.to_owned())),
        _ => None,
    }
}
