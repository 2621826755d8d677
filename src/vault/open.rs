//! Making a vault, and opening one: prove the log, then serve.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::authenticate::{PREFIX, token_hash};
use super::budgets::{Budgets, Watching};
use super::{Error, Vault};
use crate::audit::index::Indexer;
use crate::audit::leaf::Leaf;
use crate::audit::startup::{self, Proved, Unproved};
use crate::audit::{CheckpointSigner, Log, genesis};
use crate::clock::Clock;
use crate::keyring::unlock::{self, Passphrase};
use crate::keyring::{KeyError, Keyring};
use crate::model::fields::{FieldSet, FieldsError};
use crate::model::ids::{PrincipalId, TokenId};
use crate::model::principals::{DepartmentKind, PrincipalKind, Role, Roles};
use crate::model::reference::DepartmentCode;
use crate::policy::{Policy, PolicyError, Why};
use crate::store::rows::{DepartmentRow, EntryRow, Fence, HeadRow, PrincipalRow, TokenRow, VaultRow};
use crate::store::sqlite::{NewStore, SqliteData, SqliteKeys, SqliteLogIndex};
use crate::store::{DataStore, DataWriter, KeyStore, StoreError, Write};

/// Where a vault lies.
#[derive(Clone, Debug)]
pub struct Places {
    /// The data store's file.
    pub data: PathBuf,
    /// The key store's file.
    pub keys: PathBuf,
    /// A directory with `fields.toml`, `need-to-know.cedar`, `schema.cedarschema`; what is not there is as shipped.
    pub policies: PathBuf,
}

impl Places {
    /// `data/vault.db`, `keys/keystore.db` and `policies/` below a directory.
    #[must_use]
    pub fn below(directory: &std::path::Path) -> Self {
        Self {
            data: directory.join("data").join("vault.db"),
            keys: directory.join("keys").join("keystore.db"),
            policies: directory.join("policies"),
        }
    }

    /// The file of the log's index, beside the data store. It may be deleted: it is made again from the log.
    #[must_use]
    pub fn log_index(&self) -> PathBuf {
        self.data.with_file_name("log-index.db")
    }
}

