//! Opening a vault: prove the log, then serve.

use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::audit::indexer::Indexer;
use crate::clock::Clock;
use crate::keyring::unlock::{self, Opener};
use crate::keyring::{KeyError, Keyring};
use crate::log::leaf::milliseconds;
use crate::log::startup::{self, Proved, Unproved};
use crate::log::{Log, LogKeys, Node, Owing, Pace, ProvedEntry};
use crate::model::deadlines::{DeadlinesError, HolidaysError};
use crate::model::fields::{FieldSet, FieldsError, WordsError};
use crate::model::key_roles::KeyRole;
use crate::model::limits::LimitsError;
use crate::model::lists::{Lists, ListsError};
use crate::model::principals::BadRoles;
use crate::model::retention::RetentionError;
use crate::note::NoteError;
use crate::policy::{PolicyError, Why};
use crate::randomness::Randomness;
use crate::store::rows::VaultRow;
use crate::store::sqlite::{SqliteData, SqliteKeys, SqliteLogIndex, remove_copies, remove_restoring};
use crate::store::{DataStore, KeyStore, StoreError};
use crate::vault::core::limits::{RateLimiter, STRANGERS, Spending};
use crate::vault::core::{Copies, ListsInForce, PendingRecovery, Rewraps, Rules, TokenDays};
pub use crate::vault::core::{Opening, Places, Running};
use crate::vault::life::rules::{self, BadFiles};
use crate::vault::{Audit, Error, Vault};

/// Why a vault cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The log is not what it was.
    #[error(transparent)]
    Log(#[from] Unproved),
    /// `fields.toml`.
    #[error(transparent)]
    Fields(#[from] FieldsError),
    /// `limits.toml`.
    #[error(transparent)]
    Limits(#[from] LimitsError),
    /// `retention.toml` cannot be used.
    #[error(transparent)]
    Retention(#[from] RetentionError),
    /// `deadlines.toml`.
    #[error(transparent)]
    Deadlines(#[from] DeadlinesError),
    /// `holidays.toml`.
    #[error(transparent)]
    Holidays(#[from] HolidaysError),
    /// `lists.toml`.
    #[error(transparent)]
    Lists(#[from] ListsError),
    /// `words.toml`.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// The policies.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The files that the policies are in.
    #[error(transparent)]
    PolicyFiles(#[from] BadFiles),
    /// The data store belongs to another vault than the key store.
    #[error("the data store belongs to another vault than the key store\n  name the directories that belong together")]
    OtherVault,
    /// The log has a version of a key that the key store lacks: a copy of the key store from before the rotation.
    #[error(
        "the key store is older than the data store: it lacks version {1} of the key {0}\n  restore its newest backup"
    )]
    OlderKeys(KeyRole, u8),
    /// Something in the data store was made with a version of a key that was destroyed since: a copy of the data store from before its
    /// rewrap.
    #[error(
        "the data store is older than the key store: version {1} of the key {0} was destroyed since, and something in it was made with \
         that version\n  it cannot be opened any more; restore a backup from after the rewrap"
    )]
    DestroyedKey(KeyRole, u8),
    /// The key store says that a version of a key was destroyed, and the log, which is all there, does not.
    #[error(
        "the key store says that version {1} of the key {0} was destroyed, and the log does not say so\n  keep both stores as evidence; \
         restore the key store from its newest backup"
    )]
    UnknownDestruction(KeyRole, u8),
    /// The manifest of a backup.
    #[error(
        "the manifest of the backup does not hold: {0}\n  it was changed, or is of another vault: restore another backup"
    )]
    Manifest(#[from] NoteError),
    /// What takes two persons, and these are not two who may: why.
    #[error(
        "these two accounts may not restart the log ({0})\n  give the tokens of a system administrator and of another person \
         who may approve it: an auditor"
    )]
    NotByThese(Why),
    /// The roles of a first administrator.
    #[error(transparent)]
    Roles(#[from] BadRoles),
    /// The system gives no thread.
    #[error("the log's thread cannot be started")]
    NoThread(#[source] std::io::Error),
    /// Anything else.
    #[error(transparent)]
    Vault(#[from] Error),
}

impl Vault {
    /// Unlocks a vault and proves its log.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is opened then.
    pub async fn open<'o>(
        places: &Places,
        opener: impl Into<Opener<'o>>,
        clock: Arc<dyn Clock>,
        node: &str,
    ) -> Result<Self, OpenError> {
        Self::open_with(places, opener, clock, node, Running::default()).await
    }

    /// As `open`, run in another way than usual.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_with<'o>(
        places: &Places,
        opener: impl Into<Opener<'o>>,
        clock: Arc<dyn Clock>,
        node: &str,
        running: Running,
    ) -> Result<Self, OpenError> {
        let opening = Opening::new(places.clone(), clock, node, running);
        let unlocked = Unlocked::open(&opening.places, opener.into(), &opening.running.randomness).await?;
        unlocked.prove(&opening).await
    }
}

