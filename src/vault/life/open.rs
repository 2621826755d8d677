//! Opening a vault: prove the log, then serve.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::audit::indexer::Indexer;
use crate::clock::Clock;
use crate::keyring::unlock::{self, Passphrase};
use crate::keyring::{KeyError, Keyring};
use crate::log::leaf::milliseconds;
use crate::log::startup::{self, Proved, Unproved};
use crate::log::{Log, LogKeys, Node, Pace, ProvedEntry};
use crate::model::fields::{FieldSet, FieldsError, WordsError};
use crate::model::key_roles::KeyRole;
use crate::model::limits::LimitsError;
use crate::model::lists::{Lists, ListsError};
use crate::model::principals::BadRoles;
use crate::policy::{PolicyError, Why};
use crate::randomness::{Randomness, System};
use crate::store::sqlite::{SqliteData, SqliteKeys, SqliteLogIndex};
use crate::store::{DataStore, KeyStore, StoreError};
use crate::vault::core::limits::{RateLimiter, Rates, STRANGERS, Spending, Watching};
use crate::vault::core::{ListsInForce, PendingRecovery, Rewraps, Rules, TokenDays};
use crate::vault::life::rules::{self, BadFiles};
use crate::vault::{Error, Vault};

/// Where a vault lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// The data store's file.
    pub data: PathBuf,
    /// The key store's file.
    pub keys: PathBuf,
    /// A directory with `fields.toml`, `limits.toml`, `lists.toml`, `words.toml`, `need-to-know.cedar`, `schema.cedarschema`; what is
    /// not there is as shipped.
    pub policies: PathBuf,
    /// Somebody named that directory: then it must be there.
    pub policies_named: bool,
}

impl Places {
    /// `data/vault.db`, `keys/keystore.db` and `policies/` below a directory.
    #[must_use]
    pub fn below(directory: &std::path::Path) -> Self {
        Self {
            data: directory.join("data").join("vault.db"),
            keys: directory.join("keys").join("keystore.db"),
            policies: directory.join("policies"),
            policies_named: false,
        }
    }

    /// The file of the log's index, beside the data store. It may be deleted: it is made again from the log.
    #[must_use]
    pub fn log_index(&self) -> PathBuf {
        self.data.with_file_name("log-index.db")
    }
}

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
    /// The key store says that a version of a key was destroyed, and the data store does not: a copy of the data store from before.
    #[error(
        "the data store is older than the key store: version {1} of the key {0} was destroyed since\n  what was made with it cannot \
         be opened any more; restore the newest backup"
    )]
    DestroyedKey(KeyRole, u8),
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

/// How a vault is run.
#[derive(Clone)]
pub struct Running {
    /// Where random bytes come from.
    pub randomness: Arc<dyn Randomness>,
    /// Most entries that may wait for the log. Beyond, askers are told 503 `audit-unavailable` at once.
    pub queue: usize,
    /// Most entries in one commit. 1 measures what sharing a commit is worth.
    pub batch: usize,
    /// How long an entry may wait for the log before its asker is told 503 `audit-unavailable`.
    pub deadline: Duration,
    /// Working hours, and how many clear reveals a day a principal may have.
    pub watching: Watching,
    /// How much each principal may ask for.
    pub rates: Rates,
    /// Whether `limits.toml` is held to. Not where calls that were taken long ago are brought in with the passphrase.
    pub limited: bool,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            randomness: Arc::new(System),
            queue: Pace::default().queue,
            batch: Pace::default().batch,
            deadline: Pace::default().deadline,
            watching: Watching::default(),
            rates: Rates::default(),
            limited: true,
        }
    }
}

impl Running {
    /// As usual, for work at which nobody waits for an answer: however slow the disk is, the log takes it.
    #[must_use]
    pub fn patient() -> Self {
        Self {
            deadline: Duration::from_secs(600),
            ..Self::default()
        }
    }
}