/// Why a vault cannot be made or opened.
#[derive(Debug)]
pub enum OpenError {
    /// A store.
    Store(StoreError),
    /// The keys.
    Key(KeyError),
    /// The log is not what it was.
    Log(Unproved),
    /// `fields.toml`.
    Fields(FieldsError),
    /// The policies.
    Policy(PolicyError),
    /// The data store belongs to another vault than the key store.
    OtherVault,
    /// What takes two persons, and these are not two who may: why.
    NotByThese(Why),
    /// A file or a thread.
    Io(String),
    /// Anything else.
    Vault(Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::Log(error) => error.fmt(f),
            Self::Fields(error) => error.fmt(f),
            Self::Policy(error) => error.fmt(f),
            Self::OtherVault => {
                f.write_str("the data store belongs to another vault than the key store\n  name the directories that belong together")
            }
            Self::NotByThese(why) => write!(
                f,
                "these two may not do that ({why})\n  it takes the token of a system administrator and that of somebody else who may approve it: an auditor"
            ),
            Self::Io(words) => f.write_str(words),
            Self::Vault(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OpenError {}

macro_rules! from {
    ($($error:ty => $variant:ident),+) => {
        $(impl From<$error> for OpenError {
            fn from(error: $error) -> Self {
                Self::$variant(error)
            }
        })+
    };
}
from!(StoreError => Store, KeyError => Key, Unproved => Log, FieldsError => Fields, PolicyError => Policy, Error => Vault);

/// The first department and what the log is called.
pub struct Founding {
    /// The log's origin, `<host>/log/1`.
    pub origin: String,
    /// The hotline centre's code.
    pub centre: DepartmentCode,
    /// Its name.
    pub centre_name: String,
}

/// A token just issued. Shown once; the vault keeps its SHA-256.
pub struct Issued {
    /// The principal's account.
    pub account: String,
    /// What it may act as.
    pub role: Role,
    /// The secret.
    pub token: zeroize::Zeroizing<String>,
}

/// Rules as they are in force: those in the directory, or as shipped.
struct Rules {
    fields: FieldSet,
    policy: Policy,
}

fn rules(places: &Places) -> Result<Rules, OpenError> {
    let text = |name: &str, shipped: &str| {
        let path = places.policies.join(name);
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(shipped.to_owned()),
            Err(error) => Err(OpenError::Io(format!("{}: {error}", path.display()))),
        }
    };
    let declarations = text("fields.toml", FieldSet::SHIPPED)?;
    let fields = FieldSet::load(&declarations)?;
    let policies = text("need-to-know.cedar", Policy::SHIPPED_POLICIES)?;
    let schema = text("schema.cedarschema", Policy::SHIPPED_SCHEMA)?;
    let policy = Policy::load(&policies, &schema, &fields, &declarations)?;
    Ok(Rules { fields, policy })
}

impl Vault {
    /// Makes a vault: both stores, the keys, the centre and its three administrators, each with a token.
    ///
    /// # Errors
    /// [`OpenError`]; a store that exists already is left as it is.
    pub fn init(
        places: &Places,
        passphrase: &Passphrase,
        founding: &Founding,
        clock: &dyn Clock,
    ) -> Result<Vec<Issued>, OpenError> {
        let rules = rules(places)?;
        // Both places are locked and taken before anything is made, and given back if anything fails.
        let (new_keys, new_data) = (NewStore::claim(&places.keys)?, NewStore::claim(&places.data)?);
        let now = clock.now().map_err(Error::from)?;
        let vault = VaultRow {
            vault: uuid::Uuid::new_v4().into_bytes(),
            origin: founding.origin.clone(),
        };
        let keys = unlock::create(&vault.origin, passphrase, now)?;
        let keyring = unlock::unlock(
            &vault.origin,
            passphrase,
            std::slice::from_ref(&keys.unlock),
            &keys.keyring,
        )?;
        let (writes, issued) = founders(&keyring, founding, now)?;
        let unsigned = |_| OpenError::Key(KeyError::Locked);
        let empty = genesis::empty_head(&vault.origin, &keyring).map_err(unsigned)?;
        let hash = rules.policy.hash();
        let (entry, head) =
            genesis::first_entry(&vault.origin, &keyring, &writes, founding.centre, hash, now).map_err(unsigned)?;
        let fence = Fence {
            origin: vault.origin.clone(),
            size: head.size,
            root: head.root,
        };
        SqliteKeys::create(&new_keys, &vault, &keys.unlock, &keys.keyring, &fence)?;
        let writer = SqliteData::create(&new_data, &vault, &empty)?;
        found(writer, &writes, entry, &head)?;
        new_keys.keep();
        new_data.keep();
        Ok(issued)
    }

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
        Self::open_with(places, passphrase, clock, node, usize::MAX).await
    }

    /// As `open`, with at most `batch` entries a commit: 1 measures what group commit is worth.
    ///
    /// # Errors
    /// As `open`.
    pub async fn open_with(
        places: &Places,
        passphrase: &Passphrase,
        clock: Arc<dyn Clock>,
        node: &str,
        batch: usize,
    ) -> Result<Self, OpenError> {
        let mut opened = Unlocked::open(places, passphrase).await?;
        opened.check_schema(places).await?;
        opened.finish_restart().await?;
        let verifier = opened.keyring.verifier(&opened.log)?;
        let proved = startup::prove(&*opened.store, &*opened.keys, &opened.log, &verifier).await?;
        opened.serve(places, proved, clock, node, batch).await
    }

    /// The same vault under other working hours and another limit of clear reveals a day.
    ///
    /// # Errors
    /// [`OpenError::Store`].
    pub async fn watching(mut self, rules: Watching) -> Result<Self, OpenError> {
        self.budgets = Budgets::of_log(&*self.store, rules).await?;
        Ok(self)
    }
}

/// Both stores and the keys, before the log is proved.
pub(super) struct Unlocked {
    pub(super) store: Arc<dyn DataStore>,
    pub(super) keys: Arc<dyn KeyStore>,
    pub(super) keyring: Arc<Keyring>,
    /// The origin of the log in force: the one that the fence is of.
    pub(super) log: String,
    rules: Rules,
}

impl Unlocked {
    pub(super) async fn open(places: &Places, passphrase: &Passphrase) -> Result<Self, OpenError> {
        let rules = rules(places)?;
        let keys = SqliteKeys::open(&places.keys)?;
        let store = SqliteData::open(&places.data)?;
        let vault = keys.vault().await?;
        if store.vault().await? != vault {
            return Err(OpenError::OtherVault);
        }
        let keyring = unlock::unlock(
            &vault.origin,
            passphrase,
            &keys.unlocks().await?,
            &keys.keyring().await?,
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
        })
    }