impl Opening {
    /// Unlocks the vault, proves its log and writes into it that the vault was unlocked, and in which way.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is opened then.
    pub async fn open<'o>(&self, opener: impl Into<Opener<'o>>, way: &str) -> Result<Vault, OpenError> {
        let unlocked = Unlocked::open(&self.places, opener.into(), &self.running.randomness).await?;
        Ok(self.finish(unlocked, way).await?.0)
    }

    /// The vault, once its log is proved, agrees with what witnesses have cosigned, and says that it was unlocked.
    pub(in crate::vault) async fn finish(&self, unlocked: Unlocked, way: &str) -> Result<(Vault, Audit), OpenError> {
        let vault = unlocked.prove(self).await?;
        // Before anything is written: a log that was cut does not grow over what was cosigned.
        let vault = vault.with_witnesses(self.witnessing.anew())?;
        let audit = vault.note_unlock(way).await?;
        Ok((vault, audit))
    }
}

/// Rules and both stores of one vault, which no other process has open. Locked.
pub(in crate::vault) struct Stores {
    pub(in crate::vault) keys: SqliteKeys,
    data: SqliteData,
    pub(in crate::vault) vault: VaultRow,
    rules: Rules,
    lists: Lists,
    lists_sha256: String,
}

impl Stores {
    pub(in crate::vault) async fn open(places: &Places) -> Result<Self, OpenError> {
        let rules = rules::load(places)?;
        let (lists, lists_sha256) = rules::lists(&places.policies, places.policies_named)?;
        // Before a store is missed: a restore that was killed has left it there, and none in its place.
        remove_restoring(&places.keys, true)?;
        remove_restoring(&places.data, false)?;
        let keys = SqliteKeys::open(&places.keys)?;
        let data = SqliteData::open(&places.data)?;
        remove_copies(&places.keys, true)?;
        remove_copies(&places.data, false)?;
        let vault = keys.vault().await?;
        if (&data as &dyn DataStore).vault().await? != vault {
            return Err(OpenError::OtherVault);
        }
        Ok(Self {
            keys,
            data,
            vault,
            rules,
            lists,
            lists_sha256,
        })
    }

    /// The keys.
    pub(in crate::vault) async fn keyring(
        &self,
        opener: Opener<'_>,
        randomness: &Arc<dyn Randomness>,
    ) -> Result<Keyring, OpenError> {
        let (ways, keyring) = (self.keys.unlocks().await?, self.keys.keyring().await?);
        opener.fits(&self.vault, &ways)?;
        let unlocked = unlock::unlock(&self.vault.origin, opener, &ways, &keyring, Arc::clone(randomness));
        Ok(unlocked?)
    }

    /// With its keys.
    pub(in crate::vault) async fn unlocked(self, keyring: Keyring) -> Result<Unlocked, OpenError> {
        let fence = self.keys.fence().await?;
        Ok(Unlocked {
            store: Arc::new(self.data),
            keys: Arc::new(self.keys),
            keyring: Arc::new(keyring),
            log: fence.map_or(self.vault.origin, |fence| fence.origin),
            rules: Arc::new(self.rules),
            lists: self.lists,
            lists_sha256: self.lists_sha256,
        })
    }
}

/// Both stores and the keys, before the log is proved.
pub(in crate::vault) struct Unlocked {
    pub(in crate::vault) store: Arc<dyn DataStore>,
    pub(in crate::vault) keys: Arc<dyn KeyStore>,
    pub(in crate::vault) keyring: Arc<Keyring>,
    /// The origin of the log in force: the one that the fence is of.
    pub(in crate::vault) log: String,
    rules: Arc<Rules>,
    lists: Lists,
    /// SHA-256 over the file of the lists, in base64.
    lists_sha256: String,
}

impl Unlocked {
    pub(in crate::vault) async fn open(
        places: &Places,
        opener: Opener<'_>,
        randomness: &Arc<dyn Randomness>,
    ) -> Result<Self, OpenError> {
        let stores = Stores::open(places).await?;
        let keyring = stores.keyring(opener, randomness).await?;
        stores.unlocked(keyring).await
    }

    /// What makes copies of an open vault's stores such as can be looked at with its keys.
    pub(in crate::vault) fn of_copies(vault: &Vault) -> impl FnOnce(SqliteData, SqliteKeys) -> Self + Send + use<> {
        let (keyring, log) = (Arc::clone(&vault.keyring), vault.log.origin().to_owned());
        let (rules, lists) = (vault.rules(), vault.lists());
        |data, keys| Self {
            store: Arc::new(data),
            keys: Arc::new(keys),
            keyring,
            log,
            rules,
            lists: Arc::unwrap_or_clone(lists),
            lists_sha256: String::new(),
        }
    }

