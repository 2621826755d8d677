//! What auditors look for in the log, and whether a leaf is it.

use data_encoding::BASE64URL_NOPAD;
use ring::digest::{SHA256, digest};

use super::indexer::{terms, time_of};
use crate::log::leaf::Leaf;
use crate::store::log_index::{Term, Walk};

/// Entries that carry all of these terms, in a span of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Every one of these, sorted.
    pub terms: Vec<Term>,
    /// Not before, in milliseconds since 1970-01-01T00:00:00Z.
    pub from: Option<i64>,
    /// Before, in milliseconds since 1970-01-01T00:00:00Z.
    pub to: Option<i64>,
}

impl Query {
    /// Whether a leaf is one of those looked for: the index only says where to look.
    #[must_use]
    pub fn matches(&self, leaf: &Leaf) -> bool {
        let at = time_of(leaf);
        let has = terms(leaf);
        self.from.is_none_or(|from| at >= from)
            && self.to.is_none_or(|to| at < to)
            && self.terms.iter().all(|term| has.binary_search(term).is_ok())
    }

    /// The walk of the index that finds them.
    #[must_use]
    pub fn walk(&self, before: u64, limit: usize, steps: usize) -> Walk {
        Walk {
            terms: self.terms.clone(),
            from: self.from,
            to: self.to,
            before,
            limit,
            steps,
        }
    }

    /// Stands for the query in its cursors.
    fn digest(&self) -> [u8; 8] {
        let mut text = format!("callervault/search/1\n{:?}\n{:?}\n", self.from, self.to);
        for term in &self.terms {
            text.push_str(&format!("{} {} {}\n", term.kind, term.value.len(), term.value));
        }
        let mut short = [0; 8];
        short.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref().split_at(8).0);
        short
    }
}

/// Where a search goes on: below a position, for one query only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    before: u64,
}

impl Cursor {
    /// Below this position.
    #[must_use]
    pub const fn below(before: u64) -> Self {
        Self { before }
    }

    /// The position.
    #[must_use]
    pub const fn before(self) -> u64 {
        self.before
    }

    /// As its text: 16 bytes in base64url.
    #[must_use]
    pub fn text(self, query: &Query) -> String {
        let bytes = [self.before.to_be_bytes(), query.digest()].concat();
        BASE64URL_NOPAD.encode(&bytes)
    }

    /// The cursor with that text, if it is one of this query.
    #[must_use]
    pub fn parse(text: &str, query: &Query) -> Option<Self> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (before, of) = bytes.split_at_checked(8)?;
        let before = u64::from_be_bytes(before.try_into().ok()?);
        (of == query.digest()).then_some(Self { before })
    }
}
