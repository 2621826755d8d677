//! The door to a vault: behind it is one that is open, or none, and then it can be unlocked.
//!
//! While it is closed, nothing of the vault is open: no store, no key, no thread of the log. Each unlock opens the vault as a start
//! does and proves its log. Each request holds the vault that it found for its own length, so that the one that was locked is gone
//! only when the last of them has ended; no other is opened before.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ops::Deref;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::keyring::KeyError;
use crate::keyring::unlock::Progress;
use crate::log::CommitError;
use crate::model::ask::RequestId;
use crate::model::unlocking::{Asker, CameFrom};
use crate::store::rows::UnlockTryRow;
use crate::store::{KeyStore, StoreError};
use crate::vault::life::gathering::{Brought, Gathered, Gathering};
use crate::vault::life::line::Line;
use crate::vault::life::open::{OpenError, Opening, Stores};
use crate::vault::life::tries;
use crate::vault::{Audit, Error, Session, Vault};

/// How the log names an unlock through a running server.
const UNLOCK: &str = "unlock";
/// How the log names a lock by a signal.
const SIGNAL: &str = "signal";
/// How soon to come again while somebody else's try is under way.
const SOON: Duration = Duration::from_secs(1);
/// How long an unlock waits for work that was begun before the vault was locked.
const FORMER: Duration = Duration::from_secs(10);
/// How long the log has to take that the vault is locked by a signal. The keys do not wait longer.
const LOGGED: Duration = Duration::from_secs(2);

/// Why the vault was not unlocked.
#[derive(Debug, thiserror::Error)]
pub enum NotUnlocked {
    /// It is open. The passphrase was not looked at.
    #[error("the vault is unlocked already")]
    Open,
    /// The passphrase is not the one. The next is not looked at before that time has passed.
    #[error("wrong passphrase")]
    Wrong(Duration),
    /// These shares do not open it. All that were in are wiped; the next is not looked at before that time has passed.
    #[error("wrong shares")]
    WrongShares(Duration),
    /// What was brought is not for this vault as it opens now, or is in already.
    #[error(transparent)]
    NotThis(KeyError),
    /// What was brought was not looked at: it came too soon after a wrong one, while another was tried, or while somebody else had waited
    /// longer.
    #[error("this try came too soon")]
    TooSoon(Duration),
    /// Work that was begun before the vault was locked has not ended.
    #[error("work that was begun before the vault was locked has not ended")]
    Closing,
    /// The vault does not open.
    #[error(transparent)]
    NotOpened(#[from] OpenError),
}

impl From<StoreError> for NotUnlocked {
    fn from(error: StoreError) -> Self {
        Self::NotOpened(error.into())
    }
}

impl From<Error> for NotUnlocked {
    fn from(error: Error) -> Self {
        Self::NotOpened(error.into())
    }
}

/// What came of it.
pub enum Unlocked {
    /// The vault is open.
    Open(Audit),
    /// It opens when more shares are in.
    Waiting(Progress),
}

/// An open vault, and that it is there.
pub struct OpenVault {
    vault: Vault,
    // Dropped after the vault: whoever opens it again waits for this.
    _there: oneshot::Sender<Infallible>,
}

impl Deref for OpenVault {
    type Target = Vault;

    fn deref(&self) -> &Vault {
        &self.vault
    }
}

/// Whose turn it is to open.
#[derive(Default)]
struct Turn {
    /// Resolves when the vault that was opened last is gone.
    former: Option<oneshot::Receiver<Infallible>>,
    /// Wrong passphrases as the key store had them last. It has them for other nodes and for the next start; here they save opening
    /// it for a try that comes too soon.
    wrong: Vec<UnlockTryRow>,
    /// Shares that are in; of this process alone.
    gathering: Gathering,
}

/// A vault that is open, or locked and can be unlocked.
pub struct Door {
    /// How this process opens it.
    opening: Opening,
    /// The vault while it is open. Filled by whoever has the turn, emptied by whoever locks; each node has its own.
    open: watch::Sender<Option<Arc<OpenVault>>>,
    /// Held by the one who unlocks, from the first look at the passphrase to the end, and by a lock that nobody asked for.
    turn: Arc<Mutex<Turn>>,
    /// Who waits for the turn, on the machine and on the network, each under a lock inside. Each node has lines of its own.
    lines: BTreeMap<CameFrom, std::sync::Mutex<Line>>,
}

impl Door {
    /// The door to a vault that is locked.
    ///
    /// # Errors
    /// [`OpenError`] where there is no vault that could be unlocked.
    pub async fn locked(opening: Opening) -> Result<Arc<Self>, OpenError> {
        drop(Stores::open(&opening.places).await?);
        Ok(Self::new(opening, None, Turn::default()))
    }

