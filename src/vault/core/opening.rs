//! How a process opens its vault: where it lies, and how it is run.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::log::Pace;
use crate::randomness::{Randomness, System};
use crate::vault::core::limits::{Rates, Watching};
use crate::vault::core::retention::Retention;
use crate::vault::core::witnessing::Witnessing;

/// Where a vault lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// The data store's file.
    pub data: PathBuf,
    /// The key store's file.
    pub keys: PathBuf,
    /// A directory with `deadlines.toml`, `fields.toml`, `holidays.toml`, `limits.toml`, `lists.toml`, `retention.toml`, `words.toml`,
    /// `need-to-know.cedar`, `schema.cedarschema`; what is not there is as shipped.
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
    /// How long the shares that are in wait for a further one before they are wiped.
    pub gather_for: Duration,
    /// The library of a hardware module, where the vault opens by one.
    pub pkcs11: Option<PathBuf>,
}

/// Long enough for people who are called together, on the telephone, say.
const GATHER_FOR: Duration = Duration::from_secs(15 * 60);

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
            gather_for: GATHER_FOR,
            pkcs11: None,
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

/// How a process opens its vault, at its start and each time that it is unlocked again. It holds no key.
#[derive(Clone)]
pub struct Opening {
    /// Where the vault lies.
    pub places: Places,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The name of the node in the log.
    pub node: String,
    /// How it is run.
    pub running: Running,
    /// The witnesses of its log. What they have said is read again at each opening.
    pub witnessing: Arc<Witnessing>,
    /// How long the log's entries keep their bodies.
    pub retention: Retention,
}

impl Opening {
    /// Without witnesses, and with the usual retention.
    #[must_use]
    pub fn new(places: Places, clock: Arc<dyn Clock>, node: &str, running: Running) -> Self {
        Self {
            places,
            clock,
            node: node.to_owned(),
            running,
            witnessing: Arc::new(Witnessing::none()),
            retention: Retention::default(),
        }
    }
}
