//! The log itself, for any client of C2SP tlog-tiles: checkpoint, keys, tiles, entries and proofs.

use serde::Serialize;

use crate::log::ProvedEntry;
use crate::log::history::{History, NoHistory};
use crate::log::mark::Mark;
use crate::merkle::TilePath;
use crate::model::ask::Action;
use crate::model::problems::Thing;
use crate::note::TlogProof;
use crate::store::StoreError;
use crate::store::rows::EntryRow;
use crate::vault::{Audit, Error, LeafHash, Session, Vault};

/// One entry of the log.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// Position from 0.
    pub index: u64,
    /// RFC 6962 leaf hash, base64.
    #[schema(value_type = String)]
    pub leaf_hash: LeafHash,
    /// The trace mark, printed beside the values.
    #[schema(value_type = String)]
    pub mark: Mark,
    /// The leaf. To compute its hash, use the bytes in the bundle, not this JSON.
    pub leaf: serde_json::Value,
    /// The actor's current account name. Only auditors and data protection officers get it, followers of the log do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// The current account name of the service account that acted on behalf of the actor (`via`), for the same readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_name: Option<String>,
    /// The current name of the actor's department (`dept`), for the same readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department_name: Option<String>,
    /// The second person's current account name, for the same readers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approver_name: Option<String>,
    /// Whether a name is left out because its row in the data store is not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub names_unproved: bool,
    /// The address that the request came from. Only auditors get it. Absent if the entry has no `client`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "192.0.2.7")]
    pub client_address: Option<String>,
    /// Whether the address is left out because its row in the data store is missing or not as the vault wrote it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub client_unproved: bool,
}

/// The bytes have their hash, and this program has not written them.
pub(super) const NO_LEAF: StoreError = StoreError::Corrupt("log_entry");

impl Entry {
    /// As it is stored, unless its body was archived and dropped.
    pub(super) fn read(row: EntryRow) -> Result<Self, Error> {
        if row.body.is_empty() {
            return Err(NoHistory::Empty(row.idx).into());
        }
        Self::new(&ProvedEntry::new(row)?)
    }

    pub(super) fn new(entry: &ProvedEntry) -> Result<Self, Error> {
        Ok(Self {
            index: entry.index(),
            leaf_hash: LeafHash(*entry.hash()),
            mark: Mark::of(entry.hash()),
            leaf: serde_json::from_slice(entry.body()).map_err(|_| NO_LEAF)?,
            actor_name: None,
            via_name: None,
            department_name: None,
            approver_name: None,
            names_unproved: false,
            client_address: None,
            client_unproved: false,
        })
    }
}

/// An entry, and the log entry of this read.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ReadEntry {
    /// The entry.
    #[serde(flatten)]
    pub entry: Entry,
    /// The log entry of this read.
    pub audit: Audit,
}