    /// The door to a vault that is open.
    #[must_use]
    pub fn of(vault: Vault) -> Arc<Self> {
        let opening = vault.opening.clone();
        let (open, turn) = opened(vault);
        Self::new(opening, Some(open), turn)
    }

    fn new(opening: Opening, open: Option<Arc<OpenVault>>, turn: Turn) -> Arc<Self> {
        let line = |from: &CameFrom| (*from, std::sync::Mutex::default());
        Arc::new(Self {
            opening,
            open: watch::Sender::new(open),
            turn: Arc::new(Mutex::new(turn)),
            lines: CameFrom::ALL.iter().map(line).collect(),
        })
    }

    /// The vault, to be held for the length of one request.
    ///
    /// # Errors
    /// [`Error::Key`] when locked.
    pub fn vault(&self) -> Result<Arc<OpenVault>, Error> {
        let open = self.open.borrow().clone();
        open.ok_or(Error::Key(KeyError::Locked))
    }

    /// The id of a request that has just come in.
    ///
    /// # Errors
    /// [`Error::Key`] without randomness.
    pub fn new_request(&self) -> Result<RequestId, Error> {
        Ok(RequestId::random(&*self.opening.running.randomness)?)
    }

    /// Returns once the vault is locked.
    pub async fn closed(&self) {
        // The sender lives as long as this door.
        let _ = self.open.subscribe().wait_for(Option::is_none).await;
    }

    /// Does this with the vault as long as it is open. When it is locked, breaks off, and begins again with the one that is unlocked
    /// next.
    pub async fn while_open<F: Future>(&self, work: impl Fn(Arc<OpenVault>) -> F) -> F::Output {
        let mut changes = self.open.subscribe();
        loop {
            let open = changes.borrow_and_update().clone();
            let Some(vault) = open else {
                let _ = changes.changed().await;
                continue;
            };
            tokio::select! {
                biased;
                _ = changes.changed() => {}
                done = work(vault) => return done,
            }
        }
    }

    /// Locks, once that stands in the log. Goes on when its asker hangs up.
    ///
    /// # Errors
    /// [`Error::Refused`]; when locked already, or when the log does not take it.
    pub async fn lock(self: &Arc<Self>, session: &Session) -> Result<Audit, Error> {
        let (door, session) = (Arc::clone(self), session.clone());
        let locking = tokio::spawn(async move {
            let audit = door.vault()?.lock(&session).await?;
            door.wipe();
            Ok(audit)
        });
        locking.await.unwrap_or(Err(CommitError::Dead.into()))
    }

    /// Locks without a person who has asked. It stands in the log if that takes it within a moment.
    pub async fn lock_at_signal(&self) {
        // What is being unlocked now is locked as soon as it is open.
        let mut turn = self.turn.lock().await;
        turn.gathering.wipe();
        let Ok(vault) = self.vault() else {
            tracing::info!("the vault is locked already");
            return;
        };
        match timeout(LOGGED, vault.note_lock(SIGNAL)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "the log does not have that the vault is locked"),
            Err(_) => tracing::error!("the log did not take in time that the vault is locked"),
        }
        drop(vault);
        self.wipe();
        tracing::info!(way = SIGNAL, "the vault is locked; keys wiped");
    }

    /// Wipes the keys, and lets the vault go.
    pub fn wipe(&self) {
        if let Some(vault) = self.open.send_replace(None) {
            vault.wipe();
        }
    }

    /// Whether there is anything to be unlocked: no passphrase is read for an open vault.
    ///
    /// # Errors
    /// [`NotUnlocked::Open`].
    pub fn is_locked(&self) -> Result<(), NotUnlocked> {
        match self.vault() {
            Ok(_) => Err(NotUnlocked::Open),
            Err(_) => Ok(()),
        }
    }

    /// Unlocks with what was brought, or with it and the shares that came before, and says so in the log. Goes on when its asker hangs
    /// up. Whoever is told to come again keeps the place in the line, and so is next after those who asked before.
    ///
    /// # Errors
    /// [`NotUnlocked`].
    pub async fn unlock(
        self: &Arc<Self>,
        brought: Brought,
        from: CameFrom,
        asker: Asker,
    ) -> Result<Unlocked, NotUnlocked> {
        let done = self.unlock_if_first(brought, from, asker).await;
        if let Err(NotUnlocked::TooSoon(wait)) = done {
            self.in_line(from, |line| line.keep(asker, Instant::now(), wait));
        }
        done
    }

