//! The rows of the key store: keys, each wrapped by another.

use jiff::Timestamp;
use ring::digest::{Context, SHA256, digest};

use super::{One, table};
use crate::merkle::Hash;
use crate::model::ids::{PrincipalId, RecordId, RecordKind};
use crate::model::reference::Reference;
use crate::model::unlocking::{CameFrom, OpensBy};

table! {
    /// Which vault a store belongs to; both stores have one.
    pub struct VaultRow in "vault", key 1, put Once, plain {
        /// There is one.
        pub one: One,
        /// Random, the same in the data store and in its key store.
        pub vault: [u8; 16],
        /// The first log's origin, which is part of every sealed value's associated data.
        pub origin: String,
    }
    reads [
        /// The one row.
        THE_VAULT = "WHERE one = 1";
    ]
}

table! {
    /// A record key under the key-encryption key.
    pub struct WrappedKey in "record_key", key 2, put Once, plain {
        /// Whose key: a caller's or a ticket's.
        pub record_kind: RecordKind,
        /// Whose key: the record's id.
        pub record: [u8; 16],
        /// Version of the key-encryption key.
        pub kek: u8,
        /// Generation of the record key, which every field it seals names.
        pub generation: u8,
        /// The key, wrapped.
        pub wrapped: Vec<u8>,
    }
    reads [
        /// One record's key.
        OF_RECORD = "WHERE record_kind = ?1 AND record = ?2";
        /// Those under versions of the key-encryption key older than one, by version and record, behind one of them.
        OLDER = "WHERE kek < ?1 AND (kek, record_kind, record) > (?2, ?3, ?4) ORDER BY kek, record_kind, record LIMIT ?5";
    ]
}

impl WrappedKey {
    /// Whose key it is.
    #[must_use]
    pub const fn record(&self) -> RecordId {
        RecordId::new(self.record_kind, self.record)
    }
}

table! {
    /// How the root key opens: where the key over it comes from, and the root key under that one. There is one row.
    pub struct UnlockRow in "unlock", key 0, put Once, plain {
        /// Argon2id salt; empty where no passphrase opens it, and the next three columns 0.
        pub salt: Vec<u8>,
        /// Argon2id memory in KiB.
        pub memory_kib: u32,
        /// Argon2id passes.
        pub passes: u32,
        /// Argon2id lanes.
        pub lanes: u32,
        /// The root key, wrapped.
        pub wrapped_root: Vec<u8>,
        /// SHA-256 of it: damage is told from what does not open it.
        pub root_digest: [u8; 32],
        /// In which way it opens.
        pub way: OpensBy,
        /// From 1; one more with each change of holders or way.
        pub generation: u32,
        /// How many shares it takes; 0 in other ways.
        pub threshold: u8,
        /// How many there are; 0 in other ways.
        pub shares: u8,
        /// The label of the token in a hardware module; empty in other ways.
        pub token: String,
        /// The label of the key in it; empty in other ways.
        pub key_label: String,
    }
    reads [
        /// Every way, oldest first.
        WAYS = "ORDER BY id";
    ]
}

impl UnlockRow {
    /// A wrapping of nothing, in a vault's first way.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            salt: Vec::new(),
            memory_kib: 0,
            passes: 0,
            lanes: 0,
            wrapped_root: Vec::new(),
            root_digest: [0; 32],
            way: OpensBy::Passphrase,
            generation: 1,
            threshold: 0,
            shares: 0,
            token: String::new(),
            key_label: String::new(),
        }
    }

    /// This way, with the root key wrapped so.
    #[must_use]
    pub fn with_root(self, wrapped_root: Vec<u8>) -> Self {
        Self {
            root_digest: sha256(&wrapped_root),
            wrapped_root,
            ..self
        }
    }

    /// Whether the wrapped root key is as it was written, as far as that shows without a key.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.root_digest == sha256(&self.wrapped_root)
    }
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