impl Vault {
    /// The log's newest signed checkpoint (C2SP tlog-checkpoint). The checkpoint answered covers the entry of this read.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn checkpoint(&self, session: &Session) -> Result<String, Error> {
        let ask = self.ask_log(session, Action::ReadCheckpoint)?;
        self.audited(ask).await?;
        Ok(self.store.head().await?.checkpoint)
    }

    /// The newest checkpoint that witnesses have cosigned, with their lines (C2SP tlog-cosignature).
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] without witnesses.
    pub async fn cosigned(&self, session: &Session) -> Result<String, Error> {
        let ask = self.ask_log(session, Action::ReadCheckpoint)?;
        self.audited(ask).await?;
        let cosigned = self.witnessing.cosigned();
        cosigned.map(|(_, note)| note).ok_or(Error::NotFound(Thing::Cosigned))
    }

    /// The keys that check the log's signatures, each a vkey on a line (C2SP signed-note): of the log in force first, then
    /// of those that it followed; of each the newest key first.
    ///
    /// # Errors
    /// [`Error::Refused`].
    pub async fn log_keys(&self, session: &Session) -> Result<String, Error> {
        let ask = self.ask_log(session, Action::ReadCheckpoint)?;
        self.audited(ask).await?;
        self.public_log_keys().await
    }

    /// As [`Self::log_keys`], for whoever has unlocked the vault: nobody asks, and no entry says so.
    ///
    /// # Errors
    /// [`Error::Store`]; [`Error::Key`] when locked.
    pub async fn public_log_keys(&self) -> Result<String, Error> {
        let past = self.store.past_logs().await?;
        let past = past.iter().rev().filter_map(|past| past.checkpoint.lines().next());
        let mut keys = String::new();
        for origin in std::iter::once(self.log.origin()).chain(past) {
            for key in self.keyring.verifiers(origin)? {
                keys.push_str(&format!("{key}\n"));
            }
        }
        Ok(keys)
    }

    /// The bytes of a tile or of a bundle of entries (C2SP tlog-tiles).
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] beyond the log; [`Error::Archived`].
    pub async fn tile(&self, session: &Session, path: &TilePath) -> Result<Vec<u8>, Error> {
        let ask = self.ask_log(session, Action::ReadTile)?;
        self.audited(ask).await?;
        match History(&*self.store).file(path).await {
            Ok(bytes) => Ok(bytes),
            Err(missing) => Err(self.no_history(missing).await),
        }
    }

    /// One entry.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] beyond the log; [`Error::Archived`].
    pub async fn entry(&self, session: &Session, index: u64) -> Result<ReadEntry, Error> {
        let ask = self.ask_log(session, Action::ReadEntry)?;
        let audit = self.audited(ask).await?;
        let row = self.entry_row(index).await?;
        if row.body.is_empty() {
            return Err(self.no_history(NoHistory::Empty(index)).await);
        }
        let proved = ProvedEntry::new(row)?;
        let mut entry = Entry::new(&proved)?;
        if let Some(leaf) = proved.leaf() {
            self.names_for(session).beside(&mut entry, &leaf).await?;
        }
        Ok(ReadEntry { entry, audit })
    }

    /// The proof that an entry is in the log, as a `.tlog-proof` file (C2SP tlog-proof): against the newest checkpoint that
    /// witnesses have cosigned, or the newest at all where the entry is younger.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::NotFound`] beyond the log.
    pub async fn prove(&self, session: &Session, index: u64) -> Result<String, Error> {
        let ask = self.ask_log(session, Action::Prove)?;
        self.audited(ask).await?;
        let head = self.store.head().await?;
        if index >= head.size {
            return Err(NoHistory::Absent.into());
        }
        let (size, checkpoint) = match self.witnessing.cosigned() {
            Some((size, note)) if index < size => (size, note),
            _ => (head.size, head.checkpoint),
        };
        let proof = TlogProof {
            extra: None,
            index,
            hashes: History(&*self.store).inclusion(index, size).await?,
            checkpoint,
        };
        Ok(proof.to_string())
    }

    /// The hashes that prove that the log of `new` entries begins with that of `old`, in base64 on a line each.
    ///
    /// # Errors
    /// [`Error::Refused`]; [`Error::Bad`] for sizes in the wrong order; [`Error::NotFound`] beyond the log.
    pub async fn prove_consistency(&self, session: &Session, old: u64, new: u64) -> Result<String, Error> {
        let ask = self.ask_log(session, Action::Prove)?;
        self.audited(ask).await?;
        let hashes = History(&*self.store).consistency(old, new).await?;
        Ok(hashes.iter().map(|hash| format!("{hash}\n")).collect())
    }

    pub(super) async fn entry_row(&self, index: u64) -> Result<EntryRow, Error> {
        let rows = self.store.entries(index, 1).await?;
        let row = rows.into_iter().next().filter(|row| row.idx == index);
        row.ok_or_else(|| NoHistory::Absent.into())
    }
}
