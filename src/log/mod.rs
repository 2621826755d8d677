//! The log: nothing is read, written or refused without a leaf that is durable first.
//!
//! Life of a leaf: [`leaf`] makes its bytes from a decision, [`Log`] hands it to the one [`sequencer`] thread, which puts
//! it into a transaction with the job's writes, extends the tree, signs the checkpoint, commits, and only then answers
//! with a [`Receipt`] or [`Refusal`]. At start [`startup`] proves the tree before anything is served.

mod asked;
mod barred;
mod commit;
mod error;
pub mod genesis;
pub mod history;
pub mod leaf;
pub mod mark;
pub mod numbered;
pub mod places;
mod proved;
mod receipt;
mod sequencer;
pub mod startup;
mod stats;
mod unasked;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use self::barred::Bar;
pub use self::commit::{Log, Pace};
pub use self::error::{CommitError, LogStopped};
pub use self::proved::{NotProved, ProvedEntry};
pub use self::receipt::{LogPosition, Receipt, Recorded, Refusal};
pub use self::sequencer::tally::TAIL;
pub use self::stats::LogStats;
pub use self::unasked::Unasked;
use crate::model::code::Code;
use crate::model::ids::RecordId;
use crate::model::key_roles::KeyRole;
use crate::model::reference::Reference;
use crate::model::ticket_no::TicketNo;
use crate::note::Checkpoint;
use crate::randomness::{NoRandomness, Randomness};
use crate::store::rows::{Cell, Coded, KeyringRow, NewRow, Table, TallyRow, WrappedKey};
use crate::store::{Guard, Write};

/// What the log asks of the keyring. The log never sees a key.
pub trait LogKeys: Send + Sync {
    /// The signed note, or nothing when the keys are gone.
    fn sign(&self, checkpoint: &Checkpoint) -> Option<String>;

    /// A new version of a key stands in the log: from now on it is used. Whether it can be; the next unlock uses it in any case.
    fn activate(&self, key: &KeyringRow) -> bool;

    /// That a version of a key was destroyed stands in the log: it is wiped.
    fn forget(&self, role: KeyRole, version: u8);

    /// Whether a code is the one of a row with these columns in this table. Not when the keys are gone.
    fn is_code(&self, table: &'static Table, columns: &[Cell], code: &Code) -> bool;

    /// The row of a caller's count, with its code. Nothing when the keys are gone.
    fn tally_row(&self, row: TallyRow) -> Option<NewRow>;

    /// The row of a caller's count, if it carries its own code. Nothing when the keys are gone.
    fn tally_of(&self, row: Coded<TallyRow>) -> Option<TallyRow>;
}

/// The node that writes entries.
pub struct Node {
    /// How entries name it.
    pub name: String,
    /// Where the random bits of entries' ids come from.
    pub randomness: Arc<dyn Randomness>,
}

impl Node {
    /// A new entry's id.
    fn entry_id(&self, at: Timestamp) -> Result<String, NoRandomness> {
        let mut bits = [0; 10];
        self.randomness.fill(&mut bits)?;
        // No clock that is set shows a time before 1970.
        let since_1970 = u64::try_from(at.as_millisecond()).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(since_1970, &bits);
        Ok(id.into_uuid().to_string())
    }
}

/// Record keys that an erasure destroys. They are put down in the key store before the transaction commits and destroyed once it has,
/// before anybody is answered. A start between the two destroys them.
pub struct Doomed {
    /// What the log calls the caller.
    pub subject: Reference,
    /// Whose keys.
    pub records: Vec<RecordId>,
    /// When.
    pub at: Timestamp,
}

/// What the log says was done with keys, and a start could not do because somebody reads a store: the log's thread does it with a later
/// entry.
#[derive(Default)]
pub struct Owing {
    /// Record keys of callers who are erased.
    pub doomed: Vec<Doomed>,
    /// Versions of keys of the keyring.
    pub destroyed: Vec<(KeyRole, u8)>,
}

/// What a permitted act changes: one transaction with its leaf.
#[derive(Default)]
pub struct Change {
    /// Keys of new records, made durable in the key store before the transaction commits.
    pub keys: Vec<WrappedKey>,
    /// A new version of a key of the keyring: durable in the key store before the transaction commits, in use once it has.
    pub new_key: Option<KeyringRow>,
    /// Record keys that this destroys.
    pub doomed: Option<Doomed>,
    /// A version of a key that nothing is under any more: gone from memory and from the key store once the transaction has committed.
    /// It is [barred](Log::bar) since before it was looked what is under it.
    pub destroyed_key: Option<(KeyRole, u8)>,
    /// What must still be so.
    pub guards: Vec<Guard>,
    /// The writes.
    pub writes: Vec<Write>,
    /// The ticket this makes, for the leaf, where the ask could not name it yet.
    pub ticket: Option<TicketNo>,
    /// The caller this concerns, in the auditors' domain, where the ask could not name them yet.
    pub subject: Option<Reference>,
    /// For the leaf: what else this is about.
    pub link: BTreeMap<String, String>,
    /// Done by the log's thread once this is committed and before the next group begins: a moment at which the two stores agree. Whoever
    /// waits for the log waits for it, so that it must be short.
    pub between: Option<Box<dyn FnOnce() + Send>>,
}

impl Change {
    /// Whether it touches so many rows that it may take minutes.
    fn is_long(&self) -> bool {
        let long = |write: &Write| matches!(write, Write::DropBodies(_) | Write::NextLog);
        self.doomed.is_some() || self.destroyed_key.is_some() || self.writes.iter().any(long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::System;

    /// UUIDs of version 7 (RFC 9562 §5.7), by which others sort entries and tell them apart.
    #[test]
    fn no_two_entries_have_one_id_and_later_ones_sort_behind() {
        let node = Node {
            name: "one".to_owned(),
            randomness: Arc::new(System),
        };
        let id = |milliseconds| {
            let at = Timestamp::from_millisecond(milliseconds).unwrap();
            let id = node.entry_id(at).unwrap();
            assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 7, "{id}");
            id
        };
        let now = 1_800_000_000_000;
        let [first, same_moment, later] = [id(now), id(now), id(now + 1)];
        assert_ne!(first, same_moment);
        assert!(later > first && later > same_moment);
    }
}
