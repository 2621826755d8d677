//! The bytes of an entry, and the count in them: an entry about a caller says which one of this log about that caller it is. Only the log's
//! thread knows, so that it finishes the bytes.

use super::error::CommitError;
use super::leaf::{Keys, Leaf, MAX_LEN};
use crate::merkle::{self, Hash};
use crate::model::client::SealedAddress;
use crate::model::reference::Reference;

/// The key that follows the count, as canonical JSON sorts keys. Behind it there are no objects, and a quote within a text is escaped: its
/// last occurrence is the key.
const FOLLOWING: &[u8] = b",\"out\":";
/// The most bytes that a count takes.
const LONGEST: usize = ",\"nth\":18446744073709551615".len();

/// An entry's bytes without its count.
pub(super) struct LeafBytes {
    bytes: Vec<u8>,
    /// Whose count goes in, and where.
    counted: Option<(Reference, usize)>,
    /// What the entry's `client` is the digest of.
    pub(super) client: Option<SealedAddress>,
}

/// An entry as it is hashed, stored and served.
pub(super) struct Numbered {
    pub(super) bytes: Vec<u8>,
    pub(super) hash: Hash,
    pub(super) client: Option<SealedAddress>,
}

impl Leaf {
    /// The bytes, and the sealed address that they are the only ones to commit to.
    pub(super) fn to_bytes(&self, client: Option<&SealedAddress>) -> Result<LeafBytes, CommitError> {
        let bytes = serde_json_canonicalizer::to_vec(self).map_err(|_| CommitError::LeafTooLarge)?;
        let subject = self.subject.as_ref().and_then(|subject| subject.parse().ok());
        let at = bytes.windows(FOLLOWING.len()).rposition(|window| window == FOLLOWING);
        let counted = subject.zip(at);
        if bytes.len() + counted.map_or(0, |_| LONGEST) > MAX_LEN {
            return Err(CommitError::LeafTooLarge);
        }
        Ok(LeafBytes {
            bytes,
            counted,
            client: client.cloned(),
        })
    }
}

impl LeafBytes {
    /// Whose count goes in.
    pub(super) fn subject(&self) -> Option<Reference> {
        self.counted.map(|(subject, _)| subject)
    }

    /// The entry, with its count.
    pub(super) fn numbered(mut self, nth: Option<u64>) -> Numbered {
        if let (Some(nth), Some((_, at))) = (nth, self.counted) {
            let count = format!(",\"nth\":{nth}");
            self.bytes.splice(at..at, count.into_bytes());
        }
        Numbered {
            hash: merkle::leaf_hash(&self.bytes),
            bytes: self.bytes,
            client: self.client,
        }
    }
}

/// Whose entry it is, and which one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The caller, as the log calls them.
    pub subject: Option<String>,
    /// Which entry about them, from 1.
    pub nth: Option<u64>,
}

/// The count of an entry, if its bytes are JSON with the keys of a leaf, each once. A verifier does not look at what else stands there.
#[must_use]
pub fn numbered(entry: &[u8]) -> Option<Count> {
    let Keys { subject, nth, .. } = serde_json::from_slice(entry).ok()?;
    Some(Count { subject, nth })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use jiff::Timestamp;

    use super::*;
    use crate::log::Node;
    use crate::merkle::Hash;
    use crate::model::ids::RecordKind;
    use crate::model::reference::DepartmentCode;
    use crate::randomness::System;

    /// What an operator or a policy may put into an entry does not move the place of the count.
    #[test]
    fn the_count_stands_where_canonical_json_has_it() {
        let node = Node {
            name: "n\",\"out\":\"".to_owned(),
            randomness: std::sync::Arc::new(System),
        };
        let (department, policy) = (DepartmentCode::AUDITORS, Hash::from_bytes([7; 32]));
        let subject = Reference::new(department, RecordKind::Caller, 1, 7).unwrap();
        let link = BTreeMap::from([
            ("out".to_owned(), ",\"out\":".to_owned()),
            ("z".to_owned(), String::new()),
        ]);
        let plain = Leaf {
            link: Some(link),
            ..Leaf::of_vault("vault.init", department, Timestamp::UNIX_EPOCH, policy, &node).unwrap()
        };
        let about = Leaf {
            subject: Some(subject.to_string()),
            why: Some("x,\"out\":".to_owned()),
            ..plain.clone()
        };
        // Numbers of canonical JSON are exact up to 2^53 (RFC 8785 §3.2.2.3).
        for nth in [1, 10, (1 << 53) - 1] {
            let numbered = about.to_bytes(None).unwrap().numbered(Some(nth));
            let whole = Leaf {
                nth: Some(nth),
                ..about.clone()
            };
            assert_eq!(numbered.bytes, serde_json_canonicalizer::to_vec(&whole).unwrap());
            assert_eq!(Leaf::parse(&numbered.bytes), Some(whole));
            assert_eq!(numbered.hash, merkle::leaf_hash(&numbered.bytes));
        }
        let uncounted = plain.to_bytes(None).unwrap();
        assert_eq!(uncounted.subject(), None);
        assert_eq!(
            uncounted.numbered(None).bytes,
            serde_json_canonicalizer::to_vec(&plain).unwrap()
        );
    }

    /// No entry is taken that its count would make too long.
    #[test]
    fn there_is_room_for_the_longest_count() {
        assert_eq!(LONGEST, format!(",\"nth\":{}", u64::MAX).len());
    }
}