    async fn unlock_if_first(
        self: &Arc<Self>,
        brought: Brought,
        from: CameFrom,
        asker: Asker,
    ) -> Result<Unlocked, NotUnlocked> {
        let is_first = self.in_line(from, |line| line.is_first(asker, Instant::now()));
        if is_first != Some(true) {
            return Err(NotUnlocked::TooSoon(SOON));
        }
        let turn = Arc::clone(&self.turn).try_lock_owned();
        let turn = turn.map_err(|_| NotUnlocked::TooSoon(SOON))?;
        let door = Arc::clone(self);
        // Deriving a key and opening a store keep a thread busy.
        let unlocking = spawn_blocking(move || {
            let unlocking = door.unlock_in_turn(turn, brought, from, asker);
            Handle::current().block_on(unlocking)
        });
        let broken_off = |_| Err(Error::from(CommitError::Dead).into());
        unlocking.await.unwrap_or_else(broken_off)
    }

    /// Does this with the line of those who come from there.
    fn in_line<T>(&self, from: CameFrom, work: impl FnOnce(&mut Line) -> T) -> Option<T> {
        let line = self.lines.get(&from)?;
        Some(work(&mut line.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    async fn unlock_in_turn(
        self: &Arc<Self>,
        mut turn: OwnedMutexGuard<Turn>,
        brought: Brought,
        from: CameFrom,
        asker: Asker,
    ) -> Result<Unlocked, NotUnlocked> {
        if self.vault().is_ok() {
            return Err(NotUnlocked::Open);
        }
        let now = self.opening.clock.now().map_err(Error::from)?;
        turn.is_due(from, now)?;
        turn.former_is_gone().await?;
        let stores = Stores::open(&self.opening.places).await?;
        turn.wrong = stores.keys.unlock_tries().await?;
        turn.is_due(from, now)?;
        self.in_line(from, |line| line.leave(asker));
        let means = match turn
            .gathering
            .take(brought, &stores, self.opening.running.pkcs11.as_deref())
            .await
        {
            Ok(Gathered::Enough(means)) => means,
            Ok(Gathered::Waiting(progress)) => {
                self.forget_later(turn.gathering.count());
                return Ok(Unlocked::Waiting(progress));
            }
            Err(error) => return Err(turn.not_opened(error, &stores, (from, now)).await?),
        };
        let keyring = match stores.keyring((&means).into(), &self.opening.running.randomness).await {
            Ok(keyring) => keyring,
            Err(error) => return Err(turn.not_opened(error, &stores, (from, now)).await?),
        };
        drop(means);
        let (vault, audit) = self.opening.finish(stores.unlocked(keyring).await?, UNLOCK).await?;
        let (open, next) = opened(vault);
        *turn = next;
        self.open.send_replace(Some(open));
        Ok(Unlocked::Open(audit))
    }

    /// Wipes the shares that are in when no further one has come for a time.
    fn forget_later(self: &Arc<Self>, count: u64) {
        let (door, gather_for) = (Arc::downgrade(self), self.opening.running.gather_for);
        tokio::spawn(async move {
            sleep(gather_for).await;
            if let Some(door) = door.upgrade() {
                door.turn.lock().await.gathering.expire(count);
            }
        });
    }
}

/// A vault that is open from now on, and the turn of the one who opens it next.
fn opened(vault: Vault) -> (Arc<OpenVault>, Turn) {
    let (there, former) = oneshot::channel();
    let open = OpenVault { vault, _there: there };
    let turn = Turn {
        former: Some(former),
        ..Turn::default()
    };
    (Arc::new(open), turn)
}

impl Turn {
    fn is_due(&self, from: CameFrom, now: Timestamp) -> Result<(), NotUnlocked> {
        match tries::wait(&self.wrong, from, now) {
            Duration::ZERO => Ok(()),
            wait => Err(NotUnlocked::TooSoon(wait)),
        }
    }

    /// What the asker hears of this. What is not for this vault as it opens now counts as a wrong try, so that strangers do not make the
    /// server read its stores as often as they like.
    async fn not_opened(
        &mut self,
        error: OpenError,
        stores: &Stores,
        (from, now): (CameFrom, Timestamp),
    ) -> Result<NotUnlocked, StoreError> {
        let error = match error {
            OpenError::Key(error) if error.is_of_opener() => error,
            other => return Ok(other.into()),
        };
        if error.is_wrong_try() {
            tries::count(&stores.keys, &self.wrong, from, now)?;
            self.wrong = stores.keys.unlock_tries().await?;
        }
        let wait = tries::wait(&self.wrong, from, now);
        Ok(match error {
            KeyError::WrongPassphrase => NotUnlocked::Wrong(wait),
            KeyError::WrongShares => NotUnlocked::WrongShares(wait),
            other => NotUnlocked::NotThis(other),
        })
    }

    /// Waits until the vault that was open before has let go of its stores.
    async fn former_is_gone(&mut self) -> Result<(), NotUnlocked> {
        if let Some(former) = &mut self.former {
            // It never says anything; it is dropped.
            let _ = timeout(FORMER, former).await.map_err(|_| NotUnlocked::Closing)?;
            self.former = None;
        }
        Ok(())
    }
}