impl Vault {
    /// Unlocks a vault and proves its log.
    ///
    /// # Errors
    /// [`OpenError`]: nothing is opened then.
    pub async fn open(
        places: &Places,
        passphrase: &Passphrase,
        clock: Arc<dyn Clock>,
        node: &str,
    ) -> Result<Self, OpenError> {
        Self::open_with(places, passphrase, clock, node, Running::default()).await
    }

    /// As `open`, run in another way than usual.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_with(
        places: &Places,
        passphrase: &Passphrase,
        clock: Arc<dyn Clock>,
        node: &str,
        running: Running,
    ) -> Result<Self, OpenError> {
        let mut opened = Unlocked::open(places, passphrase, &running.randomness).await?;
        opened.check_schema(places).await?;
        opened.finish_rotations().await?;
        opened.check_declared().await?;
        opened.finish_restart().await?;
        let verifiers = opened.keyring.verifiers(&opened.log)?;
        let proved = startup::prove(&*opened.store, &*opened.keys, &opened.log, &verifiers).await?;
        opened.compare_clock(proved.size(), &*clock).await?;
        opened.serve(places, proved, clock, node, running).await
    }
}

/// Both stores and the keys, before the log is proved.
pub(in crate::vault) struct Unlocked {
    pub(in crate::vault) store: Arc<dyn DataStore>,
    pub(in crate::vault) keys: Arc<dyn KeyStore>,
    pub(in crate::vault) keyring: Arc<Keyring>,
    /// The origin of the log in force: the one that the fence is of.
    pub(in crate::vault) log: String,
    rules: Rules,
    lists: Lists,
    /// SHA-256 over the file of the lists, in base64.
    lists_sha256: String,
}

impl Unlocked {
    pub(in crate::vault) async fn open(
        places: &Places,
        passphrase: &Passphrase,
        randomness: &Arc<dyn Randomness>,
    ) -> Result<Self, OpenError> {
        let rules = rules::load(places)?;
        let (lists, lists_sha256) = rules::lists(&places.policies, places.policies_named)?;
        let keys = SqliteKeys::open(&places.keys)?;
        let store = SqliteData::open(&places.data)?;
        let vault = keys.vault().await?;
        if (&store as &dyn DataStore).vault().await? != vault {
            return Err(OpenError::OtherVault);
        }
        let keyring = unlock::unlock(
            &vault.origin,
            passphrase,
            &keys.unlocks().await?,
            &keys.keyring().await?,
            Arc::clone(randomness),
        )?;
        let log = keys
            .fence()
            .await?
            .map_or_else(|| vault.origin.clone(), |fence| fence.origin);
        Ok(Self {
            store: Arc::new(store),
            keys: Arc::new(keys),
            keyring: Arc::new(keyring),
            log,
            rules,
            lists,
            lists_sha256,
        })
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
    pub(in crate::vault) async fn serve(
        self,
        places: &Places,
        proved: Proved,
        clock: Arc<dyn Clock>,
        node: &str,
        running: Running,
    ) -> Result<Vault, OpenError> {
        let signer: Arc<dyn LogKeys> = self.keyring.clone();
        let index = SqliteLogIndex::open(&places.log_index())?;
        let contradictions = self.keys.contradictions(proved.origin()).await?;
        let writer = self.store.writer()?;
        let node = Node {
            name: node.to_owned(),
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
        let limits = running.limited.then(|| self.rules.limits.clone());
        let vault = Vault {
            store: self.store,
            keys: self.keys,
            keyring: self.keyring,
            log,
            rules: ArcSwap::from_pointee(self.rules),
            lists: ListsInForce::new(self.lists, places.policies.clone(), places.policies_named),
            clock,
            randomness: running.randomness,
            rate_limiter: RateLimiter::new(running.rates),
            strangers: RateLimiter::new(STRANGERS),
            witnessing: crate::vault::Witnessing::none().held_to(contradictions),
            retention: crate::vault::Retention::default(),
            indexer: Indexer::new(Arc::new(index)),
            spending: Spending::new(limits, running.watching),
            token_days: TokenDays::default(),
            recovery: PendingRecovery::default(),
            rewraps: Rewraps::default(),
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

    pub(in crate::vault) const fn fields(&self) -> &FieldSet {
        &self.rules.fields
    }
}