    /// The vault, on a log that has been proved.
    pub(super) async fn serve(
        self,
        places: &Places,
        proved: Proved,
        clock: Arc<dyn Clock>,
        node: &str,
        batch: usize,
    ) -> Result<Vault, OpenError> {
        let signer: Arc<dyn CheckpointSigner> = self.keyring.clone();
        let index = SqliteLogIndex::open(&places.log_index())?;
        let budgets = Budgets::of_log(&*self.store, Watching::default()).await?;
        let writer = self.store.writer()?;
        let log = Log::start_with(proved, writer, Arc::clone(&self.keys), signer, node.to_owned(), batch)
            .map_err(|error| OpenError::Io(format!("the log's thread cannot be started: {error}")))?;
        Ok(Vault {
            store: self.store,
            keys: self.keys,
            keyring: self.keyring,
            log,
            policy: self.rules.policy,
            fields: self.rules.fields,
            clock,
            guesses: super::Guesses::new(),
            witnessing: super::witnessing::Witnessing::none(),
            retention: super::auditing::retention::Retention::default(),
            indexer: Indexer::new(Arc::new(index)),
            budgets,
        })
    }

    /// A restart whose process died between the new log and its fence: the fence goes on, if the new log links what it was
    /// of.
    async fn finish_restart(&mut self) -> Result<(), OpenError> {
        let head = self.store.head().await?;
        let Some(found) = startup::named_origin(&head).filter(|found| *found != self.log && head.size == 1) else {
            return Ok(());
        };
        startup::prove_head(&*self.store, &head, found, &self.keyring.verifier(found)?).await?;
        let first = self.store.entries(0, 1).await?;
        let leaf = first.first().and_then(|entry| Leaf::parse(&entry.body));
        if let (Some(leaf), Some(fence)) = (leaf, self.keys.fence().await?)
            && super::restart::links(&leaf, &fence)
        {
            self.keys.put_fence(&Fence {
                origin: found.to_owned(),
                size: head.size,
                root: head.root,
            })?;
            found.clone_into(&mut self.log);
        }
        Ok(())
    }

    /// Nothing is served from a store whose schema somebody has changed.
    pub(super) async fn check_schema(&self, places: &Places) -> Result<(), StoreError> {
        let (data, keys) = (self.store.schema().await?, self.keys.schema().await?);
        for (path, found) in [(&places.data, data), (&places.keys, keys)] {
            if !found.is_empty() {
                return Err(StoreError::Schema(path.clone(), found.join("; ")));
            }
        }
        Ok(())
    }

    pub(super) const fn fields(&self) -> &FieldSet {
        &self.rules.fields
    }
}

/// Writes the first rows and the first entry.
fn found(mut writer: Box<dyn DataWriter>, writes: &[Write], entry: EntryRow, head: &HeadRow) -> Result<(), StoreError> {
    writer.begin()?;
    if writer.attempt(&[], writes, 0)?.is_err() {
        return Err(StoreError::Corrupt("a new store"));
    }
    writer.append(&[entry], &[], head)?;
    writer.commit()
}

/// A new token: `cvt_` and 256 random bits in base32.
pub(super) fn new_token() -> Result<zeroize::Zeroizing<String>, KeyError> {
    use ring::rand::SecureRandom;
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    ring::rand::SystemRandom::new()
        .fill(&mut *secret)
        .map_err(|_| KeyError::NoRandomness)?;
    let text = data_encoding::BASE32_NOPAD.encode(&*secret).to_ascii_lowercase();
    Ok(zeroize::Zeroizing::new(format!("{PREFIX}{text}")))
}

fn founders(
    keyring: &Keyring,
    founding: &Founding,
    now: jiff::Timestamp,
) -> Result<(Vec<Write>, Vec<Issued>), OpenError> {
    let department = DepartmentRow {
        code: founding.centre,
        name: founding.centre_name.clone(),
        kind: DepartmentKind::Centre,
        version: 1,
        mac: [0; 16],
    };
    let mut writes = vec![Write::Department(keyring.protect(department)?)];
    let mut issued = Vec::new();
    for role in [Role::SecurityAdmin, Role::SystemAdmin, Role::Auditor] {
        let account = role.as_str().replace('_', "-");
        let roles = Roles::new([role]).map_err(|error| OpenError::Io(error.to_string()))?;
        let principal = PrincipalRow {
            id: PrincipalId::random(),
            account: account.clone(),
            department: founding.centre,
            kind: PrincipalKind::Person,
            roles,
            active: true,
            created_by: None,
            version: 1,
            mac: [0; 16],
        };
        let token = new_token()?;
        let row = TokenRow {
            id: TokenId::random(),
            hash: token_hash(&token),
            principal: principal.id,
            created_at: now,
            expires_at: None,
            revoked_at: None,
            mac: [0; 16],
        };
        writes.push(Write::Principal(keyring.protect(principal)?));
        writes.push(Write::Token(keyring.protect(row)?));
        issued.push(Issued { account, role, token });
    }
    Ok((writes, issued))
}