    /// The vault, once its log is proved.
    async fn prove(mut self, opening: &Opening) -> Result<Vault, OpenError> {
        self.check_schema(&opening.places).await?;
        let destructions = self.finish_rotations().await?;
        let doomed = self.finish_erasures().await?;
        self.check_declared().await?;
        self.finish_restart().await?;
        let verifiers = self.keyring.verifiers(&self.log)?;
        let proved = startup::prove(&*self.store, &*self.keys, &self.log, &verifiers).await?;
        // Where the data store is an older copy, that has been said by now.
        destructions.are_known()?;
        self.forget_erasures().await?;
        self.compare_clock(proved.size(), &*opening.clock).await?;
        let owing = Owing {
            doomed,
            destroyed: destructions.owed,
        };
        self.serve(opening.clone(), proved.owing(owing)).await
    }

    /// Warns in the program log where the clock stands behind the newest entry: one of the two times is wrong, and what is logged
    /// from now on will seem to be older. Nothing is stopped: entries have their order without it.
    async fn compare_clock(&self, size: u64, clock: &dyn Clock) -> Result<(), StoreError> {
        let newest = self.store.entries(size.saturating_sub(1), 1).await?.pop();
        let newest = newest.and_then(|entry| ProvedEntry::new(entry).ok()?.leaf());
        let time = newest.and_then(|leaf| leaf.t.parse::<Timestamp>().ok());
        if let (Some(time), Ok(now)) = (time, clock.now())
            && now < time
        {
            let (newest, now) = (milliseconds(time), milliseconds(now));
            tracing::warn!(
                newest,
                now,
                "the clock stands behind the newest entry of the log: set it right; `callervault fsck` names the entries where times go back"
            );
        }
        Ok(())
    }

    /// The vault, on a log that has been proved.
    pub(in crate::vault) async fn serve(self, opening: Opening, proved: Proved) -> Result<Vault, OpenError> {
        let (places, running) = (&opening.places, &opening.running);
        let signer: Arc<dyn LogKeys> = self.keyring.clone();
        let index = SqliteLogIndex::open(&places.log_index())?;
        let contradictions = self.keys.contradictions(proved.origin()).await?;
        let writer = self.store.writer()?;
        let node = Node {
            name: opening.node.clone(),
            randomness: Arc::clone(&running.randomness),
        };
        let log = Log::start_with(
            proved,
            writer,
            Arc::clone(&self.keys),
            signer,
            node,
            Pace {
                queue: running.queue,
                batch: running.batch,
                deadline: running.deadline,
            },
        )
        .map_err(OpenError::NoThread)?;
        rules::tell_rules(self.rules.policy.hash());
        rules::tell_lists(&self.lists_sha256);
        if let Ok(now) = opening.clock.now() {
            rules::warn_of_deadlines(&self.rules.deadlines, &self.lists, now);
        }
        let limits = running.limited.then(|| self.rules.limits.clone());
        let vault = Vault {
            store: self.store,
            keys: self.keys,
            keyring: self.keyring,
            log,
            rules: ArcSwap::new(self.rules),
            lists: ListsInForce::new(self.lists, places.policies.clone(), places.policies_named),
            clock: Arc::clone(&opening.clock),
            randomness: Arc::clone(&running.randomness),
            rate_limiter: RateLimiter::new(running.rates),
            strangers: RateLimiter::new(STRANGERS),
            witnessing: crate::vault::Witnessing::none().held_to(contradictions),
            indexer: Indexer::new(Arc::new(index)),
            spending: Spending::new(limits, running.watching),
            token_days: TokenDays::default(),
            recovery: PendingRecovery::default(),
            opening,
            rewraps: Rewraps::default(),
            copies: Copies::default(),
            retention_wanted: tokio::sync::Notify::new(),
        };
        vault.tell_of_recoveries().await?;
        Ok(vault)
    }

    /// Fields that have been declared are declared as they were.
    pub(in crate::vault) async fn check_declared(&self) -> Result<(), OpenError> {
        rules::check_declared(&self.rules.fields, &*self.store, &self.keyring).await
    }

    /// Nothing is served from a store whose schema somebody has changed.
    pub(in crate::vault) async fn check_schema(&self, places: &Places) -> Result<(), StoreError> {
        let (data, keys) = (self.store.schema().await?, self.keys.schema().await?);
        for (path, found) in [(&places.data, data), (&places.keys, keys)] {
            if !found.is_empty() {
                return Err(StoreError::Schema(path.clone(), found.join("; ")));
            }
        }
        Ok(())
    }

    pub(in crate::vault) fn fields(&self) -> &FieldSet {
        &self.rules.fields
    }
}