table! {
    /// One version of one of the keyring's keys, under the root key.
    pub struct KeyringRow in "keyring", key 2, put Once, plain {
        /// `kek`, `index`, `row`, `reference` or `log`.
        pub role: String,
        /// From 1.
        pub version: u8,
        /// The version new work uses.
        pub active: bool,
        /// The key, wrapped; empty once it was destroyed. Its first byte says of which suite it is.
        pub wrapped: Vec<u8>,
        /// When it was made.
        pub created_at: Timestamp,
    }
    reads [
        /// Every key.
        KEYS = "ORDER BY role, version";
    ]
}

impl KeyringRow {
    /// Whether the key was destroyed.
    #[must_use]
    pub const fn is_destroyed(&self) -> bool {
        self.wrapped.is_empty()
    }
}

table! {
    /// The fence: how far a log had come, kept apart from the log.
    pub struct Fence in "fence", key 1, put Over, plain {
        /// There is one.
        pub one: One,
        /// Which log.
        pub origin: String,
        /// Number of entries.
        pub size: u64,
        /// Root over them (RFC 6962 §2.1).
        pub root: Hash,
    }
    reads [
        /// The one fence.
        THE_FENCE = "WHERE one = 1";
    ]
}

table! {
    /// The word of a witness that a log was cut or rewritten.
    pub struct Contradiction in "contradiction", key 2, put Over, plain {
        /// Which log.
        pub origin: String,
        /// The witness's key, as a vkey.
        pub witness: String,
        /// Number of entries that it had seen: of a larger log, or of another.
        pub size: u64,
    }
    reads [
        /// What was said against one log.
        AGAINST_A_LOG = "WHERE origin = ?1 ORDER BY witness";
    ]
}

table! {
    /// Wrong passphrases that a running server was given since the vault was last unlocked.
    pub struct UnlockTryRow in "unlock_try", key 1, put Over, plain {
        /// Where they came from.
        pub came_from: CameFrom,
        /// How many.
        pub wrong: u32,
        /// When the first one came.
        pub first_at: Timestamp,
        /// When the last one came.
        pub last_at: Timestamp,
    }
    reads [
        /// All of them: one for each place.
        WRONG = "ORDER BY came_from";
    ]
}

table! {
    /// A record key that an erasure is about to destroy: it goes once the log says so, and stays otherwise.
    pub struct DoomedKey in "doomed_key", key 2, put Once, plain {
        /// Whose key: a caller's or a ticket's.
        pub record_kind: RecordKind,
        /// Whose key: the record's id.
        pub record: [u8; 16],
        /// What the log calls the caller who is erased.
        pub subject: Reference,
    }
    reads [
        /// Every one. There are none but while an erasure is under way.
        DOOMED = "ORDER BY record_kind, record";
    ]
}

table! {
    /// A record key that was destroyed. A record that an older copy of the data store still has is so known to be erased.
    pub struct ErasedKey in "erased_key", key 1, put Over, plain {
        /// [`Self::mark_of`] the record. Its id stays nowhere.
        pub mark: [u8; 32],
        /// When.
        pub erased_at: Timestamp,
    }
    reads [
        /// One by its mark.
        BY_MARK = "WHERE mark = ?1";
    ]
}

table! {
    /// The next log was opened on an older copy of the data store: what that has of callers who were erased since is removed from it again.
    /// As long as the row is there, each start goes on with it.
    pub struct ErasingAgain in "erasing_again", key 1, put Over, plain {
        /// There is one.
        pub one: One,
        /// Who opened the next log.
        pub begun_by: PrincipalId,
        /// When.
        pub begun_at: Timestamp,
    }
    reads [
        /// The one row.
        UNDER_WAY = "WHERE one = 1";
    ]
}

impl ErasedKey {
    /// SHA-256 of a record's kind and id, which has 122 random bits.
    #[must_use]
    pub fn mark_of(record: RecordId) -> [u8; 32] {
        let mut context = Context::new(&SHA256);
        context.update(b"callervault/erased-key/1\0");
        context.update(record.kind().as_str().as_bytes());
        context.update(b"\0");
        context.update(record.as_bytes());
        let mut mark = [0; 32];
        mark.copy_from_slice(context.finish().as_ref());
        mark
    }
}
