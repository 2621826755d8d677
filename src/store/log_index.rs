//! The index of the log: which entries carry which term. Derived from the leaves and never a source of truth: losing it
//! costs the time to build it again, and whoever edits it can only hide entries from a search, never add or change one.

use async_trait::async_trait;

use super::Result;
use crate::merkle::Hash;
use crate::model::word_enum::word_enum;

word_enum! {
    /// What a term says about an entry.
    pub enum TermKind {
        /// Who did it: a principal's id.
        Actor = "actor",
        /// The service account that acted on behalf of the actor: a principal's id.
        Via = "via",
        /// The actor's department.
        Dept = "dept",
        /// The role it was permitted under.
        Role = "role",
        /// The ticket's number.
        Ticket = "ticket",
        /// The caller, as the auditors know them.
        Subject = "subject",
        /// What was done.
        Act = "act",
        /// One of the fields named.
        Field = "field",
        /// `clear` or `masked`.
        Form = "form",
        /// The stated purpose.
        Purpose = "purpose",
        /// `granted` or `denied`.
        Out = "out",
        /// What it wrote, of what auditors follow: `principal`, and `principal/<id>`.
        Wrote = "wrote",
    }
}

/// One thing that an entry carries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term {
    /// Of which kind.
    pub kind: TermKind,
    /// As the leaf has it.
    pub value: String,
}

/// What the index keeps of one entry.
#[derive(Clone, Debug)]
pub struct IndexedEntry {
    /// Position in the log.
    pub index: u64,
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    pub at: i64,
    /// Its terms, each once.
    pub terms: Vec<Term>,
    /// The 50 bits of its trace mark, where it showed fields.
    pub mark: Option<u64>,
}

/// How far the index has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Entries below this are in the index.
    pub size: u64,
    /// The leaf hash of the last of them, which ties the index to one log.
    pub last: Option<Hash>,
}

/// Entries to be found: those that carry all the terms, in a span of time, newest first.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    /// Every one of these.
    pub terms: Vec<Term>,
    /// Not before, in milliseconds since 1970-01-01T00:00:00Z.
    pub from: Option<i64>,
    /// Before, in milliseconds since 1970-01-01T00:00:00Z.
    pub to: Option<i64>,
    /// Below this position.
    pub before: u64,
    /// At most so many.
    pub limit: usize,
    /// Look at no more than so many entries.
    pub steps: usize,
}

/// An entry that may be one of those looked for: its leaf decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Position in the log.
    pub index: u64,
    /// Everything in its block is in the span of time; otherwise its own time must be read.
    pub in_time: bool,
}

/// What a walk found.
#[derive(Clone, Debug, Default)]
pub struct Walked {
    /// Newest first.
    pub hits: Vec<Hit>,
    /// Go on below this position; nothing when all has been looked at.
    pub next: Option<u64>,
}

/// One thing that the index holds, for `fsck`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// A term and the number of entries it is counted in.
    Term(Term, u64),
    /// An entry carries a term.
    Posting(Term, u64),
    /// An entry has this trace mark.
    Mark(u64, u64),
    /// Entries of a block lie between these times: level, number, first and last millisecond.
    Block(u8, u64, i64, i64),
}

/// Entries in a block of level 0, and blocks of one level in a block of the next.
pub const BLOCK: u64 = 256;
/// Levels of blocks.
pub const LEVELS: u8 = 3;

/// The index of a log.
#[async_trait]
pub trait LogIndex: Send + Sync {
    /// How far it has come.
    async fn position(&self) -> Result<Position>;

    /// Adds the entries that follow a position and moves it, all or nothing. Says `false`, and does nothing, when the
    /// index stands elsewhere.
    async fn add(&self, from: u64, entries: Vec<IndexedEntry>, to: Position) -> Result<bool>;

    /// Finds entries.
    async fn walk(&self, walk: Walk) -> Result<Walked>;

    /// How many entries at or above a position are not counted, and below it are, that carry a term.
    async fn count(&self, term: Term, below: u64) -> Result<u64>;

    /// Entries below a position with a trace mark, oldest first. [`super::StoreError::Corrupt`] where they are more than
    /// chance gives.
    async fn marked(&self, bits: u64, below: u64) -> Result<Vec<u64>>;

    /// Empties it.
    async fn clear(&self) -> Result<()>;

    /// Everything it holds, in no particular order.
    async fn each(&self, see: &mut (dyn FnMut(Kept) + Send)) -> Result<()>;
}
